//! Arbitrary commands that are about the leases that there are, whichever these are.

use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::ledger::keys_of;
use super::requests::{any_holder, any_key, any_port, any_range, any_request};
use crate::{
    Command, Confirm, Generation, Holder, LeaseKey, Leases, Name, NamedRange, Port, PortRange,
    Release, Renew, Request, StatsQuery, Suspect, Sweep, Validate,
};

/// A command that points at some lease, whichever leases there are.
#[derive(Debug, Clone)]
pub(crate) enum Draft {
    Reserve(Request),
    Explain(Request),
    Renew(Target, Option<Holder>),
    Confirm(Target, Option<Holder>, Option<Port>),
    Release(Target, Option<Holder>, bool),
    ReleaseAll(LeaseKey, Option<Holder>, bool),
    Sweep(Vec<Target>, Option<u64>),
    Validate(Option<Name>),
    Stats(Vec<PortRange>, u32),
}

/// A lease of those that there are, and how much older a generation of it is named.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    index: Index,
    older_by: u64,
    otherwise: LeaseKey,
}

impl Target {
    fn resolve(&self, leases: &Leases) -> (LeaseKey, Generation) {
        let keys: Vec<LeaseKey> = leases.iter().flat_map(keys_of).collect();
        if keys.is_empty() {
            return (self.otherwise.clone(), Generation::new(1));
        }
        let key = self.index.get(&keys).clone();
        let current = leases.get(&key).map_or(0, |lease| lease.generation.get());
        (key, Generation::new(current.saturating_sub(self.older_by)))
    }
}

impl Draft {
    pub(crate) fn command(&self, leases: &Leases) -> Command {
        match self.clone() {
            Self::Reserve(request) => Command::Reserve(request),
            Self::Explain(request) => Command::Explain(request),
            Self::Renew(target, holder) => {
                let (key, generation) = target.resolve(leases);
                Command::Renew(Renew {
                    key,
                    generation,
                    holder,
                })
            }
            Self::Confirm(target, listener, port) => {
                let (key, generation) = target.resolve(leases);
                Command::Confirm(Confirm {
                    key,
                    generation,
                    listener,
                    port,
                })
            }
            Self::Release(target, holder, force) => {
                let (key, generation) = target.resolve(leases);
                let by_generation = Release::granted(key, generation);
                Command::Release(match holder {
                    Some(_) => Release {
                        holder,
                        generation: None,
                        force,
                        ..by_generation
                    },
                    None => by_generation,
                })
            }
            Self::ReleaseAll(key, holder, force) => Command::Release(Release {
                holder,
                force,
                ..Release::by_project(key.project)
            }),
            Self::Sweep(targets, abandoned_after_millis) => {
                let suspect = |target: &Target| {
                    let (key, generation) = target.resolve(leases);
                    Suspect { key, generation }
                };
                Command::Sweep(Sweep {
                    suspects: targets.iter().map(suspect).collect(),
                    abandoned_after_millis,
                })
            }
            Self::Validate(project) => Command::Validate(Validate { project }),
            Self::Stats(ranges, top) => {
                let named = |range| NamedRange {
                    name: Name::literal("range"),
                    range,
                };
                Command::Stats(StatsQuery {
                    ranges: ranges.into_iter().map(named).collect(),
                    top,
                })
            }
        }
    }
}

fn any_target() -> impl Strategy<Value = Target> {
    let older_by = prop_oneof![4 => Just(0_u64), 1 => Just(1)];
    (any::<Index>(), older_by, any_key()).prop_map(|(index, older_by, otherwise)| Target {
        index,
        older_by,
        otherwise,
    })
}

pub(crate) fn any_draft() -> BoxedStrategy<Draft> {
    prop_oneof![
        8 => any_request(1..=4).prop_map(Draft::Reserve),
        1 => any_request(1..=2).prop_map(Draft::Explain),
        2 => any_renew(),
        3 => any_confirm(),
        4 => any_release(),
        2 => any_sweep(),
        1 => any_validate(),
        1 => any_stats(),
    ]
    .boxed()
}

pub(crate) fn any_renew() -> BoxedStrategy<Draft> {
    (any_target(), option::of(any_holder()))
        .prop_map(|(target, holder)| Draft::Renew(target, holder))
        .boxed()
}

pub(crate) fn any_confirm() -> BoxedStrategy<Draft> {
    let port = option::weighted(0.3, any_port());
    (any_target(), option::of(any_holder()), port)
        .prop_map(|(target, listener, port)| Draft::Confirm(target, listener, port))
        .boxed()
}

pub(crate) fn any_release() -> BoxedStrategy<Draft> {
    let holder = || option::of(any_holder());
    let force = || prop::bool::weighted(0.3);
    prop_oneof![
        3 => (any_target(), holder(), force())
            .prop_map(|(target, holder, force)| Draft::Release(target, holder, force)),
        1 => (any_key(), holder(), force())
            .prop_map(|(key, holder, force)| Draft::ReleaseAll(key, holder, force)),
    ]
    .boxed()
}

pub(crate) fn any_sweep() -> BoxedStrategy<Draft> {
    (vec(any_target(), 0..=4), option::of(0_u64..=1_000))
        .prop_map(|(targets, after)| Draft::Sweep(targets, after))
        .boxed()
}

pub(crate) fn any_validate() -> BoxedStrategy<Draft> {
    let project = any_key().prop_map(|key| key.project);
    option::of(project).prop_map(Draft::Validate).boxed()
}

pub(crate) fn any_stats() -> BoxedStrategy<Draft> {
    (vec(any_range(), 0..=2), 0_u32..=3)
        .prop_map(|(ranges, top)| Draft::Stats(ranges, top))
        .boxed()
}
