//! Faults between a fleet and its registry: nothing is granted twice, nothing acknowledged is lost, and everything ends in time.

use std::time::{Duration, Instant};

use portlease_core::{Exchange as _, Facts, OnConflict, Store as _, StoreErrorKind, TransactError};
use portlease_postgres::{Options, PostgresStore};
use portlease_tests::chaos::proxy::{Break, Proxy};
use portlease_tests::chaos::{self, Fault, Plan};
use portlease_tests::postgres::{Cluster, Database};

use crate::support::{RANGE, everything, fresh, host, open, release, request, reserve_in};

const LIMIT: Duration = Duration::from_secs(3);
/// What a busy machine may add to a limit.
const LENIENCE: Duration = Duration::from_secs(3);

/// A registry, a store of it, and the way between them.
struct Broken {
    database: Database,
    proxy: Proxy,
    store: PostgresStore,
}

fn through_proxy() -> Broken {
    let (port, database) = (Cluster::shared().port(), fresh());
    let proxy = Proxy::to(port);
    let url = database
        .url
        .replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    let store = Options::new()
        .time_limit(LIMIT)
        .open(&url.parse().unwrap())
        .unwrap();
    Broken {
        database,
        proxy,
        store,
    }
}

/// Whatever becomes of a commit and its answer, its change is made once.
#[track_caller]
fn check_commit(how: Break) {
    let Broken {
        database,
        proxy,
        store,
    } = through_proxy();
    reserve_in(&store, &host(), "before", RANGE).unwrap();
    for number in 1..=3_u64 {
        proxy.break_commits(how, 1);
        let lease = reserve_in(&store, &host(), &format!("shop-{number}"), RANGE).unwrap();
        assert_eq!(
            proxy.broken(),
            i64::try_from(number).unwrap(),
            "the commit broke off"
        );
        assert_eq!(lease.generation.get(), number + 1);
        let there = everything(&open(&database.url)).unwrap();
        assert_eq!(there.get(&lease.key), Some(&lease));
        let counters = there.counters();
        let done = (counters.grants, counters.reuses);
        assert_eq!(done, (number + 1, 0), "it was done once");
    }
    proxy.break_commits(how, 2);
    let kept = reserve_in(&store, &host(), "twice", RANGE).unwrap();
    proxy.break_commits(how, 1);
    release(&store, &host(), &kept).unwrap();
    let there = everything(&open(&database.url)).unwrap();
    assert_eq!((there.counters().grants, there.counters().releases), (5, 1));
}

#[test]
fn a_commit_that_never_arrives_is_made_again() {
    check_commit(Break::Before);
}

