//! `portlease restart`

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
    /// How long it may take to end before it is killed, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) grace: Option<u32>,
    /// How long the server may take to listen, in seconds [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u32>,
}

pub(crate) fn run(task: &Restart) -> Result<u8, Failure> {
    let (config, project) = task.target.read()?;
    stop::stop(&project, &config, task.grace)?;
    start::run(&Start {
        target: task.target.clone(),
        open: false,
        timeout: task.timeout,
        command: Vec::new(),
    })
}
