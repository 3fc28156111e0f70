//! The vectors in Rust, and whether they show what they should.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use portlease_core::Refusal;
use serde_json::Value as Json;

use super::{Case, INDEX, cases};

/// Every feature of ranges, allocation and sets of services that Node.js or WASM has.
const ROWS: [&str; 24] = [
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "B1", "B2", "B3", "B4", "B5", "B6", "B7",
    "B8", "B9", "B10", "C1", "C2", "C3", "C4", "C5",
];

/// The cases of all files in the folder, and not only of those that are known here.
fn committed() -> Vec<Case> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let index: BTreeMap<String, usize> = serde_json::from_str(&read(INDEX)).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != INDEX {
            let more: Vec<Case> = serde_json::from_str(&read(&name)).unwrap();
            found.insert(name, more.len());
            cases.extend(more);
        }
    }
    assert_eq!(found, index, "the index says what there is");
    cases
}

#[test]
fn every_vector_has_its_answers() {
    for case in committed() {
        assert_eq!(case.answered(), case.answers, "{}", case.name);
    }
}

#[test]
fn every_answer_is_as_somebody_expects() {
    for case in committed() {
        assert_eq!(case.problems(), Vec::<String>::new(), "{}", case.name);
        assert_eq!(case.asks.len(), case.answers.len(), "{}", case.name);
    }
}

#[test]
fn the_files_hold_enough_cases_and_no_others() {
    let committed: BTreeMap<String, Case> = committed()
        .into_iter()
        .map(|case| (case.name.clone(), case))
        .collect();
    let cases: Vec<Case> = cases().into_iter().flat_map(|(_, cases)| cases).collect();
    assert_eq!(
        committed.len(),
        cases.len(),
        "two cases have one name, or `cargo xtask generate` was not run"
    );
    assert!(
        cases
            .iter()
            .all(|case| committed.get(&case.name) == Some(case)),
        "run `cargo xtask generate`"
    );
    assert!(cases.len() >= 150, "{}", cases.len());
}

#[test]
fn every_feature_has_a_case_that_is_expected_by_hand() {
    let cases = committed();
    for row in ROWS {
        let is_shown =
            |case: &Case| case.rows.iter().any(|other| other == row) && !case.expects.is_null();
        assert!(cases.iter().any(is_shown), "{row}");
    }
}

/// The codes with which a planner refuses; those of leases that are named, of pools that were put together in Rust, and of
/// plans that are confirmed are met by others.
#[test]
fn every_refusal_is_met() {
    let codes: BTreeSet<String> = committed()
        .iter()
        .flat_map(|case| case.answers.clone())
        .filter_map(|answer| {
            let answer: Json = serde_json::from_str(&answer).ok()?;
            Some(answer.pointer("/error/code")?.as_str()?.to_owned())
        })
        .collect();
    let expected = [
        "CONFLICT_UNRESOLVED",
        "DEPENDENCY_CYCLE",
        "DUPLICATE_SERVICE",
        "INVALID_ARGUMENT",
        "INVALID_NAME",
        "INVALID_PORT",
        "INVALID_RANGE",
        "INVALID_SNAPSHOT",
        "NO_SERVICES",
        "PORT_UNAVAILABLE",
        "RANGE_EXHAUSTED",
        "UNKNOWN_POOL",
        "UNKNOWN_PRESET",
        "UNKNOWN_SERVICE",
    ];
    assert_eq!(
        codes.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
    let elsewhere = |refusal: &Refusal| match refusal {
        Refusal::LeaseNotFound { .. }
        | Refusal::NotOwner(_)
        | Refusal::InvalidPools { .. }
        | Refusal::PlanOutdated(_) => true,
        Refusal::InvalidPort { .. }
        | Refusal::InvalidRange { .. }
        | Refusal::InvalidName { .. }
        | Refusal::NoServices
        | Refusal::DuplicateService { .. }
        | Refusal::UnknownService { .. }
        | Refusal::DependencyCycle { .. }
        | Refusal::UnknownPool { .. }
        | Refusal::ConflictUnresolved { .. }
        | Refusal::PortUnavailable(_)
        | Refusal::RangeExhausted(_) => false,
    };
    assert!(
        !elsewhere(&Refusal::NoServices),
        "a new refusal has to be put on one of the sides"
    );
}

/// What is granted at random keeps the laws: no port twice, none that others have, none that was not asked for.
#[test]
fn what_is_granted_at_random_may_be_granted() {
    let mut granted = 0;
    for case in super::random::cases() {
        for (ask, answer) in case.asks.iter().zip(&case.answers) {
            let [ask, answer]: [Json; 2] =
                [ask, answer].map(|text| serde_json::from_str(text).unwrap());
            let Some(services) = answer
                .pointer("/ok/reserved/services")
                .and_then(Json::as_array)
            else {
                continue;
            };
            let wish = ask.get("plan").or_else(|| ask.get("explain")).unwrap();
            let mut ports = BTreeSet::new();
            for service in services {
                granted += 1;
                let port = service["lease"]["port"].as_u64().unwrap();
                assert!((4000..=4015).contains(&port), "{}: {answer}", case.name);
                if service["outcome"] != "inherited" {
                    assert!(
                        ports.insert(port),
                        "{}: {port} twice in {answer}",
                        case.name
                    );
                }
                let insists = wish.get("port").filter(|_| {
                    service["outcome"] != "inherited" && service["outcome"] != "attached"
                });
                if let Some(insists) = insists {
                    assert_eq!(insists.as_u64(), Some(port), "{}: {answer}", case.name);
                }
            }
        }
    }
    assert!(granted > 100, "{granted}");
}
