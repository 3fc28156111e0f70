//! Polite: what belongs to others changes only by the sentences of the three strategies.

use proptest::prelude::*;

use super::config;
use super::naive::Success;
use super::situations::{Situation, any_situation};
use crate::histories::history::{insists_on, names};
use crate::{Granted, Lease, LeaseState, Move, Outcome, Service, Strategy as Policy};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_nobody_moves_when_moves_are_off(
        mut situation in any_situation(1..=4),
        conservative in any::<bool>(),
    ) {
        if conservative {
            situation.request.strategy = Policy::Conservative;
        } else {
            situation.request.auto_reassign = false;
        }
        if let Some(success) = situation.success() {
            prop_assert!(success.reserved.moves.is_empty());
            for lease in others(&situation, &success) {
                prop_assert_eq!(success.after.get(&lease.key).map(|after| after.port), Some(lease.port));
            }
        }
    }

    #[test]
    fn prop_minimal_moves_only_who_is_free_to_go(mut situation in any_situation(1..=4)) {
        situation.request.strategy = Policy::Minimal;
        if let Some(success) = situation.success() {
            for moved in &success.reserved.moves {
                let lease = situation.leases.get(&moved.key).expect("it was leased");
                let taker = taker(&situation, &success, moved);
                let is_live = lease.state == LeaseState::Live && !is_over(&situation, lease);
                prop_assert!(taker.is_some_and(|(service, _)| insists_on(service, moved.from)));
                prop_assert!(taker.is_some_and(|(service, _)| lease.priority <= service.priority));
                prop_assert!(!is_live);
                prop_assert!(!situation.is_occupied(moved.from), "its server runs there");
                prop_assert!(moved.to.is_some());
            }
        }
    }

    #[test]
    fn prop_aggressive_moves_only_for_a_port_that_was_named(mut situation in any_situation(1..=4)) {
        situation.request.strategy = Policy::Aggressive;
        if let Some(success) = situation.success() {
            for moved in &success.reserved.moves {
                let lease = situation.leases.get(&moved.key).expect("it was leased");
                if !situation.is_requested(&lease.key, success.reserved.instance) {
                    let taker = taker(&situation, &success, moved);
                    prop_assert!(taker.is_some_and(|(service, _)| names(service, moved.from)));
                    prop_assert!(moved.reason.contains(&*taker.unwrap().0.name), "{}", moved.reason);
                }
            }
        }
    }

    #[test]
    fn prop_nobody_is_evicted_who_has_somewhere_to_go(mut situation in any_situation(1..=4)) {
        situation.request.strategy = Policy::Aggressive;
        situation.request.force_new = false;
        if let Some(success) = situation.success() {
            for lease in others(&situation, &success) {
                if success.after.get(&lease.key).is_none() {
                    let mut service = Service::in_range(lease.key.service.clone(), lease.range);
                    service.requires.clone_from(&lease.requires);
                    let mut free = lease.range.iter().filter(|port| {
                        !situation.is_barred(&service, *port)
                            && !situation.is_occupied(*port)
                            && success.after.at(*port).is_none()
                    });
                    prop_assert_eq!(free.next(), None, "{} was evicted", lease.key);
                }
            }
        }
    }

    #[test]
    fn prop_who_moves_stays_who_it_is(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for before in others(&situation, &success) {
                let after = success.after.get(&before.key);
                let Some(after) = after.filter(|after| after.port != before.port) else { continue };
                let expected = Lease {
                    port: after.port,
                    generation: after.generation,
                    state: LeaseState::Reserved,
                    listener: None,
                    tier: after.tier,
                    followers: after.followers.clone(),
                    granted_at: situation.facts.now,
                    renewed_at: situation.facts.now,
                    ..before.clone()
                };
                prop_assert_eq!(after, &expected);
                prop_assert!(after.generation > situation.leases.last_generation());
                prop_assert!(before.range.contains(after.port));
            }
        }
    }

    #[test]
    fn prop_an_attached_lease_is_left_alone(mut situation in any_situation(1..=4)) {
        situation.request.if_running = crate::IfRunning::Attach;
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation) {
                let Some(before) = situation.lease_before(service, 1) else { continue };
                let is_moved = success.reserved.moves.iter().any(|moved| moved.key == before.key);
                if situation.is_run_by_others(before) && situation.may_stay(service, before) && !is_moved {
                    let followers = granted.lease.followers.clone();
                    prop_assert_eq!(granted.outcome, Outcome::Attached);
                    prop_assert_eq!(&granted.lease, &Lease { followers, ..before.clone() });
                }
            }
        }
    }
}

fn others<'a>(situation: &'a Situation, success: &'a Success) -> impl Iterator<Item = &'a Lease> {
    let instance = success.reserved.instance;
    let leases = situation.leases.iter();
    leases.filter(move |lease| !situation.is_requested(&lease.key, instance))
}

/// The service that has the port from which another had to move.
fn taker<'a>(
    situation: &'a Situation,
    success: &'a Success,
    moved: &Move,
) -> Option<(&'a Service, &'a Granted)> {
    let from = moved.from;
    success
        .own(situation)
        .find(move |(_, granted)| granted.port() == from)
}

/// Whether everybody to whom the lease belonged has ended.
fn is_over(situation: &Situation, lease: &Lease) -> bool {
    let dead = &situation.facts.dead;
    lease.parties().count() > 0 && lease.parties().all(|party| dead.contains(party))
}
