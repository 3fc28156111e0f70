//! `portlease doctor`

use crate::arguments::Doctor;
use crate::doctor::{Finding, Level, examine};
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{self, DIM, GREEN, RED, YELLOW};

#[expect(
    clippy::unnecessary_wraps,
    reason = "commands can fail, and this one is called like the others"
)]
pub(crate) fn run(task: &Doctor) -> Result<u8, Failure> {
    let findings = examine();
    if task.json {
        output::json(&findings);
    } else {
        findings.iter().for_each(tell);
    }
    let has_problem = findings
        .iter()
        .any(|finding| finding.level == Level::Problem);
    Ok(if has_problem {
        Code::Broken
    } else {
        Code::Done
    }
    .into())
}

fn tell(finding: &Finding) {
    let Finding {
        check,
        level,
        message,
        remedy,
    } = finding;
    let remedy = remedy.as_deref().unwrap_or_default();
    if !output::is_terminal() {
        output::line(format_args!("{level}\t{check}\t{message}\t{remedy}"));
        return;
    }
    let style = match level {
        Level::Ok => GREEN,
        Level::Warning => YELLOW,
        Level::Problem => RED,
    };
    output::line(format_args!(
        "{style}{level:<8}{style:#} {check}: {message}"
    ));
    if !remedy.is_empty() {
        output::line(format_args!("{:<8} {DIM}{remedy}{DIM:#}", ""));
    }
}
