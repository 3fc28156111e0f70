//! What counts as occupied: every way to bind a port, seen by a bind and by a look.

#![cfg(target_os = "linux")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use portlease_core::{Port, PortSet};
use portlease_probe::identity::this_host;
use portlease_probe::{Attempts, BindError, Hold, LIMIT, Probe, ProbeError, can_bind, settings};
use support::{Foreign, alone, free_port, inside, inside_own_network, port_of};

#[test]
fn every_way_to_bind_a_port_occupies_it() {
    inside_own_network("every_way_to_bind_a_port_occupies_it", || {
        let probe = Probe::new();
        let mut attempts = Attempts::new();
        let ways = Foreign::all();
        assert_eq!(ways.len(), 48);
        for way in ways {
            let socket = way.bind(None).unwrap();
            let port = port_of(&socket);
            let alone = PortSet::from_iter([port]);
            let refused =
                |result| matches!(result, Err(BindError::InUse { port: named }) if named == port);

            assert!(refused(can_bind(port, None)), "{way:?}");
            assert!(refused(can_bind(port, Some(way.address))), "{way:?}");
            assert!(refused(attempts.take(port).map(drop)), "{way:?}");
            assert!(refused(attempts.take_lingering(port).map(drop)), "{way:?}");
            assert_eq!(probe.occupied(&alone).unwrap(), alone, "{way:?}");
            let listening = probe.listening(&alone).unwrap();
            assert_eq!(!listening.is_empty(), way.listens, "{way:?}");

            let seen = probe.sockets(port).unwrap();
            assert_eq!(seen.len(), 1, "{way:?} {seen:?}");
            assert_eq!(seen[0].address, way.address, "{way:?}");
            assert_eq!(seen[0].listens, way.listens, "{way:?}");
            assert_eq!(seen[0].user_id, Some(rustix::process::geteuid().as_raw()));
            let is_reached_by_name = way.address != IpAddr::from([127, 0, 0, 2]);
            let listener = probe.listener(port).unwrap();
            assert_eq!(
                listener.as_ref(),
                (way.listens && is_reached_by_name).then_some(&seen[0]),
                "{way:?}"
            );

            drop(socket);
            assert!(can_bind(port, None).is_ok(), "{way:?}");
            assert!(probe.occupied(&alone).unwrap().is_empty(), "{way:?}");
            assert!(probe.sockets(port).unwrap().is_empty(), "{way:?}");
            assert!(attempts.take(port).is_ok(), "{way:?}");
        }
    });
}

#[test]
fn a_port_that_lingers_is_told_from_one_in_use() {
    inside_own_network("a_port_that_lingers_is_told_from_one_in_use", || {
        for address in ["127.0.0.1", "::1", "::"] {
            let port = lingering_port(address);
            assert!(
                matches!(can_bind(port, None), Err(BindError::Lingering { .. })),
                "{address}"
            );
            assert!(matches!(Hold::take(port), Err(BindError::InUse { .. })));
            assert!(Probe::new().sockets(port).unwrap().is_empty());
            let hold = Hold::take_lingering(port).unwrap();
            assert_eq!(hold.port(), port);
            drop(hold);
            let server = Foreign::server(address).bind(Some(port)).unwrap();
            assert!(matches!(can_bind(port, None), Err(BindError::InUse { .. })));
            drop(server);
        }
    });
}

#[test]
fn a_port_that_an_outgoing_connection_uses_is_in_use() {
    let _alone = alone();
    let server = Foreign::server("127.0.0.1").bind(None).unwrap();
    let client = TcpStream::connect(("127.0.0.1", port_of(&server).get())).unwrap();
    let port = Port::new(client.local_addr().unwrap().port()).unwrap();
    assert!(matches!(can_bind(port, None), Err(BindError::InUse { .. })));
    assert!(Hold::take_lingering(port).is_err());
}

#[test]
fn an_address_of_another_machine_is_no_such_address() {
    let _alone = alone();
    let port = free_port();
    for host in ["192.0.2.1", "2001:db8::1"] {
        let host: IpAddr = host.parse().unwrap();
        match can_bind(port, Some(host)) {
            Err(BindError::NoSuchAddress { host: named, .. }) => assert_eq!(named, host),
            other => panic!("{other:?}"),
        }
    }
    for host in ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"] {
        assert!(
            can_bind(port, Some(host.parse().unwrap())).is_ok(),
            "{host}"
        );
    }
}

#[test]
fn a_low_port_is_not_permitted_to_a_user() {
    // A user of a namespace of its own has no privilege in the network of the machine.
    let wrapper = ["unshare", "--user"];
    inside(&wrapper, "a_low_port_is_not_permitted_to_a_user", || {
        let error = can_bind(Port::literal(1), None).unwrap_err();
        assert!(matches!(error, BindError::NotPermitted { .. }), "{error}");
        assert!(error.is_about_the_port());
        let start = settings::unprivileged_start().unwrap();
        assert!(start.is_some_and(|start| start > Port::literal(1)));
        assert!(can_bind(free_port(), None).is_ok());
    });
}

