//! A disk that fills up under several processes, and processes that are killed on it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::aftermath::{Acknowledged, Losses};
use crate::scenarios::ensure;
use crate::{Result, kills, open, worker};

/// Mounts a small disk where only the command can see it.
const MOUNT: &str = "mount -t tmpfs -o size=640k tmpfs \"$1\"; shift; exec \"$@\"";
const WORKERS: u32 = 4;
const KILLS: u32 = 20;

/// Plays the scenario on a disk of its own.
pub(crate) fn scenario(registry: &Path) -> Result<()> {
    let folder = registry.parent().ok_or("the registry lies in a folder")?;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-ec", MOUNT, "sh"])
        .arg(folder)
        .arg(std::env::current_exe()?)
        .arg("full-disk")
        .arg(registry)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.success(), said.trim())
}

/// What happens on that disk.
pub(crate) fn fill(registry: &Path) -> Result<()> {
    let mut losses = Losses::default();
    let mut acknowledged = Acknowledged::default();
    let ballast = registry.with_file_name("ballast");
    std::fs::write(&ballast, vec![0; 200 * 1024])?;

    let workers = (0..WORKERS)
        .map(|number| kills::start(registry, number, Stdio::piped()))
        .collect::<Result<Vec<_>>>()?;
    for mut worker in workers {
        kills::hear(&mut worker, &mut acknowledged, &mut losses)?;
        let mut complaint = String::new();
        let stderr = worker.stderr.as_mut().ok_or("its errors are read")?;
        stderr.read_to_string(&mut complaint)?;
        ensure(
            complaint.contains("There is no room left on the disk"),
            &format!("on a full disk a worker says {complaint:?}"),
        )?;
    }
    acknowledged.check(registry, &mut losses)?;

    let mut random = fastrand::Rng::with_seed(1);
    for number in WORKERS..WORKERS + KILLS {
        let mut worker = kills::start(registry, number, Stdio::null())?;
        kills::wait(&mut random);
        worker.kill()?;
        kills::hear(&mut worker, &mut acknowledged, &mut losses)?;
    }
    acknowledged.check(registry, &mut losses)?;

    std::fs::remove_file(ballast)?;
    let allocator = open(registry.to_path_buf())?;
    let before = allocator.list(None)?.len();
    allocator.reserve(&worker::request("after", 10_000, 31_999)?)?;
    ensure(
        before > 0 && allocator.list(None)?.len() == before + 1,
        "with room again, a reserve does not add one lease",
    )?;
    acknowledged.check(registry, &mut losses)?;
    ensure(losses.total() == 0, &format!("{losses:?}"))
}
