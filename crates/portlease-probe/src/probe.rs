//! Looking at what occupies ports, without touching any.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use portlease_core::{Port, PortRange, PortSet, Process};

use crate::parse::diag::Look;
use crate::within::{NoAnswer, within};
use crate::{LIMIT, OccupantDetails, Occupants, ProbeError, Socket, system};

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
    /// complete look, which takes some 150 µs longer than [`listening`](Self::listening).
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
        self.ask(|sockets| sockets.sockets(&PortRange::only(port).into(), Look::Everything))
    }

    /// Everybody who is on the port: those who listen before those who are only bound, then in the
    /// order in which they started, so that the first of several workers that share a socket is
    /// the one that started the others.
    ///
    /// Suspected processes, and those that they started, are looked at first. If all sockets that
    /// listen on the port are theirs, they are answered alone, and fast; all processes are searched
    /// only if not. The answer comes within [`LIMIT`], also when a process cannot be read because
    /// it hangs.
    pub fn who<'a>(
        &self,
        port: Port,
        suspected: impl IntoIterator<Item = &'a Process>,
    ) -> Result<Vec<OccupantDetails>, ProbeError> {
        let mut occupants = self.who_each(&PortRange::only(port).into(), suspected)?;
        Ok(occupants.remove(&port).unwrap_or_default())
    }

    /// The suspected processes, and those that they started, who listen on the port, if nobody else
    /// does: the fast half of [`who`](Self::who).
    pub fn confirm<'a>(
        &self,
        port: Port,
        suspected: impl IntoIterator<Item = &'a Process>,
    ) -> Result<Vec<OccupantDetails>, ProbeError> {
        let suspected = suspected.into_iter().cloned().collect();
        let mut occupants = self.confirm_each(&PortRange::only(port).into(), suspected)?;
        Ok(occupants.remove(&port).unwrap_or_default())
    }

    /// The ports that a process, or one that it started, listens on: whatever it was told, this is
    /// where it went. Found among all listeners of the machine, in some hundred microseconds.
    pub fn ports_of(&self, process: &Process) -> Result<PortSet, ProbeError> {
        let everywhere = PortSet::from(PortRange::ALL);
        let listening = self.ask(|sockets| sockets.sockets(&everywhere, Look::Listening))?;
        let process = process.clone();
        bounded(move || system::ports_of(&listening, &process))?
    }

    /// The same as [`who`](Self::who) for many ports, in one search. Ports that nobody is on are absent.
    pub fn who_each<'a>(
        &self,
        ports: &PortSet,
        suspected: impl IntoIterator<Item = &'a Process>,
    ) -> Result<Occupants, ProbeError> {
        let mut occupants = self.confirm_each(ports, suspected.into_iter().cloned().collect())?;
        let mut others = ports.clone();
        others -= &occupants.keys().copied().collect();
        if others.is_empty() {
            return Ok(occupants);
        }
        let sockets = self.ask(|sockets| sockets.sockets(&others, Look::Everything))?;
        if !sockets.is_empty() {
            occupants.extend(bounded(move || system::who(&sockets))??);
        }
        Ok(occupants)
    }

    /// The suspects on those of the ports that nobody else listens on.
    fn confirm_each(
        &self,
        ports: &PortSet,
        suspected: Vec<Process>,
    ) -> Result<Occupants, ProbeError> {
        if suspected.is_empty() {
            return Ok(Occupants::new());
        }
        let listening = self.ask(|sockets| sockets.sockets(ports, Look::Listening))?;
        if listening.is_empty() {
            return Ok(Occupants::new());
        }
        bounded(move || system::confirm(&listening, &suspected))?
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
