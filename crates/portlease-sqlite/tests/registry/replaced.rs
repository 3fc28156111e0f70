//! Registries that are deleted or replaced while somebody has them open.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use portlease_core::{Lease, PortRange, StoreErrorKind};
use portlease_sqlite::{Cause, Recovery, SqliteStore};

use crate::support::{Folder, everything, filled, integrity, release, reserve, reserve_in};

const RANGE: PortRange = PortRange::literal(20_000, 29_999);

fn leases(store: &SqliteStore) -> Vec<Lease> {
    let leases = everything(store).expect("it can be read");
    leases.check().expect("it is consistent");
    leases.iter().cloned().collect()
}

/// The one recovery that the stores report together, which was not for damage.
fn only_recovery(stores: &[&SqliteStore]) -> Recovery {
    let mut all: Vec<Recovery> = stores.iter().flat_map(|store| store.recoveries()).collect();
    assert_eq!(all.len(), 1, "one carries over for all: {all:?}");
    let recovery = all.remove(0);
    assert_eq!(recovery.cause, Cause::Replaced);
    assert!(recovery.is_complete);
    recovery
}

/// Takes the registry away from two who have it open: nothing that they were told is lost.
fn check(remove: impl FnOnce(&Path)) {
    let folder = Folder::new();
    let path = folder.path().join("state").join("registry.db");
    let granted = filled(&path, 20);
    let [one, other] = [(); 2].map(|()| SqliteStore::open(&path).unwrap());
    let mine = reserve_in(&one, "mine", RANGE).unwrap();
    let gone = reserve_in(&other, "gone", RANGE).unwrap();
    release(&one, &gone).unwrap();

    remove(path.parent().unwrap());
    let new = reserve_in(&other, "new", RANGE).unwrap();
    assert!(new.generation > gone.generation, "generations only grow");
    let mut expected = granted;
    expected.extend([mine.clone(), new.clone()]);
    expected.sort_by_key(|lease| lease.port);
    assert_eq!(leases(&other), expected);
    assert_eq!(leases(&one), expected);
    release(&one, &mine).expect("it is still its own");
    release(&one, &new).expect("a generation is enough to be the owner");
    let recovery = only_recovery(&[&one, &other]);
    assert_eq!((recovery.saved.len(), recovery.contradicted.len()), (21, 0));

    let fresh = SqliteStore::open(&path).unwrap();
    assert_eq!(leases(&fresh), leases(&one));
    reserve_in(&fresh, "more", RANGE).unwrap();
    drop([one, other, fresh]);
    assert_eq!(integrity(&path), "ok");
    assert_eq!(
        fs::read_dir(path.parent().unwrap()).unwrap().count(),
        2,
        "nothing is left over"
    );
}

#[test]
fn the_file_is_deleted() {
    check(|folder| fs::remove_file(folder.join("registry.db")).unwrap());
}

#[test]
fn the_file_is_moved_away() {
    check(|folder| {
        let elsewhere = folder.with_file_name("elsewhere.db");
        fs::rename(folder.join("registry.db"), elsewhere).unwrap();
    });
}

#[test]
fn all_files_are_deleted() {
    check(|folder| {
        for file in fs::read_dir(folder).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
    });
}

#[test]
fn the_folder_is_deleted() {
    check(|folder| fs::remove_dir_all(folder).unwrap());
}

#[test]
fn an_older_copy_is_put_in_its_place() {
    let folder = Folder::new();
    let path = folder.registry();
    let backup = folder.path().join("backup.db");
    let granted = filled(&path, 20);
    fs::copy(&path, &backup).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    release(&store, &granted[3]).unwrap();
    let mine = reserve_in(&store, "mine", RANGE).unwrap();
    assert_eq!(mine.port.get(), 20_020);

    fs::rename(&backup, &path).unwrap();
    let new = reserve_in(&store, "new", RANGE).unwrap();
    assert!(new.generation > mine.generation, "generations only grow");
    let mut expected = granted;
    expected.extend([mine, new]);
    assert_eq!(
        leases(&store),
        expected,
        "what the copy says, and what this process knows"
    );
    assert_eq!(only_recovery(&[&store]).saved.len(), 1);
    drop(store);
    assert_eq!(integrity(&path), "ok");
}

#[test]
fn another_registry_is_put_in_its_place() {
    let folder = Folder::new();
    let path = folder.registry();
    let store = SqliteStore::open(&path).unwrap();
    let kept = reserve_in(&store, "kept", PortRange::literal(5000, 5000)).unwrap();
    let lost = reserve_in(&store, "lost", PortRange::literal(5500, 5500)).unwrap();
    let other_path = folder.path().join("other.db");
    let other = SqliteStore::open(&other_path).unwrap();
    let theirs = reserve_in(&other, "theirs", PortRange::literal(5500, 5500)).unwrap();
    drop(other);

    fs::rename(&other_path, &path).unwrap();
    assert_eq!(leases(&store), [kept.clone(), theirs]);
    let recovery = only_recovery(&[&store]);
    assert_eq!(recovery.saved, [kept]);
    assert_eq!(
        recovery.contradicted,
        [lost],
        "who has the port in the new registry keeps it"
    );
}

