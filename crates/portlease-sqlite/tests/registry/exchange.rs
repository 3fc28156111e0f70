//! Registries that go out as JSON and come back.

use portlease_core::{
    Exchange as _, Export, Facts, Generation, Holder, Host, HostLease, Imported, Lease, Leases,
    Name, OnConflict, Port, PortRange, Process, Release, Reply, Request, Scope, Service,
    Store as _, StoreErrorKind, Sweep, Timestamp,
};
use portlease_sqlite::SqliteStore;

use crate::support::{Folder, everything, host, integrity, release, reserve, reserve_in};

/// A registry with a bit of everything, on two hosts.
fn rich(folder: &Folder) -> SqliteStore {
    let store = SqliteStore::open(folder.registry()).unwrap();
    let kept = reserve(&store, "kept").unwrap();
    let gone = reserve(&store, "gone").unwrap();
    release(&store, &gone).unwrap();
    let web = Service::in_range(Name::literal("web"), PortRange::literal(4000, 4100));
    let mut docs = web.clone();
    docs.name = Name::literal("docs");
    docs.inherit_from = Some(web.name.clone());
    let mut request = Request::new(Name::literal("großes \"Haus\""), vec![web, docs]);
    request.holder = Some(Holder::Process(Process {
        pid: 7,
        started: Some(u64::MAX >> 1),
        boot: Some(Name::literal("b00t")),
        namespace: None,
    }));
    let facts = Facts::at(Timestamp::from_millis(5));
    let server = Host::new(Name::literal("server"));
    for host in [&host(), &server] {
        let command = portlease_core::Command::Reserve(request.clone());
        store.transact(host, &command, &facts).unwrap();
        let sweep = portlease_core::Command::Sweep(Sweep::default());
        store.transact(host, &sweep, &facts).unwrap();
    }
    assert_eq!(kept.port.get(), 3000);
    store
}

fn json(export: &Export) -> String {
    serde_json::to_string_pretty(export).unwrap()
}

/// What the registry says when only the imported file is left of it.
fn import(store: &SqliteStore, json: &str, on_conflict: OnConflict) -> Imported {
    let export: Export = serde_json::from_str(json).unwrap();
    store.import(&export, on_conflict).unwrap()
}

fn ports(leases: &[HostLease]) -> Vec<u16> {
    leases.iter().map(|known| known.lease.port.get()).collect()
}

#[test]
fn a_registry_goes_out_and_comes_back_as_it_was() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    assert_eq!(export.hosts.len(), 2);
    for on_conflict in [OnConflict::Keep, OnConflict::Replace] {
        let store = SqliteStore::open(other.registry()).unwrap();
        let imported = import(&store, &json(&export), on_conflict);
        assert_eq!(store.export().unwrap(), export);
        assert_eq!(
            store.hosts().unwrap(),
            export.hosts.keys().cloned().collect::<Vec<_>>()
        );
        assert_eq!((imported.skipped.len(), imported.replaced.len()), (0, 0));
        // The second time everything is there already.
        let added = if on_conflict == OnConflict::Keep {
            3
        } else {
            0
        };
        assert_eq!(imported.added.len(), added);
    }
    assert_eq!(integrity(&other.registry()), "ok");
}

#[test]
fn a_store_that_has_loaded_everything_sees_what_was_imported() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let store = SqliteStore::open(other.registry()).unwrap();
    assert_eq!(everything(&store).unwrap(), Leases::default());
    import(&store, &json(&export), OnConflict::Keep);
    assert_eq!(everything(&store).unwrap(), export.hosts[&host()]);
}

/// A registry whose lease of 3000 contradicts that of the exported one in its port, and whose
/// lease of 3050 does in its name.
fn contradicting(folder: &Folder) -> (SqliteStore, Lease, Lease) {
    let store = SqliteStore::open(folder.registry()).unwrap();
    let port = reserve_in(&store, "stranger", PortRange::literal(3000, 3000)).unwrap();
    let name = reserve_in(&store, "kept", PortRange::literal(3050, 3050)).unwrap();
    (store, port, name)
}

#[test]
fn a_lease_that_is_there_stays_and_the_report_names_the_other() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let (store, port, name) = contradicting(&other);
    let imported = import(&store, &json(&export), OnConflict::Keep);
    assert_eq!(ports(&imported.skipped), [3000]);
    assert_eq!(ports(&imported.added), [4000, 4000]);
    assert_eq!(ports(&imported.replaced), [0_u16; 0]);
    let left = everything(&store).unwrap();
    left.check().unwrap();
    assert_eq!(
        (left.at(port.port), left.at(name.port)),
        (Some(&port), Some(&name))
    );
}

#[test]
fn a_lease_that_is_there_makes_way_and_the_report_names_it() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let (store, port, name) = contradicting(&other);
    let imported = import(&store, &json(&export), OnConflict::Replace);
    assert_eq!(ports(&imported.added), [3000, 4000, 4000]);
    let replaced: Vec<&Lease> = imported.replaced.iter().map(|known| &known.lease).collect();
    assert_eq!(replaced, [&port, &name]);
    let left = everything(&store).unwrap();
    left.check().unwrap();
    let ports: Vec<u16> = left.iter().map(|lease| lease.port.get()).collect();
    assert_eq!(ports, [3000, 4000]);
    // Who had the replaced lease does not own the one that took its place.
    release(&store, &name).unwrap_err();
}

