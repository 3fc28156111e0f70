//! Random histories of several hosts, through several openings of their registry, against the decisions as they are without a store.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use super::Registry;
use super::opening::{Opening, Problem, same, same_leases};
use crate::histories::history::History;
use crate::histories::machine::{Event, Machine};
use crate::{Name, decide};

/// How many hosts a history is about.
const HOSTS: usize = 2;
/// How many openings of the registry take turns.
const OPENINGS: usize = 3;
/// How much happens at most.
const EVENTS: usize = 40;
/// How long a history is made shorter.
const SHRINKING_MILLIS: u32 = 60_000;

/// Checks that random histories leave in a store what the decisions say, for one in so many of the usual number of cases, which
/// `PROPTEST_CASES` changes.
///
/// All cases happen to one registry, each to hosts of its own. Whatever differs between a store and the decisions is told with a
/// history that was made as short as possible. [`Law`](super::Law)s are about what is hard to meet by chance; this is about everything
/// else.
///
/// ```
/// use std::sync::Arc;
///
/// use portlease_core::{MemoryStore, conformance};
///
/// conformance::check_histories(&Arc::new(MemoryStore::new()), 8);
/// ```
///
/// # Panics
///
/// When a history goes another way.
#[track_caller]
pub fn check_histories(registry: &dyn Registry, one_in: u32) {
    if let Some(broken) = broken_history(registry, one_in) {
        panic!("{broken}");
    }
}

/// A short history that goes another way in a store than the decisions say: none, when all is well.
///
/// # Panics
///
/// When no histories can be made.
pub fn broken_history(registry: &dyn Registry, one_in: u32) -> Option<BrokenHistory> {
    let usual = Config::default();
    let mut runner = TestRunner::new(Config {
        cases: (usual.cases / one_in).max(1),
        failure_persistence: None,
        max_shrink_iters: u32::MAX,
        max_shrink_time: SHRINKING_MILLIS,
        ..usual
    });
    let case = Cell::new(0_u64);
    let histories = Fleet::sequential_strategy(1..=EVENTS);
    let lived = runner.run(&histories, |(fleet, turns, seen)| {
        case.set(case.get() + 1);
        let mut hosts = Hosts::new(registry, case.get());
        let mut fleet = fleet;
        for turn in turns {
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            fleet = Fleet::apply(fleet, &turn);
            hosts.take_turn(&fleet, turn).map_err(TestCaseError::fail)?;
        }
        hosts.compare_all().map_err(TestCaseError::fail)
    });
    match lived {
        Ok(()) => None,
        Err(TestError::Abort(reason)) => panic!("no histories can be made: {reason}"),
        Err(TestError::Fail(reason, (_, turns, _))) => Some(BrokenHistory {
            problem: reason.message().to_string(),
            events: turns.iter().map(|turn| format!("{turn:?}")).collect(),
        }),
    }
}

/// A history that went another way in a store than the decisions say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BrokenHistory {
    /// What was seen, and what should have been.
    pub problem: String,
    /// What had happened until then.
    pub events: Vec<String>,
}

impl fmt::Display for BrokenHistory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\nafter this history:", self.problem)?;
        self.events
            .iter()
            .try_for_each(|event| write!(formatter, "\n- {event}"))
    }
}

/// The machines of the hosts.
#[derive(Debug, Clone)]
struct Fleet([Machine; HOSTS]);

/// What happens next, and where.
#[derive(Debug, Clone)]
enum Turn {
    /// Something on a host, through one of the openings.
    Happens {
        host: usize,
        opening: usize,
        event: Box<Event>,
    },
    /// An opening is closed, and there is another one instead.
    Reopens(usize),
}

impl ReferenceStateMachine for Fleet {
    type State = Self;
    type Transition = Turn;

    fn init_state() -> BoxedStrategy<Self> {
        let machines = core::array::from_fn::<_, HOSTS, _>(|_| Machine::init_state());
        machines.prop_map(Self).boxed()
    }

    fn transitions(fleet: &Self) -> BoxedStrategy<Turn> {
        let on_host = |(host, machine): (usize, &Machine)| {
            let happens = (0..OPENINGS, Machine::transitions(machine));
            let happens = happens.prop_map(move |(opening, event)| Turn::Happens {
                host,
                opening,
                event: Box::new(event),
            });
            (10, happens.boxed())
        };
        let mut turns: Vec<_> = fleet.0.iter().enumerate().map(on_host).collect();
        turns.push((1, (0..OPENINGS).prop_map(Turn::Reopens).boxed()));
        Union::new_weighted(turns).boxed()
    }

    fn preconditions(fleet: &Self, turn: &Turn) -> bool {
        match turn {
            Turn::Happens { host, event, .. } => Machine::preconditions(&fleet.0[*host], event),
            Turn::Reopens(_) => true,
        }
    }

    fn apply(mut fleet: Self, turn: &Turn) -> Self {
        if let Turn::Happens { host, event, .. } = turn {
            fleet.0[*host] = Machine::apply(fleet.0[*host].clone(), event);
        }
        fleet
    }
}

/// The hosts in a registry, beside their histories as they have to be.
struct Hosts<'a> {
    registry: &'a dyn Registry,
    names: [Name; HOSTS],
    openings: [Opening; OPENINGS],
    histories: [History; HOSTS],
}

impl<'a> Hosts<'a> {
    fn new(registry: &'a dyn Registry, case: u64) -> Self {
        // A careless comparison takes them for one.
        let names = [format!("host {case}"), format!("Host {case}")];
        Self {
            registry,
            names: names.map(|name| Name::literal(&name)),
            openings: core::array::from_fn(|_| Opening::of(registry)),
            histories: core::array::from_fn(|_| History::default()),
        }
    }

    fn take_turn(&mut self, fleet: &Fleet, turn: Turn) -> Result<(), Problem> {
        let (host, opening, event) = match turn {
            Turn::Reopens(opening) => {
                self.openings[opening] = Opening::of(self.registry);
                return Ok(());
            }
            Turn::Happens {
                host,
                opening,
                event,
            } => (host, self.openings[opening].at(&self.names[host]), *event),
        };
        let mut has_decided = false;
        let history = &mut self.histories[host];
        history.goes_on(&fleet.0[host], event, &mut |leases, command, facts| {
            has_decided = true;
            let answer = decide(leases, command, facts);
            let told = opening.answer(command, facts)?;
            same(&format!("the answer to {command:?}"), &told, &answer)?;
            Ok(answer)
        })?;
        if has_decided {
            self.compare(host, &opening)?;
        }
        Ok(())
    }

    /// Looks at every row of a host through this opening.
    fn compare(&self, host: usize, opening: &Opening) -> Result<(), Problem> {
        let name = &self.names[host];
        let found = opening.at(name).everything()?;
        same_leases(name.as_str(), &found, &self.histories[host].leases)
    }

    fn compare_all(&self) -> Result<(), Problem> {
        (0..HOSTS).try_for_each(|host| self.compare(host, &self.openings[0]))
    }
}
