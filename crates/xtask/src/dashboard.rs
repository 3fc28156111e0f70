//! The dashboard of the service: TypeScript checks its scripts, and a browser looks at the pages of a real service.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process::{npm, program, root, run_quietly, target_dir};
use crate::report::Tally;
use crate::{count, harness, install, npm as packages, wasm};

/// Builds what the tests need, and runs them.
pub(crate) fn run() -> Result<ExitCode> {
    wasm::build_for_dashboard()?;
    let Tally { passed, failed } = test()?;
    println!("{passed} passed, {failed} failed");
    println!("The pictures are in {}", pictures().display());
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Tests the dashboard with the planner that was built for it.
pub(crate) fn test() -> Result<Tally> {
    install::browser()?;
    packages::install_tools()?;
    check_types()?;
    let mut node = node_tests()?;
    count::tests(node.args(tests()?).env("SCREENSHOTS", pictures()))
}

/// Node.js about to run tests that start the command line.
pub(crate) fn node_tests() -> Result<Command> {
    let folder = harness::build_everything()?;
    let binary = format!("portlease{}", env::consts::EXE_SUFFIX);
    let mut node = program("node");
    node.arg("--test").args(REPORTERS);
    node.env("PORTLEASE_BINARY", folder.join(binary));
    Ok(node)
}

/// For people, and for the sum.
const REPORTERS: &[&str] = &[
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=./tests/packed/tally.mjs",
    "--test-reporter-destination=stdout",
];

fn check_types() -> Result<()> {
    let mut check = npm(["exec", "--", "tsc", "--project"]);
    let project = root().join("crates/portlease-server/dashboard");
    run_quietly(check.arg(project).current_dir(packages::home()))
}

fn tests() -> Result<Vec<PathBuf>> {
    let folder = Path::new("tests/dashboard");
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join(folder))? {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(".test.mjs") {
            files.push(folder.join(name));
        }
    }
    files.sort();
    Ok(files)
}

fn pictures() -> PathBuf {
    target_dir().join("dashboard")
}
