//! `portlease restart`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Target;
use super::start::{self, Start};
use super::stop;
use crate::failure::Failure;

/// Stop a dev server in the background and start it again
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  portlease restart")]
pub(crate) struct Restart {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How long it may take to end before it is killed, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) grace: u64,
    /// How long the server may take to listen, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) timeout: u64,
}

pub(crate) fn run(task: &Restart) -> Result<ExitCode, Failure> {
    stop::stop(&task.target.name()?, Duration::from_secs(task.grace))?;
    start::run(&Start {
        target: task.target.clone(),
        open: false,
        timeout: task.timeout,
        command: Vec::new(),
    })
}
