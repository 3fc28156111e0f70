//! What the tests of this crate have in common: registries in folders of their own, and the words
//! in which they ask for ports.

use std::path::{Path, PathBuf};

use portlease_core::{
    Command, Facts, Host, Lease, Leases, Name, PortRange, Release, Reply, Request, Scope, Service,
    Store, StoreError, Timestamp, TransactError,
};
use portlease_sqlite::SqliteStore;
use tempfile::TempDir;

/// A folder that is gone when the test is.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("there is room for a test"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the registry of the test is.
    pub(crate) fn registry(&self) -> PathBuf {
        self.path().join("registry.db")
    }

    /// What lies in the folder, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("the folder is there");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry
                .expect("it can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

pub(crate) fn host() -> Host {
    Host::new(Name::literal("laptop"))
}

/// The ports that the tests are about. None of them is ever bound.
pub(crate) const RANGE: PortRange = PortRange::literal(3000, 3100);

pub(crate) fn reserve(store: &SqliteStore, project: &str) -> Result<Lease, TransactError> {
    reserve_in(store, project, RANGE)
}

pub(crate) fn reserve_in(
    store: &SqliteStore,
    project: &str,
    range: PortRange,
) -> Result<Lease, TransactError> {
    let web = Service::in_range(Name::literal("web"), range);
    let command = Command::Reserve(Request::new(Name::literal(project), vec![web]));
    let facts = Facts::at(Timestamp::from_millis(1_000));
    match store.transact(&host(), &command, &facts)?.reply {
        Reply::Reserved(reserved) => Ok(reserved.services[0].lease.clone()),
        other => panic!("a reserve is answered with {other:?}"),
    }
}

pub(crate) fn release(store: &SqliteStore, lease: &Lease) -> Result<(), TransactError> {
    let command = Command::Release(Release::granted(lease.key.clone(), lease.generation));
    store.transact(&host(), &command, &Facts::at(Timestamp::from_millis(2_000)))?;
    Ok(())
}

pub(crate) fn everything(store: &SqliteStore) -> Result<Leases, StoreError> {
    store.load(&host(), &Scope::Everything)
}

/// Leases for so many projects, and the registry closed again.
pub(crate) fn filled(path: &Path, count: usize) -> Vec<Lease> {
    let store = SqliteStore::open(path).expect("a registry opens");
    let one = |number| {
        let range = PortRange::literal(20_000, 29_999);
        reserve_in(&store, &format!("/home/ada/project-{number}"), range).expect("a port is free")
    };
    (0..count).map(one).collect()
}

/// What `SQLite` itself finds wrong with a database.
pub(crate) fn integrity(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).expect("it opens");
    connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("it can be checked")
}
