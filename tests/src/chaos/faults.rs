//! What goes wrong on purpose.

use std::time::{Duration, Instant};

use super::load::Load;
use super::proxy::{Break, Proxy, pause};
use super::{Plan, host};
use crate::postgres::Cluster;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// All connections break.
    Cut,
    /// The server ends all connections.
    Terminated,
    /// Commits break off before they arrive.
    LostCommits,
    /// Commits break off when they have arrived.
    UnheardCommits,
    /// The answers to commits are lost.
    LostAnswers,
    /// Nothing comes through for a while, and nobody says so.
    Partition,
    /// Somebody keeps the lock of a host.
    StuckLock,
    /// The server is killed and started again.
    Killed,
    /// The server is killed, and its standby takes its place; once, because then there is none any more.
    Promoted,
}

impl Fault {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Cut,
        Self::Terminated,
        Self::LostCommits,
        Self::UnheardCommits,
        Self::LostAnswers,
        Self::Partition,
        Self::StuckLock,
        Self::Killed,
        Self::Promoted,
    ];
}

/// Between two faults the fleet gets this much done at least, so that there is something to lose.
const BETWEEN: u64 = 40;
/// How long that is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Causes one fault after the other; answers how many.
pub(super) fn cause(
    plan: &Plan,
    cluster: &mut Cluster,
    mut standby: Option<Cluster>,
    proxy: &Proxy,
    database: &str,
    load: &Load<'_>,
) -> u64 {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let end = Instant::now() + plan.time;
    let mut faults = 0;
    while Instant::now() < end {
        let done = load.requests() + random.u64(1..=BETWEEN);
        let patience = Instant::now() + PATIENCE;
        while load.requests() < done && Instant::now() < patience {
            pause(Duration::from_millis(1));
        }
        let fault = plan.faults[random.usize(..plan.faults.len())];
        let some = random.i64(1..=4);
        match fault {
            Fault::Cut => proxy.cut(),
            Fault::Terminated => terminate(cluster, database),
            Fault::LostCommits => proxy.break_commits(Break::Before, some),
            Fault::UnheardCommits => proxy.break_commits(Break::After, some),
            Fault::LostAnswers => proxy.break_commits(Break::Answered, some),
            Fault::Partition => {
                proxy.block(true);
                pause(plan.limit.mul_f64(random.f64() * 1.2));
                proxy.block(false);
            }
            Fault::StuckLock => {
                let seconds = plan.limit.as_secs_f64() * random.f64() * 1.2;
                keep_locked(cluster, database, random.usize(..plan.hosts), seconds);
            }
            Fault::Killed => {
                cluster.kill();
                cluster.up();
            }
            Fault::Promoted => {
                let Some(next) = standby.take() else { continue };
                cluster.kill();
                next.promote();
                proxy.leads_to(next.port());
                *cluster = next;
            }
        }
        faults += 1;
    }
    faults
}

fn terminate(cluster: &Cluster, database: &str) {
    let all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    cluster.sql(database, all);
}

fn keep_locked(cluster: &Cluster, database: &str, number: usize, seconds: f64) {
    let name = host(number);
    let commands = format!(
        "BEGIN; SELECT FROM portlease.host WHERE name = '{name}' FOR UPDATE; SELECT pg_sleep({seconds:.3}); ROLLBACK"
    );
    cluster.sql(database, &commands);
}
