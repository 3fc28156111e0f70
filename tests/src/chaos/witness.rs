//! Who has which port, as those tell who were granted one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use portlease_core::{Generation, Host, Lease, Port};

/// Knows who has which port of which host.
#[derive(Debug, Default)]
pub struct Witness(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    had: HashMap<(Host, Port), Had>,
    duplicates: u64,
}

#[derive(Debug)]
struct Had {
    by: String,
    generation: Generation,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was granted.
    Held,
    /// It was asked to be taken back, and nobody knows yet whether it was.
    Leaving,
    /// It was taken back.
    Left,
}

impl Witness {
    /// Somebody was granted a port.
    pub fn granted(&self, host: &Host, lease: &Lease) {
        let by = lease.key.to_string();
        let mut known = self.known();
        let place = (host.clone(), lease.port);
        let is_double = known
            .had
            .get(&place)
            .is_some_and(|had| had.state == State::Held && had.by != by);
        known.duplicates += u64::from(is_double);
        let had = Had {
            by,
            generation: lease.generation,
            state: State::Held,
        };
        known.had.insert(place, had);
    }

    /// Somebody is about to give a port back.
    pub fn leaves(&self, host: &Host, lease: &Lease) {
        self.becomes(host, lease, State::Leaving);
    }

    /// It was acknowledged.
    pub fn left(&self, host: &Host, lease: &Lease) {
        self.becomes(host, lease, State::Left);
    }

    fn becomes(&self, host: &Host, lease: &Lease, state: State) {
        let mut known = self.known();
        let had = known.had.get_mut(&(host.clone(), lease.port));
        // Somebody else may have it by now.
        if let Some(had) = had.filter(|had| had.generation == lease.generation) {
            had.state = state;
        }
    }

    /// How often a port was granted while somebody else had it.
    pub fn duplicates(&self) -> u64 {
        self.known().duplicates
    }

    /// How many grants the registry does not know any more, and how many it still knows that were taken back. `owner` tells whom it
    /// takes for the owner of a port, and by which grant.
    pub fn losses(&self, owner: impl Fn(&Host, Port) -> Option<(String, Generation)>) -> u64 {
        let known = self.known();
        let is_lost = |((host, port), had): &(&(Host, Port), &Had)| {
            let is_there = owner(host, *port) == Some((had.by.clone(), had.generation));
            match had.state {
                State::Held => !is_there,
                State::Leaving => false,
                State::Left => is_there,
            }
        };
        known.had.iter().filter(is_lost).count() as u64
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
