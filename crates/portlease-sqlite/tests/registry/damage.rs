//! Damaged registries of several kinds: kept, reported, and replaced by what can be read.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Folder, RANGE, everything, filled, integrity, reserve, reserve_in};
use portlease_core::{Lease, PortRange, Store as _, StoreErrorKind};
use portlease_sqlite::{Cause, SqliteStore};

/// What has to hold after a registry was damaged.
struct After {
    saved: Vec<Lease>,
    is_complete: bool,
}

/// Damages a registry, opens it, and checks what holds after every damage.
fn check(folder: &Folder, leases: &[Lease], damage: impl FnOnce(&Path)) -> After {
    damage(&folder.registry());
    let damaged = fs::read(folder.registry()).expect("the registry is there");

    let store = SqliteStore::open(folder.registry()).expect("a damaged registry is replaced");
    let recoveries = store.recoveries();
    let [recovery] = recoveries.as_slice() else {
        panic!("one recovery is reported, not {recoveries:?}");
    };
    let Cause::Damaged { problem, kept } = &recovery.cause else {
        panic!("the damage is reported, not {recovery:?}");
    };
    assert!(!problem.is_empty());
    assert_eq!(fs::read(kept).expect("the damaged file is kept"), damaged);
    assert_eq!(recovery.contradicted, []);

    let left = everything(&store).expect("the new registry can be read");
    left.check().expect("it is consistent");
    let found: Vec<Lease> = left.iter().cloned().collect();
    assert_eq!(found, recovery.saved, "what is reported is there");
    assert!(
        found.iter().all(|lease| leases.contains(lease)),
        "as it was before"
    );
    let last = leases.iter().map(|lease| lease.generation).max();
    let new = reserve(&store, "after").expect("a port is free");
    assert!(Some(new.generation) > last, "generations only grow");
    assert_eq!(integrity(&folder.registry()), "ok");

    let again = SqliteStore::open(folder.registry()).expect("it opens");
    assert_eq!(again.recoveries(), [], "a damage is dealt with once");
    let mut expected = recovery.saved.clone();
    expected.push(new);
    expected.sort_by_key(|lease| lease.port);
    let all = everything(&again).expect("it can be read");
    assert_eq!(all.iter().cloned().collect::<Vec<_>>(), expected);
    After {
        saved: recovery.saved.clone(),
        is_complete: recovery.is_complete,
    }
}

/// Bytes that are neither text nor a page, the same in every run.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(count).collect()
}

const PAGE: u64 = 2048;

/// Overwrites a page with rows from the middle of a table or an index that has some.
pub(crate) fn overwrite_leaf(path: &Path, name: &str) {
    assert!(overwrite_page(path, name) > 2, "{name} is too small");
}

/// Overwrites a page with rows from the middle of a table or an index, and tells how many there are.
fn overwrite_page(path: &Path, name: &str) -> usize {
    let connection = rusqlite::Connection::open(path).expect("it opens");
    let sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path";
    let mut statement = connection.prepare(sql).expect("SQLite knows its pages");
    let pages = statement
        .query_map([name], |row| row.get(0))
        .expect("it can be asked");
    let pages: Vec<u32> = pages.collect::<Result<_, _>>().expect("there are some");
    let offset = u64::from(pages[pages.len() / 2] - 1) * PAGE;
    let mut file = OpenOptions::new()
        .write(true)
        .open(path)
        .expect("it is there");
    file.seek(SeekFrom::Start(offset))
        .expect("it can be sought");
    file.write_all(&noise(2048)).expect("it can be written");
    pages.len()
}

#[test]
fn random_bytes_in_place_of_the_registry() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 20);
    let after = check(&folder, &leases, |path| {
        fs::write(path, noise(50_000)).unwrap();
    });
    assert_eq!(after.saved, [], "nothing can be read");
    assert!(!after.is_complete);
}

#[test]
fn a_registry_whose_head_names_no_format() {
    const FORMAT: u64 = 44;
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 20);
    let after = check(&folder, &leases, |path| {
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        file.seek(SeekFrom::Start(FORMAT)).unwrap();
        file.write_all(&u32::to_be_bytes(9)).unwrap();
    });
    assert!(!after.is_complete);
}

