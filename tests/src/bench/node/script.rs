//! The programs for Node that measure. They are copied to where the packages are installed, because Node looks for those beside
//! the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use super::{last_line, scripts};
use crate::Result;
use crate::machine::ground::Ground;

pub(super) struct Script(Command);

impl Script {
    /// A script, for which the ground has the registry.
    pub(super) fn of(name: &str, folder: &Path, ground: &Ground) -> Self {
        let mut command = Command::new("node");
        command
            .arg(placed(folder).join(name))
            .current_dir(folder)
            .env(
                "PORTLEASE_REGISTRY",
                format!("sqlite:{}", ground.registry().display()),
            )
            .env_remove("PORTLEASE_RUN")
            .env_remove("PORT");
        Self(command)
    }

    pub(super) fn with(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.0.args(arguments);
        self
    }

    pub(super) fn command(self) -> Command {
        self.0
    }

    /// Runs it, and reads the last line of what it says.
    pub(super) fn answer<T: DeserializeOwned>(mut self) -> Result<T> {
        let output = self.0.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{:?} ended with {}", self.0, output.status).into());
        }
        let said = String::from_utf8(output.stdout)?;
        Ok(serde_json::from_value(last_line(&said)?)?)
    }
}

fn placed(folder: &Path) -> PathBuf {
    folder.join("measured")
}

/// Copies the scripts to where the packages are installed.
pub(super) fn place(folder: &Path) -> Result<()> {
    let home = placed(folder);
    fs::create_dir_all(&home)?;
    for file in fs::read_dir(scripts())? {
        let file = file?;
        if file
            .path()
            .extension()
            .is_some_and(|ending| ending == "mjs")
        {
            fs::copy(file.path(), home.join(file.file_name()))?;
        }
    }
    Ok(())
}
