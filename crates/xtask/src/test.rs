//! Everything that can be tested, in one run whose last line is the sum.

use std::env::consts::EXE_EXTENSION;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::process::{cargo, program, root, run_quietly};
use crate::report::Report;
use crate::{check, client, count, dashboard, fuzz, harness, install, npm, wasm};

/// Runs it all. What is missing gets installed by the step that needs it.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    report.quiet("programs of the tests", install::programs_of_tests);
    // Before anything that has the service in it, which would be built twice otherwise.
    report.live("planner of the dashboard", wasm::build_for_dashboard);
    check::add_steps(&mut report);
    report.live("tests", || {
        count::tests(&mut cargo([
            "test",
            "--workspace",
            "--all-features",
            "--no-fail-fast",
        ]))
    });
    report.live("fuzzing", fuzz::run_short);
    report.live("service-fuzz --examples 20", || {
        let program = install::schemathesis()?;
        let program = program
            .to_str()
            .context("the target folder has a name that is no text")?;
        harness::run(
            "service-fuzz",
            &[program, "--examples", "20", "--seed", "1"],
        )
    });
    report.live("core for the browser", wasm::build_core);
    report.live("model --small", || harness::run("model", &["--small"]));
    report.live("model --small --mutants", || {
        harness::run("model", &["--small", "--mutants"])
    });
    // Both look at the machine as Linux shows it.
    if cfg!(target_os = "linux") {
        report.live("race --processes 24", || {
            harness::run("race", &["--processes", "24", "--delay-ms", "100"])
        });
        report.live("crash --kills 40", || {
            harness::run("crash", &["--kills", "40"])
        });
    }
    report.live("generated client", client::test);
    report.live("npm packages", || npm::test(&npm::pack_for_gate()?));
    // Windows ends a program without what it has started, and its dev servers would be left behind.
    if cfg!(unix) {
        report.live("dashboard", dashboard::test);
    }
    report.quiet("examples", run_examples);
    report.print_table();
    report.finish()
}

/// Runs the examples for users of the library, all of which end by themselves.
fn run_examples() -> Result<()> {
    let built = harness::build_everything()?.join("examples");
    for file in fs::read_dir(root().join("crates/portlease/examples"))? {
        let file = file?.path();
        let name = file.file_stem().context("an example has a name")?;
        run_quietly(&mut program(built.join(name).with_extension(EXE_EXTENSION)))?;
    }
    Ok(())
}