#[test]
fn the_root_of_a_namespace_is_a_user_in_the_network_of_the_machine() {
    if this_host().unwrap().network_namespace.is_some() {
        // Whose network this is cannot be told from within.
        return;
    }
    let test = "the_root_of_a_namespace_is_a_user_in_the_network_of_the_machine";
    inside(&["unshare", "--map-root-user"], test, || {
        let error = can_bind(Port::literal(1), None).unwrap_err();
        assert!(matches!(error, BindError::NotPermitted { .. }), "{error}");
        assert!(settings::unprivileged_start().unwrap().is_some());
    });
}

#[test]
fn no_descriptor_left_is_not_a_port_in_use() {
    let wrapper = ["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"];
    inside(&wrapper, "no_descriptor_left_is_not_a_port_in_use", || {
        let port = free_port();
        let files: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
        let error = can_bind(port, None).unwrap_err();
        assert!(
            matches!(error, BindError::OutOfDescriptors { .. }),
            "{error}"
        );
        assert!(!error.is_about_the_port());
        let error = Probe::new()
            .occupied(&PortSet::from_iter([port]))
            .unwrap_err();
        assert!(
            matches!(error, ProbeError::OutOfDescriptors { .. }),
            "{error}"
        );
        drop(files);
        assert!(can_bind(port, None).is_ok());
    });
}

#[test]
fn a_bind_that_hangs_is_given_up() {
    let wrapper = strace("inject=bind:delay_enter=3s");
    inside(&wrapper, "a_bind_that_hangs_is_given_up", || {
        let begin = Instant::now();
        let error = can_bind(Port::literal(4000), None).unwrap_err();
        assert!(
            matches!(error, BindError::TimedOut { limit: LIMIT, .. }),
            "{error}"
        );
        assert!((LIMIT..LIMIT + Duration::from_secs(1)).contains(&begin.elapsed()));
    });
}

#[test]
fn a_kernel_without_ipv6_is_not_busy() {
    // The first socket that is opened is the one of IPv6.
    let wrapper = strace("inject=socket:error=EAFNOSUPPORT:when=1");
    inside(&wrapper, "a_kernel_without_ipv6_is_not_busy", || {
        let hold = Hold::take(Port::literal(4000)).unwrap();
        let sockets = Probe::new().sockets(hold.port()).unwrap();
        assert_eq!(sockets.len(), 1);
        assert_eq!(sockets[0].address, IpAddr::from([0, 0, 0, 0]));
        assert!(Foreign::at("127.0.0.1").bind(Some(hold.port())).is_err());
    });
}

#[test]
fn ipv6_switched_off_is_not_busy() {
    inside_own_network("ipv6_switched_off_is_not_busy", || {
        std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        let port = free_port();
        assert!(can_bind(port, None).is_ok());
        assert!(can_bind(port, Some("127.0.0.1".parse().unwrap())).is_ok());
        let on_ipv6 = can_bind(port, Some("::1".parse().unwrap()));
        assert!(matches!(on_ipv6, Err(BindError::NoSuchAddress { .. })));
        let server = Foreign::server("127.0.0.1").bind(Some(port)).unwrap();
        assert!(matches!(can_bind(port, None), Err(BindError::InUse { .. })));
        drop(server);
        let mut hold = Hold::take(port).unwrap();
        assert!(Foreign::server("127.0.0.1").bind(Some(port)).is_err());
        hold.open().unwrap();
        assert!(Foreign::server("127.0.0.1").bind(Some(port)).is_ok());
    });
}

/// Runs in a network of its own, so that a port can be named, and with a fault in system calls.
fn strace(inject: &str) -> Vec<&str> {
    let call = if inject.contains("bind") {
        "trace=bind"
    } else {
        "trace=socket"
    };
    let wrapper = "unshare --map-root-user --net strace -f -qq -o /dev/null -e";
    wrapper.split(' ').chain([call, "-e", inject]).collect()
}

/// A port whose server closed a connection first, as it keeps it in mind for a minute, and then ended.
fn lingering_port(address: &str) -> Port {
    let server = Foreign::server(address).bind(None).unwrap();
    let port = port_of(&server);
    let to = if address == "::" { "::1" } else { address };
    let mut client = TcpStream::connect((to, port.get())).unwrap();
    let (accepted, _) = server.accept().unwrap();
    let mut accepted = TcpStream::from(accepted);
    accepted.write_all(b"bye").unwrap();
    accepted.shutdown(Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"bye");
    drop(client);
    assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
    port
}
