//! Looks at many sockets at once: nothing is missed, and nothing is answered that was not asked for.

#![cfg(target_os = "linux")]

mod support;

use std::net::TcpStream;

use portlease_core::{Port, PortRange, PortSet};
use portlease_probe::{Probe, ProbeError, settings};
use socket2::Socket;
use support::{Foreign, alone, free_port, inside, inside_own_network, port_of};

/// Occupies these ports and checks that each question has the right answer.
fn check(occupied: &[u16], asked: &[(u16, u16)]) {
    let _sockets: Vec<Socket> = occupied
        .iter()
        .zip(Foreign::all().iter().cycle())
        .map(|(port, way)| way.bind(Port::new(*port)).unwrap())
        .collect();
    let asked: PortSet = asked
        .iter()
        .map(|(first, last)| PortRange::literal(*first, *last))
        .collect();
    let mut expected: PortSet = occupied.iter().copied().filter_map(Port::new).collect();
    expected &= &asked;
    assert_eq!(Probe::new().occupied(&asked).unwrap(), expected);
}

#[test]
fn ranges_are_answered_exactly() {
    inside_own_network("ranges_are_answered_exactly", || {
        check(&[], &[(1, 65535)]);
        check(&[3000], &[(3000, 3000)]);
        check(&[2999, 3000, 3100, 3101], &[(3000, 3100)]);
        check(&[1, 80, 65535], &[(1, 1), (65535, 65535)]);
        check(&[3000, 3002, 3004], &[(3001, 3001), (3003, 3004)]);
        let every_third: Vec<u16> = (3000..3500).step_by(3).collect();
        let every_second: Vec<(u16, u16)> = (3000..3500).step_by(2).map(|it| (it, it)).collect();
        check(&every_third, &every_second);
        check(&every_third, &[(1, 65535)]);
    });
}

#[test]
fn thousands_of_sockets_come_in_many_datagrams() {
    inside_own_network("thousands_of_sockets_come_in_many_datagrams", || {
        let ports: Vec<u16> = (3000..10_000).collect();
        check(&ports, &[(1, 65535)]);
        check(&ports, &[(9_999, 20_000)]);
    });
}

#[test]
fn nothing_asked_is_nothing_answered() {
    let _alone = alone();
    let _socket = Foreign::server("127.0.0.1").bind(None).unwrap();
    assert!(Probe::new().occupied(&PortSet::new()).unwrap().is_empty());
}

#[test]
fn the_local_ends_of_connections_are_not_occupied() {
    let _alone = alone();
    let server = Foreign::server("127.0.0.1").bind(None).unwrap();
    let client = TcpStream::connect(("127.0.0.1", port_of(&server).get())).unwrap();
    let port = Port::new(client.local_addr().unwrap().port()).unwrap();
    let occupied = Probe::new()
        .occupied(&PortRange::only(port).into())
        .unwrap();
    assert!(occupied.is_empty());
}

#[test]
fn all_sockets_on_a_port_are_listed() {
    let _alone = alone();
    let one = Foreign::server("127.0.0.2").bind(None).unwrap();
    let port = port_of(&one);
    let _two = Foreign::server("::1").bind(Some(port)).unwrap();
    let _three = Foreign::at("127.0.0.1").bind(Some(port)).unwrap();
    let sockets = Probe::new().sockets(port).unwrap();
    let mut seen: Vec<(String, bool)> = sockets
        .iter()
        .map(|socket| (socket.address.to_string(), socket.listens))
        .collect();
    seen.sort();
    let expected = [("127.0.0.1", false), ("127.0.0.2", true), ("::1", true)];
    assert_eq!(
        seen,
        expected.map(|(address, listens)| (address.to_owned(), listens))
    );
    let listener = Probe::new().listener(port).unwrap().unwrap();
    assert_eq!(listener.address.to_string(), "::1");
}

#[test]
fn one_probe_serves_many_threads() {
    let _alone = alone();
    let probe = Probe::new();
    let sockets: Vec<Socket> = (0..8)
        .map(|_| Foreign::server("::").bind(None).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for socket in &sockets {
            scope.spawn(|| {
                let port = port_of(socket);
                for _ in 0..200 {
                    assert_eq!(probe.sockets(port).unwrap().len(), 1);
                    assert!(probe.listener(port).unwrap().is_some());
                    let alone = PortRange::only(port).into();
                    assert_eq!(probe.occupied(&alone).unwrap(), alone);
                }
            });
        }
    });
}

#[test]
fn a_sandbox_without_netlink_is_an_error_and_not_silence() {
    let test = "a_sandbox_without_netlink_is_an_error_and_not_silence";
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=sendto",
        "-e",
        "inject=sendto:error=EPERM",
    ];
    inside(&wrapper, test, || {
        let ports = PortRange::literal(3000, 3100).into();
        let error = Probe::new().occupied(&ports).unwrap_err();
        assert!(matches!(error, ProbeError::NotPermitted { .. }), "{error}");
        let error = Probe::new().listener(Port::literal(3000)).unwrap_err();
        assert!(matches!(error, ProbeError::NotPermitted { .. }), "{error}");
    });
}

#[test]
fn a_kernel_without_netlink_is_an_error_and_not_silence() {
    let test = "a_kernel_without_netlink_is_an_error_and_not_silence";
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=socket",
        "-e",
        "inject=socket:error=EPROTONOSUPPORT",
    ];
    inside(&wrapper, test, || {
        let error = Probe::new().sockets(Port::literal(3000)).unwrap_err();
        assert!(matches!(error, ProbeError::NotSupported { .. }), "{error}");
    });
}

#[test]
fn the_settings_are_those_of_the_network() {
    inside_own_network("the_settings_are_those_of_the_network", || {
        let set = |name: &str, value: &str| {
            std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value).unwrap();
        };
        assert!(settings::system_reserved().unwrap().is_empty());
        set("ip_local_reserved_ports", "3000,4000-4100");
        let reserved: PortSet = [
            PortRange::literal(3000, 3000),
            PortRange::literal(4000, 4100),
        ]
        .into_iter()
        .collect();
        assert_eq!(settings::system_reserved().unwrap(), reserved);

        set("ip_local_port_range", "20000 20999");
        let range = PortRange::literal(20_000, 20_999);
        assert_eq!(settings::ephemeral_range().unwrap(), range);
        assert!(range.contains(free_port()));

        // Root in its own network may bind any port.
        assert_eq!(settings::unprivileged_start().unwrap(), None);
    });
}
