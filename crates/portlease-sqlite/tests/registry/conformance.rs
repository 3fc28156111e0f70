//! The laws of every store, on registry files.

use std::path::PathBuf;

use portlease_core::Store;
use portlease_core::conformance::{self, Processes, Registry};
use portlease_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::processes::start;
use crate::support::Folder;

/// A registry file of which each opening is a store of its own, as in a process of its own.
struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn fresh() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a test");
        let path = folder.path().join("state").join("registry.db");
        Self {
            _folder: folder,
            path,
        }
    }
}

impl Registry for File {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.path).expect("a registry opens"))
    }
}

#[test]
fn a_registry_file_keeps_the_laws() {
    conformance::check(File::fresh);
}

#[test]
fn a_registry_file_keeps_the_laws_among_processes() {
    conformance::check(|| {
        let folder = Folder::new();
        Processes::new(move || start("answer", &folder.registry(), ""))
    });
}

#[test]
fn a_registry_file_lives_through_random_histories() {
    conformance::check_histories(&File::fresh(), 4);
}
