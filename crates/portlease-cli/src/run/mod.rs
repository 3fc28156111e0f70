//! `portlease run`: a command on ports of its own.

mod events;
mod flags;
mod prepare;
mod report;
mod services;
mod session;
mod template;
pub(crate) mod tree;

use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use portlease::core::{Capability, Holder, Lease, LeaseKey, Outcome as Granted};
use portlease::{Allocator, Grants};

use crate::arguments::Run;
use crate::background::keeper::Keeper;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};
use events::Events;
use prepare::{Prepared, prepare};
use session::{Manner, Outcome, serve};

pub(crate) fn run(task: &Run) -> Result<ExitCode, Failure> {
    let prepared = prepare(task)?;
    let project = &prepared.request.project;
    let keeper = match &task.background {
        Some(folder) => Some(Keeper::begin(folder, project, &task.command)?),
        None => None,
    };
    let outcome = run_prepared(task, &prepared, keeper.as_ref());
    if let Some(keeper) = &keeper {
        keeper.has_ended(match &outcome {
            Ok(number) => *number,
            Err(failure) => failure.exit().number(),
        });
    }
    outcome.map(ExitCode::from)
}

/// Answers the exit code.
fn run_prepared(task: &Run, prepared: &Prepared, keeper: Option<&Keeper>) -> Result<u8, Failure> {
    for warning in &prepared.warnings {
        output::warning(format_args!("{warning}"));
    }
    let allocator = selection::open()?;
    let manner = Manner {
        quiet: task.quiet,
        timeout: Duration::from_secs(task.timeout),
        grace: Duration::from_secs(task.grace),
        keeper,
    };
    if task.if_running.takeover {
        end_running(&allocator, prepared, manner.grace)?;
    }
    tree::adopt_orphans();
    let events = Events::listen().map_err(|error| {
        Failure::new(
            Code::Broken,
            "NO_SIGNALS",
            format!("Signals cannot be heard: {error}"),
        )
    })?;
    for _ in 0..=task.retries {
        let grants = allocator.reserve_all(&prepared.request)?;
        if let Some(url) = attached_to(&grants) {
            output::line(format_args!("{url}"));
            return Ok(Code::Done.number());
        }
        if !task.quiet {
            tell(&allocator, &grants)?;
        }
        let command = prepared.command(&grants);
        match serve(command, prepared.program(), grants, &events, &manner)? {
            Outcome::Ended(status) => return Ok(code_of(status)),
            Outcome::Lost { port, by } => report::lost(port, &by),
        }
    }
    Err(Failure::new(
        Code::NotServing,
        "PORT_LOST",
        format!(
            "Other programs took {} ports before the command listened on them. Stop them, choose another range with --range, \
             or raise --retries.",
            task.retries + 1
        ),
    ))
}

/// The URL of the instance that runs already, when the user asked for that.
fn attached_to(grants: &Grants) -> Option<String> {
    let main = grants.iter().next()?;
    (main.granted().outcome == Granted::Attached).then(|| main.url())
}

/// What the user should know before the command speaks.
fn tell(allocator: &Allocator, grants: &Grants) -> Result<(), Failure> {
    for moved in grants.moves() {
        output::warning(format_args!("{}", selection::moved(moved)));
    }
    let (Some(main), 2..) = (grants.iter().next(), grants.instance()) else {
        return Ok(());
    };
    let first = LeaseKey {
        instance: 1,
        ..main.lease().key.clone()
    };
    let all = allocator.list()?;
    if let Some(lease) = all.iter().find(|lease| lease.key == first) {
        output::note(format_args!(
            "portlease: {}. This is instance {}, with a port of its own. `--attach` and `--takeover` are the other choices.",
            report::running(lease, &url(lease)),
            grants.instance()
        ));
    }
    Ok(())
}

/// Ends the instance whose place is to be taken.
fn end_running(allocator: &Allocator, prepared: &Prepared, grace: Duration) -> Result<(), Failure> {
    let project = &prepared.request.project;
    for service in &prepared.request.services {
        let Some(lease) = allocator.find(project, &service.name)? else {
            continue;
        };
        for holder in lease.parties() {
            if let Holder::Process(process) = holder
                && !tree::end(process, grace)
            {
                return Err(Failure::new(
                    Code::Refused,
                    "STILL_RUNNING",
                    format!(
                        "{} and cannot be ended.",
                        report::running(&lease, &url(&lease))
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn url(lease: &Lease) -> String {
    let scheme = Capability::scheme(&lease.requires);
    format!("{scheme}://localhost:{}", lease.port)
}

fn code_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let by_signal =
        std::os::unix::process::ExitStatusExt::signal(&status).map(|number| 128 + number);
    #[cfg(not(unix))]
    let by_signal = None;
    let number = status.code().or(by_signal).unwrap_or(1);
    u8::try_from(number).unwrap_or(1)
}
