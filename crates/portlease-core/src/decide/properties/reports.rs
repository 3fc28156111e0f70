//! What is only told: validation, statistics, and the explanation that is what the request would
//! get.

use proptest::prelude::*;

use super::bounded::explain;
use super::config;
use super::situations::{any_case_of, any_situation};
use crate::histories::drafts::{any_stats, any_validate};
use crate::{Command, Explained, Holder, LeaseStatus, Outcome, Reply, Verdict};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_an_explanation_agrees_with_the_request(situation in any_situation(1..=4)) {
        let explained = explain(&situation);
        prop_assert!(explained.changes.is_empty());
        let Reply::Explained(Explained { reserved, refusal }) = explained.reply else {
            panic!("an explain is answered otherwise");
        };
        let steps = explained.trace.steps;
        match situation.decide() {
            Ok(decision) => {
                prop_assert_eq!(Some(decision.reply), reserved.map(Reply::Reserved));
                prop_assert_eq!(refusal, None);
                let told: u32 = decision.trace.steps.iter().map(|step| step.ports.len()).sum();
                prop_assert_eq!(told as usize, steps.len());
            }
            Err(refused) => {
                prop_assert_eq!(reserved, None);
                prop_assert_eq!(Some(refused.code()), refusal.map(|refusal| refusal.code()));
            }
        }
    }

    #[test]
    fn prop_the_last_word_of_the_account_is_the_answer(situation in any_situation(1..=4)) {
        let explained = explain(&situation);
        let Reply::Explained(Explained { reserved: Some(reserved), .. }) = explained.reply else {
            return Ok(());
        };
        let own = situation.request.services.iter().zip(&reserved.services);
        for (service, granted) in own.filter(|(service, _)| service.inherit_from.is_none()) {
            let mut steps = explained.trace.steps.iter().rev();
            let is_its = |step: &&crate::Step| {
                step.service == service.name && step.verdict == Verdict::Granted
                    && step.ports.first() == granted.port()
            };
            let last = steps.find(is_its);
            prop_assert!(last.is_some(), "{} in {}", service.name, explained.trace);
            let is_found = matches!(granted.outcome, Outcome::New | Outcome::Reallocated);
            prop_assert!(!is_found || last.map(|step| step.tier) == Some(granted.lease.tier));
        }
    }

    #[test]
    fn prop_a_status_is_what_its_sentence_says(case in any_case_of(any_validate())) {
        let Command::Validate(validate) = &case.command else { return Ok(()) };
        let (decision, _) = case.outcome().expect("a question is answered");
        let Reply::Validated(validated) = decision.reply else { panic!("it is answered otherwise") };
        let is_meant = |project| validate.project.as_ref().is_none_or(|meant| meant == project);
        let meant = case.leases.iter().filter(|lease| is_meant(&lease.key.project));
        prop_assert!(validated.leases.iter().map(|entry| &entry.lease).eq(meant));
        for entry in validated.leases {
            let lease = &entry.lease;
            let occupant = case.facts.occupied.occupant(lease.port);
            let is_listened_on = case.facts.occupied.ports().contains(lease.port);
            let is_gone = |party: &Holder| case.facts.dead.contains(party);
            let has_owner = lease.parties().count() > 0;
            let is_owner_gone = has_owner && lease.parties().all(is_gone);
            let is_identified = occupant.is_some_and(|occupant| occupant.holder.is_some());
            let is_owners = occupant.is_some_and(|occupant| {
                let mut behind = occupant.holder.iter().chain(&occupant.ancestors);
                behind.any(|who| lease.parties().any(|party| party == who))
            });
            let expected = match (is_listened_on, is_owner_gone) {
                (false, true) => LeaseStatus::Stale,
                (false, false) => LeaseStatus::Idle,
                (true, _) if is_identified && has_owner && !is_owners => LeaseStatus::Hijacked,
                (true, true) if !is_identified => LeaseStatus::Hijacked,
                (true, _) => LeaseStatus::Live,
            };
            prop_assert_eq!(entry.status, expected);
            prop_assert_eq!(entry.occupant.as_ref(), occupant);
        }
    }

    #[test]
    fn prop_statistics_add_up(case in any_case_of(any_stats())) {
        let Command::Stats(query) = &case.command else { return Ok(()) };
        let (decision, _) = case.outcome().expect("a question is answered");
        let Reply::Stats(stats) = decision.reply else { panic!("it is answered otherwise") };
        for (named, usage) in query.ranges.iter().zip(&stats.ranges) {
            prop_assert_eq!(usage.leased + usage.occupied + usage.free, named.range.len());
            let leased = named.range.iter().filter(|port| case.leases.at(*port).is_some()).count();
            prop_assert_eq!(usage.leased as usize, leased);
            let is_free = |port: &crate::Port| {
                case.leases.at(*port).is_none() && !case.facts.occupied.ports().contains(*port)
            };
            prop_assert_eq!(usage.free as usize, named.range.iter().filter(is_free).count());
        }
        prop_assert_eq!(query.ranges.len(), stats.ranges.len());
        let top = query.top as usize;
        let usage = case.leases.usage();
        for (named, is_before) in [
            (&stats.busiest, (|one, other| one >= other) as fn(u64, u64) -> bool),
            (&stats.least_used, |one, other| one <= other),
        ] {
            prop_assert_eq!(named.len(), top.min(usage.len()));
            prop_assert!(named.windows(2).all(|pair| is_before(pair[0].grants, pair[1].grants)));
            if let Some(last) = named.last() {
                let rest = usage.iter().filter(|usage| !named.contains(usage));
                prop_assert!(rest.clone().all(|rest| is_before(last.grants, rest.grants)));
            }
        }
        prop_assert_eq!(stats.counters, case.leases.counters());
    }
}
