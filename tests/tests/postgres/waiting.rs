//! Who waits for a host waits in a queue.

use std::thread;

use portlease_tests::postgres::{Cluster, Database};
use tokio::runtime::Builder;
use tokio_postgres::{NoTls, connect};

use crate::support::{RANGE, fresh, host, open, reserve_in};

const MANY: usize = 12;

#[test]
fn who_came_first_is_served_first() {
    let database = fresh();
    let stores: Vec<_> = (0..MANY).map(|_| open(&database.url)).collect();
    reserve_in(&stores[0], &host(), "before", RANGE).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (blocker, connection) = runtime.block_on(connect(&database.url, NoTls)).unwrap();
    runtime.spawn(connection);
    let block = "BEGIN; UPDATE portlease.host SET changes = changes";
    runtime.block_on(blocker.batch_execute(block)).unwrap();
    let generations: Vec<_> = thread::scope(|scope| {
        let mut asking = Vec::new();
        for (number, store) in stores.iter().enumerate() {
            let project = format!("shop-{number}");
            asking.push(scope.spawn(move || reserve_in(store, &host(), &project, RANGE)));
            while waiting(&database) <= number {}
        }
        runtime.block_on(blocker.batch_execute("COMMIT")).unwrap();
        let granted = asking.into_iter().map(|it| it.join().unwrap().unwrap());
        granted.map(|lease| lease.generation.get()).collect()
    });
    let in_order: Vec<_> = (2..2 + MANY as u64).collect();
    assert_eq!(generations, in_order);
}

/// How many transactions wait for another one.
fn waiting(database: &Database) -> usize {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let count = Cluster::shared().sql(&database.name, sql);
    count.parse().unwrap()
}
