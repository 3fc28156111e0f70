//! Whether the arbitrary worlds are varied enough: a law that is never put to the test is kept by
//! any code.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::situations::{Situation, any_case, any_situation};
use crate::{Command, Outcome, Reply, Reserved, Tier, Verdict};

/// What has to happen at least ten times among some thousands.
const EVENTS: [&str; 26] = [
    "New",
    "Reused",
    "Reallocated",
    "Attached",
    "TookOver",
    "Inherited",
    "Preferred",
    "Remembered",
    "Default",
    "Scan",
    "Spillover",
    "Emergency",
    "moved",
    "evicted",
    "made room",
    "from the memory of another",
    "a further instance",
    "CONFLICT_UNRESOLVED",
    "DEPENDENCY_CYCLE",
    "PORT_UNAVAILABLE",
    "RANGE_EXHAUSTED",
    "UNKNOWN_POOL",
    "UNKNOWN_SERVICE",
    "LEASE_NOT_FOUND",
    "NOT_OWNER",
    "swept",
];

#[test]
fn arbitrary_worlds_are_varied() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..4_000 {
        let situation = any_situation(1..=4)
            .new_tree(&mut runner)
            .expect("nothing is rejected");
        let case = any_case()
            .new_tree(&mut runner)
            .expect("nothing is rejected");
        for event in events(&situation.current())
            .into_iter()
            .chain(other_events(&case.current()))
        {
            *seen.entry(event).or_default() += 1;
        }
    }
    for event in EVENTS {
        let count = seen.get(event).copied().unwrap_or(0);
        assert!(count >= 10, "{event} happened {count} times in {seen:?}");
    }
}

fn events(situation: &Situation) -> Vec<String> {
    match situation.decide() {
        Err(refusal) => alloc::vec![refusal.code().into()],
        Ok(decision) => {
            let Reply::Reserved(reserved) = decision.reply else {
                panic!("a reserve is answered otherwise");
            };
            let mut steps = decision.trace.steps.iter();
            let made_room = steps.any(|step| step.verdict == Verdict::Yielded);
            let mut events = events_of(situation, &reserved);
            events.extend(made_room.then(|| "made room".into()));
            events
        }
    }
}

fn events_of(situation: &Situation, reserved: &Reserved) -> Vec<String> {
    let mut events = Vec::new();
    for granted in &reserved.services {
        events.push(alloc::format!("{:?}", granted.outcome));
        if matches!(granted.outcome, Outcome::New | Outcome::Reallocated) {
            let tier = granted.lease.tier;
            events.push(alloc::format!("{tier:?}"));
            let memory = situation.leases.memory_at(granted.port());
            let is_anothers = memory.is_some_and(|memory| memory.key != granted.lease.key);
            if is_anothers && tier != Tier::Preferred {
                events.push("from the memory of another".into());
            }
        }
    }
    for moved in &reserved.moves {
        events.push(
            if moved.to.is_some() {
                "moved"
            } else {
                "evicted"
            }
            .into(),
        );
    }
    if reserved.instance > 1 {
        events.push("a further instance".into());
    }
    events
}

fn other_events(case: &super::situations::Case) -> Vec<String> {
    match (&case.command, case.decide()) {
        (Command::Reserve(_) | Command::Explain(_), _) => Vec::new(),
        (_, Err(refusal)) => alloc::vec![refusal.code().into()],
        (_, Ok(decision)) => match decision.reply {
            Reply::Swept(swept) if !swept.removed.is_empty() => alloc::vec!["swept".into()],
            _ => Vec::new(),
        },
    }
}
