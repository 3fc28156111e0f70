//! Places where a registry cannot be, or cannot be written: each is told apart, in sentences that
//! name it.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::{Folder, everything, filled, reserve};
use portlease_core::StoreErrorKind::{self, Busy, NewerVersion, Unsuitable};
use portlease_core::{StoreError, TransactError};
use portlease_sqlite::{Options, SqliteStore};

/// The error has this kind, names these things, and says what to do.
pub(crate) fn check(error: &StoreError, kind: StoreErrorKind, named: &[&str]) {
    assert_eq!(error.kind, kind, "{error}");
    for name in named {
        assert!(
            error.to_string().contains(name),
            "{name:?} is missing in: {error}"
        );
    }
    for sentence in [&error.problem, &error.remedy] {
        assert!(
            sentence.ends_with('.') && !sentence.ends_with(".."),
            "{sentence}"
        );
    }
}

pub(crate) fn refused_to_open(path: &Path) -> StoreError {
    match SqliteStore::open(path) {
        Err(error) => error,
        Ok(_) => panic!("{} should not open", path.display()),
    }
}

pub(crate) fn path_of(folder: &Folder) -> String {
    folder.registry().display().to_string()
}

#[cfg(unix)]
#[test]
fn only_the_user_may_read_a_registry() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = Folder::new();
    let path = folder
        .path()
        .join("new")
        .join("portlease")
        .join("registry.db");
    let store = SqliteStore::open(&path).unwrap();
    reserve(&store, "shop").unwrap();
    assert_eq!(mode(&folder.path().join("new")), 0o700);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let file = path.with_file_name(format!("registry.db{suffix}"));
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop(store);
    assert_eq!(
        fs::read_dir(path.parent().unwrap()).unwrap().count(),
        2,
        "the file and its lock"
    );
}

#[test]
fn a_folder_that_may_not_be_made() {
    let folder = Folder::new();
    let path = folder.path().join("missing").join("registry.db");
    let error = Options::new().create_folder(false).open(&path).unwrap_err();
    check(&error, Unsuitable, &["missing"]);
    assert!(!path.parent().unwrap().exists());
}

#[test]
fn a_path_without_a_file() {
    check(&refused_to_open(Path::new("/")), Unsuitable, &["/"]);
    let folder = Folder::new();
    fs::create_dir(folder.registry()).unwrap();
    check(
        &refused_to_open(&folder.registry()),
        Unsuitable,
        &[&path_of(&folder)],
    );
    let below = folder.path().join("file");
    fs::write(&below, "").unwrap();
    check(
        &refused_to_open(&below.join("registry.db")),
        Unsuitable,
        &["file"],
    );
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_in_place_of_the_registry() {
    let folder = Folder::new();
    let target = folder.path().join("elsewhere.db");
    let leases = filled(&target, 1);
    std::os::unix::fs::symlink(&target, folder.registry()).unwrap();
    let error = refused_to_open(&folder.registry());
    check(&error, Unsuitable, &[&path_of(&folder), "elsewhere.db"]);
    let store = SqliteStore::open(&target).unwrap();
    assert_eq!(everything(&store).unwrap().len(), leases.len());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_in_the_way_to_the_registry_is_followed() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("disk")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("disk"), folder.path().join("link")).unwrap();
    let store = SqliteStore::open(folder.path().join("link").join("registry.db")).unwrap();
    reserve(&store, "shop").unwrap();
    let real = SqliteStore::open(folder.path().join("disk").join("registry.db")).unwrap();
    assert_eq!(store.path(), real.path());
    assert_eq!(everything(&real).unwrap().len(), 1);
}

#[test]
fn the_database_of_another_program() {
    for setup in [
        "CREATE TABLE notes (text)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 3",
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (text)",
    ] {
        let folder = Folder::new();
        let connection = rusqlite::Connection::open(folder.registry()).unwrap();
        connection.execute_batch(setup).unwrap();
        drop(connection);
        let before = fs::read(folder.registry()).unwrap();
        for _ in 0..2 {
            check(
                &refused_to_open(&folder.registry()),
                Unsuitable,
                &[&path_of(&folder)],
            );
        }
        assert_eq!(fs::read(folder.registry()).unwrap(), before, "{setup}");
        assert_eq!(folder.names(), ["registry.db"], "{setup}");
    }
}

