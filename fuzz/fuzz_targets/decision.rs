//! Leases, facts and commands as JSON, as a planner, a runner or the HTTP API gets them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_core::{Command, Decision, Facts, InvalidSnapshot, Leases, Refusal, Reply, decide};
use portlease_fuzz::document;
use serde::{Deserialize, Serialize};

const TEMPLATE: &str = include_str!("../seeds/decision/history.json");

/// Commands that are decided one after the other, on leases that somebody sent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct History {
    leases: Leases,
    facts: Facts,
    commands: Vec<Command>,
}

fuzz_target!(|bytes: &[u8]| {
    let Some(history) = document::<History>(TEMPLATE, bytes) else {
        return;
    };
    assert_eq!(travelled(&history), history);
    let History {
        mut leases,
        facts,
        commands,
    } = history;
    nobody_remembers_a_leased_port(&leases);
    for command in commands {
        let decided = decide(&leases, &command, &facts);
        assert_eq!(
            decided,
            decide(&leases.within(&command.scope()), &command, &facts),
            "the scope is enough"
        );
        match decided {
            Ok(decision) => apply(&mut leases, &command, &decision),
            Err(refusal) => check_refusal(&refusal),
        }
    }
});

/// The same as a value that went through JSON.
fn travelled<T: Serialize + for<'de> Deserialize<'de>>(value: &T) -> T {
    let json = serde_json::to_string(value).expect("every value has a JSON");
    serde_json::from_str(&json).expect("what was written can be read")
}

fn apply(leases: &mut Leases, command: &Command, decision: &Decision) {
    assert_eq!(&travelled(decision), decision);
    assert!(!command.is_read_only() || decision.changes.is_empty());
    leases.apply_all(&decision.changes);
    // Somebody may send numbers so high that the next is too high.
    assert!(
        matches!(
            leases.check(),
            Ok(()) | Err(InvalidSnapshot::NumberTooLarge)
        ),
        "{:?}",
        leases.check()
    );
    nobody_remembers_a_leased_port(leases);
    if let Reply::Reserved(reserved) = &decision.reply {
        for granted in &reserved.services {
            assert_eq!(
                leases.at(granted.port()),
                Some(&granted.lease),
                "what was granted is there"
            );
        }
    }
}

fn nobody_remembers_a_leased_port(leases: &Leases) {
    let is_remembered = |port| leases.memory_at(port).is_some();
    assert!(!leases.iter().any(|lease| is_remembered(lease.port)));
}

fn check_refusal(refusal: &Refusal) {
    assert_eq!(&travelled(refusal), refusal);
    assert!(refusal.to_string().ends_with('.'), "{refusal}");
}
