//! What somebody saw of the world, which may have changed since.

use std::collections::BTreeSet;

use portlease_core::{Facts, Holder, Lease, Leases, Occupant, Port, Process, Timestamp};

use super::kernel::{Kernel, Listener};
use super::state::{Phase, State};

/// The facts of a command, in a form that can be a part of a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Sight {
    /// The ports on which somebody listens.
    pub occupied: Vec<(Port, Option<Seen>)>,
    /// The processes that have ended.
    pub ended: BTreeSet<Holder>,
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    process: Process,
    parent: Option<Process>,
}

impl Sight {
    /// The facts of a decision at this time.
    #[must_use]
    pub fn facts(&self, now: Timestamp) -> Facts {
        let mut facts = Facts::at(now);
        for (port, seen) in &self.occupied {
            facts
                .occupied
                .insert(*port, seen.as_ref().map(Seen::occupant));
        }
        facts.dead.clone_from(&self.ended);
        facts
    }

    /// Takes note of a port that could not be bound. The attempt does not tell who has it.
    pub fn add_occupied(&mut self, port: Port) {
        if self.occupied.iter().all(|(known, _)| *known != port) {
            self.occupied.push((port, None));
            self.occupied.sort_unstable_by_key(|(port, _)| *port);
        }
    }
}

impl Seen {
    fn occupant(&self) -> Occupant {
        let holder = |process: &Process| Holder::Process(process.clone());
        Occupant {
            holder: Some(holder(&self.process)),
            ancestors: self.parent.iter().map(holder).collect(),
            ..Occupant::default()
        }
    }
}

/// The ports on which somebody listens, and who it is when that can be told.
#[must_use]
pub(super) fn occupied(state: &State, tells_who: bool) -> Vec<(Port, Option<Seen>)> {
    let ports = state.kernel.ports();
    let occupied = ports.filter_map(|port| Some((port, state.kernel.listener(port)?)));
    occupied
        .map(|(port, listener)| (port, tells_who.then(|| seen(state, listener))))
        .collect()
}

fn seen(state: &State, listener: Listener) -> Seen {
    match listener {
        Listener::Foreign => Seen {
            process: FOREIGN,
            parent: None,
        },
        Listener::Process(pid) => Seen {
            process: state.kernel.identity(pid),
            parent: parent(state, pid),
        },
    }
}

/// A program that knows nothing of Portlease.
const FOREIGN: Process = Process {
    pid: u32::MAX,
    started: Some(0),
    boot: None,
    namespace: None,
};

fn parent(state: &State, pid: u32) -> Option<Process> {
    let parent = state
        .callers
        .iter()
        .find_map(|caller| match &caller.phase {
            Phase::Listening(serving) | Phase::Live(serving) => {
                let child = serving.child.as_ref().filter(|child| child.pid == pid);
                child.map(|_| serving.process.pid)
            }
            _ => None,
        })?;
    Some(state.kernel.identity(parent))
}

/// Of the processes that the leases name, those that `has_ended` says are gone.
#[must_use]
pub(super) fn ended(
    leases: &Leases,
    kernel: &Kernel,
    has_ended: impl Fn(&Process, &Kernel) -> bool,
) -> BTreeSet<Holder> {
    let parties = leases.iter().flat_map(Lease::parties);
    parties
        .filter(|party| match party {
            Holder::Process(process) => has_ended(process, kernel),
            Holder::Container(_) => false,
        })
        .cloned()
        .collect()
}

/// What a careful observer says of a process.
#[must_use]
pub(super) fn has_ended(process: &Process, kernel: &Kernel) -> bool {
    process.has_ended(&kernel.sighting(process.pid))
}
