//! Fleets that are larger than those of the other tests: the simulation in short, and hundreds of hosts whose database goes away.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use portlease::Rhythm;
use portlease_core::{Host, Name, Scope, Store as _};
use portlease_postgres::{PostgresStore, Report};
use portlease_tests::postgres::Cluster;
use portlease_tests::simulation::{self, Habits, Plan};

use crate::support::{RANGE, open, reserve_in};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_simulated_fleet_keeps_every_promise() {
    let counts = simulation::run(&Plan {
        hosts: 400,
        time: Duration::from_millis(200),
        shards: 2,
        connections: 8,
        listeners: 10,
        // So few have to be livelier to be seen.
        habits: Habits {
            report_every: SECOND,
            change_every: SECOND,
            look_every: SECOND,
        },
        seed: 1,
    });
    assert!(counts.are_well() && counts.errors == 0, "{counts:?}");
    assert!(counts.acts > 0, "{counts:?}");
}

const HOSTS: usize = 240;
const WORKERS: usize = 8;
const AGREED: Duration = Duration::from_mins(5);
/// What a command may take, and what a busy machine may add to it.
const LIMIT: Duration = Duration::from_secs(10 + 3);

fn host(number: usize) -> Host {
    Host::new(Name::literal(&format!("host-{number}")))
}

/// Some end while the database is away, and of these every second one has agreed to be given up.
fn ends(number: usize) -> bool {
    number % 10 == 9
}

fn agreed(number: usize) -> bool {
    number % 20 != 19
}

fn report(store: &PostgresStore, number: usize) -> Duration {
    let report = Report {
        gives_up_after: agreed(number).then_some(AGREED),
        ..Report::default()
    };
    store.report(&host(number), &report).unwrap().looked_ago
}

/// Each worker does it for its hosts.
fn everywhere(stores: &[PostgresStore], what: impl Fn(&PostgresStore, usize) + Sync) {
    let start = Barrier::new(stores.len());
    thread::scope(|scope| {
        for (worker, store) in stores.iter().enumerate() {
            let (start, what) = (&start, &what);
            scope.spawn(move || {
                start.wait();
                for number in (worker..HOSTS).step_by(WORKERS) {
                    what(store, number);
                }
            });
        }
    });
}

#[test]
fn hundreds_of_hosts_come_back_after_an_outage_and_none_of_them_is_given_up() {
    let mut cluster = Cluster::reckless();
    let database = cluster.database();
    let stores: Vec<PostgresStore> = (0..WORKERS).map(|_| open(&database.url)).collect();
    everywhere(&stores, |store, number| {
        reserve_in(store, &host(number), "shop", RANGE).unwrap();
        report(store, number);
    });

    thread::scope(|scope| {
        let working = scope.spawn(|| {
            everywhere(&stores, |store, number| {
                let begun = Instant::now();
                reserve_in(store, &host(number), "blog", RANGE).unwrap();
                assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
            });
        });
        cluster.kill();
        cluster.up();
        working.join().unwrap();
    });

    // It was away for ten minutes, as far as its own clock can tell.
    let later = "UPDATE portlease.attention SET looked_at = looked_at - interval '10 minutes', since = since - interval '10 minutes'; \
                 UPDATE portlease.runner SET reported_at = reported_at - interval '10 minutes'";
    cluster.sql(&database.name, later);
    everywhere(&stores, |store, number| {
        if !ends(number) && report(store, number) >= Rhythm::LOOK_EVERY {
            let ended = store.give_up_silent_hosts(Rhythm::LOOK_EVERY).unwrap();
            assert_eq!(ended, [], "nobody was silent");
        }
    });
    let leases = |number| stores[0].load(&host(number), &Scope::Everything).unwrap();
    for number in 0..HOSTS {
        assert_eq!(leases(number).len(), 2, "host {number}");
    }

    // The others are heard for six minutes, and those that ended are not.
    let later = "UPDATE portlease.attention SET since = since - interval '6 minutes'";
    cluster.sql(&database.name, later);
    let mut ended = stores[0].give_up_silent_hosts(Duration::ZERO).unwrap();
    ended.sort_by_key(|(host, _)| host.clone());
    let ended: Vec<Host> = ended.into_iter().map(|(host, _)| host).collect();
    let mut silent: Vec<Host> = (0..HOSTS)
        .filter(|&number| ends(number) && agreed(number))
        .map(host)
        .collect();
    silent.sort();
    assert_eq!(ended, silent);
    for number in 0..HOSTS {
        let is_given_up = ends(number) && agreed(number);
        let left = if is_given_up { 0 } else { 2 };
        assert_eq!(leases(number).len(), left, "host {number}");
    }
}