#[test]
fn a_registry_that_was_emptied() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 20);
    let after = check(&folder, &leases, |path| fs::write(path, b"").unwrap());
    assert_eq!(after.saved, []);
}

#[test]
fn a_registry_that_was_cut_off() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 400);
    let after = check(&folder, &leases, |path| {
        let length = fs::metadata(path).unwrap().len();
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(length / 2 / PAGE * PAGE).unwrap();
    });
    assert!(!after.is_complete);
}

#[test]
fn a_page_in_the_middle_that_was_overwritten() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 400);
    let after = check_when_used(&folder, &leases, |path| overwrite_leaf(path, "lease"));
    assert!(!after.is_complete);
    assert!(
        after.saved.len() > 300,
        "{} of 400 leases could be read",
        after.saved.len()
    );
    assert!(after.saved.len() < 400);
}

#[test]
fn a_page_of_an_index_that_was_overwritten() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 400);
    overwrite_leaf(&folder.registry(), "lease_by_key");
    let store = SqliteStore::open(folder.registry()).unwrap();
    // Every project is looked up by the index, so one of these meets the page.
    let range = PortRange::literal(20_000, 29_999);
    for (number, lease) in leases.iter().enumerate() {
        let again = reserve_in(&store, &format!("/home/ada/project-{number}"), range).unwrap();
        assert_eq!((&again.key, again.port), (&lease.key, lease.port));
    }
    let recoveries = store.recoveries();
    let [recovery] = recoveries.as_slice() else {
        panic!("one recovery is reported, not {recoveries:?}");
    };
    assert_eq!(recovery.saved.len(), leases.len(), "the table was whole");
    assert_eq!(integrity(&folder.registry()), "ok");
}

#[test]
fn an_inspection_finds_what_nobody_has_met_yet() {
    let folder = Folder::new();
    filled(&folder.registry(), 400);
    let store = SqliteStore::open(folder.registry()).unwrap();
    let whole = store.inspect().unwrap();
    assert_eq!((whole.version, store.recoveries().len()), (2, 0));
    assert!(whole.size > 10 * PAGE, "{whole:?}");
    drop(store);
    overwrite_leaf(&folder.registry(), "lease_by_key");
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(store.recoveries(), []);
    store.inspect().unwrap();
    assert_eq!(store.recoveries().len(), 1);
    assert_eq!(integrity(&folder.registry()), "ok");
}

/// The same as [`check`], for damage that only shows when the rows are read.
fn check_when_used(folder: &Folder, leases: &[Lease], damage: impl FnOnce(&Path)) -> After {
    damage(&folder.registry());
    let store = SqliteStore::open(folder.registry()).expect("its head is whole");
    assert_eq!(store.recoveries(), [], "nobody looked at the page yet");
    let left = everything(&store).expect("the damage is dealt with, and the command goes on");
    left.check().expect("it is consistent");
    let recoveries = store.recoveries();
    let [recovery] = recoveries.as_slice() else {
        panic!("one recovery is reported, not {recoveries:?}");
    };
    assert_eq!(left.iter().cloned().collect::<Vec<_>>(), recovery.saved);
    assert!(recovery.saved.iter().all(|lease| leases.contains(lease)));
    let new = reserve(&store, "after").expect("a port is free");
    assert!(leases.iter().all(|lease| lease.generation < new.generation));
    assert_eq!(integrity(&folder.registry()), "ok");
    After {
        saved: recovery.saved.clone(),
        is_complete: recovery.is_complete,
    }
}

