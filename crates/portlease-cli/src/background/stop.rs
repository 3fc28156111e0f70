//! `portlease stop`

use std::time::Duration;

use clap::Args;
use portlease::Config;
use portlease::core::{Holder, Name, Process};

use super::Target;
use super::record::Run;
use crate::exit::Code;
use crate::failure::Failure;
use crate::run::tree;
use crate::{output, selection};

/// Stop a dev server in the background
///
/// Its processes are asked to end, and after the grace they are killed.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  portlease stop
  portlease stop ~/projects/shop")]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How long it may take to end before it is killed, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) grace: Option<u32>,
}

pub(crate) fn run(task: &Stop) -> Result<u8, Failure> {
    let (config, project) = task.target.read()?;
    if stop(&project, &config, task.grace)? {
        output::line(format_args!("stopped {project}"));
    } else {
        output::note(format_args!("{project} does not run in the background"));
    }
    Ok(Code::Done.into())
}

/// Ends what runs of the project in the background, within the grace in seconds. Answers whether anything did.
pub(crate) fn stop(project: &Name, config: &Config, grace: Option<u32>) -> Result<bool, Failure> {
    let grace = grace.map_or_else(|| config.grace(), |time| Duration::from_secs(time.into()));
    let run = Run::of(project)?;
    let Some(mut record) = run.record()? else {
        return Ok(false);
    };
    if record.exit_code.is_some() {
        return Ok(false);
    }
    let was_running = if record.is_running() {
        // It needs the grace for its own processes, and a little more to write down how they ended.
        end(&record.process, grace + Duration::from_secs(2))?;
        true
    } else {
        end_orphans(
            project,
            config,
            &record.ports.into_values().collect::<Vec<_>>(),
            grace,
        )?
    };
    if let Some(last) = run.record()?.filter(|last| last.exit_code.is_none()) {
        record = last;
        record.exit_code = Some(137);
        run.write(&record)?;
    }
    Ok(was_running)
}

/// Ends servers whose `portlease` was killed, as the leases of the run's ports tell.
fn end_orphans(
    project: &Name,
    config: &Config,
    ports: &[u16],
    grace: Duration,
) -> Result<bool, Failure> {
    let mut has_ended_any = false;
    for lease in selection::open(config)?.list(Some(project))? {
        if !ports.contains(&lease.port.get()) {
            continue;
        }
        if let Some(Holder::Process(server)) = &lease.listener {
            end(server, grace)?;
            has_ended_any = true;
        }
    }
    Ok(has_ended_any)
}

fn end(process: &Process, grace: Duration) -> Result<(), Failure> {
    if tree::end(process, grace) {
        return Ok(());
    }
    let message = format!(
        "The process {} cannot be ended. Stop it as the user who started it.",
        process.pid
    );
    Err(Failure::new(Code::Broken, "STILL_RUNNING", message))
}
