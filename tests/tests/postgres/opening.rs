//! How registries are opened: by many at once, and by every way that there is to a server.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use portlease_core::Store as _;
use portlease_postgres::PostgresStore;
use portlease_tests::postgres::Cluster;

use crate::support::{RANGE, fresh, host, open, reserve_in};

#[test]
fn sixteen_that_start_at_once_make_the_tables_once() {
    let database = fresh();
    let start = Barrier::new(16);
    let stores: Vec<PostgresStore> = thread::scope(|scope| {
        let openings = [(); 16].map(|()| {
            scope.spawn(|| {
                let address = database.url.parse().unwrap();
                start.wait();
                PostgresStore::open(&address).unwrap()
            })
        });
        openings.map(|opening| opening.join().unwrap()).into()
    });
    for (number, store) in stores.iter().enumerate() {
        let lease = reserve_in(store, &host(), &format!("project-{number}"), RANGE).unwrap();
        assert_eq!(lease.generation.get(), number as u64 + 1);
    }
}

#[test]
fn a_socket_is_a_way_as_well() {
    let (cluster, database) = (Cluster::shared(), fresh());
    let url = format!(
        "postgresql://postgres@/{}?host={}&port={}",
        database.name,
        cluster.folder().display(),
        cluster.port()
    );
    reserve_in(&open(&url), &host(), "shop", RANGE).unwrap();
}

#[test]
fn of_several_hosts_the_one_that_is_there() {
    let database = fresh();
    let dead = {
        #[expect(clippy::disallowed_methods, reason = "nobody is to listen there")]
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let url = database
        .url
        .replace("@127.0.0.1", &format!("@{dead},127.0.0.1"));
    reserve_in(&open(&url), &host(), "shop", RANGE).unwrap();
}

#[test]
fn a_change_rings_for_those_who_wait() {
    let database = fresh();
    let (waiting, writing) = (open(&database.url), open(&database.url));
    reserve_in(&writing, &host(), "first", RANGE).unwrap();
    let long = Duration::from_mins(1);
    let mut seen = waiting.wait_for_change(&host(), None, long).unwrap();
    // Whoever hears no bell looks every three seconds: five changes would take longer than this.
    let begun = Instant::now();
    for number in 0..5 {
        let next = thread::scope(|scope| {
            let wait = scope.spawn(|| waiting.wait_for_change(&host(), Some(seen), long).unwrap());
            reserve_in(&writing, &host(), &format!("project-{number}"), RANGE).unwrap();
            wait.join().unwrap()
        });
        assert_ne!(next, seen);
        seen = next;
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn whoever_waits_in_vain_is_answered_in_time() {
    let store = open(&fresh().url);
    let seen = store
        .wait_for_change(&host(), None, Duration::ZERO)
        .unwrap();
    let begun = Instant::now();
    let wait = Duration::from_millis(200);
    assert_eq!(
        store.wait_for_change(&host(), Some(seen), wait).unwrap(),
        seen
    );
    assert!(begun.elapsed() >= wait);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}
