//! Complete: a request is refused for want of ports only when there is none, which a naive search
//! finds out by trying everything.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::config;
use super::naive::{candidates, ranges};
use super::situations::{Situation, any_situation};
use crate::histories::history::{insists_on, names};
use crate::{Facts, IfRunning, Leases, Name, Port, PortRange, Refusal, Request, Service};

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn prop_one_service_is_refused_only_when_nothing_is_left(situation in any_situation(1..=1)) {
        let mut situation = first_instance(situation);
        situation.request.services[0].conflicts.clear();
        let service = &situation.request.services[0];
        let insists = service.explicit.is_some_and(|named| named.strict);
        if service.inherit_from.is_none() && !insists && has_its_pool(&situation) {
            let left: BTreeSet<Port> = candidates(service)
                .into_iter()
                .filter(|port| can_be_had(&situation, service, *port))
                .collect();
            match situation.decide() {
                Ok(_) => prop_assert!(!left.is_empty()),
                Err(Refusal::RangeExhausted(_)) => prop_assert_eq!(left, BTreeSet::new()),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn prop_a_set_is_refused_only_when_no_arrangement_is_left(situation in any_situation(2..=4)) {
        let mut situation = first_instance(situation);
        situation.request.auto_reassign = false;
        if let Err(Refusal::RangeExhausted(_)) = situation.decide() {
            let choices: Vec<BTreeSet<Port>> = situation
                .request
                .services
                .iter()
                .filter(|service| service.inherit_from.is_none())
                .map(|service| choices(&situation, service))
                .collect();
            let arrangement = arrange(&choices, &mut Vec::new());
            prop_assert_eq!(arrangement, None, "choices {:?}", choices);
        }
    }

    #[test]
    fn prop_a_refusal_accounts_for_every_port_of_the_ranges(situation in any_situation(1..=4)) {
        if let Err(Refusal::RangeExhausted(exhausted)) = situation.decide() {
            let mut services = situation.request.services.iter();
            let service = services.find(|service| service.name == exhausted.service);
            let service = service.expect("a service of the request is refused");
            prop_assert_eq!(&exhausted.ranges, &ranges(service));
            let ports: BTreeSet<Port> = ranges(service).into_iter().flat_map(PortRange::iter).collect();
            let tally = exhausted.tally;
            let by_system = tally.system_reserved + tally.privileged;
            let barred = tally.excluded + tally.pooled + tally.browser_blocked + by_system;
            let taken = tally.leased + tally.occupied + tally.claimed;
            prop_assert_eq!((barred + taken) as usize, ports.len());
            let is_barred = |port: &&Port| situation.is_barred(service, **port);
            prop_assert_eq!(barred as usize, ports.iter().filter(is_barred).count());
            prop_assert_eq!(exhausted.leased_to.len(), tally.leased.min(10) as usize);
            prop_assert_eq!(exhausted.occupied_by.len(), tally.occupied.min(10) as usize);
            for taken in &exhausted.leased_to {
                prop_assert!(situation.leases.at(taken.port).is_some());
            }
            for taken in &exhausted.occupied_by {
                prop_assert!(situation.is_occupied(taken.port));
            }
        }
    }

    #[test]
    fn prop_the_ends_of_a_range_belong_to_it(
        (first, length) in (1_u16..=65_000, 1_u16..=300),
        last_free in any::<bool>(),
    ) {
        let range = PortRange::starting_at(Port::literal(first), length);
        let free = if last_free { range.last() } else { range.first() };
        let mut web = Service::in_range(Name::literal("web"), range);
        web.requires.push(crate::Capability::Tcp);
        let mut facts = Facts::default();
        for port in range.iter().filter(|port| *port != free) {
            facts.occupied.insert(port, None);
        }
        let situation = Situation {
            leases: Leases::default(),
            request: Request::new(Name::literal("shop"), alloc::vec![web]),
            facts,
        };
        let granted = situation.success().expect("one port is free").reserved.services.remove(0);
        prop_assert_eq!(granted.port(), free);
        prop_assert_eq!(granted.looks, if last_free { range.len() } else { 1 });
    }
}

/// Without the question which instance the request is about.
fn first_instance(mut situation: Situation) -> Situation {
    if situation.request.if_running == IfRunning::Another {
        situation.request.if_running = IfRunning::Attach;
    }
    situation
}

fn has_its_pool(situation: &Situation) -> bool {
    let pool = &situation.request.pool;
    pool.as_ref()
        .is_none_or(|name| situation.request.pools.get(name).is_some())
}

/// Whether the only service of a request can have the port.
fn can_be_had(situation: &Situation, service: &Service, port: Port) -> bool {
    if situation.is_barred(service, port) {
        return false;
    }
    let Some(lease) = situation.leases.at(port) else {
        return !situation.is_occupied(port);
    };
    if lease.key == situation.key(service, 1) {
        let is_open = !situation.request.force_new && !situation.is_occupied(port);
        return is_open || situation.may_stay(service, lease);
    }
    let is_taken_by_force = situation.request.strategy == crate::Strategy::Aggressive
        && situation.request.auto_reassign
        && names(service, port);
    let mut others = situation.clone();
    others.request.holder = None;
    is_taken_by_force && !others.is_occupied_by_others(port, Some(lease))
}

/// The ports that a service of a set can have when nobody outside the set moves.
fn choices(situation: &Situation, service: &Service) -> BTreeSet<Port> {
    let request = &situation.request;
    if let Some(lease) = situation.lease_before(service, 1)
        && situation.may_stay(service, lease)
    {
        return BTreeSet::from([lease.port]);
    }
    let stays = |other: &&Service| {
        let lease = situation.lease_before(other, 1);
        lease.is_some_and(|lease| {
            request.force_new || (other.inherit_from.is_none() && situation.may_stay(other, lease))
        })
    };
    let given_up: BTreeSet<Port> = request
        .services
        .iter()
        .filter(|other| !stays(other))
        .filter_map(|other| situation.lease_before(other, 1))
        .map(|lease| lease.port)
        .collect();
    let is_open = |port: &Port| {
        let insists = service.explicit.is_some_and(|named| named.strict);
        (!insists || insists_on(service, *port))
            && !situation.is_barred(service, *port)
            && !situation.is_occupied(*port)
            && (situation.leases.at(*port).is_none() || given_up.contains(port))
    };
    candidates(service).into_iter().filter(is_open).collect()
}

/// A port for everybody, no port twice, by trying everything.
fn arrange(choices: &[BTreeSet<Port>], taken: &mut Vec<Port>) -> Option<Vec<Port>> {
    let Some((first, rest)) = choices.split_first() else {
        return Some(taken.clone());
    };
    for port in first {
        if !taken.contains(port) {
            taken.push(*port);
            if let Some(arrangement) = arrange(rest, taken) {
                return Some(arrangement);
            }
            taken.pop();
        }
    }
    None
}
