//! What must hold in every state, and what must happen in some.

use std::collections::BTreeSet;

use portlease_core::{Generation, LeaseKey, LeaseState, Port};
use stateright::Property;

use super::kernel::Listener;
use super::protocol::Protocol;
use super::scenario::Wish;
use super::state::{Grant, Phase, State, SweeperStep};

/// The laws, and after them the states that make an exploration worth something.
pub(super) fn all() -> Vec<Property<Protocol>> {
    let mut properties = laws();
    properties.extend(wanted());
    properties
}

fn laws() -> Vec<Property<Protocol>> {
    vec![
        Property::always("Unique: a port has one owner", is_unique),
        Property::always("Live: a server keeps its lease", keeps_servers),
        Property::always("Durable: an acknowledged lease stays", keeps_grants),
        Property::always("Bounded: every request ends", is_bounded),
        Property::always("Honest: the port is one that was asked for", is_honest),
        Property::always("Real: a granted port could be bound", is_real),
    ]
}

/// No port has two grants that the registry owes, and none has such a grant and a server that asked
/// nobody; and the registry agrees with itself.
fn is_unique(_: &Protocol, state: &State) -> bool {
    let owed = state.grants().filter(|grant| grant.is_owed);
    let unleased = phases(state).filter_map(|phase| match phase {
        Phase::Unleased(_, port) => Some(*port),
        _ => None,
    });
    let mut taken = BTreeSet::new();
    let mut ports = owed.map(|grant| grant.port).chain(unleased);
    ports.all(|port| taken.insert(port)) && state.registry.leases().check().is_ok()
}

/// Whoever listens, and was confirmed, has its lease: also when its starter has ended.
fn keeps_servers(_: &Protocol, state: &State) -> bool {
    let live = phases(state).filter(|phase| is_live(phase));
    let orphans = state
        .callers
        .iter()
        .filter_map(|caller| caller.orphan.as_ref());
    let grants = live.filter_map(Phase::grant);
    has_owed(state, grants.chain(orphans.map(|orphan| &orphan.grant)))
}

/// Whoever was granted a lease, and has no confirmed server yet, has it.
fn keeps_grants(_: &Protocol, state: &State) -> bool {
    let waiting = phases(state).filter(|phase| !is_live(phase));
    has_owed(state, waiting.filter_map(Phase::grant))
}

/// Each turn takes a port out of a finite set, and the last is the refusal.
fn is_bounded(protocol: &Protocol, state: &State) -> bool {
    let limit = protocol.scenario.ports + 1;
    phases(state).all(|phase| match phase {
        Phase::Asking(asking) | Phase::Granted { asking, .. } => u16::from(asking.turns) <= limit,
        _ => true,
    })
}

/// Nobody has a port outside the range, or another than the one that was insisted on.
fn is_honest(protocol: &Protocol, state: &State) -> bool {
    let range = protocol.scenario.range();
    let is_asked_for = |port: Port, wish: Wish| match wish {
        Wish::Insist => port == range.first(),
        Wish::Attach | Wish::Another | Wish::Takeover => range.contains(port),
    };
    let roles = protocol.scenario.callers.iter();
    let mut asked = phases(state)
        .zip(roles)
        .filter_map(|(phase, role)| Some((phase.grant()?, role.wish)));
    let mut leases = state.registry.leases().iter();
    asked.all(|(grant, wish)| is_asked_for(grant.port, wish))
        && leases.all(|lease| range.contains(lease.port))
}

/// Whoever says that its server listens is right.
fn is_real(_: &Protocol, state: &State) -> bool {
    phases(state).all(|phase| match phase {
        Phase::Listening(serving) | Phase::Live(serving) => {
            let server = serving.child.as_ref().unwrap_or(&serving.process);
            state.kernel.listener(serving.port) == Some(Listener::Process(server.pid))
        }
        _ => true,
    })
}

/// States of interest. A run in which one of them is never reached proves less than it says, so it
/// fails.
fn wanted() -> Vec<Property<Protocol>> {
    vec![
        sometimes("all servers are live", |_, state| {
            phases(state).all(is_live)
        }),
        sometimes("a request is refused", |_, state| {
            phases(state).any(|phase| matches!(phase, Phase::Refused))
        }),
        sometimes("somebody attaches", |_, state| {
            phases(state).any(|phase| matches!(phase, Phase::Attached))
        }),
        sometimes("a lease is taken over", |_, state| {
            phases(state)
                .any(|phase| matches!(phase, Phase::Granted { victims, .. } if !victims.is_empty()))
        }),
        sometimes("a second instance is granted", |_, state| {
            state.grants().any(|grant| grant.key.instance > 1)
        }),
        sometimes("an owner has not heard that its lease went", |_, state| {
            phases(state)
                .filter_map(Phase::grant)
                .any(|grant| !grant.is_owed)
        }),
        sometimes("a foreign program is faster at the bind", |_, state| {
            let mut unbound = phases(state).filter_map(|phase| match phase {
                Phase::Asking(asking) => asking.unbound.as_ref(),
                _ => None,
            });
            unbound.any(|grant| is_foreign(state, grant))
        }),
        sometimes("the second turn is granted", |_, state| {
            phases(state)
                .any(|phase| matches!(phase, Phase::Granted { asking, .. } if asking.turns > 1))
        }),
        sometimes("a server outlives its starter", |_, state| {
            state.callers.iter().any(|caller| caller.orphan.is_some())
        }),
        sometimes("a live lease names nobody", |_, state| {
            let mut leases = state.registry.leases().iter();
            leases.any(|lease| lease.state == LeaseState::Live && lease.parties().next().is_none())
        }),
        sometimes("a sweep removes a lease", |_, state| {
            let mut sweepers = state.sweepers.iter();
            sweepers.any(|sweeper| sweeper.step == SweeperStep::Removed)
        }),
        sometimes("a suspect is granted anew before the sweep", |_, state| {
            let mut suspects = state
                .sweepers
                .iter()
                .flat_map(|sweeper| match &sweeper.step {
                    SweeperStep::Looked(evidence) => evidence.suspects.as_slice(),
                    _ => &[],
                });
            suspects.any(|(key, generation)| has_successor(state, key, *generation))
        }),
        sometimes("a release is slower than the next grant", |_, state| {
            let mut callers = state.callers.iter();
            callers.any(|caller| {
                let release = caller.release.as_ref();
                release.is_some_and(|grant| has_successor(state, &grant.key, grant.generation))
            })
        }),
        sometimes("a pid is used again", |_, state| {
            state.kernel.has_reused_pid()
        }),
    ]
}

fn sometimes(name: &'static str, condition: fn(&Protocol, &State) -> bool) -> Property<Protocol> {
    Property::sometimes(name, condition)
}

fn phases(state: &State) -> impl Iterator<Item = &Phase> {
    state.callers.iter().map(|caller| &caller.phase)
}

fn is_live(phase: &Phase) -> bool {
    matches!(phase, Phase::Live(_))
}

fn has_owed<'a>(state: &State, grants: impl Iterator<Item = &'a Grant>) -> bool {
    let mut owed = grants.filter(|grant| grant.is_owed);
    owed.all(|grant| grant.is_in(&state.registry))
}

fn is_foreign(state: &State, grant: &Grant) -> bool {
    state.kernel.listener(grant.port) == Some(Listener::Foreign)
}

fn has_successor(state: &State, key: &LeaseKey, generation: Generation) -> bool {
    let lease = state.registry.leases().get(key);
    lease.is_some_and(|lease| lease.generation > generation)
}
