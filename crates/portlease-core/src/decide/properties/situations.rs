//! Arbitrary leases, as random histories and other people's exports leave them, with a request or
//! another command to decide about.

use alloc::vec::Vec;
use core::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::facts::any_facts;
use crate::histories::drafts::{Draft, any_draft};
use crate::histories::ledger::keys_of;
use crate::histories::requests::{
    any_capabilities, any_framework, any_holder, any_key, any_port, any_range, any_request,
    any_service_name,
};
use crate::{
    Command, Decision, Facts, Follower, Generation, Lease, LeaseKey, LeaseState, Leases, Memory,
    Port, Refusal, Request, Tier, Timestamp, decide,
};

/// What a decision about a request is made on.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Situation {
    #[serde(default)]
    pub(super) leases: Leases,
    pub(super) request: Request,
    #[serde(default)]
    pub(super) facts: Facts,
}

/// As JSON, which a test with a name can keep.
impl fmt::Debug for Situation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// What a decision about any command is made on.
#[derive(Clone, Serialize)]
pub(super) struct Case {
    pub(super) leases: Leases,
    pub(super) command: Command,
    pub(super) facts: Facts,
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Case {
    pub(super) fn decide(&self) -> Result<Decision, Refusal> {
        decide(&self.leases, &self.command, &self.facts)
    }

    /// The decision and the leases after it, unless the command is refused.
    pub(super) fn outcome(&self) -> Option<(Decision, Leases)> {
        let decision = self.decide().ok()?;
        let mut after = self.leases.clone();
        after.apply_all(&decision.changes);
        Some((decision, after))
    }
}

pub(super) fn any_situation(
    services: core::ops::RangeInclusive<usize>,
) -> BoxedStrategy<Situation> {
    (any_leases(), any_request(services), any_facts())
        .prop_map(|(leases, request, facts)| Situation {
            leases,
            request,
            facts,
        })
        .boxed()
}

/// Any command, with the leases and facts it is decided on.
pub(super) fn any_case() -> BoxedStrategy<Case> {
    any_case_of(any_draft())
}

/// A command of this kind, with the leases and facts it is decided on.
pub(super) fn any_case_of(draft: BoxedStrategy<Draft>) -> BoxedStrategy<Case> {
    (any_leases(), draft, any_facts())
        .prop_map(|(leases, draft, facts)| Case {
            command: draft.command(&leases),
            leases,
            facts,
        })
        .boxed()
}

pub(super) fn any_leases() -> BoxedStrategy<Leases> {
    let further = || vec((any_draft(), any_facts()), 0..=5);
    prop_oneof![
        2 => imported(),
        1 => (imported(), further()).prop_map(|(leases, drafts)| after(leases, &drafts)),
        1 => further().prop_map(|drafts| after(Leases::default(), &drafts)),
    ]
    .boxed()
}

fn after(mut leases: Leases, drafts: &[(Draft, Facts)]) -> Leases {
    for (draft, facts) in drafts {
        if let Ok(decision) = decide(&leases, &draft.command(&leases), facts) {
            leases.apply_all(&decision.changes);
        }
    }
    leases
}

/// Leases that no history has to explain: whatever a snapshot may say.
fn imported() -> impl Strategy<Value = Leases> {
    (vec(any_lease(), 0..=6), vec(any_memory(), 0..=5)).prop_map(|(leases, memories)| {
        let mut keys: Vec<LeaseKey> = Vec::new();
        let mut ports: Vec<Port> = Vec::new();
        let mut kept = Vec::new();
        for lease in leases {
            let own: Vec<LeaseKey> = keys_of(&lease).collect();
            if !ports.contains(&lease.port) && own.iter().all(|key| !keys.contains(key)) {
                keys.extend(own);
                ports.push(lease.port);
                kept.push(lease);
            }
        }
        let mut remembering: Vec<LeaseKey> = Vec::new();
        let mut remembered = Vec::new();
        for memory in memories {
            if !ports.contains(&memory.port) && !remembering.contains(&memory.key) {
                ports.push(memory.port);
                remembering.push(memory.key.clone());
                remembered.push(memory);
            }
        }
        let snapshot = serde_json::json!({
            "leases": kept,
            "memories": remembered,
            "lastGeneration": 9,
        });
        serde_json::from_value(snapshot).expect("ports and keys stand once")
    })
}

fn any_lease() -> BoxedStrategy<Lease> {
    (
        any_key(),
        any_port(),
        any_framework(),
        1_u64..=9,
        prop_oneof![Just(LeaseState::Reserved), Just(LeaseState::Live)],
        option::weighted(0.7, any_holder()),
        option::weighted(0.3, any_holder()),
        any_range(),
        any_tier(),
        -1_i32..=1,
        any_capabilities(),
        (option::weighted(0.2, any_service_name()), 0_u64..=1_000),
    )
        .prop_map(
            |(
                key,
                port,
                framework,
                generation,
                state,
                holder,
                listener,
                range,
                tier,
                priority,
                requires,
                (follower, renewed_at),
            )| Lease {
                port,
                framework,
                generation: Generation::new(generation),
                state,
                holder,
                listener,
                range,
                tier,
                priority,
                requires,
                followers: follower
                    .into_iter()
                    .filter(|follower| *follower != key.service)
                    .map(|service| Follower {
                        service,
                        requires: Vec::new(),
                    })
                    .collect(),
                granted_at: Timestamp::from_millis(renewed_at / 2),
                renewed_at: Timestamp::from_millis(renewed_at),
                key,
            },
        )
        .boxed()
}

fn any_memory() -> impl Strategy<Value = Memory> {
    (any_key(), any_port(), 0_u64..=20).prop_map(|(key, port, released_at)| Memory {
        key,
        port,
        released_at: Timestamp::from_millis(released_at),
    })
}

fn any_tier() -> impl Strategy<Value = Tier> {
    use Tier::{Default, Emergency, Preferred, Remembered, Scan, Spillover};
    let tiers = alloc::vec![Preferred, Remembered, Default, Scan, Spillover, Emergency];
    prop::sample::select(tiers)
}
