//! Bringing a machine what it lacks, so that a fresh one needs nothing but Rust.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{
    append_to_path, cargo, program, read, run_live, run_quietly, succeeds, target_dir,
};

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

/// The browser in which the planner is tested and measured.
const CHROMIUM: (&str, &str) = ("chromium", "chromium");

/// Programs that the tests start or that those start, and the Debian packages that have them.
const PROGRAMS_OF_TESTS: &[(&str, &str)] = &[
    ("busybox", "busybox-static"),
    CHROMIUM,
    ("docker", "docker.io"),
    ("docker-compose", "docker-compose"),
    ("dockerd", "docker.io"),
    ("git", "git"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("nsenter", "util-linux"),
    ("/usr/lib/podman/netavark", "netavark"),
    // The servers lie in a folder of their version.
    ("pg_ctlcluster", "postgresql"),
    ("openssl", "openssl"),
    ("/usr/sbin/pgbouncer", "pgbouncer"),
    ("podman", "podman"),
    ("python3", "python3"),
    ("runc", "runc"),
    ("setpriv", "util-linux"),
    ("strace", "strace"),
    ("unshare", "util-linux"),
];

/// The programs that the tests start. Only those of Linux need any but Node.js, which somebody who works here has.
pub(crate) fn programs_of_tests() -> Result<()> {
    if !succeeds(program("node").arg("--version")) {
        bail!(
            "`node` is missing: install Node.js 20 or later, for instance from https://nodejs.org"
        );
    }
    on_linux(PROGRAMS_OF_TESTS)
}

/// The browser alone. Where there is none for apt, playwright brings its own.
pub(crate) fn browser() -> Result<()> {
    on_linux(&[CHROMIUM])
}

fn on_linux(wanted: &[(&'static str, &'static str)]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let is_missing = |name: &str| !succeeds(program("which").arg(name));
    let missing = wanted.iter().filter(|(name, _)| is_missing(name));
    let (programs, mut packages): (Vec<&str>, Vec<&str>) = missing.copied().unzip();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    if let Err(error) = debian_packages(&packages) {
        bail!(
            "the tests start {}: install them, on Debian with `apt-get install {}` ({error:#})",
            programs.join(", "),
            packages.join(" ")
        );
    }
    Ok(())
}

/// A compiler for C++, which the fuzzer is written in.
pub(crate) fn cxx_compiler() -> Result<()> {
    // Visual Studio's is found by the build itself, and is there where Rust links with it.
    if cfg!(windows) {
        return Ok(());
    }
    let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
    if succeeds(program(compiler).arg("--version")) {
        return Ok(());
    }
    if let Err(error) = debian_packages(&["g++"]) {
        bail!(
            "fuzzing needs a C++ compiler: install one, on Debian with `apt-get install g++`, on macOS with \
             `xcode-select --install` ({error:#})"
        );
    }
    Ok(())
}

/// What links for other systems: Zig, which is published for Python as well, and cargo's way to it.
const ZIG_PACKAGES: &[&str] = &["cargo-zigbuild==0.24.0", "ziglang==0.17.0"];

/// An installation of Zig.
pub(crate) struct Zig {
    /// The folder of its programs.
    programs: PathBuf,
}

/// Zig, in a folder of its own below the target folder.
pub(crate) fn zig() -> Result<Zig> {
    let programs =
        python_packages("zig", ZIG_PACKAGES).context("this is for linking for other systems")?;
    Ok(Zig { programs })
}

/// What asks the service whatever its document allows.
const SCHEMATHESIS: &[&str] = &["schemathesis==4.32.5"];

/// The program of schemathesis.
pub(crate) fn schemathesis() -> Result<PathBuf> {
    let programs =
        python_packages("schemathesis", SCHEMATHESIS).context("this is for fuzzing the service")?;
    Ok(programs.join("schemathesis"))
}

/// Packages for Python in a folder of their own below the target folder; answers the folder of their programs.
fn python_packages(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let home = target_dir().join(name);
    let programs = home.join("bin");
    let python = programs.join("python");
    let mut freeze = program(&python);
    freeze.args(["-m", "pip", "freeze"]);
    let is_installed = read(&mut freeze).is_ok_and(|installed| {
        let installed: Vec<&str> = installed.lines().collect();
        packages.iter().all(|package| installed.contains(package))
    });
    if !is_installed {
        println!("installing {} from PyPI", packages.join(" and "));
        run_quietly(program("python3").args(["-m", "venv"]).arg(&home))
            .context("it needs Python 3 with venv: on Debian `apt-get install python3-venv`")?;
        let mut install = program(&python);
        run_quietly(install.args(["-m", "pip", "install"]).args(packages))?;
    }
    Ok(programs)
}

impl Zig {
    /// Lets cargo find `cargo zigbuild`, and that find Zig.
    pub(crate) fn add_to(&self, command: &mut Command) -> Result<()> {
        command.env("CARGO_ZIGBUILD_PYTHON_PATH", self.programs.join("python"));
        append_to_path(command, &self.programs)
    }
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
