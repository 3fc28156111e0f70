//! The hours that are as all others: hosts report, take ports, give them back, and look whether they are asked something.
//!
//! What happens when is decided beforehand, and a time counts from the moment at which something was to happen: whoever waits for
//! somebody slow in front of it waits all the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::costs::Looks;
use super::hosts::Hosts;
use super::meter::{Reading, real};

/// How often a host does what.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// How often it reports.
    pub report_every: Duration,
    /// How often one of its servers begins or ends.
    pub change_every: Duration,
    /// How often it looks whether it is asked something.
    pub look_every: Duration,
}

/// Every so many reports there is something new.
const NEWS: usize = 10;
/// What was not done so long after its time is not done any more.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
enum Act {
    Report,
    Change,
    Look,
}

/// How a time of load went.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) hosts: usize,
    pub(super) offered: f64,
    pub(super) done: f64,
    pub(super) acts: usize,
    pub(super) errors: usize,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) max: Duration,
    /// How many bytes of the log one act took.
    pub(super) log: u64,
    /// How many processors the database had.
    pub(super) processors: f64,
    /// How much of it each shard had.
    pub(super) shares: Vec<f64>,
}

impl Step {
    /// Whether the database kept up.
    pub(super) fn is_carried(&self) -> bool {
        self.done >= 0.95 * self.offered && self.p99 < Duration::from_secs(1)
    }
}

/// What so many hosts do, played by those that there are.
pub(super) fn run(
    hosts: &Hosts<'_>,
    habits: Habits,
    played: usize,
    time: Duration,
    workers: usize,
    seed: u64,
) -> Step {
    let acts = schedule(hosts.count, habits, played, time, seed);
    let next = AtomicUsize::new(0);
    let before = Reading::of(hosts.cluster);
    let begun = Instant::now();
    let told: Vec<Told> = thread::scope(|scope| {
        let working: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| work(hosts, &acts, &next, begun, time + GRACE)))
            .collect();
        let ended = working.into_iter().map(ScopedJoinHandle::join);
        ended.map(|it| it.expect("nobody panicked")).collect()
    });
    let took = begun.elapsed();
    let spent = Reading::of(hosts.cluster).since(before);
    let errors = told.iter().map(|it| it.errors).sum();
    let mut shares = vec![0.0; hosts.shards.len()];
    let mut delays: Vec<Duration> = Vec::new();
    for told in told {
        for (shard, delay) in told.done {
            shares[shard] += 1.0;
            delays.push(delay);
        }
    }
    delays.sort_unstable();
    let count = real(delays.len().max(1));
    let at = |percent| {
        let index = delays.len() * percent / 100;
        let delay = delays.get(index).or(delays.last());
        delay.copied().unwrap_or_default()
    };
    Step {
        hosts: played,
        offered: real(acts.len()) / time.as_secs_f64(),
        done: real(delays.len()) / took.as_secs_f64().max(time.as_secs_f64()),
        acts: delays.len(),
        errors,
        p50: at(50),
        p99: at(99),
        max: at(100),
        log: spent.log / delays.len().max(1) as u64,
        processors: spent.processor.as_secs_f64() / took.as_secs_f64(),
        shares: shares.iter().map(|share| share / count).collect(),
    }
}

struct Planned {
    at: Duration,
    act: Act,
    host: usize,
    news: usize,
}

/// Each kind comes at random moments that have nothing to do with each other. The hosts have their turns, so that none does two
/// things at once.
fn schedule(
    hosts: usize,
    habits: Habits,
    played: usize,
    time: Duration,
    seed: u64,
) -> Vec<Planned> {
    let mut random = fastrand::Rng::with_seed(seed);
    let kinds = [
        (Act::Report, habits.report_every),
        (Act::Change, habits.change_every),
        (Act::Look, habits.look_every),
    ];
    let mut acts = Vec::new();
    for (act, every) in kinds {
        let between = every.as_secs_f64() / real(played);
        let (mut at, mut turn) = (0.0, random.usize(..hosts));
        loop {
            at += -between * (1.0 - random.f64()).ln();
            if at >= time.as_secs_f64() {
                break;
            }
            turn += 1;
            acts.push(Planned {
                at: Duration::from_secs_f64(at),
                act,
                // A step that has no part in common with the number of hosts, which is round.
                host: turn * 7_919 % hosts,
                news: usize::from(turn % NEWS == 0) * (turn / NEWS + 1),
            });
        }
    }
    acts.sort_by_key(|it| it.at);
    acts
}

#[derive(Default)]
struct Told {
    done: Vec<(usize, Duration)>,
    errors: usize,
}

fn work(
    hosts: &Hosts<'_>,
    acts: &[Planned],
    next: &AtomicUsize,
    begun: Instant,
    until: Duration,
) -> Told {
    let looks = Looks::open(hosts);
    let mut told = Told::default();
    while let Some(planned) = acts.get(next.fetch_add(1, Ordering::Relaxed)) {
        if begun.elapsed() > until {
            break;
        }
        wait_until(begun + planned.at);
        let host = planned.host;
        let done = match planned.act {
            Act::Report => hosts.report(host, planned.news).map(drop),
            Act::Change => hosts.change(host),
            Act::Look => {
                looks.look(host, hosts);
                Ok(())
            }
        };
        match done {
            Ok(()) => {
                let delay = begun.elapsed().saturating_sub(planned.at);
                told.done.push((hosts.shard(host), delay));
            }
            Err(_) => told.errors += 1,
        }
    }
    told
}

fn wait_until(moment: Instant) {
    let left = moment.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the moment is what is waited for"
        )]
        thread::sleep(left);
    }
}
