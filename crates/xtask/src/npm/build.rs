//! Compiling what a platform package contains: the binding and the command line.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::platforms::Platform;
use crate::install;
use crate::process::{cargo, run_live, target_dir};
use crate::toolchain::Toolchain;

/// The files that were built.
pub(crate) struct Built {
    pub(crate) library: PathBuf,
    pub(crate) binary: PathBuf,
}

const LIBRARY: &str = "portlease-node";
const COMMAND_LINE: &str = "portlease-cli";
/// The profile in which a panic ends the program.
const ABORTING: &str = "dist-cli";
/// What a linker reads, from the root of the workspace, to leave out the tables for unwinding.
const NO_UNWINDING: &str = "crates/xtask/src/npm/no-unwinding.ld";

/// Builds for this machine, as the harnesses are built. Their crates are compiled already when the gate comes here; a build as it
/// is distributed would take minutes more.
pub(crate) fn for_gate(platform: &Platform) -> Result<Built> {
    let folder = target_dir();
    let mut command = cargo(["build", "--profile", "harness", "--target-dir"]);
    run_live(
        command
            .arg(&folder)
            .args(["--package", LIBRARY, "--package", COMMAND_LINE]),
    )?;
    let folder = folder.join("harness");
    Ok(Built {
        library: folder.join(platform.library()),
        binary: folder.join(platform.binary()),
    })
}

/// What puts a program together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linker {
    /// With the libraries that this system has.
    OfTheSystem,
    /// With those that Zig brings: the C libraries of Linux in all their versions.
    Zig,
}

impl Linker {
    /// The one by which a platform is built so that it runs on old systems, too.
    pub(crate) fn of(platform: &Platform) -> Result<Self> {
        match (platform.os, env::consts::OS) {
            ("linux", "linux") => Ok(Self::Zig),
            ("darwin", "macos") | ("win32", "windows") => Ok(Self::OfTheSystem),
            (wanted, here) => bail!(
                "{} cannot be linked here: it needs libraries of {wanted} that {here} does not have; the release workflow \
                 builds it",
                platform.name
            ),
        }
    }
}

/// Builds as it is distributed.
pub(crate) fn distributed(platform: &Platform, linker: Linker) -> Result<Built> {
    let build = |package, profile| compile(platform, linker, package, profile);
    let library = build(LIBRARY, "dist")?.join(platform.library());
    let binary = build(COMMAND_LINE, ABORTING)?.join(platform.binary());
    Ok(Built { library, binary })
}

/// Compiles one package, and answers the folder with the result.
fn compile(platform: &Platform, linker: Linker, package: &str, profile: &str) -> Result<PathBuf> {
    let toolchain = Toolchain::find(platform.target)?;
    let build = |subcommand, target: &str| {
        toolchain.cargo(subcommand, target, "std,panic_abort,panic_unwind")
    };
    let mut command = match (linker, platform.libc) {
        (Linker::OfTheSystem, _) => build("build", platform.target),
        (Linker::Zig, Some("glibc")) => {
            build("zigbuild", &format!("{}.{OLDEST_GLIBC}", platform.target))
        }
        (Linker::Zig, _) => build("zigbuild", platform.target),
    };
    if linker == Linker::Zig {
        install::zig()?.add_to(&mut command)?;
    }
    add_flags(&mut command, platform, profile);
    // Apart from everything else, because two toolchains would throw away each other's work.
    let folder = target_dir().join("platforms");
    command.args(["--profile", profile, "--package", package, "--target-dir"]);
    run_live(command.arg(&folder))?;
    Ok(folder.join(platform.target).join(profile))
}

/// The oldest glibc that Rust itself supports. A system whose glibc is older has no Node.js that could load the package.
const OLDEST_GLIBC: &str = "2.17";

/// Tells the compilers what is not in the profiles.
fn add_flags(command: &mut Command, platform: &Platform, profile: &str) {
    let target = platform.target.replace('-', "_");
    let feature = target_feature(platform).map(|feature| format!("-Ctarget-feature={feature}"));
    // The linkers of macOS and Windows know no such scripts.
    let is_scripted = platform.os == "linux" && profile == ABORTING;
    let script = is_scripted.then(|| format!("-Clink-arg=-Wl,-T,{NO_UNWINDING}"));
    let flags: Vec<String> = feature.into_iter().chain(script).collect();
    if !flags.is_empty() {
        // It would come before the one for the target.
        command.env_remove("RUSTFLAGS");
        let name = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase());
        command.env(name, flags.join(" "));
    }
    // Windows insists on its tables for unwinding. Elsewhere SQLite needs none, because no panic goes through it.
    if platform.os != "win32" {
        let name = format!("CFLAGS_{target}");
        command.env(name, "-fno-asynchronous-unwind-tables -fno-unwind-tables");
    }
}

fn target_feature(platform: &Platform) -> Option<&'static str> {
    match (platform.os, platform.libc) {
        // A library that a program loads shares that program's C library.
        (_, Some("musl")) => Some("-crt-static"),
        // Otherwise it would want a runtime that has to be installed first.
        ("win32", _) => Some("+crt-static"),
        _ => None,
    }
}
