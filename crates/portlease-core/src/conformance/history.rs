//! A long and varied history of commands, against the decisions as they are without a store.

use alloc::format;

use super::Registry;
use super::commands::Commands;
use super::opening::{Opening, Problem};
use super::twin::Twin;

const STEPS: usize = 600;
const SEED: u64 = 1;

pub(super) fn a_long_history_ends_as_the_decisions_say(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let mut openings = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    let mut commands = Commands::new(SEED);
    for number in 0..STEPS {
        let (command, facts) = commands.next(twin.leases());
        let opening = &openings[number % 2];
        let _granted_or_refused = twin
            .step(opening, &command, &facts)
            .map_err(|problem| format!("step {number}: {problem}"))?;
        if number % 100 == 99 {
            openings.swap(0, 1);
            openings[0] = Opening::of(registry);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::string::String;
    use alloc::vec::Vec;

    use serde::Serialize;
    use serde_json::Value;

    use super::*;
    use crate::{Decision, Leases, Reply, decide, refused};

    /// What a history is made of, by the names that things have in JSON.
    fn seen_in(seed: u64) -> BTreeSet<String> {
        let mut leases = Leases::default();
        let mut commands = Commands::new(seed);
        let mut seen = BTreeSet::new();
        for _ in 0..STEPS {
            let (command, facts) = commands.next(&leases);
            match decide(&leases, &command, &facts) {
                Ok(decision) => {
                    look_at(&decision, &mut seen);
                    leases.apply_all(&decision.changes);
                }
                Err(refusal) => {
                    seen.insert(refusal.code().into());
                    leases.apply_all(refused(&command).as_slice());
                }
            }
            leases.check().unwrap();
        }
        seen
    }

    fn look_at(decision: &Decision, seen: &mut BTreeSet<String>) {
        let mut see = |what: &str, name: &str| seen.insert(format!("{what} {name}"));
        for change in &decision.changes {
            see("change", &text_of(change, "kind"));
        }
        see("reply", &text_of(&decision.reply, "kind"));
        match &decision.reply {
            Reply::Reserved(reserved) => {
                for granted in &reserved.services {
                    see("outcome", &text_of(granted, "outcome"));
                    see("tier", &text_of(&granted.lease, "tier"));
                }
                for moved in &reserved.moves {
                    see(
                        "move",
                        if moved.to.is_some() {
                            "elsewhere"
                        } else {
                            "nowhere"
                        },
                    );
                }
                if reserved.instance > 1 {
                    see("instance", "further");
                }
            }
            Reply::Swept(swept) => {
                for removed in &swept.removed {
                    see("evidence", &text_of(removed, "evidence"));
                }
            }
            Reply::Released(released) if !released.followers.is_empty() => {
                see("release", "of a follower");
            }
            _ => {}
        }
    }

    fn text_of(value: &impl Serialize, field: &str) -> String {
        match &serde_json::to_value(value).unwrap()[field] {
            Value::String(text) => text.clone(),
            other => panic!("{field} is {other}"),
        }
    }

    #[test]
    fn the_history_meets_everything_that_can_happen() {
        let expected = [
            "CONFLICT_UNRESOLVED",
            "DEPENDENCY_CYCLE",
            "LEASE_NOT_FOUND",
            "NOT_OWNER",
            "PORT_UNAVAILABLE",
            "RANGE_EXHAUSTED",
            "UNKNOWN_SERVICE",
            "change count",
            "change end",
            "change forget",
            "change grant",
            "change remember",
            "change swept",
            "change update",
            "evidence abandoned",
            "evidence dead",
            "instance further",
            "move elsewhere",
            "move nowhere",
            "outcome attached",
            "outcome inherited",
            "outcome new",
            "outcome reallocated",
            "outcome reused",
            "outcome tookOver",
            "release of a follower",
            "reply confirmed",
            "reply explained",
            "reply released",
            "reply renewed",
            "reply reserved",
            "reply stats",
            "reply swept",
            "reply validated",
            "tier default",
            "tier emergency",
            "tier preferred",
            "tier remembered",
            "tier scan",
            "tier spillover",
        ];
        let seen = seen_in(SEED);
        let missing = expected.iter().filter(|name| !seen.contains(**name));
        assert_eq!(missing.collect::<Vec<_>>(), [&""; 0]);
    }
}
