//! Compiling what a platform package contains: the binding and the command line.

use std::env;
use std::path::{Path, PathBuf};
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

/// The profile of what people download.
pub(crate) const DISTRIBUTED: &str = "dist";

/// The oldest glibc that Rust itself supports. A system whose glibc is older has no Node.js that could load the package.
const OLDEST_GLIBC: &str = "2.17";

/// Builds for this machine, with the linker and the C library that it has.
pub(crate) fn for_this_machine(platform: &Platform, profile: &str) -> Result<Built> {
    let folder = target_dir();
    compile(&mut cargo(["build"]), profile, &folder)?;
    Ok(built(platform, &folder.join(profile)))
}

/// Builds as it is distributed, for this platform or another, so that it runs on old systems too.
pub(crate) fn for_platform(platform: &Platform) -> Result<Built> {
    let target = platform.target;
    let toolchain = Toolchain::find(target)?;
    let build =
        |subcommand, target| toolchain.cargo(subcommand, target, "std,panic_abort,panic_unwind");
    let mut command = match linker(platform)? {
        Linker::OfTheSystem => build("build", target),
        Linker::Zig => {
            let zig = install::zig()?;
            let mut command = match platform.libc {
                Some("glibc") => build("zigbuild", &format!("{target}.{OLDEST_GLIBC}")),
                _ => build("zigbuild", target),
            };
            zig.add_to(&mut command)?;
            command
        }
    };
    if let Some(features) = target_features(platform) {
        let name = target.to_uppercase().replace('-', "_");
        command.env(
            format!("CARGO_TARGET_{name}_RUSTFLAGS"),
            format!("-Ctarget-feature={features}"),
        );
    }
    // Apart from everything else, because two toolchains would throw away each other's work.
    let folder = target_dir().join("platforms");
    compile(&mut command, DISTRIBUTED, &folder)?;
    Ok(built(platform, &folder.join(target).join(DISTRIBUTED)))
}

/// Whether this machine can build a platform at all, and if not, where that is done.
pub(crate) fn refusal(platform: &Platform) -> Option<String> {
    linker(platform).err().map(|error| error.to_string())
}

enum Linker {
    OfTheSystem,
    /// Zig's, which has the C libraries of Linux in all their versions and what is free of macOS's.
    Zig,
}

fn linker(platform: &Platform) -> Result<Linker> {
    match (platform.os, env::consts::OS) {
        ("linux" | "darwin", "linux") => Ok(Linker::Zig),
        ("darwin", "macos") | ("win32", "windows") => Ok(Linker::OfTheSystem),
        (wanted, here) => bail!(
            "{} cannot be linked here: {wanted} needs libraries that {here} does not have; the release workflow builds it",
            platform.name
        ),
    }
}

/// What differs from how the compiler would build.
fn target_features(platform: &Platform) -> Option<&'static str> {
    match (platform.os, platform.libc) {
        // A library that a program loads shares that program's C library.
        (_, Some("musl")) => Some("-crt-static"),
        // Otherwise it would want a runtime that has to be installed first.
        ("win32", _) => Some("+crt-static"),
        _ => None,
    }
}

fn compile(command: &mut Command, profile: &str, folder: &Path) -> Result<()> {
    command
        .args(["--profile", profile, "--target-dir"])
        .arg(folder);
    run_live(command.args(["--package", "portlease-cli", "--package", "portlease-node"]))
}

fn built(platform: &Platform, folder: &Path) -> Built {
    Built {
        library: folder.join(platform.library()),
        binary: folder.join(platform.binary()),
    }
}
