//! Looking again and again: at once when the registry changed, and otherwise every second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use portlease_core::{Mark, PortSet};

use super::Shared;
use super::event::{Event, WatchedContainer};
use super::seen::{Look, Seen};
use crate::{Allocator, Error, containers, now};

/// The longest time without a look at who listens: nobody tells of that.
const TICK: Duration = Duration::from_secs(1);
/// The longest time without asking who it is that listens: a stranger may have come in the place of a server.
const LOOKS_CLOSELY: Duration = Duration::from_secs(10);
/// A look is followed by this many times its duration of rest, so that a busy registry keeps one processor a fifth busy.
const REST: u32 = 4;

pub(super) struct Looking {
    allocator: Allocator,
    /// The ports that are watched whether they are leased or not.
    ports: PortSet,
    mark: Option<Mark>,
    looked_closely_at: Instant,
}

/// Who is where, without knowing who it is.
struct Glance {
    listening: PortSet,
    occupied: PortSet,
    containers: Vec<WatchedContainer>,
}

impl Looking {
    pub(super) fn begin(allocator: &Allocator, ports: PortSet) -> Result<(Self, Look), Error> {
        let mut looking = Self {
            allocator: allocator.clone(),
            ports,
            mark: None,
            looked_closely_at: Instant::now(),
        };
        looking.wait(Duration::ZERO)?;
        let first = looking.look_closely()?;
        Ok((looking, first))
    }

    /// Goes on until nobody watches any more.
    pub(super) fn go_on(mut self, shared: &Shared, stopped: &Receiver<()>, wake: &Sender<()>) {
        let mut rest = Duration::ZERO;
        while stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
            let waited = self.wait(TICK);
            let begun = Instant::now();
            let looked = waited.and_then(|has_changed| self.look(shared, has_changed));
            rest = match looked {
                Ok(()) => (begun.elapsed() * REST).min(TICK),
                Err(error) => {
                    shared.happen(|seen| blindness(seen, &error).into_iter().collect());
                    self.mark = None;
                    TICK
                }
            };
            // The other thread ends when this one does.
            let _ = wake.send(());
        }
    }

    /// Waits until the registry changes, and answers whether it did.
    fn wait(&mut self, at_most: Duration) -> Result<bool, Error> {
        let inner = &self.allocator.inner;
        let mark = inner.wait_for_change(self.mark, at_most)?;
        Ok(self.mark.replace(mark) != Some(mark))
    }

    fn look(&mut self, shared: &Shared, has_changed: bool) -> Result<(), Error> {
        let is_due = self.looked_closely_at.elapsed() >= LOOKS_CLOSELY;
        if !has_changed && !is_due && !self.is_otherwise(shared)? {
            return Ok(());
        }
        let look = self.look_closely()?;
        shared.happen(|seen| seen.take(look));
        Ok(())
    }

    /// Whether a glance shows that something is not as it was seen.
    fn is_otherwise(&self, shared: &Shared) -> Result<bool, Error> {
        let leased = shared.lock().seen.leased();
        let glance = self.glance(&leased)?;
        let state = shared.lock();
        Ok(state
            .seen
            .is_otherwise(&glance.listening, &glance.occupied, &glance.containers))
    }

    fn look_closely(&mut self) -> Result<Look, Error> {
        self.looked_closely_at = Instant::now();
        let leases = self.allocator.validate(None)?.leases;
        let leased = leases.iter().map(|it| it.lease.port).collect();
        let glance = self.glance(&leased)?;
        Ok(Look {
            leases,
            listening: glance.listening,
            containers: glance.containers,
            occupied: glance.occupied,
            at: now(),
        })
    }

    fn glance(&self, leased: &PortSet) -> Result<Glance, Error> {
        let observer = &self.allocator.inner.observer;
        let look = observer.containers();
        let mut facts = observer.facts();
        observer.look(&mut facts, leased)?;
        containers::occupy(&mut facts, &look, leased);
        let listening = facts.occupied.ports().clone();
        let mut facts = observer.facts();
        observer.look_closely(&mut facts, &self.ports)?;
        containers::occupy(&mut facts, &look, &self.ports);
        Ok(Glance {
            listening,
            occupied: facts.occupied.ports().clone(),
            containers: look.containers().iter().map(|it| (&**it).into()).collect(),
        })
    }
}

fn blindness(seen: &mut Seen, error: &Error) -> Option<Event> {
    seen.take_blindness(error.code(), error.to_string())
}
