//! Looking at what occupies ports, without touching any.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use portlease_core::{Port, PortSet, Process};

use crate::parse::diag::Look;
use crate::within::{NoAnswer, within};
use crate::{LIMIT, OccupantDetails, ProbeError, Socket, system};

/// Looks at the sockets of the machine, through a channel to the kernel that stays open.
///
/// On Linux it sees the network namespace of the thread that asked first. It is cheap to make and
/// can be shared between threads, which then ask one after the other.
///
/// ```
/// use portlease_core::{PortRange, PortSet};
/// use portlease_probe::Probe;
///
/// let probe = Probe::new();
/// let range = PortRange::literal(3000, 3100);
/// let occupied = probe.occupied(&range.into())?;
/// assert!(occupied.iter().all(|port| range.contains(port)));
/// # Ok::<(), portlease_probe::ProbeError>(())
/// ```
#[derive(Default)]
pub struct Probe {
    sockets: Mutex<system::Sockets>,
}

impl Probe {
    /// Nothing is opened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of the ports that some socket listens on, on any address: the quick look, in which
    /// programs that are only bound are missing.
    pub fn listening(&self, ports: &PortSet) -> Result<PortSet, ProbeError> {
        self.look(ports, Look::Listening)
    }

    /// Those of the ports that some socket listens on or, on Linux, is bound to, on any address: the
    /// complete look, which takes some 300 µs longer than [`listening`](Self::listening).
    ///
    /// A port that is absent may still be impossible to bind: connections may linger on it, or the
    /// system may reserve it. The last word is a bind.
    pub fn occupied(&self, ports: &PortSet) -> Result<PortSet, ProbeError> {
        self.look(ports, Look::Everything)
    }

    /// The socket that would accept a connection to the port from this machine, to `127.0.0.1` or
    /// else to `::1`. It is the fastest of all questions: the one to ask again and again until a
    /// server listens. A server on another address of the machine alone is not seen.
    pub fn listener(&self, port: Port) -> Result<Option<Socket>, ProbeError> {
        self.ask(|sockets| sockets.listener(port))
    }

    /// All sockets that listen on the port and, on Linux, those that are bound to it, on any address.
    pub fn sockets(&self, port: Port) -> Result<Vec<Socket>, ProbeError> {
        self.ask(|sockets| sockets.sockets(port, Look::Everything))
    }

    /// Everybody who is on the port: those who listen before those who are only bound, then in the
    /// order in which they started, so that the first of several workers that share a socket is
    /// the one that started the others.
    ///
    /// A suspected process is looked at first. If it listens it is answered alone, and fast;
    /// everybody else is asked only if it does not. The answer comes within [`LIMIT`], also when a
    /// process cannot be read because it hangs.
    pub fn who(
        &self,
        port: Port,
        suspected: Option<&Process>,
    ) -> Result<Vec<OccupantDetails>, ProbeError> {
        if let Some(suspected) = suspected.cloned() {
            let listening = self.ask(|sockets| sockets.sockets(port, Look::Listening))?;
            let confirmed = bounded(move || system::confirm(&listening, &suspected))??;
            if let Some(occupant) = confirmed {
                return Ok(vec![occupant]);
            }
        }
        let sockets = self.sockets(port)?;
        if sockets.is_empty() {
            return Ok(Vec::new());
        }
        bounded(move || system::who(&sockets))?
    }

    fn look(&self, ports: &PortSet, look: Look) -> Result<PortSet, ProbeError> {
        if ports.is_empty() {
            return Ok(PortSet::new());
        }
        self.ask(|sockets| sockets.occupied(ports, look))
    }

    fn ask<T>(&self, question: impl FnOnce(&mut system::Sockets) -> T) -> T {
        // A question that panicked leaves a channel that skips answers to earlier questions.
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        question(&mut sockets)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Probe").finish_non_exhaustive()
    }
}

fn bounded<T: Send + 'static>(
    question: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProbeError> {
    let action = "tell who is on a port";
    within(LIMIT, question).map_err(|no_answer| match no_answer {
        NoAnswer::TimedOut => ProbeError::TimedOut {
            action,
            limit: LIMIT,
        },
        NoAnswer::NoThread(source) => ProbeError::Other { action, source },
    })
}
