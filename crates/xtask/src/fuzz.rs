//! Fuzzing of everything that reads bytes from outside: the targets in `fuzz/`, built as `cargo fuzz` builds them but with
//! the compiler that is there, because the sanitizers, for which it wants a nightly one, look for what safe Rust has not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::install;
use crate::process::{cargo, program, read, root, run_live, run_quietly, target_dir};
use crate::report::Tally;
use crate::systems::without_c;

/// The targets, and so many inputs that the gate gives to each. A number and not a time, so that a slow machine tries as much
/// as a fast one.
const TARGETS: &[(&str, u32)] = &[
    ("configuration", 20_000),
    ("decision", 10_000),
    ("detection", 5_000),
    ("engine", 10_000),
    ("json_import", 4_000),
    ("netlink", 100_000),
    ("netlink_filter", 30_000),
    ("netsh", 50_000),
    ("plan", 5_000),
    ("proc_text", 50_000),
    ("registry_file", 600),
    ("registry_rows", 5_000),
    ("wish", 20_000),
];

/// Runs the targets, or one of them, for so many seconds each; for as many inputs as in the gate when nobody says how long.
pub(crate) fn run(name: Option<&str>, seconds: Option<u32>) -> Result<()> {
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|(target, _)| name.is_none_or(|name| name == *target))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!("there is no such target; there are {}", names.join(", "));
    }
    let programs = build()?;
    for (name, inputs) in chosen {
        println!("\n── {name}");
        let target = Target::new(&programs, name)?;
        match seconds {
            Some(seconds) => run_live(&mut target.search(seconds))?,
            None => target.run_short(*inputs)?,
        }
    }
    Ok(())
}

/// The short run of all targets.
pub(crate) fn run_short() -> Result<Tally> {
    let programs = build()?;
    let mut tally = Tally::default();
    for (name, inputs) in TARGETS {
        match Target::new(&programs, name).and_then(|target| target.run_short(*inputs)) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("{error:#}");
                tally.failed += 1;
            }
        }
    }
    Ok(tally)
}

/// The manifest of the targets, which are a workspace of their own.
pub(crate) fn manifest() -> PathBuf {
    root().join("fuzz").join("Cargo.toml")
}

/// The lints of the targets. They are checked like the code for other systems: nothing is linked.
pub(crate) fn clippy() -> Result<()> {
    install::rust_component("clippy", "clippy")?;
    run_quietly(without_c(
        cargo(["clippy", "--quiet", "--all-targets", "--manifest-path"])
            .arg(manifest())
            .arg("--target-dir")
            .arg(target_dir().join("fuzz").join("clippy"))
            .args(["--", "--deny", "warnings"]),
    )?)
}

/// Builds all targets, and answers the folder with their programs.
fn build() -> Result<PathBuf> {
    install::cxx_compiler()?;
    let version = read(program("rustc").arg("--version").arg("--verbose"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not say which system it runs on")?;
    let target_dir = target_dir().join("fuzz");
    // With a target the flags are for the programs alone, and not for what runs while they are built.
    run_live(
        cargo(["build", "--quiet", "--release", "--manifest-path"])
            .arg(manifest())
            .args(["--target", host, "--target-dir"])
            .arg(&target_dir)
            .env("RUSTFLAGS", INSTRUMENTATION.join(" ")),
    )?;
    Ok(target_dir.join(host).join("release"))
}

/// What tells the fuzzer which lines an input reached, and what was compared with what. `cargo fuzz` passes the same.
const INSTRUMENTATION: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The longest input of a short run, in bytes. Longer ones are mostly refused early.
const SHORT: u64 = 256;

struct Target {
    name: &'static str,
    program: PathBuf,
    seeds: PathBuf,
    corpus: PathBuf,
    artifacts: PathBuf,
}

impl Target {
    fn new(programs: &Path, name: &'static str) -> Result<Self> {
        let folder = |kind: &str| root().join("fuzz").join(kind).join(name);
        let target = Self {
            name,
            program: programs.join(name),
            seeds: folder("seeds"),
            corpus: folder("corpus"),
            artifacts: folder("artifacts"),
        };
        fs::create_dir_all(&target.artifacts)?;
        Ok(target)
    }

    /// The same inputs each time, as far as the target itself does the same: a gate has to say the same about the same tree.
    fn run_short(&self, inputs: u32) -> Result<()> {
        let seeds = self.seeds()?;
        let mut command = self.fuzzer();
        command.args(["-seed=1", "-verbosity=0", "-len_control=0"]);
        command.arg(format!("-max_len={SHORT}"));
        command.arg(format!("-runs={inputs}"));
        if !seeds.is_empty() {
            command.arg(format!("-seed_inputs={}", seeds.join(",")));
        }
        run_quietly(&mut command)
            .with_context(|| format!("{} broke after at most {inputs} inputs", self.name))?;
        println!("{:16} {inputs} inputs", self.name);
        Ok(())
    }

    /// Other inputs each time. What is worth keeping of them is where the next search begins.
    fn search(&self, seconds: u32) -> Command {
        let mut command = self.fuzzer();
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(&self.corpus);
        if self.seeds.is_dir() {
            command.arg(&self.seeds);
        }
        fs::create_dir_all(&self.corpus).ok();
        command
    }

    fn fuzzer(&self) -> Command {
        let mut command = program(&self.program);
        let mut artifacts = self.artifacts.clone();
        // The fuzzer puts the name of a file right behind it.
        artifacts.push("");
        command.arg(format!("-artifact_prefix={}", artifacts.display()));
        // An input that takes ten seconds hangs.
        command.arg("-timeout=10");
        command
    }

    fn seeds(&self) -> Result<Vec<String>> {
        if !self.seeds.is_dir() {
            return Ok(Vec::new());
        }
        let mut seeds = Vec::new();
        for entry in fs::read_dir(&self.seeds)? {
            let entry = entry?;
            // The fuzzer would cut it off.
            if entry.metadata()?.len() <= SHORT {
                seeds.push(entry.path().display().to_string());
            }
        }
        seeds.sort();
        Ok(seeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_folder_is_run() {
        let files = fs::read_dir(root().join("fuzz").join("fuzz_targets")).unwrap();
        let mut names: Vec<String> = files
            .map(|entry| {
                let path = entry.unwrap().path();
                path.file_stem().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        let listed: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, listed);
    }
}
