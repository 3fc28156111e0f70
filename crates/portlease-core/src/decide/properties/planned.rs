//! Plans that are made in one place and confirmed in another.

use alloc::boxed::Box;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::config;
use super::facts::any_facts;
use super::naive::candidates;
use super::situations::{Situation, any_situation};
use crate::histories::drafts::any_draft;
use crate::histories::ledger::keys_of;
use crate::histories::requests::{any_key, any_port, any_service_name};
use crate::{
    Command, Displacement, Generation, LeaseKey, Leases, Name, Planned, Port, Refusal, Seat, decide,
};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_a_plan_fits_the_world_it_was_made_for(situation in any_situation(1..=4)) {
        if let Some(plan) = situation.success() {
            let confirmed = planned(&situation, &plan.reserved).success();
            let confirmed = confirmed.expect("nothing happened since");
            let ports = |leases: &Leases| -> Vec<(LeaseKey, Port)> {
                leases.iter().flat_map(|lease| keys_of(lease).map(|key| (key, lease.port))).collect()
            };
            prop_assert_eq!(ports(&confirmed.after), ports(&plan.after));
            for (planned, confirmed) in plan.reserved.services.iter().zip(&confirmed.reserved.services) {
                prop_assert_eq!(&planned.lease.key, &confirmed.lease.key);
                prop_assert_eq!(planned.outcome, confirmed.outcome);
                prop_assert_eq!(planned.lease.tier, confirmed.lease.tier);
            }
        }
    }

    #[test]
    fn prop_a_plan_takes_nothing_that_came_meanwhile(
        situation in any_situation(1..=4),
        meanwhile in vec((any_draft(), any_facts()), 1..=4),
        facts in any_facts(),
    ) {
        if let Some(plan) = situation.success() {
            let mut now = planned(&situation, &plan.reserved);
            for (draft, facts) in meanwhile {
                if let Ok(decision) = decide(&now.leases, &draft.command(&now.leases), &facts) {
                    now.leases.apply_all(&decision.changes);
                }
            }
            now.facts = facts;
            match now.success() {
                Some(confirmed) => {
                    for (planned, granted) in plan.reserved.services.iter().zip(&confirmed.reserved.services) {
                        prop_assert_eq!(planned.port(), granted.port());
                    }
                    let knew = |key: &LeaseKey, generation: Generation| {
                        situation.leases.get(key).is_some_and(|lease| lease.generation == generation)
                    };
                    for lease in now.leases.iter().filter(|lease| !knew(&lease.key, lease.generation)) {
                        let after = confirmed.after.get(&lease.key);
                        prop_assert_eq!(after.map(|after| after.port), Some(lease.port), "{} moved", lease.key);
                    }
                }
                None => {
                    // Planning again on what is there now needs no third turn.
                    let mut again = now.clone();
                    again.request.planned = None;
                    if let Some(plan) = again.success() {
                        prop_assert!(planned(&again, &plan.reserved).success().is_some());
                    }
                }
            }
        }
    }

    #[test]
    fn prop_no_plan_breaks_the_registry(
        mut situation in any_situation(1..=4),
        instance in 1_u32..=2,
        seats in vec((any_service_name(), any_port(), option::of(0_u64..=9)), 0..=5),
        displaced in vec((any_key(), 0_u64..=9, option::of(any_port())), 0..=3),
    ) {
        let seat = |(service, port, replaces): (Name, Port, Option<u64>)| Seat {
            service,
            port,
            replaces: replaces.map(Generation::new),
        };
        let displacement = |(key, generation, to): (LeaseKey, u64, Option<Port>)| Displacement {
            key,
            generation: Generation::new(generation),
            to,
        };
        situation.request.planned = Some(Box::new(Planned {
            instance,
            seats: seats.into_iter().map(seat).collect(),
            displaced: displaced.into_iter().map(displacement).collect(),
        }));
        match situation.decide() {
            Ok(_) => {
                let success = situation.success().expect("it was granted");
                prop_assert!(success.after.check().is_ok());
                for (service, granted) in success.own(&situation) {
                    let is_kept = situation.leases.get(&granted.lease.key).is_some_and(|it| it.port == granted.port());
                    prop_assert!(is_kept || candidates(service).contains(&granted.port()));
                }
            }
            Err(Refusal::PlanOutdated(outdated)) => prop_assert!(!outdated.wrong.is_empty()),
            Err(_) => {}
        }
    }

    #[test]
    fn prop_the_rows_of_its_scope_are_enough_to_confirm_a_plan(
        situation in any_situation(1..=4),
        meanwhile in vec((any_draft(), any_facts()), 0..=3),
    ) {
        if let Some(plan) = situation.success() {
            let mut now = planned(&situation, &plan.reserved);
            for (draft, facts) in meanwhile {
                if let Ok(decision) = decide(&now.leases, &draft.command(&now.leases), &facts) {
                    now.leases.apply_all(&decision.changes);
                }
            }
            let command = Command::Reserve(now.request.clone());
            let part = now.leases.within(&command.scope());
            prop_assert_eq!(decide(&part, &command, &now.facts), now.decide());
        }
    }
}

/// The same request, with the seats that it would get.
fn planned(situation: &Situation, reserved: &crate::Reserved) -> Situation {
    let mut planned = situation.clone();
    planned.request.planned = Some(Box::new(Planned::of(reserved, &situation.leases)));
    planned
}
