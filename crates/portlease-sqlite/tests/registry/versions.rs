//! Files of every version that was ever released open in this one.

use portlease_core::{Holder, LeaseState, Name};
use portlease_sqlite::SqliteStore;
use rusqlite::Connection;

use crate::support::{Folder, everything, integrity, reserve};

/// A registry as version 1 wrote it. It stays as it is when the versions go on.
const VERSION_1: &str = include_str!("version_1.sql");

#[test]
fn a_registry_of_version_1() {
    let folder = Folder::new();
    let connection = Connection::open(folder.registry()).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    drop(connection);

    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(store.recoveries(), []);
    let leases = everything(&store).unwrap();
    leases.check().unwrap();
    let ports: Vec<u16> = leases.iter().map(|lease| lease.port.get()).collect();
    assert_eq!(ports, [3000, 3001, 5173]);
    let web = leases.iter().next().unwrap();
    assert_eq!(web.key.to_string(), "shop/web");
    assert_eq!(web.state, LeaseState::Live);
    assert_eq!(web.framework, Name::literal("next"));
    assert!(matches!(&web.holder, Some(Holder::Process(process)) if process.pid == 4242));
    assert_eq!(web.followers.len(), 1);
    assert_eq!(leases.memories().count(), 1);
    assert_eq!(leases.counters().grants, 5);
    assert_eq!(leases.usage().len(), 4);

    let new = reserve(&store, "new").unwrap();
    assert_eq!(new.generation, leases.last_generation().next());
    drop(store);
    assert_eq!(integrity(&folder.registry()), "ok");
}

#[test]
fn a_registry_of_version_1_has_the_tables_of_one_that_is_made_today() {
    let tables = |connection: &Connection| -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let [old, new] = [Folder::new(), Folder::new()];
    let connection = Connection::open(old.registry()).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    drop(connection);
    let opened = [old, new].map(|folder| {
        drop(SqliteStore::open(folder.registry()).unwrap());
        tables(&Connection::open(folder.registry()).unwrap())
    });
    assert_eq!(opened[0], opened[1]);
}

#[test]
fn a_database_with_nothing_in_it() {
    for setup in ["", "VACUUM", "PRAGMA journal_mode = WAL"] {
        let folder = Folder::new();
        std::fs::write(folder.registry(), "").unwrap();
        let connection = Connection::open(folder.registry()).unwrap();
        connection.execute_batch(setup).unwrap();
        drop(connection);
        let store = SqliteStore::open(folder.registry()).unwrap();
        assert_eq!(reserve(&store, "shop").unwrap().generation.get(), 1);
    }
}
