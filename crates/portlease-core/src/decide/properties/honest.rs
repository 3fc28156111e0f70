//! Honest: never outside of what was asked for, and the answer says truly how the port was found.

use proptest::prelude::*;

use super::bounded::{explain, may_be_another};
use super::config;
use super::naive::{Success, candidates, ranges};
use super::situations::{Situation, any_situation};
use crate::histories::history::{insists_on, names};
use crate::{
    Explained, Granted, LeaseKey, Memory, Outcome, Party, Port, PortRange, Refusal, Reply, Service,
    Step, Tier, Verdict,
};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_a_granted_port_was_asked_for(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation) {
                let port = granted.port();
                prop_assert!(candidates(service).contains(&port));
                prop_assert!(!situation.is_barred(service, port), "{} is closed to {}", port, service.name);
                let strict = service.explicit.filter(|named| named.strict);
                prop_assert!(strict.is_none_or(|named| named.port == port));
                let before = situation.leases.at(port);
                let is_run = before.is_some_and(|lease| {
                    lease.key == granted.lease.key && situation.is_run_by_others(lease)
                });
                prop_assert!(is_run || !situation.is_occupied_by_others(port, before));
            }
        }
    }

    #[test]
    fn prop_a_strict_port_is_granted_or_its_holder_named(situation in any_situation(1..=4)) {
        if let Err(Refusal::PortUnavailable(unavailable)) = situation.decide() {
            let port = unavailable.port;
            let mut services = situation.request.services.iter();
            let service = services.find(|service| service.name == unavailable.service);
            let service = service.expect("a service of the request is refused");
            prop_assert!(insists_on(service, port));
            match unavailable.verdict {
                Verdict::Leased => {
                    let lease = situation.leases.at(port).expect("it is leased");
                    let by = &unavailable.by;
                    let is_named = matches!(by, Some(Party::Service { key, .. }) if *key == lease.key);
                    prop_assert!(is_named, "{:?}", by);
                    let is_own = situation.request.force_new && lease.key.service == service.name;
                    prop_assert!(unavailable.stays.is_some() || is_own);
                }
                Verdict::Occupied => {
                    prop_assert!(situation.is_occupied(port));
                    let occupant = situation.facts.occupied.occupant(port).cloned();
                    prop_assert_eq!(unavailable.by, occupant.map(Party::Occupant));
                }
                Verdict::Claimed => {
                    let is_other = |other: &&Service| other.name != service.name;
                    let mut others = situation.request.services.iter().filter(is_other);
                    prop_assert!(others.any(|other| candidates(other).contains(&port)));
                }
                _ => prop_assert!(situation.is_barred(service, port)),
            }
        }
    }

    #[test]
    fn prop_the_tier_is_true(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation) {
                let is_found = matches!(granted.outcome, Outcome::New | Outcome::Reallocated);
                let key = &granted.lease.key;
                if is_found {
                    prop_assert!(is_tier_true(&situation, service, granted), "{:?}", granted.lease);
                } else {
                    let before = situation.leases.get(key).map(|lease| lease.tier);
                    prop_assert_eq!(before, Some(granted.lease.tier));
                }
            }
        }
    }

    #[test]
    fn prop_the_own_range_is_left_only_when_it_is_full(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation).filter(|(_, granted)| is_searched(granted)) {
                for range in before(service, granted.lease.tier, granted.port()) {
                    let mut free = range.iter().filter(|port| is_left(&situation, &success, service, *port));
                    prop_assert_eq!(free.next(), None, "{} got {}", service.name, granted.port());
                }
            }
        }
    }

    #[test]
    fn prop_what_others_remember_is_taken_last(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation).filter(|(_, granted)| is_searched(granted)) {
                let memory = situation.leases.memory_at(granted.port());
                let Some(taken) = memory.filter(|memory| memory.key != granted.lease.key) else {
                    continue;
                };
                let mut searched = ranges(service).into_iter();
                let range = searched.find(|range| range.contains(granted.port()));
                let range = range.expect("a range was searched");
                for port in range.iter().filter(|port| is_left(&situation, &success, service, *port)) {
                    let other = situation.leases.memory_at(port);
                    let age = |memory: &Memory| (memory.released_at, memory.port);
                    let is_younger = |other: &Memory| age(other) > age(taken);
                    prop_assert!(other.is_some_and(is_younger), "{} is left, {} was taken", port, taken.port);
                }
            }
        }
    }

    #[test]
    fn prop_a_port_that_is_given_up_is_not_granted_again(mut situation in any_situation(1..=4)) {
        situation.request.force_new = true;
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation) {
                let before = situation.lease_before(service, success.reserved.instance);
                prop_assert_ne!(before.map(|lease| lease.port), Some(granted.port()));
                prop_assert_eq!(before.is_some(), granted.outcome == Outcome::Reallocated);
            }
        }
    }

    #[test]
    fn prop_a_free_port_that_is_asked_for_by_name_is_used(situation in any_situation(1..=1)) {
        let service = &situation.request.services[0];
        let Some(port) = service.explicit.map(|named| named.port) else { return Ok(()) };
        if let Some(success) = situation.success().filter(|_| service.inherit_from.is_none()) {
            let granted = &success.reserved.services[0];
            let is_free = !situation.is_barred(service, port)
                && !situation.is_occupied(port)
                && situation.leases.at(port).is_none();
            let is_attached = granted.outcome == Outcome::Attached;
            prop_assert!(!is_free || is_attached || granted.port() == port);
        }
    }

    #[test]
    fn prop_each_verdict_is_true(situation in any_situation(1..=4)) {
        let explained = explain(&situation);
        let Reply::Explained(Explained { reserved, .. }) = &explained.reply else {
            panic!("an explain is answered otherwise");
        };
        let instance = reserved.as_ref().map(|reserved| reserved.instance);
        for step in &explained.trace.steps {
            let mut services = situation.request.services.iter();
            if let Some(service) = services.find(|service| service.name == step.service)
                && !may_be_another(&situation, &service.name)
            {
                let key = instance.map(|instance| situation.key(service, instance));
                let is_true = is_verdict_true(&situation, service, key.as_ref(), step);
                prop_assert!(is_true, "{} in {}", step, explained.trace);
            }
        }
    }
}

