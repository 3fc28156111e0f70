//! Mutation testing of the code that decides: a mistake planted there must make a test fail.

use std::ffi::OsString;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::install;
use crate::process::{cargo, spelled, target_dir};

/// Runs cargo-mutants and prints its counts as the last line; succeeds when no mutant was missed.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    install::cargo_subcommand("mutants")?;
    let output = target_dir().join("mutants");
    fs::create_dir_all(&output)?;
    let outcomes = output.join("mutants.out").join("outcomes.json");
    // A run that ends before its first mutant must not be judged by the one before it.
    if outcomes.exists() {
        fs::remove_file(&outcomes)?;
    }
    let mut command = cargo(["mutants", "--package", "portlease-core", "--all-features"]);
    command.args(["--file", "crates/portlease-core/src/decide/**"]);
    command.args(["--file", "crates/portlease-core/src/port_set.rs"]);
    command.args(["--file", "crates/portlease-core/src/port_set/**"]);
    command.args(["--profile", "mutants", "--jobs", "2"]);
    command.arg("--output").arg(&output).args(arguments);
    // The tests beside the code are those that have to catch its mutants. Left out are the ones that judge other tests.
    command.args([
        "--",
        "--lib",
        "--",
        "--skip",
        "arbitrary_worlds_are_varied",
        "--skip",
        "conformance::",
    ]);
    // So many cases find what hundreds find, for mutants that are no corner cases, and there are hundreds of mutants.
    command.env("PROPTEST_CASES", "64");
    let status = command
        .status()
        .with_context(|| format!("{} did not start", spelled(&command)))?;
    if !outcomes.exists() {
        if !status.success() {
            bail!("{} ended with {status}", spelled(&command));
        }
        // It was asked for something else than a run, such as `--list`.
        return Ok(ExitCode::SUCCESS);
    }
    let counts = Counts::read(&fs::read_to_string(&outcomes)?)?;
    for name in &counts.missed {
        println!("missed: {name}");
    }
    println!("{}", counts.line());
    // 3 says that a mutant ran into the time limit, which is a way of being caught; anything else is no complete run.
    let is_complete = matches!(status.code(), Some(0 | 3));
    Ok(if is_complete && counts.missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What became of the mutants.
#[derive(Default)]
struct Counts {
    caught: u64,
    missed: Vec<String>,
    timeouts: u64,
    unviable: u64,
}

impl Counts {
    fn read(outcomes: &str) -> Result<Self> {
        let report: Value = serde_json::from_str(outcomes)?;
        let mut counts = Self::default();
        let outcomes = report["outcomes"]
            .as_array()
            .context("outcomes.json has no outcomes")?;
        for outcome in outcomes {
            // The run of the unchanged code is among the outcomes and is no mutant.
            let Some(name) = outcome["scenario"]["Mutant"]["name"].as_str() else {
                continue;
            };
            match outcome["summary"].as_str() {
                Some("CaughtMutant") => counts.caught += 1,
                Some("MissedMutant") => counts.missed.push(name.to_owned()),
                Some("Timeout") => counts.timeouts += 1,
                Some("Unviable") => counts.unviable += 1,
                other => {
                    bail!("cargo-mutants says {other:?} about a mutant, which is not known here")
                }
            }
        }
        Ok(counts)
    }

    fn line(&self) -> String {
        let Self {
            caught,
            missed,
            timeouts,
            unviable,
        } = self;
        let missed = missed.len();
        let mutants = caught + missed as u64 + timeouts + unviable;
        format!(
            "mutants={mutants} caught={caught} missed={missed} timeouts={timeouts} unviable={unviable}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_no_mutant_and_the_missed_are_named() {
        let outcomes = r#"{"outcomes": [
            {"scenario": "Baseline", "summary": "Success"},
            {"scenario": {"Mutant": {"name": "a.rs:1: replace + with -"}}, "summary": "CaughtMutant"},
            {"scenario": {"Mutant": {"name": "a.rs:2: replace < with <="}}, "summary": "MissedMutant"},
            {"scenario": {"Mutant": {"name": "a.rs:3: replace f with ()"}}, "summary": "Timeout"},
            {"scenario": {"Mutant": {"name": "a.rs:4: replace g with 1"}}, "summary": "Unviable"}
        ]}"#;
        let counts = Counts::read(outcomes).unwrap();
        assert_eq!(counts.missed, ["a.rs:2: replace < with <="]);
        assert_eq!(
            counts.line(),
            "mutants=4 caught=1 missed=1 timeouts=1 unviable=1"
        );
    }

    #[test]
    fn an_outcome_that_is_not_known_is_an_error() {
        let outcomes =
            r#"{"outcomes": [{"scenario": {"Mutant": {"name": "a"}}, "summary": "New"}]}"#;
        assert!(Counts::read(outcomes).is_err());
    }
}
