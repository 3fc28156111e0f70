//! Taking one of several ports, with the descriptors of one attempt used again by the next.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use portlease_core::{Port, PortRange};

use crate::exclusive::{Bound, Failed, Unbound};
use crate::parse::diag::Look;
use crate::{BindError, Hold, Socket, system};

/// Attempts to take ports one after the other, until one succeeds.
///
/// After a port that is in use the same descriptor tries the next one, which costs a tenth of
/// opening another. Each try is one system call that does not wait; nothing bounds its time
/// but the kernel. The ports must not be leased to anybody else.
///
/// ```
/// use portlease_core::PortRange;
/// use portlease_probe::Attempts;
///
/// let mut attempts = Attempts::new();
/// let hold = PortRange::literal(20_000, 29_999)
///     .iter()
///     .find_map(|port| attempts.take(port).ok())
///     .expect("one of ten thousand ports is free");
/// # drop(hold);
/// ```
#[derive(Debug, Default)]
pub struct Attempts {
    unbound: Option<Unbound>,
}

impl Attempts {
    /// No descriptor is opened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the port on every address, with the gate closed.
    pub fn take(&mut self, port: Port) -> Result<Hold, BindError> {
        let unbound = match self.unbound.take() {
            Some(unbound) => unbound,
            None => Unbound::open().map_err(|error| failed(port, error))?,
        };
        match unbound.bind(port) {
            Ok(bound) => Ok(Hold::new(port, bound)),
            Err(Failed { error, unbound }) => {
                self.unbound = unbound;
                Err(failed(port, error))
            }
        }
    }

    /// Takes the port although connections of a server that has ended linger on it.
    ///
    /// It is for the port that a service had before: a dev server that is started again would
    /// otherwise lose its port for a minute. Whoever is on the port for real is found first, and
    /// looked for once more afterwards. In between, for some microseconds, a program that sets
    /// `SO_REUSEADDR` can get in; then it keeps the port and this answers [`BindError::InUse`].
    pub fn take_lingering(&mut self, port: Port) -> Result<Hold, BindError> {
        let in_use = || BindError::InUse { port };
        if !is_deserted(port, None) {
            return Err(in_use());
        }
        let bound = reuse(port).map_err(|error| failed(port, error))?;
        let hold = Hold::new(port, bound);
        if is_deserted(port, Some(&hold)) {
            Ok(hold)
        } else {
            Err(in_use())
        }
    }
}

/// Whether no socket but those of this hold listens on the port or is bound to it.
fn is_deserted(port: Port, but: Option<&Hold>) -> bool {
    let own = but.map(Hold::inodes).unwrap_or_default();
    let is_own = |socket: &Socket| socket.inode.is_some_and(|inode| own.contains(&inode));
    let mut sockets = system::Sockets::new();
    // The quick look finds most of those who are there.
    [Look::Listening, Look::Everything].into_iter().all(|look| {
        sockets
            .sockets(&PortRange::only(port).into(), look)
            .is_ok_and(|found| found.iter().all(is_own))
    })
}

/// Binds in spite of lingering connections, and is as closed afterwards as any other.
fn reuse(port: Port) -> io::Result<Bound> {
    let unbound = Unbound::open()?;
    unbound.set_reuse_address(true)?;
    let bound = unbound.bind(port).map_err(|failed| failed.error)?;
    bound.set_reuse_address(false)?;
    Ok(bound)
}

fn failed(port: Port, error: io::Error) -> BindError {
    BindError::new(port, IpAddr::V6(Ipv6Addr::UNSPECIFIED), error)
}
