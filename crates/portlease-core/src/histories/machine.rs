//! The machine on which a random history takes place: processes start and die, and so does it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proptest_state_machine::ReferenceStateMachine;

use super::drafts::{Draft, any_draft};
use super::requests::any_port;
use crate::{Holder, Port, Process};

/// What happens next.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A process decides about a command.
    Decide(u32, Draft),
    Starts(u32),
    /// A process listens on the ports that were granted to it.
    Listens(u32),
    Dies(u32),
    /// A program that knows nothing of leases takes a port.
    Intrudes(Port),
    Leaves(Port),
    /// A sweeper looks which leases are suspicious.
    Observes,
    /// It comes back with what it saw, perhaps long after.
    Sweeps,
    Restarts,
}

/// The processes that run, by pid, with the moment of their start, and the time.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) running: BTreeMap<u32, u64>,
    pub(crate) now: u64,
}

impl Machine {
    pub(crate) fn holder(&self, pid: u32) -> Option<Holder> {
        let started = self.running.get(&pid).copied();
        started.map(|started| {
            Holder::Process(Process {
                pid,
                started: Some(started),
                boot: None,
                namespace: None,
            })
        })
    }

    pub(crate) fn is_running(&self, holder: &Holder) -> bool {
        match holder {
            Holder::Process(process) => self.holder(process.pid).as_ref() == Some(holder),
            Holder::Container(_) => false,
        }
    }
}

impl ReferenceStateMachine for Machine {
    type State = Self;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Self> {
        let running = [(1, 0), (2, 0)].into_iter().collect();
        Just(Self { running, now: 1 }).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Event> {
        let (running, ended): (Vec<u32>, Vec<u32>) =
            (1..=3).partition(|pid| state.running.contains_key(pid));
        let mut events = alloc::vec![
            (2, any_port().prop_map(Event::Intrudes).boxed()),
            (1, any_port().prop_map(Event::Leaves).boxed()),
            (2, Just(Event::Observes).boxed()),
            (2, Just(Event::Sweeps).boxed()),
            (1, Just(Event::Restarts).boxed()),
        ];
        if !running.is_empty() {
            let decides = (select(running.clone()), any_draft());
            let decides = decides.prop_map(|(pid, draft)| Event::Decide(pid, draft));
            events.push((16, decides.boxed()));
            events.push((4, select(running.clone()).prop_map(Event::Listens).boxed()));
            events.push((2, select(running).prop_map(Event::Dies).boxed()));
        }
        if !ended.is_empty() {
            events.push((3, select(ended).prop_map(Event::Starts).boxed()));
        }
        Union::new_weighted(events).boxed()
    }

    fn preconditions(state: &Self, event: &Event) -> bool {
        match event {
            Event::Decide(pid, _) | Event::Listens(pid) | Event::Dies(pid) => {
                state.running.contains_key(pid)
            }
            Event::Starts(pid) => !state.running.contains_key(pid),
            _ => true,
        }
    }

    fn apply(mut state: Self, event: &Event) -> Self {
        state.now += 1;
        match event {
            Event::Starts(pid) => drop(state.running.insert(*pid, state.now)),
            Event::Dies(pid) => drop(state.running.remove(pid)),
            Event::Restarts => state.running.clear(),
            _ => {}
        }
        state
    }
}