#[test]
fn something_that_is_no_registry_is_put_in_its_place() {
    let folder = Folder::new();
    let path = folder.registry();
    let store = SqliteStore::open(&path).unwrap();
    let mine = reserve(&store, "mine").unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    for _ in 0..2 {
        let error = everything(&store).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unsuitable, "{error}");
    }
    fs::remove_dir(&path).unwrap();
    assert_eq!(
        leases(&store),
        [mine],
        "what this process knew is not forgotten meanwhile"
    );
}

#[test]
fn the_lock_is_deleted() {
    let folder = Folder::new();
    let [one, other] = [(); 2].map(|()| SqliteStore::open(folder.registry()).unwrap());
    for round in 0..5 {
        fs::remove_file(folder.path().join("registry.db.lock")).unwrap();
        reserve(&one, &format!("one-{round}")).unwrap();
        reserve(&other, &format!("other-{round}")).unwrap();
    }
    assert_eq!(leases(&one).len(), 10);
    assert_eq!(one.recoveries(), []);
}

#[test]
fn whoever_opens_it_first_after_it_was_deleted_had_not_had_it_open() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.registry()).unwrap();
    let mine = reserve_in(&store, "mine", PortRange::literal(5000, 5000)).unwrap();
    let lost = reserve_in(&store, "lost", PortRange::literal(5500, 5500)).unwrap();
    // The log and its index stay, and belong to the file that this process still has open.
    fs::remove_file(folder.registry()).unwrap();
    let stranger = SqliteStore::open(folder.registry()).unwrap();
    let theirs = reserve_in(&stranger, "theirs", PortRange::literal(5500, 5500)).unwrap();
    assert!(theirs.generation > lost.generation);
    assert_eq!(leases(&store), [mine, theirs]);
    assert_eq!(only_recovery(&[&store, &stranger]).contradicted, [lost]);
    assert_eq!(leases(&stranger), leases(&store));
    drop([store, stranger]);
    assert_eq!(integrity(&folder.registry()), "ok");
}

#[test]
fn deleted_while_nobody_had_it_open() {
    let folder = Folder::new();
    let granted = filled(&folder.registry(), 5);
    fs::remove_file(folder.registry()).unwrap();
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(leases(&store), [], "nobody knows any more what was in it");
    let new = reserve(&store, "new").unwrap();
    let last = granted.iter().map(|lease| lease.generation).max();
    assert!(
        Some(new.generation) > last,
        "but its generations are not given again"
    );
    assert!(
        new.generation.get() < 1 << 53,
        "and stay exact in every language"
    );
}

#[test]
fn deleted_again_and_again_while_many_work_on_it() {
    const DELETIONS: usize = 40;
    let folder = Folder::new();
    let stores = [(); 4].map(|()| SqliteStore::open(folder.registry()).unwrap());
    let mut expected = Vec::new();
    for deletion in 0..DELETIONS {
        let is_deleted = AtomicBool::new(false);
        let (sender, granted) = mpsc::channel();
        thread::scope(|scope| {
            for (number, store) in stores.iter().enumerate() {
                let (sender, is_deleted) = (sender.clone(), &is_deleted);
                scope.spawn(move || {
                    // Everybody says something after the deletion, so that all have noticed it
                    // before the next one.
                    let mut is_last = false;
                    for round in 0.. {
                        let project = format!("store-{number}-{deletion}-{round}");
                        sender
                            .send(reserve_in(store, &project, RANGE).unwrap())
                            .unwrap();
                        if is_last {
                            break;
                        }
                        is_last = is_deleted.load(Ordering::Acquire);
                    }
                });
            }
            drop(sender);
            // Each time at another moment of the work.
            expected.extend(granted.iter().take(deletion));
            fs::remove_file(folder.registry()).unwrap();
            is_deleted.store(true, Ordering::Release);
            expected.extend(granted);
        });
    }
    expected.sort_by_key(|lease| lease.port);
    for store in &stores {
        assert_eq!(leases(store), expected);
    }
    let recoveries: Vec<Recovery> = stores.iter().flat_map(SqliteStore::recoveries).collect();
    assert!(
        recoveries
            .iter()
            .all(|recovery| recovery.contradicted.is_empty())
    );
    assert_eq!(
        recoveries.len(),
        DELETIONS,
        "of each deletion, one carried over"
    );
}
