//! Commands that run in the background: `start`, `stop`, `restart`, `logs` and `status`.
//!
//! What runs is an ordinary `portlease run` in a session of its own, which keeps a record of itself.

pub(crate) mod browser;
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
use portlease::{Config, Error};

use crate::arguments::Project;

/// The project that a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The folder of the project, or its name [default: the current folder]
    pub(crate) project: Option<String>,
}

impl Target {
    /// The configuration of the folder, or of the current one when the project is told by its name,
    /// and the name.
    pub(crate) fn read(&self) -> Result<(Config, Name), Error> {
        let project = self.project();
        let config = project.config()?;
        let name = project.name(&config)?;
        Ok((config, name))
    }

    fn project(&self) -> Project {
        let said = self.project.clone();
        let (dir, project) = match said {
            Some(said) if Path::new(&said).is_dir() => (Some(said.into()), None),
            said => (None, said),
        };
        Project {
            project,
            dir,
            profile: None,
        }
    }
}
