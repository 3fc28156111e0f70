//! The code for the systems that this machine is not: it compiles, its tests as well, and without a warning.
//!
//! Nothing is linked, so neither a linker nor a C compiler for those systems is needed; to run the tests there is for the
//! workflow.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::install;
use crate::process::{program, root, run_quietly, target_dir};
use crate::report::Report;
use crate::toolchain::Toolchain;

/// The systems, and a target for each.
const SYSTEMS: &[(&str, &str)] = &[
    ("macOS", "aarch64-apple-darwin"),
    ("Windows", "x86_64-pc-windows-msvc"),
];

/// The checks alone.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    add_steps(&mut report);
    report.finish()
}

/// The checks as a part of something larger.
pub(crate) fn add_steps(report: &mut Report) {
    for (system, target) in SYSTEMS {
        report.quiet(&format!("code for {system}"), || check(target));
    }
}

/// Checks the whole workspace for a target.
fn check(target: &str) -> Result<()> {
    let toolchain = Toolchain::find(target)?;
    let subcommand = match toolchain {
        Toolchain::Current => {
            install::rust_component("clippy", "clippy")?;
            "clippy"
        }
        // It has no clippy; what the compiler itself warns of is refused as well.
        Toolchain::Debian => "check",
    };
    let mut command = toolchain.cargo(subcommand, target, "std,panic_abort,test");
    command
        .args(["--quiet", "--workspace", "--all-targets", "--all-features"])
        .arg("--target-dir")
        // Apart from everything else, because the two toolchains would throw away each other's work.
        .arg(target_dir().join("systems"))
        .env("RUSTFLAGS", "--deny warnings");
    run_quietly(without_c(&mut command)?)
}

/// Lets a command that links nothing do without compiling anything but Rust: the libraries are said to be there already.
pub(crate) fn without_c(command: &mut Command) -> Result<&mut Command> {
    Ok(command
        .env("LIBSQLITE3_SYS_USE_PKG_CONFIG", "1")
        .env("SQLITE3_LIB_DIR", root())
        .env("CUSTOM_LIBFUZZER_PATH", root().join("libfuzzer.a"))
        // What has no such switch gets a compiler that makes nothing, which is as much as is needed, and empty libraries, which are
        // renamed afterwards.
        .env("TARGET_CC", "true")
        .env("TARGET_AR", empty_archiver()?))
}

/// A program that makes an empty library where it is told to make one.
fn empty_archiver() -> Result<PathBuf> {
    const SCRIPT: &str = "#!/bin/sh
for word; do
    case $word in
        -out:*) : >\"${word#-out:}\" ;;
        *.a) : >\"$word\" ;;
    esac
done
";
    if !cfg!(unix) {
        return Ok("true".into());
    }
    let folder = target_dir().join("systems");
    fs::create_dir_all(&folder)?;
    let path = folder.join("empty-archiver");
    if fs::read_to_string(&path).is_ok_and(|text| text == SCRIPT) {
        return Ok(path);
    }
    fs::write(&path, SCRIPT)?;
    run_quietly(program("chmod").arg("+x").arg(&path))?;
    Ok(path)
}