#[test]
fn the_only_page_of_a_table_or_an_index_that_was_overwritten() {
    for name in ["host", "sqlite_autoindex_host_1", "usage", "memory"] {
        let folder = Folder::new();
        let leases = filled(&folder.registry(), 20);
        overwrite_page(&folder.registry(), name);
        let store = SqliteStore::open(folder.registry()).unwrap();
        let left = everything(&store).unwrap();
        let new = reserve(&store, "after").unwrap();
        assert!(
            leases.iter().all(|lease| lease.generation < new.generation),
            "{name}"
        );
        let saved = leases
            .iter()
            .filter(|lease| left.at(lease.port) == Some(lease));
        assert_eq!(
            saved.count(),
            leases.len(),
            "{name} does not hold the leases"
        );
        assert_eq!(store.recoveries().len(), 1, "{name}");
        drop(store);
        assert_eq!(integrity(&folder.registry()), "ok", "{name}");
    }
}

#[test]
fn a_row_that_says_nonsense() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 50);
    let after = check_when_used(&folder, &leases, |path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        let sql = "UPDATE lease SET tier = 'nonsense' WHERE port = 20010";
        assert_eq!(connection.execute(sql, []).unwrap(), 1);
    });
    assert_eq!(after.saved.len(), 49, "all but that one");
    assert!(!after.is_complete);
}

/// Damages a registry by SQL, and answers how many of its 50 leases are left when it was used.
fn saved_after(sql: &str) -> usize {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 50);
    let after = check_when_used(&folder, &leases, |path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.execute_batch(sql).unwrap();
    });
    after.saved.len()
}

#[test]
fn numbers_that_no_registry_counts_to() {
    let too_large = ((1_i64 << 53) - 1).to_string();
    for number in [&too_large, "-1"] {
        for column in ["last_generation", "grants", "swept"] {
            let saved = saved_after(&format!("UPDATE host SET {column} = {number}"));
            assert_eq!(saved, 50, "{column}");
        }
        let saved = saved_after(&format!("UPDATE usage SET grants = {number}"));
        assert_eq!(saved, 50);
        let of_one = format!("UPDATE lease SET generation = {number} WHERE port = 20010");
        assert_eq!(saved_after(&of_one), 49);
    }
}

#[test]
fn a_host_that_forgot_its_grants() {
    assert_eq!(saved_after("UPDATE host SET last_generation = 1"), 50);
}

#[test]
fn a_port_that_is_leased_and_remembered() {
    let saved = saved_after(
        "INSERT INTO memory SELECT host, port, 'other', service, instance, 0 FROM lease WHERE port = 20010",
    );
    assert_eq!(saved, 50);
}

#[test]
fn a_service_with_two_leases() {
    let folder = Folder::new();
    filled(&folder.registry(), 50);
    let connection = rusqlite::Connection::open(folder.registry()).unwrap();
    let sql = "UPDATE lease SET followers = '[{\"service\":\"hmr\"}]' WHERE port = 20010; \
        UPDATE lease SET project = '/home/ada/project-10', service = 'hmr' WHERE port = 20011;";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let store = SqliteStore::open(folder.registry()).unwrap();
    assert_eq!(everything(&store).unwrap().len(), 49);
    assert_eq!(store.recoveries()[0].contradicted.len(), 1);
}

#[test]
fn a_service_that_shares_a_port_with_itself() {
    let follower = "UPDATE lease SET followers = '[{\"service\":\"web\"}]' WHERE port = 20010";
    assert_eq!(saved_after(follower), 49);
}

#[test]
fn a_registry_that_lost_its_version() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 50);
    let after = check(&folder, &leases, |path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.pragma_update(None, "user_version", 0).unwrap();
    });
    assert_eq!(after.saved, leases);
    assert!(after.is_complete);
}

#[test]
fn a_registry_that_names_an_earlier_version_than_its_own() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 20);
    let after = check(&folder, &leases, |path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
    });
    assert_eq!(after.saved.len(), 20);
}