#[test]
fn the_database_of_another_program_that_runs() {
    let folder = Folder::new();
    let connection = rusqlite::Connection::open(folder.registry()).unwrap();
    let setup =
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (text); INSERT INTO notes VALUES ('a')";
    connection.execute_batch(setup).unwrap();
    let files = ["registry.db", "registry.db-wal"].map(|name| folder.path().join(name));
    let before = files.each_ref().map(|file| fs::read(file).unwrap());
    check(
        &refused_to_open(&folder.registry()),
        Unsuitable,
        &[&path_of(&folder)],
    );
    assert_eq!(files.map(|file| fs::read(file).unwrap()), before);
}

#[test]
fn a_registry_of_a_newer_version() {
    let folder = Folder::new();
    filled(&folder.registry(), 3);
    let connection = rusqlite::Connection::open(folder.registry()).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 99; DROP TABLE lease")
        .unwrap();
    drop(connection);
    let before = fs::read(folder.registry()).unwrap();
    for _ in 0..2 {
        let error = refused_to_open(&folder.registry());
        check(&error, NewerVersion, &[&path_of(&folder), "99"]);
    }
    assert_eq!(fs::read(folder.registry()).unwrap(), before);
    assert_eq!(folder.names(), ["registry.db", "registry.db.lock"]);
}

#[test]
fn a_registry_of_a_newer_version_that_was_killed() {
    let [running, folder] = [Folder::new(), Folder::new()];
    filled(&running.registry(), 3);
    let newer = rusqlite::Connection::open(running.registry()).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    let files = ["registry.db", "registry.db-wal"];
    for file in files {
        fs::copy(running.path().join(file), folder.path().join(file)).unwrap();
    }
    let before = files.map(|file| fs::read(folder.path().join(file)).unwrap());
    assert!(!before[1].is_empty(), "what is newer stands in the log");
    for _ in 0..2 {
        check(&refused_to_open(&folder.registry()), NewerVersion, &["99"]);
    }
    assert_eq!(
        files.map(|file| fs::read(folder.path().join(file)).unwrap()),
        before
    );
}

#[test]
fn a_newer_version_that_takes_over_while_this_one_runs() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.registry()).unwrap();
    reserve(&store, "shop").unwrap();
    let newer = rusqlite::Connection::open(folder.registry()).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    let refused = reserve(&store, "blog").unwrap_err();
    let TransactError::Store(error) = refused else {
        panic!("{refused}")
    };
    check(&error, NewerVersion, &["99"]);
}

#[test]
fn a_lock_that_nobody_lets_go_of() {
    let folder = Folder::new();
    let store = Options::new()
        .lock_timeout(Duration::from_millis(50))
        .open(folder.registry())
        .unwrap();
    let lock = fs::File::open(folder.path().join("registry.db.lock")).unwrap();
    lock.lock().unwrap();
    let before = Instant::now();
    for _ in 0..3 {
        let refused = reserve(&store, "shop").unwrap_err();
        let TransactError::Store(error) = refused else {
            panic!("{refused}")
        };
        check(&error, Busy, &[&path_of(&folder)]);
        #[cfg(target_os = "linux")]
        check(&error, Busy, &[&format!("process {}", std::process::id())]);
    }
    assert!(before.elapsed() >= Duration::from_millis(150));
    everything(&store).expect("who only reads does not wait");
    drop(lock);
    let patient = SqliteStore::open(folder.registry()).unwrap();
    reserve(&patient, "blog").expect("the lock is free again");
    // The impatient store may still be giving back what it was not in time for.
    reserve(&patient, "shop").expect("nobody keeps the lock");
}

#[test]
fn a_thread_that_waits_gets_the_lock_as_soon_as_it_is_free() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.registry()).unwrap();
    let lock = fs::File::open(folder.path().join("registry.db.lock")).unwrap();
    lock.lock().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (sender, store) = (sender.clone(), &store);
            scope.spawn(move || {
                let granted = reserve(store, &format!("project-{number}"));
                sender.send(granted.is_ok()).expect("the test waits");
            });
        }
        assert!(
            receiver.recv_timeout(Duration::from_millis(50)).is_err(),
            "the lock is held"
        );
        drop(lock);
        for _ in 0..4 {
            let granted = receiver
                .recv_timeout(Duration::from_secs(9))
                .expect("the lock is free");
            assert!(granted, "a port is free");
        }
    });
}
