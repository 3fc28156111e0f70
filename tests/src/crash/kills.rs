//! SIGKILL at random moments.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::aftermath::{Acknowledged, Losses};

/// How many workers share a registry and run at the same time.
const WORKERS: u32 = 4;
/// After so many kills a new registry is begun, so that it does not fill up.
const KILLS_PER_REGISTRY: u32 = 20;

/// Kills so many workers; answers how many acknowledgements were compared.
pub(crate) fn run(kills: u32, seed: u64, losses: &mut Losses) -> Result<u32> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut acknowledgements = 0;
    let mut killed = 0;
    while killed < kills {
        let folder = tempfile::tempdir()?;
        let registry = folder.path().join("registry.db");
        let mut acknowledged = Acknowledged::default();
        let end = kills.min(killed + KILLS_PER_REGISTRY);
        while killed < end {
            let count = WORKERS.min(end - killed);
            let workers = (killed..killed + count)
                .map(|number| start(&registry, number, Stdio::null()))
                .collect::<Result<Vec<_>>>()?;
            killed += count;
            wait(&mut random);
            for mut worker in workers {
                worker.kill()?;
                hear(&mut worker, &mut acknowledged, losses)?;
            }
            acknowledged.check(&registry, losses)?;
        }
        acknowledgements += acknowledged.count;
    }
    Ok(acknowledgements)
}

pub(crate) fn start(registry: &Path, number: u32, stderr: Stdio) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("worker")
        .arg(registry)
        .arg(format!("project-{number}"))
        .args(["10000", "31999"]);
    Ok(command.stdout(Stdio::piped()).stderr(stderr).spawn()?)
}

/// Listens to a worker until it has ended.
pub(crate) fn hear(
    worker: &mut Child,
    acknowledged: &mut Acknowledged,
    losses: &mut Losses,
) -> Result<()> {
    let mut output = BufReader::new(worker.stdout.take().ok_or("its output is not read")?);
    let mut line = String::new();
    while output.read_line(&mut line)? > 0 {
        acknowledged.hear(&line, losses)?;
        line.clear();
    }
    worker.wait()?;
    Ok(())
}

/// Somewhere between the start of a process and its hundredth reserve.
#[expect(
    clippy::disallowed_methods,
    reason = "the moment of a kill is a moment in time"
)]
pub(crate) fn wait(random: &mut fastrand::Rng) {
    thread::sleep(Duration::from_micros(random.u64(0..40_000)));
}
