//! Bringing a machine what it lacks, so that a fresh one needs nothing but Rust.

use anyhow::{Result, bail};

use crate::process::{cargo, program, read, run_live, run_quietly, succeeds};

/// A part of the Rust toolchain that comes with rustup and is missing from minimal installations.
pub(crate) fn rust_component(name: &str, subcommand: &str) -> Result<()> {
    if succeeds(&mut cargo([subcommand, "--version"])) {
        return Ok(());
    }
    if !succeeds(program("rustup").args(["component", "add", name])) {
        bail!("`cargo {subcommand}` is missing: install it with `rustup component add {name}`");
    }
    Ok(())
}

/// A subcommand of cargo that is published on crates.io.
pub(crate) fn cargo_subcommand(subcommand: &str) -> Result<()> {
    if succeeds(&mut cargo([subcommand, "--version"])) {
        return Ok(());
    }
    let package = format!("cargo-{subcommand}");
    println!("{package} is missing: installing it from crates.io");
    run_live(&mut cargo(["install", &package, "--locked"]))
}

/// Packages of Debian and its relatives; an error where there is no apt-get or no right to use it.
pub(crate) fn debian_packages(packages: &[&str]) -> Result<()> {
    // Asking sudo with a command that changes nothing tells whether it would want a password, which nobody is here to give.
    let prefix: &[&str] = if read(program("id").arg("-u"))? == "0" {
        &[]
    } else if succeeds(program("sudo").args(["-n", "true"])) {
        &["sudo", "-n"]
    } else {
        bail!("installing Debian packages needs root or a sudo without password");
    };
    let apt_get = |arguments: &[&str]| {
        let words: Vec<&str> = [
            prefix,
            &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"],
            arguments,
        ]
        .concat();
        run_quietly(program(words[0]).args(&words[1..]))
    };
    println!("installing the Debian packages {}", packages.join(" "));
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}
