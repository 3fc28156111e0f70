//! What each thing costs the database that hosts do.

use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use portlease_postgres::{LOOK_INTO_INBOX, PostgresStore};

use tokio_postgres::types::ToSql;

use super::hosts::{Hosts, connect};
use super::meter::{Reading, real};

/// So many do it at once.
pub(super) const CLIENTS: usize = 8;

/// What a host does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It says what it said before.
    Report,
    /// It says something new.
    News,
    /// It takes a port for a server.
    Reserve,
    /// It gives the port back.
    Release,
    /// It looks whether it is asked something.
    Look,
    /// It looks for hosts that are silent, which one of all does every five seconds.
    Sweep,
    /// It connects.
    Connect,
}

/// What one of them costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) deed: Deed,
    pub(super) per_second: f64,
    pub(super) median: Duration,
    pub(super) log: u64,
    pub(super) processor: Duration,
}

/// Measures each for such a time.
pub(super) fn measure(hosts: &Hosts<'_>, time: Duration) -> Vec<Cost> {
    let deeds = [
        Deed::Report,
        Deed::News,
        Deed::Reserve,
        Deed::Release,
        Deed::Look,
        Deed::Sweep,
        Deed::Connect,
    ];
    let mut costs = Vec::new();
    for deed in deeds {
        costs.push(cost(hosts, deed, time));
    }
    costs
}

fn cost(hosts: &Hosts<'_>, deed: Deed, time: Duration) -> Cost {
    // What is given back was taken before, and is not measured.
    let prepared = match deed {
        Deed::Release => Some(repeat(hosts, Deed::Reserve, time, None)),
        _ => None,
    };
    let before = Reading::of(hosts.cluster);
    let done = match prepared {
        Some(taken) => repeat(hosts, deed, Duration::MAX, Some(taken.counts)),
        None => repeat(hosts, deed, time, None),
    };
    let spent = Reading::of(hosts.cluster).since(before);
    if deed == Deed::Reserve {
        repeat(hosts, Deed::Release, Duration::MAX, Some(done.counts));
    }
    let mut times = done.times;
    times.sort_unstable();
    let count = times.len().max(1);
    Cost {
        deed,
        per_second: real(times.len()) / done.took.as_secs_f64(),
        median: times.get(count / 2).copied().unwrap_or_default(),
        log: spent.log / count as u64,
        processor: spent.processor.div_f64(real(count)),
    }
}

struct Done {
    times: Vec<Duration>,
    took: Duration,
    /// How often each client did it.
    counts: [usize; CLIENTS],
}

/// Each client has hosts of its own, and goes through them in one order.
fn repeat(
    hosts: &Hosts<'_>,
    deed: Deed,
    time: Duration,
    at_most: Option<[usize; CLIENTS]>,
) -> Done {
    let start = Barrier::new(CLIENTS);
    let start = &start;
    let begun = Instant::now();
    let times: Vec<Vec<Duration>> = thread::scope(|scope| {
        let working = (0..CLIENTS).map(|client| {
            scope.spawn(move || {
                let own = hosts.count / CLIENTS;
                let at_most = at_most.map_or(own, |counts| counts[client]);
                let looks = (deed == Deed::Look).then(|| Looks::open(hosts));
                start.wait();
                let begun = Instant::now();
                let mut times = Vec::new();
                for turn in 0..at_most {
                    let number = client * own + turn % own;
                    let turn = Instant::now();
                    perform(hosts, deed, number, looks.as_ref());
                    times.push(turn.elapsed());
                    if begun.elapsed() > time {
                        break;
                    }
                }
                times
            })
        });
        let working: Vec<_> = working.collect();
        let ended = working.into_iter().map(ScopedJoinHandle::join);
        ended.map(|it| it.expect("nobody panicked")).collect()
    });
    let mut counts = [0; CLIENTS];
    for (count, times) in counts.iter_mut().zip(&times) {
        *count = times.len();
    }
    Done {
        took: begun.elapsed(),
        counts,
        times: times.into_iter().flatten().collect(),
    }
}

fn perform(hosts: &Hosts<'_>, deed: Deed, number: usize, looks: Option<&Looks>) {
    match deed {
        Deed::Report => drop(hosts.report(number, 0).expect("it is heard")),
        Deed::News => drop(hosts.report(number, 1).expect("it is heard")),
        Deed::Reserve => drop(hosts.reserve(number).expect("there are enough ports")),
        Deed::Release => hosts.release(number).expect("it is theirs"),
        Deed::Look => looks.expect("it is open").look(number, hosts),
        Deed::Sweep => {
            let store = &hosts.shards[hosts.shard(number)].store;
            let ended = store.give_up_silent_hosts(Duration::ZERO);
            assert_eq!(ended, Ok(Vec::new()), "nobody was silent for so long");
        }
        Deed::Connect => {
            let address = hosts.shards[hosts.shard(number)].store.address();
            drop(PostgresStore::open(address).expect("it opens"));
        }
    }
}

/// The way to the inboxes, on connections of one thread.
pub(super) struct Looks(Vec<Way>);

struct Way {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
    statement: tokio_postgres::Statement,
}

impl Looks {
    pub(super) fn open(hosts: &Hosts<'_>) -> Self {
        let ways = hosts.shards.iter().map(|shard| {
            let (runtime, client) = connect(&shard.database.url);
            let statement = runtime.block_on(client.prepare(LOOK_INTO_INBOX));
            Way {
                statement: statement.expect("it is right"),
                runtime,
                client,
            }
        });
        Self(ways.collect())
    }

    /// Looks into the inbox of some host of the same database.
    pub(super) fn look(&self, number: usize, hosts: &Hosts<'_>) {
        let shard = hosts.shard(number);
        let host = i64::try_from(number % hosts.shards[shard].hosts + 1).expect("it is small");
        let way = &self.0[shard];
        let values: [&(dyn ToSql + Sync); 1] = [&host];
        let looked = way.client.query(&way.statement, &values);
        way.runtime.block_on(looked).expect("it is right");
    }
}
