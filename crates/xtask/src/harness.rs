//! The programs of the package `portlease-tests`.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::process::{self, cargo, program, run_live, spelled, target_dir};

/// Everything with all features, as `cargo test` compiles it: whoever builds more or less than that compiles most of it a second
/// time, because other features are switched on.
const EVERYTHING: &[&str] = &[
    "--workspace",
    "--all-features",
    "--lib",
    "--bins",
    "--examples",
    "--tests",
];

/// Builds everything, and answers the folder where it is.
pub(crate) fn build_everything() -> Result<PathBuf> {
    run_live(cargo(["build", "--quiet"]).args(EVERYTHING))?;
    Ok(target_dir().join("debug"))
}

/// Runs a harness as a step of something larger.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    run_live(built(name)?.args(arguments))
}

/// Runs a harness as a step that is of interest only when it fails.
pub(crate) fn run_quietly(name: &str, arguments: &[&str]) -> Result<()> {
    process::run_quietly(built(name)?.args(arguments))
}

/// Runs a harness for the person who asked for it; its own exit code says all there is to say.
pub(crate) fn pass_through(name: &str, arguments: &[impl AsRef<OsStr>]) -> Result<ExitCode> {
    // What measures is built as it is shipped, and what explores for minutes as well.
    let mut command = match name {
        "bench" | "model" => optimized(name),
        _ => built(name)?,
    };
    let status = command
        .args(arguments)
        .status()
        .with_context(|| format!("{} did not start", spelled(&command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn built(name: &str) -> Result<Command> {
    let folder = build_everything()?;
    Ok(program(folder.join(format!("{name}{EXE_SUFFIX}"))))
}

fn optimized(name: &str) -> Command {
    cargo([
        "run",
        "--release",
        "--package",
        "portlease-tests",
        "--bin",
        name,
        "--",
    ])
}