fn is_tier_true(situation: &Situation, service: &Service, granted: &Granted) -> bool {
    let port = granted.port();
    let memory = situation.leases.memory(&granted.lease.key);
    match granted.lease.tier {
        Tier::Preferred => names(service, port),
        Tier::Remembered => memory.is_some_and(|memory| memory.port == port),
        Tier::Default => service.default == Some(port) && service.range.contains(port),
        Tier::Scan => service.default != Some(port) && service.range.contains(port),
        Tier::Spillover => service.spillover.iter().any(|range| range.contains(port)),
        Tier::Emergency => service.emergency.is_some_and(|range| range.contains(port)),
    }
}

/// Whether the port comes out of a search of ranges.
fn is_searched(granted: &Granted) -> bool {
    matches!(granted.outcome, Outcome::New | Outcome::Reallocated)
        && !matches!(granted.lease.tier, Tier::Preferred | Tier::Remembered)
}

/// The ranges that have to be full before this port may be taken in this way.
fn before(service: &Service, tier: Tier, port: Port) -> impl Iterator<Item = PortRange> {
    let searched = ranges(service).into_iter();
    searched.take_while(move |range| match tier {
        Tier::Emergency => !service
            .emergency
            .is_some_and(|last| last == *range && last.contains(port)),
        _ => !range.contains(port),
    })
}

/// Whether the service could have had the port, as the request left things.
fn is_left(situation: &Situation, success: &Success, service: &Service, port: Port) -> bool {
    let instance = success.reserved.instance;
    let is_kept_closed =
        |key: &LeaseKey| situation.request.force_new && situation.is_requested(key, instance);
    let before = situation.leases.at(port);
    !situation.is_barred(service, port)
        && !situation.is_occupied(port)
        && success.after.at(port).is_none()
        && !before.is_some_and(|lease| is_kept_closed(&lease.key))
}

fn is_verdict_true(
    situation: &Situation,
    service: &Service,
    key: Option<&LeaseKey>,
    step: &Step,
) -> bool {
    let port = step.ports.first();
    let facts = &situation.facts;
    match step.verdict {
        Verdict::Excluded => situation.request.exclude.contains(port),
        Verdict::Pooled => {
            let owner = situation.request.pools.owner(port).map(|pool| &pool.name);
            owner != situation.request.pool.as_ref()
        }
        Verdict::BrowserBlocked => super::naive::opens_in_browsers(service),
        Verdict::SystemReserved => facts.system_reserved.contains(port),
        Verdict::Privileged => facts.unprivileged_start.is_some_and(|first| port < first),
        Verdict::Leased => situation.leases.at(port).is_some(),
        Verdict::Occupied => situation.is_occupied(port),
        Verdict::Remembered => {
            let memory = situation.leases.memory_at(port);
            memory.is_some_and(|memory| Some(&memory.key) != key)
        }
        Verdict::Claimed | Verdict::Granted | Verdict::Yielded => true,
        // What was removed before the decision is not its business.
        Verdict::Reclaimed | Verdict::Various => false,
    }
}