#[test]
fn an_index_that_knows_a_lease_that_is_gone() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 2);
    let path = folder.registry();
    let connection = rusqlite::Connection::open(&path).unwrap();
    // Without its entry in the schema the index does not learn of what becomes of the table.
    connection
        .execute_batch(
            "CREATE TEMP TABLE entry AS SELECT * FROM main.sqlite_schema WHERE name = 'lease_by_key'; \
             PRAGMA writable_schema = ON; \
             DELETE FROM main.sqlite_schema WHERE name = 'lease_by_key'; \
             PRAGMA writable_schema = RESET; \
             DELETE FROM lease WHERE port = 20000; \
             PRAGMA writable_schema = ON; \
             INSERT INTO main.sqlite_schema SELECT * FROM entry; \
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
    drop(connection);
    let store = SqliteStore::open(&path).unwrap();
    let project = leases[0].key.project.as_str();
    let again = reserve_in(&store, project, RANGE).expect("the damage is dealt with");
    assert_eq!(again.key, leases[0].key);
    assert_eq!(everything(&store).unwrap().len(), 2);
    assert_eq!(store.recoveries().len(), 1);
}

#[test]
fn many_hosts_without_a_table() {
    const HOSTS: usize = 40;
    let folder = Folder::new();
    filled(&folder.registry(), 1);
    let connection = rusqlite::Connection::open(folder.registry()).unwrap();
    for host in 0..HOSTS {
        let sql = "INSERT INTO host (name, last_generation) VALUES (?, 0)";
        connection.execute(sql, [format!("host-{host}")]).unwrap();
    }
    connection.execute_batch("DROP TABLE usage").unwrap();
    drop(connection);
    let start = Instant::now();
    let store = SqliteStore::open(folder.registry()).unwrap();
    everything(&store).unwrap();
    assert_eq!(store.hosts().unwrap().len(), HOSTS + 1);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "a table that is gone is not looked for at each port"
    );
}

#[test]
fn a_table_that_is_gone() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 50);
    let after = check_when_used(&folder, &leases, |path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.execute_batch("DROP TABLE memory").unwrap();
    });
    assert_eq!(after.saved, leases);
}

#[test]
fn a_log_that_is_garbage() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 50);
    let log = folder.path().join("registry.db-wal");
    let after = check(&folder, &leases, |_| {
        fs::write(&log, noise(20_000)).unwrap();
    });
    assert_eq!(after.saved, leases, "the file itself was whole");
    let kept = folder.path().join("registry.db.corrupt-1-wal");
    assert_eq!(
        fs::read(kept).unwrap(),
        noise(20_000),
        "the log is kept too"
    );
}

#[test]
fn each_damaged_registry_is_kept_under_a_name_of_its_own() {
    let folder = Folder::new();
    for number in 1..4 {
        let leases = filled(&folder.registry(), number);
        check(&folder, &leases, |path| {
            fs::write(path, noise(10_000)).unwrap();
        });
        assert!(
            folder
                .names()
                .contains(&format!("registry.db.corrupt-{number}"))
        );
    }
}

// Windows lets nobody set aside a file that others have open.
#[cfg(unix)]
#[test]
fn whoever_has_the_damaged_file_open_goes_on_with_the_new_one() {
    let folder = Folder::new();
    let leases = filled(&folder.registry(), 400);
    let running = SqliteStore::open(folder.registry()).unwrap();
    reserve(&running, "before").unwrap();
    let path = folder.registry();
    overwrite_leaf(&path, "lease");
    let finder = SqliteStore::open(&path).unwrap();
    let found = everything(&finder).unwrap();
    assert_eq!(finder.recoveries().len(), 1);
    let mine = reserve(&running, "before").unwrap();
    assert_eq!(everything(&finder).unwrap(), everything(&running).unwrap());
    assert!(found.len() < leases.len());
    assert_eq!(
        found.get(&mine.key).map(|lease| lease.port),
        Some(mine.port)
    );
}

#[test]
fn a_file_that_never_was_a_registry_is_left_alone() {
    for content in [&noise(5_000)[..], b"my notes"] {
        let folder = Folder::new();
        fs::write(folder.registry(), content).unwrap();
        for _ in 0..2 {
            let error = SqliteStore::open(folder.registry()).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Unsuitable, "{error}");
            assert_eq!(fs::read(folder.registry()).unwrap(), content);
        }
        assert_eq!(folder.names(), ["registry.db"]);
    }
}
