//! Why the operating system could not be asked.

use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::{LIMIT, system};

/// The operating system did not answer what was asked. It says nothing about any port.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A sandbox or policy forbids the question.
    #[error(
        "The system does not let this process {action}. A sandbox or security policy may forbid it."
    )]
    NotPermitted {
        /// What was tried.
        action: &'static str,
    },
    /// The kernel was built or started without what it takes.
    #[error("This system cannot {action}.")]
    NotSupported {
        /// What was tried.
        action: &'static str,
    },
    /// This process or the whole system has no descriptor left.
    #[error("No file descriptor is left to {action}. Raise `ulimit -n` or close files.")]
    OutOfDescriptors {
        /// What was tried.
        action: &'static str,
    },
    /// There was no answer in time.
    #[error("The system took more than {limit:?} to {action}. Try again when it is less busy.")]
    TimedOut {
        /// What was tried.
        action: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// Anything else.
    #[error("The system could not {action}: {source}.")]
    Other {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl ProbeError {
    pub(crate) fn new(action: &'static str, source: io::Error) -> Self {
        match (system::failure(&source), source.kind()) {
            (Failure::NotPermitted, _) => Self::NotPermitted { action },
            (Failure::OutOfDescriptors, _) => Self::OutOfDescriptors { action },
            (Failure::NoSuchFamily, _) | (_, ErrorKind::NotFound | ErrorKind::Unsupported) => {
                Self::NotSupported { action }
            }
            (_, ErrorKind::WouldBlock | ErrorKind::TimedOut) => Self::TimedOut {
                action,
                limit: LIMIT,
            },
            _ => Self::Other { action, source },
        }
    }

    /// The name of the kind of error, which does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPermitted { .. } => "PROBE_NOT_PERMITTED",
            Self::NotSupported { .. } => "PROBE_NOT_SUPPORTED",
            Self::OutOfDescriptors { .. } => "OUT_OF_DESCRIPTORS",
            Self::TimedOut { .. } => "TIMED_OUT",
            Self::Other { .. } => "PROBE_FAILED",
        }
    }
}

/// The kinds of failure that every operating system has, each under numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    InUse,
    NotPermitted,
    NoSuchAddress,
    OutOfDescriptors,
    /// The address family is switched off or unknown.
    NoSuchFamily,
    Other,
}
