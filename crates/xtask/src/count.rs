//! Counting tests by what the programs that run them print.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::process::spelled;
use crate::report::Tally;

/// Runs a command that runs tests, and passes on what it prints while counting what its summaries say.
pub(crate) fn tests(command: &mut Command) -> Result<Tally> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} did not start", spelled(command)))?;
    let mut lines = BufReader::new(child.stdout.take().context("the output was not captured")?);
    let mut counts = Counts::default();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        io::stdout().write_all(&line)?;
        counts.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let ended_well = child.wait()?.success();
    // The services that build changes set this; there, a test that is skipped would stay skipped unseen.
    let in_workflow = env::var_os("CI").is_some_and(|value| value == "true");
    if counts.ignored > 0 {
        println!(
            "{} tests were ignored; with CI=true each counts as failed",
            counts.ignored
        );
    }
    Ok(counts.tally(ended_well, in_workflow))
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds the summary of one test program, as in `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(summary) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = summary.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1].trim_end_matches(';') {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    fn tally(self, ended_well: bool, in_workflow: bool) -> Tally {
        let skipped = if in_workflow { self.ignored } else { 0 };
        let failed = self.failed + skipped;
        // Code that does not compile and a test program that dies leave no summary behind, only the exit code.
        let failed = if ended_well { failed } else { failed.max(1) };
        Tally {
            passed: self.passed,
            failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, ended_well: bool, in_workflow: bool, passed: u64, failed: u64) {
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts.add(line));
        assert_eq!(
            counts.tally(ended_well, in_workflow),
            Tally { passed, failed }
        );
    }

    #[test]
    fn the_summaries_of_all_programs_are_added() {
        let output = "running 5 tests\n\
            test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test a ... FAILED\n\
            test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        check(output, false, false, 12, 2);
    }

    #[test]
    fn a_coloured_summary_is_read_as_well() {
        check(
            "test result: \u{1b}[32mok\u{1b}[m. 3 passed; 0 failed; 0 ignored;",
            true,
            false,
            3,
            0,
        );
    }

    #[test]
    fn ignored_tests_fail_in_the_workflow_only() {
        let output = "test result: ok. 5 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out";
        check(output, true, false, 5, 0);
        check(output, true, true, 5, 2);
    }

    #[test]
    fn a_run_that_dies_without_a_summary_is_a_failure() {
        check("", false, false, 0, 1);
    }
}
