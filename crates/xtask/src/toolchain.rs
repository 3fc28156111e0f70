//! Compiling for another system than this one, by whichever toolchain the machine has or can get.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::install;
use crate::process::{cargo, program, read, succeeds};

/// A toolchain that compiles for some target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that is running, which has the target.
    Current,
    /// Debian's, under /usr/bin, which builds the standard library along.
    Debian,
}

/// Debian's compiler, its cargo, and the source of the standard library, which Debian ships unbuilt.
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

impl Toolchain {
    /// Finds one for this target. What is there already comes first, so that a machine without a way to download is asked
    /// only once.
    pub(crate) fn find(target: &str) -> Result<Self> {
        if current_has(target) {
            return Ok(Self::Current);
        }
        if has_debian_packages() {
            return Ok(Self::Debian);
        }
        println!("the target {target} is missing: asking rustup for it");
        if succeeds(program("rustup").args(["target", "add", target])) && current_has(target) {
            return Ok(Self::Current);
        }
        let packages = DEBIAN_PACKAGES.join(" ");
        println!("rustup could not provide it: trying the Debian packages {packages}");
        if let Err(error) = install::debian_packages(DEBIAN_PACKAGES) {
            bail!(
                "nothing here compiles for {target}: install it with `rustup target add {target}`, or on Debian with \
                 `apt-get install {packages}` ({error:#})"
            );
        }
        Ok(Self::Debian)
    }

    /// Its cargo, with a subcommand for this target that needs these crates of the standard library.
    pub(crate) fn cargo(self, subcommand: &str, target: &str, standard_library: &str) -> Command {
        let mut command = match self {
            Self::Current => cargo([subcommand]),
            Self::Debian => debian_cargo(subcommand, standard_library),
        };
        command.args(["--target", target]);
        command
    }
}

fn current_has(target: &str) -> bool {
    // The compiler prints the folder whether it exists or not.
    read(program("rustc").args(["--print", "target-libdir", "--target", target]))
        .is_ok_and(|folder| Path::new(&folder).is_dir())
}

fn has_debian_packages() -> bool {
    let mut query = program("dpkg-query");
    query
        .args(["--show", "--showformat", "${db:Status-Status}\n"])
        .args(DEBIAN_PACKAGES);
    read(&mut query).is_ok_and(|states| states.lines().all(|state| state == "installed"))
}

/// The linker for WebAssembly, which Debian's compiler calls and does not have, and the current one has.
fn linker() -> Option<(&'static str, PathBuf)> {
    let libraries = read(program("rustc").args(["--print", "target-libdir"])).ok()?;
    let linker = Path::new(&libraries).parent()?.join("bin/rust-lld");
    linker
        .is_file()
        .then_some(("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker))
}

fn debian_cargo(subcommand: &str, standard_library: &str) -> Command {
    let mut command = program("/usr/bin/cargo");
    // The variables by which rustup and cargo steer the programs they start would bring the current toolchain back in.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    let mut path = OsString::from("/usr/bin:");
    path.push(env::var_os("PATH").unwrap_or_default());
    // Building the standard library is an unstable option, and this is the switch that stable compilers have for it.
    command
        .env("PATH", path)
        .env("RUSTC_BOOTSTRAP", "1")
        .envs(linker())
        .arg(subcommand)
        .arg(format!("-Zbuild-std={standard_library}"));
    command
}
