//! What becomes of a lease after it was granted: only its owner, or evidence, ends it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::config;
use super::situations::{Case, any_case_of};
use crate::histories::drafts::{any_confirm, any_release, any_renew, any_sweep};
use crate::histories::ledger::keys_of;
use crate::{
    Command, Evidence, Holder, Lease, LeaseKey, LeaseState, Leases, Refusal, Reply, Suspect,
};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_a_renewal_keeps_everything_else(case in any_case_of(any_renew())) {
        let Command::Renew(renew) = &case.command else { return Ok(()) };
        let before = case.leases.get(&renew.key);
        let owned = before.filter(|lease| lease.generation == renew.generation);
        match (owned, case.outcome()) {
            (Some(before), Some((decision, after))) => {
                let expected = Lease {
                    holder: renew.holder.clone().or(before.holder.clone()),
                    renewed_at: case.facts.now,
                    ..before.clone()
                };
                prop_assert_eq!(after.get(&before.key), Some(&expected));
                prop_assert_eq!(decision.reply, Reply::Renewed(Box::new(expected)));
                prop_assert_eq!(except(&after, &before.key), except(&case.leases, &before.key));
            }
            (None, None) => prop_assert_eq!(case.decide().unwrap_err().code(), refusal_code(before)),
            (owned, outcome) => prop_assert!(false, "{:?} {:?}", owned, outcome),
        }
    }

    #[test]
    fn prop_a_confirmation_records_the_truth_and_keeps_everything_else(case in any_case_of(any_confirm())) {
        let Command::Confirm(confirm) = &case.command else { return Ok(()) };
        let before = case.leases.get(&confirm.key);
        let owned = before.filter(|lease| lease.generation == confirm.generation);
        let Some(before) = owned else {
            prop_assert_eq!(case.decide().unwrap_err().code(), refusal_code(before));
            return Ok(());
        };
        let port = confirm.port.unwrap_or(before.port);
        if case.leases.at(port).is_some_and(|lease| lease.key != before.key) {
            prop_assert_eq!(case.decide().unwrap_err().code(), "PORT_UNAVAILABLE");
            return Ok(());
        }
        let (_, after) = case.outcome().expect("the owner may say what is true");
        let confirmed = after.get(&before.key).expect("it stays leased");
        let expected = Lease {
            port,
            state: LeaseState::Live,
            listener: confirmed.listener.clone(),
            renewed_at: case.facts.now,
            ..before.clone()
        };
        prop_assert_eq!(confirmed, &expected);
        let listener = confirmed.listener.as_ref().or(confirmed.holder.as_ref());
        prop_assert!(confirm.listener.is_none() || listener == confirm.listener.as_ref());
        prop_assert_eq!(except(&after, &before.key), except(&case.leases, &before.key));
    }

    #[test]
    fn prop_only_the_owner_releases(case in any_case_of(any_release())) {
        let Command::Release(release) = &case.command else { return Ok(()) };
        let is_meant = |key: &LeaseKey| {
            key.project == release.project
                && release.service.as_ref().is_none_or(|service| *service == key.service)
                && release.instance.is_none_or(|instance| instance == key.instance)
        };
        let leases: Vec<&Lease> = case.leases.iter().collect();
        let meant = leases.iter().filter(|lease| keys_of(lease).any(|key| is_meant(&key)));
        let is_owner = |lease: &&Lease| match release.generation {
            Some(generation) => lease.generation == generation,
            None => lease.parties().all(|party| {
                release.holder.as_ref() == Some(party) || case.facts.dead.contains(party)
            }),
        };
        let may = release.force || meant.clone().all(is_owner);
        match case.outcome() {
            Some((_, after)) => {
                prop_assert!(may);
                let keys = case.leases.iter().flat_map(keys_of);
                for key in keys.filter(|key| after.get(key).is_none()) {
                    let root = &case.leases.get(&key).unwrap().key;
                    prop_assert!(is_meant(&key) || is_meant(root), "{} was not meant", key);
                }
                let mut meant = meant.flat_map(|lease| keys_of(lease)).filter(is_meant);
                prop_assert!(meant.all(|key| after.get(&key).is_none()));
                let again = Case { leases: after, ..case.clone() };
                let (decision, twice) = again.outcome().expect("releasing twice is harmless");
                prop_assert_eq!(decision.reply, Reply::Released(crate::Released::default()));
                prop_assert_eq!(twice, again.leases);
            }
            None => {
                prop_assert!(!may);
                prop_assert!(matches!(case.decide(), Err(Refusal::NotOwner(_))));
            }
        }
    }

    #[test]
    fn prop_a_sweep_removes_only_by_evidence(case in any_case_of(any_sweep())) {
        let Command::Sweep(sweep) = &case.command else { return Ok(()) };
        let (decision, after) = case.outcome().expect("a sweep is never refused");
        let Reply::Swept(swept) = &decision.reply else { panic!("a sweep is answered otherwise") };
        let mut expected = Vec::new();
        for lease in case.leases.iter() {
            let suspect = Suspect { key: lease.key.clone(), generation: lease.generation };
            let is_dead = |party: &Holder| case.facts.dead.contains(party);
            let unused = case.facts.now.as_millis().saturating_sub(lease.renewed_at.as_millis());
            let evidence = if lease.parties().count() > 0 {
                lease.parties().all(is_dead).then_some(Evidence::Dead)
            } else {
                let is_old = sweep.abandoned_after_millis.is_some_and(|millis| unused >= millis);
                is_old.then_some(Evidence::Abandoned)
            };
            let is_free = !case.facts.occupied.ports().contains(lease.port);
            let evidence = if case.facts.host_is_gone {
                Some(Evidence::HostGone)
            } else {
                evidence.filter(|_| is_free)
            };
            match evidence.filter(|_| sweep.suspects.contains(&suspect)) {
                Some(evidence) => expected.push((lease.key.clone(), evidence)),
                None => prop_assert_eq!(after.get(&lease.key), Some(lease)),
            }
        }
        let removed = swept.removed.iter();
        let removed = removed.map(|swept| (swept.lease.key.clone(), swept.evidence));
        let mut removed: Vec<_> = removed.collect();
        removed.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        expected.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        prop_assert_eq!(removed, expected);
        let again = Case { leases: after, ..case.clone() };
        let (_, twice) = again.outcome().expect("a sweep is never refused");
        prop_assert_eq!(twice, again.leases);
    }
}

fn refusal_code(lease: Option<&Lease>) -> &'static str {
    if lease.is_some() {
        "NOT_OWNER"
    } else {
        "LEASE_NOT_FOUND"
    }
}

fn except<'a>(leases: &'a Leases, key: &LeaseKey) -> Vec<&'a Lease> {
    leases.iter().filter(|lease| lease.key != *key).collect()
}
