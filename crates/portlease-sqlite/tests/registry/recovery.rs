//! Recoveries that are interrupted, that begin late, and that meet any damage at all.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use portlease_core::Lease;
use portlease_core::conformance::tell;
use portlease_sqlite::{Cause, SqliteStore};

use crate::damage::{noise, overwrite_leaf};
use crate::kills::wait;
use crate::processes::start;
use crate::support::{Folder, everything, filled, integrity, release, reserve};

fn leases(store: &SqliteStore) -> Vec<Lease> {
    everything(store).unwrap().iter().cloned().collect()
}

/// What a process does that is killed while it recovers.
pub(crate) fn look(registry: &Path) {
    tell("begins");
    let store = SqliteStore::open(registry).expect("the registry opens");
    everything(&store).expect("it can be read");
    tell("done");
}

/// Copies the files of a registry that nobody has open.
fn copy(from: &Folder, to: &Folder) {
    for name in from.names() {
        fs::copy(from.path().join(&name), to.path().join(&name)).unwrap();
    }
}

#[test]
fn a_recovery_that_is_killed_at_any_instant_goes_on() {
    const KILLS: u64 = 50;
    let damaged = Folder::new();
    let before = filled(&damaged.registry(), 300);
    overwrite_leaf(&damaged.registry(), "lease");
    let uninterrupted = Folder::new();
    copy(&damaged, &uninterrupted);
    let expected = leases(&SqliteStore::open(uninterrupted.registry()).unwrap());
    assert!((200..300).contains(&expected.len()));

    let mut interrupted = 0;
    for kill in 0..KILLS {
        let folder = Folder::new();
        copy(&damaged, &folder);
        let mut child = start("look", &folder.registry(), "child");
        assert_eq!(child.answer().as_deref(), Some("begins"));
        wait(Duration::from_micros(kill * 200));
        child.kill();
        interrupted += usize::from(child.finish().0.is_empty());

        let store = SqliteStore::open(folder.registry()).unwrap();
        assert_eq!(leases(&store), expected, "killed after {} µs", kill * 200);
        let new = reserve(&store, "new").unwrap();
        assert!(before.iter().all(|lease| lease.generation < new.generation));
        drop(store);
        assert_eq!(integrity(&folder.registry()), "ok");
        let is_kept = |name: &String| name.starts_with("registry.db.corrupt-");
        assert!(
            folder.names().iter().any(is_kept),
            "the damaged file is kept"
        );
        assert!(!folder.names().contains(&"registry.db.rebuilt".to_owned()));
    }
    assert!(interrupted > 5, "only {interrupted} were killed in time");
}

#[test]
fn a_recovery_that_ended_between_two_renames_goes_on() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    let granted = filled(&at("elsewhere.db"), 10);
    filled(&folder.registry(), 3);
    fs::rename(folder.registry(), at("registry.db.corrupt-1")).unwrap();
    fs::rename(at("elsewhere.db"), at("registry.db.rebuilt")).unwrap();
    let log = folder.path().join("registry.db-wal");
    fs::write(&log, noise(5_000)).unwrap();
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(leases(&store), granted);
    assert!(at("registry.db.corrupt-1-wal").exists(), "the log is kept");
    let recoveries = store.recoveries();
    assert_eq!((recoveries.len(), &recoveries[0].saved), (1, &granted));
}

#[test]
fn a_recovery_that_ended_before_the_first_rename_begins_anew() {
    let folder = Folder::new();
    let granted = filled(&folder.registry(), 10);
    fs::write(folder.path().join("registry.db.rebuilt"), noise(5_000)).unwrap();
    let log = folder.path().join("registry.db-wal");
    fs::write(&log, noise(5_000)).unwrap();
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(leases(&store), granted);
    assert_eq!(store.recoveries().len(), 1);
}

#[test]
fn a_registry_whose_lock_was_deleted_is_still_known_as_one() {
    let folder = Folder::new();
    filled(&folder.registry(), 10);
    let running = SqliteStore::open(folder.registry()).unwrap();
    fs::remove_file(folder.path().join("registry.db.lock")).unwrap();
    let mine = reserve(&running, "mine").unwrap();
    release(&running, &mine).unwrap();
    drop(running);
    fs::write(folder.registry(), noise(9_000)).unwrap();
    let store = SqliteStore::open(folder.registry()).unwrap();
    let recoveries = store.recoveries();
    assert!(
        matches!(recoveries[0].cause, Cause::Damaged { .. }),
        "{recoveries:?}"
    );
}

/// Whatever bytes stand in a registry, nobody panics or hangs, and ports can be had again.
#[test]
fn any_damage_ends_with_a_registry_that_works() {
    const DAMAGES: u64 = 150;
    let whole = Folder::new();
    let granted = filled(&whole.registry(), 120);
    let bytes = fs::read(whole.registry()).unwrap();
    for damage in 0..DAMAGES {
        let folder = Folder::new();
        copy(&whole, &folder);
        let random = noise(4_096 + usize::try_from(damage).unwrap());
        let number = |at: usize| u64::from(random[at + usize::try_from(damage).unwrap()]);
        let place = (number(1) << 16 | number(2) << 8 | number(3)) % bytes.len() as u64;
        let length = 1_usize << (damage % 12);
        let mut file = OpenOptions::new()
            .write(true)
            .open(folder.registry())
            .unwrap();
        file.seek(SeekFrom::Start(place)).unwrap();
        file.write_all(&random[..length]).unwrap();
        drop(file);

        let told = format!("damage {damage}: {length} bytes at {place}");
        let store = match SqliteStore::open(folder.registry()) {
            Ok(store) => store,
            // The head of the file may say now that it belongs to another program or version.
            Err(error) if place < 100 => {
                assert!(!error.problem.is_empty());
                continue;
            }
            Err(error) => panic!("{told}: {error}"),
        };
        let left = everything(&store).unwrap_or_else(|error| panic!("{told}: {error}"));
        assert!(left.len() <= granted.len(), "{told}");
        let new = reserve(&store, "new").unwrap_or_else(|error| panic!("{told}: {error}"));
        release(&store, &new).unwrap_or_else(|error| panic!("{told}: {error}"));
    }
}
