//! What can be wrong with an engine. None of it stops an allocation.

use std::io;

use crate::LIMIT;
use crate::endpoint::Endpoint;

/// An engine that could not tell which ports its containers publish.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{} at {} {kind}: ports that its containers publish may be granted. Set CONTAINERIZATION_ENABLED=false if that does not matter.",
    endpoint.engine,
    endpoint.address
)]
pub struct Fault {
    /// The engine.
    pub endpoint: Endpoint,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with an engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// There is none, although the user named it, or no right to ask it.
    #[error("cannot be reached ({0})")]
    Unreachable(String),
    /// It hangs.
    #[error("did not answer within {} s", LIMIT.as_secs())]
    TimedOut,
    /// It closed the connection, or spoke something else than HTTP.
    #[error("broke off ({0})")]
    BrokenOff(String),
    /// It refused to answer.
    #[error("answered with HTTP status {0}")]
    Refused(u16),
    /// It answered something else than containers.
    #[error("answered what is no list of containers ({0})")]
    Nonsense(String),
}

impl FaultKind {
    /// Whether it only means that the time was over.
    pub(crate) fn is_late(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
        )
    }

    /// Whether it only means that no engine is there that this user could ask: the usual places
    /// keep sockets of engines that do not run, and of those that are for others.
    pub(crate) fn is_absence(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::PermissionDenied
        )
    }
}
