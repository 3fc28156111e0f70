//! Running the checker, and telling what it found.

use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model, Path};

use super::mutant::Mutant;
use super::protocol::{Protocol, Step};
use super::scenario::Scenario;
use super::state::State;
use super::trace;

/// What an exploration found.
#[derive(Debug)]
pub struct Exploration {
    /// How many states were generated.
    pub states: usize,
    /// How many of them are different.
    pub unique: usize,
    /// How many steps the longest of the shortest ways to a state has.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// The laws that were broken, the shortest way first.
    pub broken: Vec<Counterexample>,
    /// The states of interest that were reached, by their names.
    pub reached: Vec<&'static str>,
}

/// A way to a state in which a law is broken.
#[derive(Debug)]
pub struct Counterexample {
    /// The law.
    pub law: &'static str,
    /// The steps.
    pub steps: usize,
    /// The steps in words, with the states between them.
    pub trace: String,
}

impl Exploration {
    /// The names of the laws.
    pub fn laws() -> impl Iterator<Item = &'static str> {
        names(Expectation::discovery_is_failure)
    }

    /// The names of the states that are worth reaching.
    pub fn wanted() -> impl Iterator<Item = &'static str> {
        names(|expectation| *expectation == Expectation::Sometimes)
    }
}

/// Explores every state of a scenario, or stops soon after a law was broken.
#[must_use]
pub fn explore(scenario: Scenario, threads: usize) -> Exploration {
    run(scenario, None, threads, None)
}

/// Looks for the shortest way by which a law breaks, with a mistake or without.
#[must_use]
pub fn hunt(scenario: Scenario, mutant: Option<Mutant>) -> Option<Counterexample> {
    let mut shortest = None;
    loop {
        // The checker goes on for a while after it found something and keeps the last.
        let limit = shortest
            .as_ref()
            .map(|found: &Counterexample| found.steps - 1);
        let exploration = run(scenario, mutant, 1, limit);
        match exploration.broken.into_iter().next() {
            Some(found) => shortest = Some(found),
            None => return shortest,
        }
    }
}

/// Explores as far as so many steps lead.
fn run(
    scenario: Scenario,
    mutant: Option<Mutant>,
    threads: usize,
    limit: Option<usize>,
) -> Exploration {
    let begin = Instant::now();
    let mut builder = Protocol::new(scenario, mutant)
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::AnyFailures);
    if let Some(limit) = limit {
        // The checker counts states, of which there is one more than steps, and leaves the last
        // out.
        builder = builder.target_max_depth(limit + 2);
    }
    let checker = builder.spawn_bfs().join();
    let time = begin.elapsed();
    let mut discoveries = checker.discoveries();
    let mut broken: Vec<Counterexample> = Exploration::laws()
        .filter_map(|law| Some(counterexample(law, discoveries.remove(law)?)))
        .collect();
    broken.sort_by_key(|counterexample| counterexample.steps);
    Exploration {
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth().saturating_sub(1),
        time,
        broken,
        reached: Exploration::wanted()
            .filter(|name| discoveries.contains_key(name))
            .collect(),
    }
}

fn names(of: impl Fn(&Expectation) -> bool) -> impl Iterator<Item = &'static str> {
    let properties = super::properties::all().into_iter();
    properties
        .filter(move |property| of(&property.expectation))
        .map(|property| property.name)
}

fn counterexample(law: &'static str, path: Path<State, Step>) -> Counterexample {
    let path = path.into_vec();
    Counterexample {
        law,
        steps: path.len() - 1,
        trace: trace::of(&path),
    }
}