#[test]
fn a_commit_that_arrives_unheard_is_not_made_again() {
    check_commit(Break::After);
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_made_again() {
    check_commit(Break::Answered);
}

#[test]
fn a_connection_that_broke_while_nobody_used_it_is_not_noticed() {
    let Broken { proxy, store, .. } = through_proxy();
    for number in 0..5 {
        proxy.cut();
        reserve_in(&store, &host(), &format!("shop-{number}"), RANGE).unwrap();
    }
}

#[test]
fn who_cannot_get_through_is_told_so_in_time_and_goes_on_afterwards() {
    let Broken { proxy, store, .. } = through_proxy();
    proxy.block(true);
    let begun = Instant::now();
    let error = store.transact(&host(), &request("shop", RANGE), &Facts::default());
    assert!(begun.elapsed() < LIMIT + LENIENCE, "{:?}", begun.elapsed());
    let Err(TransactError::Store(error)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    proxy.block(false);
    reserve_in(&store, &host(), "shop", RANGE).unwrap();
}

#[test]
fn an_import_that_does_not_get_through_is_told_so_in_time() {
    let Broken {
        database, proxy, ..
    } = through_proxy();
    let url = database.url.replace(
        &format!(":{}/", Cluster::shared().port()),
        &format!(":{}/", proxy.port()),
    );
    // What is about everything may take longer.
    let limit = Duration::from_millis(250);
    let options = Options::new().time_limit(limit);
    // On a busy machine it may be too little to open anything.
    let mut tries = (0..100).map(|_| options.open(&url.parse().unwrap()));
    let store = tries.find_map(Result::ok).unwrap();
    let full = open(&fresh().url);
    reserve_in(&full, &host(), "shop", RANGE).unwrap();
    let export = full.export().unwrap();
    proxy.block(true);
    let begun = Instant::now();
    let error = store.import(&export, OnConflict::Refuse).unwrap_err();
    assert!(begun.elapsed() < 30 * limit + LENIENCE);
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    proxy.block(false);
    assert_eq!(everything(&open(&database.url)).unwrap().len(), 0);
}

#[test]
fn a_host_that_is_locked_for_long_is_busy_and_the_others_are_not() {
    // The server's reason has a tenth of it to arrive.
    const LIMIT: Duration = Duration::from_secs(8);
    let database = fresh();
    let store = Options::new()
        .time_limit(LIMIT)
        .open(&database.url.parse().unwrap())
        .unwrap();
    reserve_in(&store, &host(), "shop", RANGE).unwrap();
    let lock = format!(
        "BEGIN; SELECT FROM portlease.host WHERE name = '{}' FOR UPDATE; SELECT pg_sleep({}); ROLLBACK",
        host(),
        (LIMIT + LENIENCE).as_secs()
    );
    let locked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' AND datname = current_database() \
                  AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'";
    let cluster = Cluster::shared();
    std::thread::scope(|scope| {
        scope.spawn(|| cluster.sql(&database.name, &lock));
        while cluster.sql(&database.name, locked) == "0" {}
        let begun = Instant::now();
        let error = reserve_in(&store, &host(), "blog", RANGE).unwrap_err();
        assert!(begun.elapsed() < LIMIT + LENIENCE, "{:?}", begun.elapsed());
        let TransactError::Store(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.kind, StoreErrorKind::Busy, "{error}");
        assert!(error.remedy.contains("pg_stat_activity"), "{error}");
        let elsewhere = portlease_core::Host::new(portlease_core::Name::literal("worker-2"));
        reserve_in(&store, &elsewhere, "blog", RANGE).unwrap();
        // What only looks is not kept waiting either.
        assert_eq!(everything(&store).unwrap().len(), 1);
    });
}

#[test]
fn who_waits_for_a_connection_of_its_own_process_is_told_so() {
    let options = Options::new().time_limit(LIMIT).max_connections(1);
    let store = options.open(&fresh().url.parse().unwrap()).unwrap();
    reserve_in(&store, &host(), "before", RANGE).unwrap();
    let mut told = None;
    // Whether this one is granted in the end does not matter: it has the connection meanwhile.
    let _ = store.transact_observing(
        &host(),
        &request("shop", RANGE),
        &mut Facts::default(),
        &mut |_, _| {
            let other = std::thread::scope(|scope| scope.spawn(|| everything(&store)).join());
            told = told.take().or_else(|| other.unwrap().err());
        },
    );
    let error = told.expect("there is no connection for another one");
    assert_eq!(error.kind, StoreErrorKind::Busy, "{error}");
    assert!(
        error.problem.contains("connections of this process"),
        "{error}"
    );
}

#[test]
fn a_server_that_is_killed_under_a_store_is_found_again() {
    let mut cluster = Cluster::reckless();
    let store = open(&cluster.database().url);
    let before = reserve_in(&store, &host(), "before", RANGE).unwrap();
    cluster.kill();
    std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| reserve_in(&store, &host(), "meanwhile", RANGE));
        cluster.up();
        meanwhile.join().unwrap().unwrap();
    });
    let there = everything(&store).unwrap();
    assert_eq!(there.get(&before.key), Some(&before));
    assert_eq!(there.len(), 2);
}

#[test]
fn a_fleet_under_all_faults_loses_nothing_and_shares_nothing() {
    let counts = chaos::run(&Plan {
        time: Duration::from_secs(6),
        faults: Fault::ALL.to_vec(),
        ..Plan::default()
    });
    assert!(counts.are_well(), "{counts:?}");
    assert!(counts.faults >= 3 && counts.requests > 50, "{counts:?}");
}
