//! The programs of the package `portlease-tests`, built with optimization because they explore and measure.

use std::ffi::OsStr;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::process::{self, cargo, run_live, spelled};

/// Runs a harness as a step of something larger.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    run_live(&mut command(name, arguments))
}

/// Runs a harness as a step that is of interest only when it fails.
pub(crate) fn run_quietly(name: &str, arguments: &[&str]) -> Result<()> {
    process::run_quietly(&mut command(name, arguments))
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
    // What is measured is built as it is shipped; the others need not be linked for minutes.
    let profile = if name == "bench" {
        "release"
    } else {
        "harness"
    };
    let mut command = cargo([
        "run",
        "--profile",
        profile,
        "--package",
        "portlease-tests",
        "--bin",
        name,
        "--",
    ]);
    command.args(arguments);
    command
}
