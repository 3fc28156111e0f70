//! How the steps of a command went: a line for each as it ends, and the sum as the last line.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What a step found out. Most steps are one thing that holds or does not; a run of tests counts each test.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl From<()> for Tally {
    fn from((): ()) -> Self {
        Self {
            passed: 1,
            failed: 0,
        }
    }
}

/// The steps so far. It goes on after a failure, so that one run shows all that is wrong.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    tally: Tally,
    duration: Duration,
}

impl Report {
    /// A step that prints nothing itself. Its name appears when it begins, the rest of the line when it ends.
    pub(crate) fn quiet<Found: Into<Tally>>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Found>,
    ) {
        print!("{name:NAME_WIDTH$}");
        // A terminal would otherwise show the name together with the result; without a reader there is nobody to tell.
        io::stdout().flush().ok();
        let (step, error) = Step::of(name, work);
        println!("{}", step.result());
        self.add(step, error);
    }

    /// A step whose own output comes in between its heading and its line.
    pub(crate) fn live<Found: Into<Tally>>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Found>,
    ) {
        println!("\n── {name}");
        let (step, error) = Step::of(name, work);
        println!("{name:NAME_WIDTH$}{}", step.result());
        self.add(step, error);
    }

    /// Says why something is not looked at; it counts neither way.
    pub(crate) fn note(name: &str, sentence: &str) {
        println!("{name:NAME_WIDTH$}note    {sentence}");
    }

    /// All steps once more, for a run whose lines are far apart.
    pub(crate) fn print_table(&self) {
        println!(
            "\n{:NAME_WIDTH$}{:>8}{:>8}{:>12}",
            "step", "passed", "failed", "duration"
        );
        for Step {
            name,
            tally,
            duration,
        } in &self.steps
        {
            let Tally { passed, failed } = tally;
            println!(
                "{name:NAME_WIDTH$}{passed:>8}{failed:>8}{:>12}",
                seconds(*duration)
            );
        }
    }

    /// Prints the sum as the last line of all, and answers what `main` should.
    pub(crate) fn finish(self) -> ExitCode {
        let Tally { passed, failed } = self.sum();
        println!("{passed} passed, {failed} failed");
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn sum(&self) -> Tally {
        self.steps.iter().fold(Tally::default(), |sum, step| Tally {
            passed: sum.passed + step.tally.passed,
            failed: sum.failed + step.tally.failed,
        })
    }

    fn add(&mut self, step: Step, error: Option<anyhow::Error>) {
        if let Some(error) = error {
            for line in format!("{error:#}").lines() {
                println!("    {line}");
            }
        }
        self.steps.push(step);
    }
}

impl Step {
    fn of<Found: Into<Tally>>(
        name: &str,
        work: impl FnOnce() -> Result<Found>,
    ) -> (Self, Option<anyhow::Error>) {
        let start = Instant::now();
        let (tally, error) = match work() {
            Ok(found) => (found.into(), None),
            Err(error) => (
                Tally {
                    passed: 0,
                    failed: 1,
                },
                Some(error),
            ),
        };
        (
            Self {
                name: name.to_owned(),
                tally,
                duration: start.elapsed(),
            },
            error,
        )
    }

    fn result(&self) -> String {
        let word = if self.tally.failed == 0 {
            "ok"
        } else {
            "FAILED"
        };
        format!("{word:8}{}", seconds(self.duration))
    }
}

const NAME_WIDTH: usize = 26;

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn steps_after_a_failure_still_run_and_count() {
        let mut report = Report::default();
        report.quiet("good", || Ok(()));
        report.quiet("bad", || -> Result<()> { bail!("broken") });
        report.live("tests", || {
            Ok(Tally {
                passed: 5,
                failed: 2,
            })
        });
        assert_eq!(
            report.sum(),
            Tally {
                passed: 6,
                failed: 3
            }
        );
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }

    #[test]
    fn a_step_that_is_no_run_of_tests_counts_as_one() {
        let mut report = Report::default();
        report.quiet("good", || Ok(()));
        assert_eq!(
            report.sum(),
            Tally {
                passed: 1,
                failed: 0
            }
        );
        assert_eq!(report.finish(), ExitCode::SUCCESS);
    }
}
