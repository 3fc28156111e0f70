//! What the server spends: bytes of its log, and time of its processors.

use std::fs;
use std::time::Duration;

use crate::postgres::Cluster;

/// How far the meters of a server are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) log: u64,
    pub(super) processor: Duration,
}

impl Reading {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
        let log = cluster.sql("postgres", position);
        Self {
            log: log.parse().expect("it is a number"),
            processor: processor(cluster),
        }
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            log: self.log.saturating_sub(earlier.log),
            processor: self.processor.saturating_sub(earlier.processor),
        }
    }
}

/// A count as a number to reckon with.
pub(super) fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("nothing here is so many"))
}

/// The memory of the server's processes that no other process shares.
pub(super) fn memory(cluster: &Cluster) -> u64 {
    let private = |pid: &u32| {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let kilobytes = rollup
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.sum::<u64>()
    };
    processes(cluster).iter().map(private).sum::<u64>() * 1_024
}

/// That of the first process, of those that it waited for, and of those that are there.
fn processor(cluster: &Cluster) -> Duration {
    let first = first(cluster);
    let ticks: u64 = processes(cluster)
        .into_iter()
        .filter_map(|pid| {
            let fields = stat(pid)?;
            let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
            let own = number(11)? + number(12)?;
            let ended = if pid == first {
                number(13)? + number(14)?
            } else {
                0
            };
            Some(own + ended)
        })
        .sum();
    Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
}

/// The first process of the server, and its children.
fn processes(cluster: &Cluster) -> Vec<u32> {
    let first = first(cluster);
    let all = fs::read_dir("/proc").expect("it is Linux").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: u32| stat(pid).is_some_and(|it| it.get(1) == Some(&first.to_string()));
    pids.filter(|&pid| pid == first || is_child(pid)).collect()
}

fn first(cluster: &Cluster) -> u32 {
    let file = fs::read_to_string(cluster.folder().join("data/postmaster.pid"));
    let file = file.expect("the server is up");
    let pid = file.lines().next().and_then(|line| line.parse().ok());
    pid.expect("its first line is the process")
}

/// What stands behind the name, from the state on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}
