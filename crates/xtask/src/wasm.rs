//! Building for `wasm32-unknown-unknown`, by whichever toolchain the machine has or can get.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::install;
use crate::process::{cargo, program, read, run_live, succeeds, target_dir};

/// Builds the core without the standard library, for a target without an operating system: no I/O can be in what compiles.
pub(crate) fn build_core() -> Result<()> {
    let mut command = match toolchain()? {
        Toolchain::Current => cargo(["build"]),
        Toolchain::Debian => debian_cargo(),
    };
    // A folder of its own, because the two toolchains would throw away each other's work.
    let target_dir = target_dir().join("wasm");
    run_live(
        command
            .args([
                "--package",
                "portlease-core",
                "--no-default-features",
                "--release",
            ])
            .args(["--target", TARGET, "--target-dir"])
            .arg(target_dir),
    )
}

const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler for this target, its cargo, and the source of the standard library, which Debian ships unbuilt.
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

enum Toolchain {
    /// The one that is running, which has the target.
    Current,
    /// Debian's, under /usr/bin.
    Debian,
}

/// Finds a toolchain. What is there already comes first, so that a machine without a way to download is asked only once.
fn toolchain() -> Result<Toolchain> {
    if current_has_target() {
        return Ok(Toolchain::Current);
    }
    if has_debian_packages() {
        return Ok(Toolchain::Debian);
    }
    println!("the target {TARGET} is missing: asking rustup for it");
    if succeeds(program("rustup").args(["target", "add", TARGET])) && current_has_target() {
        return Ok(Toolchain::Current);
    }
    let packages = DEBIAN_PACKAGES.join(" ");
    println!("rustup could not provide it: trying the Debian packages {packages}");
    if let Err(error) = install::debian_packages(DEBIAN_PACKAGES) {
        bail!(
            "nothing here builds for {TARGET}: install it with `rustup target add {TARGET}`, or on Debian with \
             `apt-get install {packages}` ({error:#})"
        );
    }
    Ok(Toolchain::Debian)
}

fn current_has_target() -> bool {
    // The compiler prints the folder whether it exists or not.
    read(program("rustc").args(["--print", "target-libdir", "--target", TARGET]))
        .is_ok_and(|folder| Path::new(&folder).is_dir())
}

fn has_debian_packages() -> bool {
    let mut query = program("dpkg-query");
    query
        .args(["--show", "--showformat", "${db:Status-Status}\n"])
        .args(DEBIAN_PACKAGES);
    read(&mut query).is_ok_and(|states| states.lines().all(|state| state == "installed"))
}

/// Debian's cargo, which builds the standard library for the target along with the crate.
fn debian_cargo() -> Command {
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
        .args(["build", "-Zbuild-std=core,alloc"]);
    command
}
