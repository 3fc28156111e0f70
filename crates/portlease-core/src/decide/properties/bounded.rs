//! Bounded: each candidate is looked at at most once, in the order that was promised, and the
//! account of it stays small.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::config;
use super::naive::{candidates, ranges};
use super::situations::{Situation, any_situation};
use crate::{
    Command, Decision, Facts, IfRunning, LeaseKey, Leases, Name, Occupant, Port, PortRange,
    Request, Service, Timestamp, Verdict, decide,
};

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn prop_looks_are_at_most_the_candidates(situation in any_situation(1..=4)) {
        if let Some(success) = situation.success() {
            for (service, granted) in situation.request.services.iter().zip(&success.reserved.services) {
                prop_assert!(granted.looks as usize <= candidates(service).len());
                let looks_somewhere = service.inherit_from.is_none();
                prop_assert_eq!(granted.looks > 0, looks_somewhere);
            }
        }
    }

    #[test]
    fn prop_each_candidate_is_looked_at_once(situation in any_situation(1..=4)) {
        let explained = explain(&situation);
        let mut seen: BTreeMap<(&Name, Port), Vec<Verdict>> = BTreeMap::new();
        for step in &explained.trace.steps {
            prop_assert_eq!(step.ports.len(), 1, "port by port");
            seen.entry((&step.service, step.ports.first())).or_default().push(step.verdict);
        }
        for ((service, port), verdicts) in seen {
            if !may_be_another(&situation, service) {
                prop_assert!(is_one_look(&verdicts), "{} looks at {}: {:?}", service, port, verdicts);
            }
        }
    }

    #[test]
    fn prop_a_search_goes_upward_and_wraps(situation in any_situation(1..=1)) {
        let situation = plain_search(situation);
        let service = &situation.request.services[0];
        let key = situation.key(service, 1);
        let memory = situation.leases.memory(&key).map(|memory| memory.port);
        let is_free = |port: Port| {
            !situation.is_barred(service, port)
                && !situation.is_occupied(port)
                && situation.leases.at(port).is_none_or(|lease| lease.key == key)
        };
        let remembered = memory.filter(|port| candidates(service).contains(port));
        let expected = remembered.filter(|port| is_free(*port)).or_else(|| {
            let start = [service.start, remembered, service.default];
            ranges(service).into_iter().enumerate().find_map(|(index, range)| {
                let is_usable = |port: &Port| index == 0 && range.contains(*port);
                let start = start.into_iter().flatten().find(is_usable).unwrap_or(range.first());
                let upper = range.iter().filter(|port| *port >= start);
                let lower = range.iter().filter(|port| *port < start);
                let free: Vec<Port> = upper.chain(lower).filter(|port| is_free(*port)).collect();
                let unremembered = free.iter().find(|port| situation.leases.memory_at(**port).is_none());
                let oldest = free.iter().min_by_key(|port| {
                    situation.leases.memory_at(**port).map(|memory| (memory.released_at, memory.port))
                });
                unremembered.or(oldest).copied()
            })
        });
        let granted = situation.success().map(|success| success.reserved.services[0].port());
        prop_assert_eq!(granted, expected);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..config(1) })]

    #[test]
    fn prop_an_account_of_thousands_is_small(
        reasons in proptest::collection::vec(0_u8..=5, 1..=7),
        start in 5_000_u16..=11_999,
    ) {
        let range = PortRange::literal(5000, 11_999);
        let refusal = crowded(&reasons, range, Some(Port::literal(start))).decide().unwrap_err();
        let trace = refusal.trace().unwrap();
        prop_assert!(trace.steps.len() <= 40, "{} steps", trace.steps.len());
        let told: u32 = trace.steps.iter().map(|step| step.ports.len()).sum();
        prop_assert_eq!(told, range.len());
        let named = trace.steps.iter().map(|step| step.by.len()).max();
        prop_assert!(named <= Some(3));
        prop_assert!(serde_json::to_string(&refusal).unwrap().len() < 20_000);
    }
}

/// The request explained instead of made.
pub(super) fn explain(situation: &Situation) -> Decision {
    let command = Command::Explain(situation.request.clone());
    decide(&situation.leases, &command, &situation.facts).expect("an explanation is never refused")
}

/// Whether a step under this name could be about somebody who makes way for the request.
pub(super) fn may_be_another(situation: &Situation, name: &Name) -> bool {
    let request = &situation.request;
    let is_first = |key: &LeaseKey| key.instance == 1 && request.if_running != IfRunning::Another;
    let keys = situation.leases.iter().map(|lease| &lease.key);
    let mut others = keys.filter(|key| key.project != request.project || !is_first(key));
    request.auto_reassign && others.any(|key| key.service == *name)
}

/// A port is found closed once. It may have been put off before, because others remember it, or
/// become free because its owner made way; once granted it may go to another of the request and
/// come back.
fn is_one_look(verdicts: &[Verdict]) -> bool {
    use Verdict::{Claimed, Leased, Remembered};
    let opens_later = |verdict: &Verdict| matches!(verdict, Remembered | Claimed | Leased);
    let put_off = verdicts
        .iter()
        .take_while(|verdict| **verdict == Remembered);
    let put_off = put_off.count();
    match &verdicts[put_off..] {
        [] | [_] => true,
        [first, granted @ ..] if opens_later(first) => is_granted_alternately(granted),
        granted => is_granted_alternately(granted),
    }
}

fn is_granted_alternately(verdicts: &[Verdict]) -> bool {
    let turns = [Verdict::Granted, Verdict::Yielded].into_iter().cycle();
    verdicts
        .iter()
        .zip(turns)
        .all(|(verdict, turn)| *verdict == turn)
}

/// A request that only searches: nothing named, nothing kept.
fn plain_search(mut situation: Situation) -> Situation {
    let request = &mut situation.request;
    request.if_running = IfRunning::Attach;
    request.force_new = false;
    let service = &mut request.services[0];
    service.explicit = None;
    service.preferred.clear();
    service.inherit_from = None;
    service.conflicts.clear();
    service.framework = Name::literal("unheard of");
    situation
}

/// A full range whose ports are closed for these reasons in turn.
fn crowded(reasons: &[u8], range: PortRange, start: Option<Port>) -> Situation {
    let mut service = Service::in_range(Name::literal("web"), range);
    service.start = start;
    let mut request = Request::new(Name::literal("shop"), alloc::vec![service]);
    let mut facts = Facts::at(Timestamp::from_millis(0));
    let mut leases = Vec::new();
    for (port, reason) in range.iter().zip(reasons.iter().cycle()) {
        match reason {
            0 => drop(request.exclude.insert(port)),
            1 => drop(facts.system_reserved.insert(port)),
            2 => facts.occupied.insert(port, None),
            3 => facts.occupied.insert(port, Some(Occupant::default())),
            _ => leases.push(lease(port)),
        }
    }
    let snapshot = serde_json::json!({ "leases": leases, "lastGeneration": 1 });
    Situation {
        leases: serde_json::from_value::<Leases>(snapshot).expect("every port stands once"),
        request,
        facts,
    }
}

fn lease(port: Port) -> serde_json::Value {
    serde_json::json!({
        "project": alloc::format!("project {port}"), "service": "web", "port": port,
        "framework": "default", "generation": 1, "state": "live", "range": [port, port],
        "tier": "scan", "grantedAt": 0, "renewedAt": 0,
    })
}
