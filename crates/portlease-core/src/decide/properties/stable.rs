//! Stable: same project and service, same port, until somebody had to take it.

use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::config;
use super::facts::any_occupancy;
use super::situations::{Situation, any_situation};
use crate::histories::ledger::keys_of;
use crate::histories::requests::{any_port, process};
use crate::{
    Change, Command, Facts, Holder, Lease, LeaseKey, Leases, Name, Outcome, PortRange, Release,
    Request, Service, Suspect, Sweep, Tier, Timestamp, decide,
};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_reserving_again_changes_nothing(mut situation in any_situation(1..=4)) {
        situation.request.force_new = false;
        if let Some(first) = situation.success() {
            let mut again = situation.clone();
            again.leases = first.after.clone();
            let is_usable = |lease: &Lease| !again.is_occupied_by_others(lease.port, Some(lease));
            if first.own(&situation).all(|(_, granted)| is_usable(&granted.lease)) {
                let second = again.success().expect("what was granted once is granted again");
                for (first, second) in first.reserved.services.iter().zip(&second.reserved.services) {
                    prop_assert_eq!(first.port(), second.port());
                    let is_same = first.lease.generation == second.lease.generation;
                    prop_assert!(is_same || could_be_another(first.lease.holder.as_ref()));
                    prop_assert_eq!(second.previous_port, None);
                    let stays = [Outcome::Reused, Outcome::Attached, Outcome::Inherited];
                    prop_assert!(stays.contains(&second.outcome), "{:?}", second.outcome);
                    let by_another = first.outcome == Outcome::Attached;
                    prop_assert_eq!(second.outcome == Outcome::Attached, by_another);
                }
                prop_assert_eq!(&second.reserved.moves, &Vec::new());
                let mut changes = second.changes.iter();
                prop_assert!(changes.all(|change| !matches!(change, Change::End(_))));
            }
        }
    }

    #[test]
    fn prop_a_port_comes_back_when_nobody_needed_it(
        occupied in any_occupancy(),
        (default, start) in (proptest::option::of(any_port()), proptest::option::of(any_port())),
        crashes in any::<bool>(),
        others in vec((0_usize..6, any::<bool>()), 0..=12),
    ) {
        let mut web = service("web");
        (web.default, web.start) = (default, start);
        let mut request = Request::new(Name::literal("shop"), alloc::vec![web]);
        request.holder = Some(process(1));
        let mut facts = Facts { occupied, ..Facts::default() };
        let mut situation = Situation { leases: Leases::default(), request, facts: facts.clone() };
        if let Some(first) = situation.success() {
            let granted = &first.reserved.services[0];
            facts = Facts::at(Timestamp::from_millis(1));
            let mut leases = first.after.clone();
            give_up(&mut leases, &granted.lease, &mut facts, crashes);
            prop_assert_eq!(leases.len(), 0);
            for (service, releases) in others {
                visit(&mut leases, OTHERS[service], releases);
            }
            situation.leases = leases;
            situation.facts = Facts::at(Timestamp::from_millis(9));
            let second = situation.success().expect("its port is free").reserved.services.remove(0);
            prop_assert_eq!(second.port(), granted.port());
            prop_assert_eq!(second.lease.tier, Tier::Remembered);
        }
    }

    #[test]
    fn prop_release_after_reserve_restores(mut situation in any_situation(1..=4)) {
        situation.request.force_new = false;
        if let Some(success) = situation.success() {
            let instance = success.reserved.instance;
            let mut keys = situation.request.services.iter().map(|service| situation.key(service, instance));
            let is_fresh = keys.all(|key| situation.leases.get(&key).is_none());
            if is_fresh && success.reserved.moves.is_empty() {
                let mut leases = success.after.clone();
                for granted in &success.reserved.services {
                    let key = granted.lease.key.sibling(granted.service.clone());
                    let command = Command::Release(Release::granted(key, granted.lease.generation));
                    let decision = decide(&leases, &command, &situation.facts).unwrap();
                    leases.apply_all(&decision.changes);
                }
                let rows = |leases: &Leases| leases.iter().cloned().collect::<Vec<_>>();
                prop_assert_eq!(rows(&leases), rows(&situation.leases));
            }
        }
    }

    #[test]
    fn prop_a_service_that_nobody_asked_about_stays(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            let instance = success.reserved.instance;
            let is_moved = |key: &LeaseKey| success.reserved.moves.iter().any(|moved| moved.key == *key);
            for before in situation.leases.iter() {
                if !situation.is_requested(&before.key, instance) && !is_moved(&before.key) {
                    let after = success.after.get(&before.key).expect("it was not moved");
                    let followers = after.followers.clone();
                    prop_assert_eq!(after, &Lease { followers, ..before.clone() });
                    for key in keys_of(before).filter(|key| !situation.is_requested(key, instance)) {
                        prop_assert!(keys_of(after).any(|kept| kept == key), "{} was dropped", key);
                    }
                }
            }
        }
    }
}

/// A pid alone does not say whether it is the same process that asks again.
fn could_be_another(holder: Option<&Holder>) -> bool {
    matches!(holder, Some(Holder::Process(process)) if process.started.is_none())
}

/// Fewer than the ports that are left.
const OTHERS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

fn service(name: &str) -> Service {
    Service::in_range(Name::literal(name), PortRange::literal(3000, 3007))
}

/// The lease ends, by its owner or because its owner is gone.
fn give_up(leases: &mut Leases, lease: &Lease, facts: &mut Facts, crashes: bool) {
    let (key, generation) = (lease.key.clone(), lease.generation);
    let command = if crashes {
        facts.dead.extend(lease.holder.clone());
        Command::Sweep(Sweep {
            suspects: alloc::vec![Suspect { key, generation }],
            abandoned_after_millis: None,
        })
    } else {
        Command::Release(Release::granted(key, generation))
    };
    let decision = decide(leases, &command, facts).expect("the owner may");
    leases.apply_all(&decision.changes);
}

/// Another project takes a port of the same range, and perhaps gives it back.
fn visit(leases: &mut Leases, name: &str, releases: bool) {
    let facts = Facts::at(Timestamp::from_millis(2));
    let project = Name::literal(name);
    let request = Request::new(project.clone(), alloc::vec![service("web")]);
    let mut commands = alloc::vec![Command::Reserve(request)];
    if releases {
        commands.push(Command::Release(Release::by_project(project)));
    }
    for command in commands {
        let decision = decide(leases, &command, &facts).expect("a port is left");
        leases.apply_all(&decision.changes);
    }
}
