//! `portlease run`: a command on ports of its own.

pub(crate) mod events;
mod flags;
mod inner;
mod prepare;
mod report;
mod services;
mod session;
mod template;
pub(crate) mod tree;

use std::process::ExitStatus;
use std::time::Duration;

use portlease::core::{Holder, IfRunning, Outcome as Granted, Request};
use portlease::{Allocator, Config, Error, Grants, OuterRun, Summary};

use crate::arguments::Run;
use crate::background::keeper::Keeper;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};
use events::Events;
use prepare::{Prepared, prepare};
use session::{Manner, Outcome, serve};

pub(crate) fn run(task: &Run) -> Result<u8, Failure> {
    let config = configured(task)?;
    let prepared = prepare(task, &config)?;
    // A run in the background is the outermost, whoever started it.
    if task.background.is_none()
        && let Some(ports) = OuterRun::current().and_then(|run| run.ports_of(&prepared.request))
    {
        return inner::run(&prepared, &ports);
    }
    let project = &prepared.request.project;
    let keeper = match &task.background {
        Some(folder) => Some(Keeper::begin(
            folder,
            project,
            prepared.main(),
            &task.command,
        )?),
        None => None,
    };
    let outcome = run_prepared(task, &config, &prepared, keeper.as_ref());
    if let Some(keeper) = &keeper {
        keeper.has_ended(match &outcome {
            Ok(number) => *number,
            Err(failure) => failure.exit().number(),
        });
    }
    outcome
}

/// Answers the exit code.
fn run_prepared(
    task: &Run,
    config: &Config,
    prepared: &Prepared,
    keeper: Option<&Keeper>,
) -> Result<u8, Failure> {
    for warning in &prepared.warnings {
        output::warning(format_args!("{warning}"));
    }
    let allocator = selection::open(config)?;
    let manner = Manner {
        quiet: task.quiet,
        timeout: config.timeout(),
        grace: config.grace(),
        keeper,
    };
    let retries = config.max_retries();
    if config.if_running() == IfRunning::Takeover {
        end_running(&allocator, prepared, manner.grace)?;
    }
    tree::adopt_orphans();
    let events = Events::listen().map_err(|error| {
        Failure::new(
            Code::Broken,
            "NO_SIGNALS",
            format!("Signals cannot be heard: {error}. Close files, or raise `ulimit -n`."),
        )
    })?;
    for losses in 1..=u32::from(retries) + 1 {
        let reserved = allocator.reserve_all(&prepared.request);
        if task.summary {
            output::note(format_args!("{}", summary(&prepared.request, &reserved)));
        }
        let grants = reserved?;
        if let Some(url) = attached_to(&grants) {
            output::line(format_args!("{url}"));
            return Ok(Code::Done.number());
        }
        if !task.quiet {
            tell(&allocator, &grants)?;
        }
        let ports = grants
            .iter()
            .map(|grant| (grant.granted().service.clone(), grant.port()))
            .collect();
        let mut command = prepared.command(&ports);
        let run = OuterRun::of_this_process(prepared.request.project.clone(), ports);
        command.env(OuterRun::VARIABLE, run.to_string());
        match serve(command, &prepared.program(), grants, &events, &manner)? {
            Outcome::Ended(status) => return Ok(code_of(status)),
            Outcome::Lost { port, by } => report::lost(port, &by, losses <= retries.into()),
        }
    }
    Err(Failure::new(
        Code::NotServing,
        "PORT_LOST",
        format!(
            "Other programs took {} ports before the command listened on them. Stop them, choose another range with --range, \
             or raise --retries.",
            u32::from(retries) + 1
        ),
    ))
}

/// What became of each service.
fn summary(request: &Request, reserved: &Result<Grants, Error>) -> Summary {
    let mut summary = Summary::default();
    match reserved {
        Ok(grants) => summary.granted(request, grants),
        Err(error) => summary.refused(request, error),
    }
    summary
}

/// The configuration, with what the flags of this command say.
fn configured(task: &Run) -> Result<Config, Error> {
    let text = |number: Option<u32>| number.map(|number| number.to_string());
    let sources = task.project.sources();
    let sources = sources
        .flag("timeout", "--timeout", text(task.timeout))
        .flag("grace", "--grace", text(task.grace))
        .flag("maxRetries", "--retries", text(task.retries.map(u32::from)))
        .flag(
            "ifRunning",
            "--attach",
            task.if_running.attach.then(|| "attach".to_owned()),
        )
        .flag(
            "ifRunning",
            "--takeover",
            task.if_running.takeover.then(|| "takeover".to_owned()),
        );
    Ok(sources.read()?)
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
    let key = &main.lease().key;
    if let Some(lease) = allocator.find(&key.project, &key.service)? {
        output::note(format_args!(
            "portlease: {}. This is instance {}, with a port of its own. `--attach` and `--takeover` are the other choices.",
            report::running(&lease),
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
                        "{} and cannot be ended. Stop it as the user who started it.",
                        report::running(&lease)
                    ),
                ));
            }
        }
    }
    Ok(())
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
