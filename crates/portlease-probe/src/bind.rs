//! Whether a port can be bound now, and the ways in which it cannot.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use portlease_core::Port;

use crate::attempts::Attempts;
use crate::error::Failure;
use crate::within::{NoAnswer, within};
use crate::{LIMIT, exclusive, system};

/// Why a port cannot be bound. Each failure keeps its meaning: only the first four are about the
/// port itself, so that with another port all may be well.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A socket listens on the port, or is bound to it, on some address.
    #[error("Port {port} is in use.")]
    InUse {
        /// The port.
        port: Port,
    },
    /// Nobody listens on the port; only connections of a server that has ended are left on it. A
    /// server that sets `SO_REUSEADDR`, as dev servers do, can bind it at once, any other in about
    /// a minute. [`Hold::take_lingering`](crate::Hold::take_lingering) can have it now.
    #[error("Connections of a server that has ended linger on port {port} for about a minute.")]
    Lingering {
        /// The port.
        port: Port,
    },
    /// The operating system keeps the port for itself.
    #[error(
        "The system reserves port {port}. On Windows, `netsh int ipv4 show excludedportrange protocol=tcp` shows for what ranges."
    )]
    ReservedBySystem {
        /// The port.
        port: Port,
    },
    /// The user or a sandbox lacks the right.
    #[error(
        "This process is not permitted to bind port {port}: low ports need a privilege, and sandboxes may forbid any."
    )]
    NotPermitted {
        /// The port.
        port: Port,
    },
    /// The machine does not have the address that was asked for.
    #[error("This machine has no address {host} to bind port {port} on.")]
    NoSuchAddress {
        /// The port.
        port: Port,
        /// The address.
        host: IpAddr,
    },
    /// This process or the whole system has no descriptor left.
    #[error("No file descriptor is left to bind port {port}. Raise `ulimit -n` or close files.")]
    OutOfDescriptors {
        /// The port.
        port: Port,
    },
    /// The system did not answer in time.
    #[error(
        "Binding port {port} took more than {limit:?}. Try again when the system is less busy."
    )]
    TimedOut {
        /// The port.
        port: Port,
        /// How long it was waited for.
        limit: Duration,
    },
    /// Anything else.
    #[error("Port {port} could not be bound: {source}.")]
    Other {
        /// The port.
        port: Port,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    /// The port.
    pub fn port(&self) -> Port {
        match self {
            Self::InUse { port }
            | Self::Lingering { port }
            | Self::ReservedBySystem { port }
            | Self::NotPermitted { port }
            | Self::NoSuchAddress { port, .. }
            | Self::OutOfDescriptors { port }
            | Self::TimedOut { port, .. }
            | Self::Other { port, .. } => *port,
        }
    }

    /// The name of the kind of error, which does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "IN_USE",
            Self::Lingering { .. } => "LINGERING",
            Self::ReservedBySystem { .. } => "RESERVED_BY_SYSTEM",
            Self::NotPermitted { .. } => "NOT_PERMITTED",
            Self::NoSuchAddress { .. } => "NO_SUCH_ADDRESS",
            Self::OutOfDescriptors { .. } => "OUT_OF_DESCRIPTORS",
            Self::TimedOut { .. } => "TIMED_OUT",
            Self::Other { .. } => "BIND_FAILED",
        }
    }

    /// Whether the failure is about this port, so that another one may do. Otherwise it is about
    /// the process or the machine, and trying further ports is in vain.
    pub fn is_about_the_port(&self) -> bool {
        matches!(
            self,
            Self::InUse { .. }
                | Self::Lingering { .. }
                | Self::ReservedBySystem { .. }
                | Self::NotPermitted { .. }
        )
    }

    pub(crate) fn new(port: Port, host: IpAddr, error: io::Error) -> Self {
        match system::failure(&error) {
            Failure::InUse => Self::InUse { port },
            Failure::NotPermitted => system::not_permitted(port),
            Failure::NoSuchAddress | Failure::NoSuchFamily => Self::NoSuchAddress { port, host },
            Failure::OutOfDescriptors => Self::OutOfDescriptors { port },
            Failure::Other => Self::Other {
                port,
                source: error,
            },
        }
    }
}

/// Whether the port can be bound now on every address that a dev server may use (`127.0.0.1`,
/// `0.0.0.0`, `::1`, `::` and all others of the machine), and on `host` when one is given.
///
/// It binds, without listening, and lets go at once. Whoever wants the port keeps it with
/// [`Hold::take`](crate::Hold::take) instead: between this answer and a later bind lies a race.
/// The answer comes within [`LIMIT`].
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr, UdpSocket};
/// use portlease_core::Port;
/// use portlease_probe::{BindError, Hold, can_bind};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let port = Port::new(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port()).ok_or("port 0")?;
/// can_bind(port, None)?;
/// let elsewhere: IpAddr = "192.0.2.1".parse()?;
/// assert!(matches!(can_bind(port, Some(elsewhere)), Err(BindError::NoSuchAddress { .. })));
/// let hold = Hold::take(port)?;
/// assert!(matches!(can_bind(port, None), Err(BindError::InUse { .. })));
/// # Ok(())
/// # }
/// ```
pub fn can_bind(port: Port, host: Option<IpAddr>) -> Result<(), BindError> {
    can_bind_within(LIMIT, port, host)
}

/// The same as [`can_bind`] with another bound on its time.
pub fn can_bind_within(limit: Duration, port: Port, host: Option<IpAddr>) -> Result<(), BindError> {
    match within(limit, move || try_bind(port, host)) {
        Ok(answer) => answer,
        Err(NoAnswer::TimedOut) => Err(BindError::TimedOut { port, limit }),
        Err(NoAnswer::NoThread(source)) => Err(BindError::Other { port, source }),
    }
}

fn try_bind(port: Port, host: Option<IpAddr>) -> Result<(), BindError> {
    let mut attempts = Attempts::new();
    match attempts.take(port) {
        Ok(hold) => hold.release(),
        Err(BindError::InUse { port }) => {
            return Err(match attempts.take_lingering(port) {
                Ok(_) => BindError::Lingering { port },
                Err(_) => BindError::InUse { port },
            });
        }
        Err(error) => return Err(error),
    }
    match host.filter(|host| !host.is_unspecified()) {
        None => Ok(()),
        Some(host) => exclusive::bind_address(host, port)
            .map(drop)
            .map_err(|error| BindError::new(port, host, error)),
    }
}
