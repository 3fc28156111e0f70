//! The programs of the package `portlease-tests`, built with optimization because they explore and measure.

use std::ffi::OsStr;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::process::{cargo, run_live, spelled};

/// Runs a harness as a step of something larger.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    run_live(&mut command(name, arguments))
}

/// Runs a harness for the person who asked for it; its own exit code says all there is to say.
pub(crate) fn pass_through(name: &str, arguments: &[impl AsRef<OsStr>]) -> Result<ExitCode> {
    let mut command = command(name, arguments);
    let status = command
        .status()
        .with_context(|| format!("{} did not start", spelled(&command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn command(name: &str, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = cargo([
        "run",
        "--release",
        "--package",
        "portlease-tests",
        "--bin",
        name,
        "--",
    ]);
    command.args(arguments);
    command
}
