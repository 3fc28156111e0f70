//! Exports as JSON, and their import.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_core::{Exchange as _, Export, Imported, Leases, OnConflict, StoreErrorKind};
use portlease_fuzz::{document, registry};
use portlease_sqlite::SqliteStore;

fuzz_target!(|bytes: &[u8]| {
    let Some(export) = document::<Export>(registry::EXPORT, bytes) else {
        return;
    };
    let json = serde_json::to_string(&export).expect("every export has a JSON");
    assert_eq!(
        serde_json::from_str::<Export>(&json).expect("what was written can be read"),
        export
    );
    let folder = registry::folder();
    into_an_empty_registry(&export, &registry::empty(&folder));
    let folder = registry::folder();
    into_a_full_registry(&export, &registry::full(&folder));
});

/// It is taken as it is, and once.
fn into_an_empty_registry(export: &Export, store: &SqliteStore) {
    let imported = match store.import(export, OnConflict::Keep) {
        Ok(imported) => imported,
        Err(error) => {
            let is_newer = export.format > Export::FORMAT;
            let expected = if is_newer {
                StoreErrorKind::NewerVersion
            } else {
                StoreErrorKind::Unsuitable
            };
            assert_eq!(error.kind, expected, "{error}");
            return;
        }
    };
    assert_eq!(
        (
            imported.added.len(),
            imported.skipped.len(),
            imported.replaced.len()
        ),
        (count(export), 0, 0)
    );
    let exported = store.export().expect("it can be exported");
    assert_eq!(exported.hosts, export.hosts);
    let again = store
        .import(export, OnConflict::Replace)
        .expect("it can be imported again");
    assert_eq!(again.added, []);
    assert_eq!(store.export().expect("it can be exported"), exported);
    registry::check_use(store);
}

/// Whoever gives way is named, and nobody else is gone; what is refused changes nothing.
fn into_a_full_registry(export: &Export, store: &SqliteStore) {
    for on_conflict in [OnConflict::Refuse, OnConflict::Keep, OnConflict::Replace] {
        let before = store.export().expect("it can be exported");
        let Ok(Imported {
            added,
            skipped,
            replaced,
        }) = store.import(export, on_conflict)
        else {
            let after = store.export().expect("it can be exported");
            assert_eq!(after, before, "what is refused changes nothing");
            continue;
        };
        let after = store.export().expect("it can be exported");
        registry::check(&after);
        assert_eq!(count(&after), count(&before) + added.len() - replaced.len());
        match on_conflict {
            OnConflict::Refuse => {
                assert!(replaced.is_empty());
                assert!(skipped.is_empty() || after == before);
            }
            OnConflict::Keep => assert!(replaced.is_empty()),
            OnConflict::Replace => assert!(skipped.is_empty()),
        }
        for lease in &added {
            assert_eq!(
                after.hosts[&lease.host].at(lease.lease.port),
                Some(&lease.lease)
            );
        }
    }
}

fn count(export: &Export) -> usize {
    export.hosts.values().map(Leases::len).sum()
}
