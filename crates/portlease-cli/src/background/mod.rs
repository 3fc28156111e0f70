//! Commands that run in the background: `start`, `stop`, `restart`, `logs` and `status`.
//!
//! What runs is an ordinary `portlease run` in a session of its own, which keeps a record of itself.

pub(crate) mod keeper;
pub(crate) mod logs;
pub(crate) mod record;
pub(crate) mod restart;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;

use std::path::Path;

use clap::Args;
use portlease::core::Name;
use portlease::{Error, project_name};

/// The project that a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The folder of the project, or its name [default: the current folder]
    pub(crate) project: Option<String>,
}

impl Target {
    pub(crate) fn name(&self) -> Result<Name, Error> {
        match &self.project {
            Some(project) if !Path::new(project).is_dir() => Ok(project.parse()?),
            folder => {
                let folder = folder.as_deref().unwrap_or(".");
                Ok(project_name(Path::new(folder))?)
            }
        }
    }
}
