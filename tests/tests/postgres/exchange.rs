//! Registries that move between a file and a database.

use portlease_core::{
    Exchange, Facts, Host, Name, OnConflict, PortRange, StoreErrorKind, Sweep, Timestamp,
};
use portlease_sqlite::SqliteStore;

use crate::support::{RANGE, fresh, host, open, release, reserve_in};

/// Puts a bit of everything into a registry.
fn fill(store: &dyn Exchange) {
    let other = Host::new(Name::literal("worker-2"));
    for host in [&host(), &other] {
        reserve_in(store, host, "kept", RANGE).unwrap();
        let gone = reserve_in(store, host, "gone", RANGE).unwrap();
        release(store, host, &gone).unwrap();
        let sweep = portlease_core::Command::Sweep(Sweep::default());
        let facts = Facts::at(Timestamp::from_millis(5));
        store.transact(host, &sweep, &facts).unwrap();
    }
}

#[test]
fn a_registry_moves_from_a_file_to_a_database_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| SqliteStore::open(folder.path().join(name)).unwrap();
    let (before, database, after) = (file("before.db"), open(&fresh().url), file("after.db"));
    fill(&before);
    let export = before.export().unwrap();
    assert_eq!(export.hosts.len(), 2);
    for on_conflict in [OnConflict::Keep, OnConflict::Refuse, OnConflict::Replace] {
        let imported = database.import(&export, on_conflict).unwrap();
        let added = if on_conflict == OnConflict::Keep {
            2
        } else {
            0
        };
        assert_eq!(
            imported.added.len(),
            added,
            "the second time everything is there"
        );
        assert_eq!((imported.skipped.len(), imported.replaced.len()), (0, 0));
        assert_eq!(database.export().unwrap(), export);
    }
    after
        .import(&database.export().unwrap(), OnConflict::Keep)
        .unwrap();
    assert_eq!(after.export().unwrap(), export);
}

#[test]
fn an_imported_lease_works_as_one_that_was_granted_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("registry.db")).unwrap();
    fill(&file);
    let export = file.export().unwrap();
    let database = open(&fresh().url);
    database.import(&export, OnConflict::Keep).unwrap();
    let again = reserve_in(&database, &host(), "kept", RANGE).unwrap();
    assert_eq!(again.port.get(), 3000);
    let new = reserve_in(&database, &host(), "new", RANGE).unwrap();
    assert_eq!(
        new.generation,
        export.hosts[&host()].last_generation().next()
    );
}

#[test]
fn who_meets_an_imported_lease_stays_or_goes_as_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("registry.db")).unwrap();
    fill(&file);
    let export = file.export().unwrap();
    let database = open(&fresh().url);
    let theirs = reserve_in(&database, &host(), "theirs", PortRange::literal(3000, 3000)).unwrap();
    let before = database.export().unwrap();

    let refused = database.import(&export, OnConflict::Refuse).unwrap();
    assert_eq!((refused.added.len(), refused.skipped.len()), (0, 1));
    assert_eq!(
        database.export().unwrap(),
        before,
        "nothing at all was imported"
    );

    let kept = database.import(&export, OnConflict::Keep).unwrap();
    assert_eq!((kept.added.len(), kept.skipped.len()), (1, 1));
    let replaced = database.import(&export, OnConflict::Replace).unwrap();
    assert_eq!(replaced.replaced.len(), 1);
    assert_eq!(replaced.replaced[0].lease, theirs);
    let left = &database.export().unwrap().hosts[&host()];
    left.check().unwrap();
    assert_eq!(&*left.iter().next().unwrap().key.project, "kept");
}

#[test]
fn what_is_no_export_is_refused() {
    let database = open(&fresh().url);
    let mut export = database.export().unwrap();
    export.format = 2;
    let error = database.import(&export, OnConflict::Keep).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::NewerVersion, "{error}");
}
