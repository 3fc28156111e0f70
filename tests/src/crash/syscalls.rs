//! SIGKILL at each system call of a reserve, one run for each.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;
use crate::aftermath::{Acknowledged, Losses};

/// Kills as many reserves as one makes system calls; answers how many that were. None where strace
/// is not installed, unless nothing may be skipped.
pub(crate) fn run(losses: &mut Losses) -> Result<u32> {
    if Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        if std::env::var("CI").is_ok_and(|value| value == "true") {
            return Err("strace is missing: `apt-get install strace`".into());
        }
        println!("strace is not installed: no kills at system calls");
        return Ok(0);
    }
    let folder = tempfile::tempdir()?;
    let registry = folder.path().join("registry.db");
    let trace = folder.path().join("trace");
    let mut acknowledged = Acknowledged::default();
    let mut kills = 0;
    // The first run makes the registry, the second is the usual one: both are killed everywhere.
    for round in ["first", "later"] {
        if round == "first" {
            remove(&registry)?;
        }
        for (call, count) in calls_of_a_reserve(&registry, &trace, &format!("{round}-measured"))? {
            for number in 1..=count {
                if round == "first" {
                    remove(&registry)?;
                    acknowledged = Acknowledged::default();
                }
                let injection = format!("inject={call}:signal=KILL:when={number}");
                let output = strace(
                    &["-e", &injection, "-o", "/dev/null"],
                    &registry,
                    &format!("{round}-{call}-{number}"),
                )?;
                for line in output.split_inclusive('\n') {
                    acknowledged.hear(line, losses)?;
                }
                acknowledged.check(&registry, losses)?;
                kills += 1;
            }
        }
    }
    Ok(kills)
}

/// How often a reserve makes each system call.
fn calls_of_a_reserve(
    registry: &Path,
    trace: &Path,
    project: &str,
) -> Result<BTreeMap<String, u32>> {
    strace(&["-o", &trace.to_string_lossy()], registry, project)?;
    let mut calls = BTreeMap::new();
    for line in std::fs::read_to_string(trace)?.lines() {
        // `4242 openat(AT_FDCWD, …`: the number of the process comes first, because strace follows it.
        let call = line
            .split_whitespace()
            .nth(1)
            .and_then(|words| words.split_once('('))
            .map(|(call, _)| call);
        if let Some(call) = call.filter(|call| {
            call.chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        }) {
            *calls.entry(call.to_owned()).or_default() += 1;
        }
    }
    Ok(calls)
}

fn strace(options: &[&str], registry: &Path, project: &str) -> Result<String> {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq"])
        .args(options)
        .arg(std::env::current_exe()?);
    command
        .arg("once")
        .arg(registry)
        .arg(project)
        .args(["10000", "31999"]);
    let output = command.stderr(Stdio::null()).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn remove(registry: &Path) -> Result<()> {
    let folder = registry.parent().ok_or("the registry lies in a folder")?;
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.file_name() != Some("trace".as_ref()) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
