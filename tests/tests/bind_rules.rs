//! What "available" means: every way in which a program can be on a port, on every address and with
//! every option, against what the allocator says.

#![cfg(target_os = "linux")]

#[path = "../../crates/portlease-probe/tests/support/mod.rs"]
mod support;

use std::net::IpAddr;

use portlease::core::Port;
use portlease::{Allocator, Options, Registry, Reservation};
use support::{Foreign, free_port, inside_own_network, port_of};

const ADDRESSES: [&str; 5] = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"];

fn memory() -> Allocator {
    Allocator::open(Options {
        registry: Registry::Memory,
        ..Options::default()
    })
    .unwrap()
}

/// Whether the port is available without an address and with each of them: always the same answer,
/// because a dev server may use any address.
fn is_available(allocator: &Allocator, port: Port) -> bool {
    let answer = allocator.is_port_available(port, None).unwrap();
    for address in ADDRESSES {
        let host: IpAddr = address.parse().unwrap();
        let on_host = allocator.is_port_available(port, Some(host)).unwrap();
        assert_eq!(on_host, answer, "{port} on {host}");
    }
    answer
}

/// What a request for this port, and no other, would be granted.
fn found(allocator: &Allocator, port: Port) -> Option<Port> {
    let number = u64::from(port.get());
    let request = Reservation::of("shop")
        .framework("default")
        .range(number, number)
        .build()
        .unwrap();
    allocator.find_available_port(&request).unwrap()
}

#[test]
fn a_port_is_available_if_and_only_if_nobody_is_on_it_in_any_way() {
    inside_own_network(
        "a_port_is_available_if_and_only_if_nobody_is_on_it_in_any_way",
        || {
            let allocator = memory();
            let ways = Foreign::all();
            assert_eq!(ways.len(), 48, "6 addresses, 2 options, listening or not");
            for way in ways {
                let socket = way.bind(None).unwrap();
                let port = port_of(&socket);
                assert!(!is_available(&allocator, port), "{way:?}");
                assert_eq!(found(&allocator, port), None, "{way:?}");
                drop(socket);
                assert!(is_available(&allocator, port), "{way:?}");
                assert_eq!(found(&allocator, port), Some(port), "{way:?}");
            }
        },
    );
}

#[test]
fn what_is_available_can_be_bound_in_every_way() {
    inside_own_network("what_is_available_can_be_bound_in_every_way", || {
        let allocator = memory();
        for way in Foreign::all() {
            let port = free_port();
            assert!(is_available(&allocator, port));
            assert!(way.bind(Some(port)).is_ok(), "{way:?}");
        }
    });
}

#[test]
fn two_programs_on_one_port_are_both_seen() {
    inside_own_network("two_programs_on_one_port_are_both_seen", || {
        let allocator = memory();
        let socket = Foreign::server("127.0.0.1").bind(None).unwrap();
        let port = port_of(&socket);
        let beside = Foreign::server("::1").bind(Some(port)).unwrap();
        assert!(!is_available(&allocator, port));
        drop(socket);
        assert!(!is_available(&allocator, port));
        drop(beside);
        assert!(is_available(&allocator, port));
    });
}

#[test]
fn a_machine_without_ipv6_has_available_ports() {
    inside_own_network("a_machine_without_ipv6_has_available_ports", || {
        std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        let allocator = memory();
        let port = free_port();
        assert!(allocator.is_port_available(port, None).unwrap());
        let socket = Foreign::server("127.0.0.1").bind(Some(port)).unwrap();
        assert!(!allocator.is_port_available(port, None).unwrap());
        drop(socket);
        // An address that the machine does not have is said to be so, and is not "busy".
        let error = allocator
            .is_port_available(port, Some("::1".parse().unwrap()))
            .unwrap_err();
        assert_eq!(error.code(), "NO_SUCH_ADDRESS");
    });
}
