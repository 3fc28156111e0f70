//! Registries that are files, and one that is none; and what a scan finds.

#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};

use portlease::core::{Port, PortRange};
use portlease::{Error, OnConflict, Registry};
use support::{free_ports, memory, open, within};

#[test]
fn a_registry_goes_from_one_file_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| open(Registry::File(folder.path().join(name)));
    let (one, other, ports) = (file("one.db"), file("other.db"), free_ports());
    let shop = within("shop", &ports);
    let port = one.allocate_port(shop).unwrap();
    let imported = other
        .import(&one.export().unwrap(), OnConflict::Keep)
        .unwrap();
    assert_eq!(imported.added.len(), 1);
    assert_eq!(other.list(None).unwrap(), one.list(None).unwrap());
    assert_eq!(other.list(None).unwrap()[0].port, port);
}

#[test]
fn a_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("registry.db");
    let allocator = open(Registry::File(path.clone()));
    let file = allocator.registry_file().unwrap();
    assert_eq!(file.path, path);
    assert!(file.size > 0 && file.size.is_multiple_of(2048), "{file:?}");
    assert!(file.version >= 2);
    assert!(file.recoveries.is_empty());

    drop(allocator);
    std::fs::write(&path, "an accident").unwrap();
    let file = open(Registry::File(path)).registry_file().unwrap();
    assert_eq!(file.recoveries.len(), 1, "{:?}", file.recoveries);
}

#[test]
fn what_is_no_file_says_so() {
    let allocator = memory();
    let exported = allocator.export().unwrap_err();
    assert!(matches!(exported, Error::NoExchange), "{exported:?}");
    let inspected = allocator.registry_file().unwrap_err();
    assert!(matches!(inspected, Error::NoRegistryFile), "{inspected:?}");
    for (error, code) in [(exported, "NO_EXCHANGE"), (inspected, "NO_REGISTRY_FILE")] {
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("sqlite:PATH"), "{error}");
    }
}

#[test]
fn a_scan_finds_who_is_there_and_who_may_come() {
    let (allocator, ports) = (memory(), free_ports());
    let leased = allocator.allocate_port(within("shop", &ports)).unwrap();
    let [idle, foreign] = [ports.start, ports.start + 3];
    assert_eq!(leased.get(), idle);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, foreign)).unwrap();
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();

    let scanned = PortRange::literal(ports.start, ports.end - 1);
    let found = allocator.scan(&scanned.into()).unwrap();
    assert!(!scanned.contains(Port::new(outside.local_addr().unwrap().port()).unwrap()));
    let [first, second] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((first.port.get(), first.occupants.len()), (idle, 0));
    assert_eq!(&*first.lease.as_ref().unwrap().key.project, "shop");
    assert_eq!((second.port.get(), &second.lease), (foreign, &None));
    let process = second.occupants[0].process.as_ref().unwrap();
    assert_eq!(process.pid, std::process::id());
}
