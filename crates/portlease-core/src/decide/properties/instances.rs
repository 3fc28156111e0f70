//! A second instance of a project that runs already: a port of its own, the same one each time.

use alloc::vec::Vec;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::config;
use super::situations::{Situation, any_leases, any_situation};
use crate::histories::requests::{any_port, process};
use crate::{
    Command, Facts, Generation, Holder, IfRunning, Lease, LeaseKey, Leases, Name, Outcome, Port,
    PortRange, Release, Request, Service, decide,
};

proptest! {
    #![proptest_config(config(2))]

    #[test]
    fn prop_another_instance_never_gets_the_port_of_one_that_runs(mut situation in any_situation(1..=4)) {
        situation.request.if_running = IfRunning::Another;
        let project = &situation.request.project;
        if let Some(success) = situation.success() {
            for lease in situation.leases.of_project(project) {
                let is_other = lease.key.instance != success.reserved.instance;
                if is_other && situation.is_run_by_others(lease) {
                    let mut granted = success.reserved.services.iter();
                    prop_assert!(granted.all(|granted| granted.port() != lease.port));
                    let after = success.after.get(&lease.key);
                    prop_assert_eq!(after.map(|after| after.port), Some(lease.port));
                }
            }
            for granted in &success.reserved.services {
                prop_assert_ne!(granted.outcome, Outcome::Attached);
                prop_assert_ne!(granted.outcome, Outcome::TookOver);
            }
        }
    }

    #[test]
    fn prop_another_instance_gets_the_same_port_each_time(
        leases in any_leases(),
        visitors in btree_map(any_port(), any::<bool>(), 0..=3),
    ) {
        // A range that the other leases do not fill.
        let range = PortRange::literal(3000, 3029);
        let first = reserve(&leases, range, process(11));
        let second = reserve(&first.after, range, process(12));
        prop_assert_ne!(first.instance, second.instance);
        prop_assert_ne!(first.port, second.port);
        let mut after = second.after;
        let project = Name::literal("store");
        let key = LeaseKey { instance: second.instance, ..LeaseKey::new(project, Name::literal("web")) };
        let release = Release::granted(key, second.generation);
        apply(&mut after, &Command::Release(release));
        for (port, releases) in visitors {
            let mut visitor = Service::in_range(Name::literal("visitor"), range);
            visitor.start = Some(port);
            let name = Name::literal(&alloc::format!("visitor {port}"));
            apply(&mut after, &Command::Reserve(Request::new(name.clone(), alloc::vec![visitor])));
            if releases {
                apply(&mut after, &Command::Release(Release::by_project(name)));
            }
        }
        let third = reserve(&after, range, process(13));
        prop_assert_eq!((third.instance, third.port), (second.instance, second.port));
        let fourth = reserve(&third.after, range, process(11));
        prop_assert_eq!((fourth.instance, fourth.port), (first.instance, first.port));
    }

    #[test]
    fn prop_whoever_runs_on_a_lease_that_goes_to_another_is_named(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (service, granted) in success.own(&situation) {
                let before = situation.lease_before(service, success.reserved.instance);
                let is_running = |party: &&Holder| {
                    let is_requester = situation.request.holder.as_ref() == Some(*party);
                    !is_requester && !situation.facts.dead.contains(*party)
                };
                let runners = before.into_iter().flat_map(Lease::parties).filter(is_running);
                let runners: Vec<&Holder> = runners.collect();
                if granted.outcome != Outcome::Attached {
                    prop_assert!(granted.taken_from.iter().eq(runners.iter().copied()));
                }
                let is_taken_over = granted.outcome == Outcome::TookOver;
                let takes_over = situation.request.if_running == IfRunning::Takeover;
                prop_assert!(takes_over || !is_taken_over);
                prop_assert!(!takes_over || granted.outcome != Outcome::Attached);
                prop_assert!(granted.outcome != Outcome::Reused || runners.is_empty());
                if let Some(before) = before.filter(|_| is_taken_over) {
                    prop_assert_eq!(granted.port(), before.port);
                    prop_assert_eq!(&granted.lease.holder, &situation.request.holder);
                    prop_assert_eq!(&granted.lease.listener, &None);
                    prop_assert!(granted.lease.generation > before.generation);
                }
            }
        }
    }
}

struct Reserved {
    instance: u32,
    port: Port,
    generation: Generation,
    after: Leases,
}

fn reserve(leases: &Leases, range: PortRange, holder: Holder) -> Reserved {
    let web = Service::in_range(Name::literal("web"), range);
    let mut request = Request::new(Name::literal("store"), alloc::vec![web]);
    request.holder = Some(holder);
    request.if_running = IfRunning::Another;
    let situation = Situation {
        leases: leases.clone(),
        request,
        facts: Facts::default(),
    };
    let success = situation.success().expect("the range is not full");
    Reserved {
        instance: success.reserved.instance,
        port: success.reserved.services[0].port(),
        generation: success.reserved.services[0].lease.generation,
        after: success.after,
    }
}

fn apply(leases: &mut Leases, command: &Command) {
    let decision = decide(leases, command, &Facts::default()).expect("nothing stands against it");
    leases.apply_all(&decision.changes);
}
