//! Unique: no two leases on one port, and no lease lost on the way.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::config;
use super::situations::{any_case, any_situation};
use crate::histories::ledger::keys_of;
use crate::{Change, LeaseKey, Port, Reply};

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn prop_changes_keep_leases_valid(case in any_case()) {
        if let Some((_, after)) = case.outcome() {
            prop_assert_eq!(after.check(), Ok(()));
            let json = serde_json::to_value(&after).unwrap();
            prop_assert_eq!(serde_json::from_value::<crate::Leases>(json).unwrap(), after);
        }
    }

    #[test]
    fn prop_granted_leases_are_the_registered_ones(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            let names: Vec<_> = situation.request.services.iter().map(|service| &service.name).collect();
            let granted: Vec<_> = success.reserved.services.iter().map(|granted| &granted.service).collect();
            prop_assert_eq!(names, granted);
            for (service, granted) in situation.request.services.iter().zip(&success.reserved.services) {
                let key = situation.key(service, success.reserved.instance);
                prop_assert_eq!(success.after.get(&key), Some(&granted.lease));
                prop_assert_eq!(granted.lease.key == key, service.inherit_from.is_none());
                prop_assert!(keys_of(&granted.lease).any(|of_lease| of_lease == key));
            }
        }
    }

    #[test]
    fn prop_a_port_is_shared_only_by_inheritance(situation in any_situation(2..=4)) {
        if let Some(success) = situation.success() {
            let mut owners: BTreeMap<Port, &LeaseKey> = BTreeMap::new();
            for (_, granted) in success.own(&situation) {
                let other = owners.insert(granted.port(), &granted.lease.key);
                prop_assert_eq!(other, None);
            }
        }
    }

    #[test]
    fn prop_every_grant_survives_the_other_changes(case in any_case()) {
        if let Some((decision, after)) = case.outcome() {
            for change in &decision.changes {
                match change {
                    Change::Grant(lease) => {
                        prop_assert_eq!(after.get(&lease.key), Some(lease));
                        prop_assert!(lease.generation > case.leases.last_generation());
                    }
                    Change::Update(lease) => prop_assert_eq!(after.get(&lease.key), Some(lease)),
                    Change::Remember(memory) => prop_assert_eq!(after.memory(&memory.key), Some(memory)),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn prop_no_lease_vanishes_silently(case in any_case()) {
        if let Some((decision, after)) = case.outcome() {
            for lease in case.leases.iter() {
                for key in keys_of(lease).filter(|key| after.get(key).is_none()) {
                    prop_assert!(is_reported_as_ended(&decision.reply, &key), "{} is gone", key);
                    let end = Change::End(lease.key.clone());
                    prop_assert!(key != lease.key || decision.changes.contains(&end));
                }
            }
        }
    }

    #[test]
    fn prop_every_other_lease_that_changed_its_port_is_reported(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for before in situation.leases.iter() {
                let now = success.after.get(&before.key).map(|lease| lease.port);
                let is_other = !situation.is_requested(&before.key, success.reserved.instance);
                if is_other && now != Some(before.port) {
                    let mut moves = success.reserved.moves.iter();
                    prop_assert!(moves.any(|moved| moved.key == before.key && moved.to == now));
                }
            }
        }
    }

    #[test]
    fn prop_moves_are_true(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (index, moved) in success.reserved.moves.iter().enumerate() {
                prop_assert_eq!(situation.leases.get(&moved.key).map(|lease| lease.port), Some(moved.from));
                prop_assert_eq!(success.after.get(&moved.key).map(|lease| lease.port), moved.to);
                prop_assert_ne!(Some(moved.from), moved.to);
                prop_assert!(!moved.reason.is_empty());
                prop_assert!(success.reserved.moves[..index].iter().all(|earlier| earlier.key != moved.key));
            }
        }
    }
}

/// Whether the reply tells that the key has no lease any more.
fn is_reported_as_ended(reply: &Reply, key: &LeaseKey) -> bool {
    let mut ended = match reply {
        Reply::Reserved(reserved) => {
            let mut moves = reserved.moves.iter();
            return moves.any(|moved| moved.key == *key && moved.to.is_none());
        }
        Reply::Released(released) if released.followers.contains(key) => return true,
        Reply::Released(released) => released.leases.iter().collect::<Vec<_>>().into_iter(),
        Reply::Swept(swept) => {
            let removed: Vec<_> = swept.removed.iter().map(|swept| &swept.lease).collect();
            removed.into_iter()
        }
        _ => return false,
    };
    ended.any(|lease| keys_of(lease).any(|ended| ended == *key))
}
