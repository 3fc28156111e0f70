//! The model checks the protocol; this checks the model, and runs it in its small size.

use std::collections::BTreeSet;

use super::scenario::{Role, Server, Wish};
use super::{Exploration, Mutant, SMALL, Scenario, explore, hunt, smallest_for};

const THREADS: usize = 2;

#[test]
fn the_small_scenarios_break_no_law_and_reach_everything_of_interest() {
    let mut reached = BTreeSet::new();
    for scenario in SMALL {
        let found = explore(*scenario, THREADS);
        if let Some(broken) = found.broken.first() {
            panic!("{}: {}\n{}", scenario.name, broken.law, broken.trace);
        }
        reached.extend(found.reached);
    }
    let wanted: BTreeSet<_> = Exploration::wanted().collect();
    assert_eq!(reached, wanted);
}

#[test]
fn every_mutant_is_caught_and_nothing_is_broken_without_it() {
    for mutant in Mutant::ALL {
        let scenario = smallest_for(mutant);
        assert!(hunt(scenario, Some(mutant)).is_some(), "{mutant}");
        assert!(hunt(scenario, None).is_none(), "without {mutant}");
    }
}

#[test]
fn every_law_is_broken_by_some_mutant() {
    let broken = Mutant::ALL
        .into_iter()
        .filter_map(|mutant| hunt(smallest_for(mutant), Some(mutant)))
        .map(|found| found.law);
    let broken: BTreeSet<_> = broken.collect();
    let laws: BTreeSet<_> = Exploration::laws().collect();
    assert_eq!(broken, laws);
}

#[test]
fn the_steps_of_a_counterexample_are_the_fewest() {
    let scenario = smallest_for(Mutant::BindBeforeLease);
    let found = hunt(scenario, Some(Mutant::BindBeforeLease)).unwrap();
    // Both look, one is granted what the other binds unasked.
    assert_eq!(
        (found.steps, found.law),
        (4, "Unique: a port has one owner")
    );
    assert!(found.trace.contains("4. "), "{}", found.trace);
}

#[test]
fn what_cannot_happen_is_not_reached() {
    let alone = Scenario {
        callers: &[Role {
            service: 0,
            wish: Wish::Attach,
            server: Server::Caller,
        }],
        ..smallest_for(Mutant::LostUpdate)
    };
    assert_eq!(explore(alone, THREADS).reached, ["all servers are live"]);
}