#[test]
fn who_had_a_replaced_lease_does_not_own_the_one_of_the_same_name_and_number() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let store = SqliteStore::open(other.registry()).unwrap();
    let old = reserve_in(&store, "kept", PortRange::literal(3050, 3050)).unwrap();
    let theirs = export.hosts[&host()].get(&old.key).unwrap();
    assert_eq!(theirs.generation, old.generation);
    import(&store, &json(&export), OnConflict::Replace);
    release(&store, &old).unwrap_err();
    let left = everything(&store).unwrap();
    left.check().unwrap();
    assert_eq!(
        left.get(&old.key).map(|lease| lease.port),
        Some(theirs.port)
    );
}

#[test]
fn generations_only_grow_by_an_import() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let last = export.hosts[&host()].last_generation();
    let store = SqliteStore::open(other.registry()).unwrap();
    import(&store, &json(&export), OnConflict::Keep);
    let next = reserve(&store, "next").unwrap();
    assert_eq!(next.generation, last.next());
    for _ in 0..5 {
        let lease = reserve(&store, "again").unwrap();
        release(&store, &lease).unwrap();
    }
    let before = everything(&store).unwrap().last_generation();
    import(&store, &json(&export), OnConflict::Replace);
    assert_eq!(everything(&store).unwrap().last_generation(), before);
    assert!(before > Generation::new(8));
}

#[test]
fn an_imported_memory_is_a_preference_and_takes_nothing_from_anybody() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let remembered = export.hosts[&host()].memories().next().unwrap().clone();
    assert_eq!(remembered.port.get(), 3001);
    let store = SqliteStore::open(other.registry()).unwrap();
    let range = PortRange::only(Port::literal(3001));
    let lease = reserve_in(&store, "stranger", range).unwrap();
    import(&store, &json(&export), OnConflict::Replace);
    let left = everything(&store).unwrap();
    assert_eq!(left.at(lease.port), Some(&lease));
    assert_eq!(left.memory(&remembered.key), None);
    left.check().unwrap();
}

#[test]
fn what_was_remembered_here_stays_remembered() {
    // The port of an imported memory, its name, and the port of an imported lease.
    for (project, port, stays) in [
        ("one", 3001, true),
        ("gone", 3070, true),
        ("two", 3000, false),
    ] {
        let [folder, other] = [Folder::new(), Folder::new()];
        let export = rich(&folder).export().unwrap();
        let store = SqliteStore::open(other.registry()).unwrap();
        let lease = reserve_in(&store, project, PortRange::literal(port, port)).unwrap();
        release(&store, &lease).unwrap();
        import(&store, &json(&export), OnConflict::Keep);
        let left = everything(&store).unwrap();
        left.check().unwrap();
        let remembered = left.memory(&lease.key).map(|memory| memory.port);
        assert_eq!(remembered, stays.then_some(lease.port), "{project}");
        assert_eq!(left.memories().count(), 1, "{project}");
    }
}

#[test]
fn an_imported_lease_works_as_one_that_was_granted_here() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let store = SqliteStore::open(other.registry()).unwrap();
    import(&store, &json(&export), OnConflict::Keep);
    let again = reserve(&store, "kept").unwrap();
    assert_eq!(again.port.get(), 3000);
    let command = portlease_core::Command::Release(Release {
        force: true,
        ..Release::by_project(Name::literal("großes \"Haus\""))
    });
    let facts = Facts::at(Timestamp::from_millis(9));
    let reply = store.transact(&host(), &command, &facts).unwrap().reply;
    let Reply::Released(released) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(released.leases.len(), 1);
    assert_eq!(store.load(&host(), &Scope::Everything).unwrap().len(), 1);
}

#[test]
fn an_import_that_meets_a_lease_can_be_refused_as_a_whole() {
    let [folder, other] = [Folder::new(), Folder::new()];
    let export = rich(&folder).export().unwrap();
    let (store, ..) = contradicting(&other);
    let before = store.export().unwrap();
    let imported = import(&store, &json(&export), OnConflict::Refuse);
    assert_eq!(ports(&imported.skipped), [3000]);
    assert_eq!((imported.added.len(), imported.replaced.len()), (0, 0));
    assert_eq!(store.export().unwrap(), before);

    let empty = Folder::new();
    let store = SqliteStore::open(empty.registry()).unwrap();
    let imported = import(&store, &json(&export), OnConflict::Refuse);
    assert_eq!(ports(&imported.added), [3000, 4000, 4000]);
    assert_eq!(store.export().unwrap(), export);
}

#[test]
fn what_is_no_export_is_refused() {
    let folder = Folder::new();
    let store = rich(&folder);
    let before = store.export().unwrap();
    let newer = Export {
        format: 2,
        ..before.clone()
    };
    let error = store.import(&newer, OnConflict::Replace).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::NewerVersion, "{error}");
    assert_eq!(store.export().unwrap(), before);

    for number in [
        r#""lastGeneration":9007199254740991"#,
        r#""counters":{"swept":9007199254740991}"#,
        r#""usage":[{"port":3000,"grants":9007199254740991}]"#,
    ] {
        let json = format!(r#"{{"format":1,"hosts":{{"laptop":{{{number}}}}}}}"#);
        let counted_up: Export = serde_json::from_str(&json).unwrap();
        let error = store.import(&counted_up, OnConflict::Keep).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unsuitable, "{error}");
        assert_eq!(store.export().unwrap(), before);
    }

    let twice = json(&before).replace("\"port\": 4000", "\"port\": 3000");
    let error = serde_json::from_str::<Export>(&twice).unwrap_err();
    assert!(error.to_string().contains("3000 stands twice"), "{error}");
}
