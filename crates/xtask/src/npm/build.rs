//! Compiling what a platform package contains: the library and its launcher.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::platforms::Platform;
use crate::harness;
use crate::install;
use crate::process::{run_live, target_dir};
use crate::toolchain::Toolchain;

/// The files that were built.
pub(crate) struct Built {
    pub(crate) library: PathBuf,
    pub(crate) launcher: PathBuf,
}

const LIBRARY: &str = "portlease-node";
const LAUNCHER: &str = "portlease-launcher";
const PROFILE: &str = "dist";

/// What is built for the tests already; a build as it is distributed would take minutes more.
pub(crate) fn for_gate(platform: &Platform) -> Result<Built> {
    let folder = harness::build_everything()?;
    Ok(Built {
        library: folder.join(platform.library()),
        launcher: folder.join(platform.launcher()),
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
    let folder = compile(platform, linker)?;
    Ok(Built {
        library: folder.join(platform.library()),
        launcher: folder.join(platform.launcher()),
    })
}

/// Compiles both, and answers the folder with the result.
fn compile(platform: &Platform, linker: Linker) -> Result<PathBuf> {
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
    add_flags(&mut command, platform);
    // Apart from everything else, because two toolchains would throw away each other's work.
    let folder = target_dir().join("platforms");
    command.args(["--profile", PROFILE, "--package", LIBRARY]);
    command.args(["--package", LAUNCHER, "--target-dir"]);
    run_live(command.arg(&folder))?;
    Ok(folder.join(platform.target).join(PROFILE))
}

/// The oldest glibc that Rust itself supports. A system whose glibc is older has no Node.js that could load the package.
const OLDEST_GLIBC: &str = "2.17";

/// Tells the compilers what is not in the profiles.
fn add_flags(command: &mut Command, platform: &Platform) {
    let target = platform.target.replace('-', "_");
    if let Some(feature) = target_feature(platform) {
        // It would come before the one for the target.
        command.env_remove("RUSTFLAGS");
        let name = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase());
        command.env(name, format!("-Ctarget-feature={feature}"));
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
