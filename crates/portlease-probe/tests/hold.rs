//! The life of a hold: whom it keeps out, and when.

#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use portlease_core::{Port, PortSet};
use portlease_probe::{Guarantee, Hold, Probe, can_bind};
use socket2::{Domain, Socket, Type};
use support::{Foreign, alone, free_port, inside, inside_own_network, port_of};

/// Whether everybody is kept out, in every way in which one can bind.
fn assert_shut(port: Port, when: &str) {
    for way in Foreign::all() {
        assert!(way.bind(Some(port)).is_err(), "{when}: {way:?} got in");
    }
}

/// Goes through the life of a hold, with a server of this address as the intended process.
fn check_life(mut hold: Hold, lingers: bool, server: Foreign) {
    let port = hold.port();
    assert_eq!(Hold::guarantee(), Guarantee::UntilReleased);
    assert_shut(port, "taken");

    hold.open().unwrap();
    for way in Foreign::all() {
        let got_in = way.bind(Some(port)).is_ok();
        // Whether SO_REUSEPORT alone helps depends on the server whose connections linger.
        if !lingers || way.reuse_address || !way.reuse_port {
            let shares = way.reuse_address || way.reuse_port;
            assert_eq!(got_in, shares, "open: {way:?}");
        }
    }
    hold.close().unwrap();
    assert_shut(port, "closed with nobody inside");

    for _ in 0..2 {
        hold.open().unwrap();
        let serving = server.bind(Some(port)).unwrap();
        hold.close().unwrap();
        if server.reuse_port && server.address == Ipv6Addr::UNSPECIFIED && !server.only_v6 {
            // Such a server invites others of the same user, but nobody else.
            for way in Foreign::all().into_iter().filter(|way| !way.reuse_port) {
                assert!(way.bind(Some(port)).is_err(), "shared: {way:?} got in");
            }
            assert_serves(&serving, server);
            drop(serving);
            hold.close().unwrap();
        } else {
            assert_shut(port, "served");
            assert_serves(&serving, server);
            drop(serving);
        }
        assert_shut(port, "the server has died");
    }

    hold.release();
    for way in Foreign::all() {
        // What was served lingers, so only those who share addresses get in at once.
        assert!(
            way.bind(Some(port)).is_ok() || !way.reuse_address,
            "released: {way:?}"
        );
    }
}

fn assert_serves(server: &Socket, way: Foreign) {
    let to = match way.address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    let mut client = TcpStream::connect((to, port_of(server).get())).unwrap();
    let mut accepted = TcpStream::from(server.accept().unwrap().0);
    accepted.write_all(b"hello").unwrap();
    drop(accepted);
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello");
}

/// The ways in which dev servers bind: by default, and with `SO_REUSEPORT` as well.
fn servers() -> impl Iterator<Item = Foreign> {
    let is_server = |way: &Foreign| way.listens && way.reuse_address;
    Foreign::all().into_iter().filter(is_server)
}

#[test]
fn a_hold_lets_in_whom_it_is_opened_for_and_nobody_else() {
    inside_own_network(
        "a_hold_lets_in_whom_it_is_opened_for_and_nobody_else",
        || {
            assert_eq!(servers().count(), 12);
            for server in servers() {
                check_life(Hold::take(free_port()).unwrap(), false, server);
            }
        },
    );
}

#[test]
fn a_hold_on_a_port_that_lingers_is_as_good() {
    inside_own_network("a_hold_on_a_port_that_lingers_is_as_good", || {
        for server in servers() {
            let serving = server.bind(None).unwrap();
            let port = port_of(&serving);
            assert_serves(&serving, server);
            drop(serving);
            assert!(Hold::take(port).is_err(), "the connection lingers");
            check_life(Hold::take_lingering(port).unwrap(), true, server);
        }
    });
}

#[test]
fn a_hold_is_seen_as_bound_and_not_as_a_listener() {
    let _alone = alone();
    let probe = Probe::new();
    let hold = Hold::take(free_port()).unwrap();
    let alone = PortSet::from_iter([hold.port()]);
    assert_eq!(probe.occupied(&alone).unwrap(), alone);
    assert_eq!(probe.listener(hold.port()).unwrap(), None);
    let who = probe.who(hold.port(), None).unwrap();
    assert_eq!(who.len(), 1);
    assert!(!who[0].listens);
    let process = who[0].process.as_ref().unwrap();
    assert_eq!(process.pid, std::process::id());
}

#[test]
fn of_many_who_take_one_port_at_once_one_gets_it() {
    inside_own_network("of_many_who_take_one_port_at_once_one_gets_it", || {
        const THREADS: usize = 8;
        for _ in 0..100 {
            let port = free_port();
            let (start, end) = (Barrier::new(THREADS), Barrier::new(THREADS));
            let winners = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        start.wait();
                        let hold = Hold::take(port);
                        winners.fetch_add(usize::from(hold.is_ok()), Ordering::Relaxed);
                        end.wait();
                    });
                }
            });
            assert_eq!(winners.into_inner(), 1);
        }
    });
}

#[test]
fn no_child_inherits_a_hold() {
    let _alone = alone();
    let hold = Hold::take(free_port()).unwrap();
    let port = hold.port();
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    hold.release();
    assert!(can_bind(port, None).is_ok());
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn a_killed_holder_lets_go() {
    let _alone = alone();
    let port = free_port();
    let script = "read -r port; exec python3 -c \"
import socket, sys
held = socket.socket(socket.AF_INET6)
held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
held.bind(('::', int(sys.argv[1])))
print('held', flush=True)
sys.stdin.read()\" $port";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{port}").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "held\n");
    assert!(Hold::take(port).is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Hold::take(port).is_ok());
}

#[test]
fn without_options_after_the_bind_a_hold_says_that_it_has_no_gate() {
    // A system whose kernel refuses to open the gate: after one socket, no option can be set.
    let wrapper = "unshare --map-root-user --net strace -f -qq -o /dev/null \
        -e trace=setsockopt -e inject=setsockopt:error=EINVAL:when=2+";
    let wrapper: Vec<&str> = wrapper.split_whitespace().collect();
    let test = "without_options_after_the_bind_a_hold_says_that_it_has_no_gate";
    inside(&wrapper, test, || {
        let mut hold = Hold::take(Port::literal(4000)).unwrap();
        assert_eq!(Hold::guarantee(), Guarantee::UntilOpened);
        hold.open().unwrap();
        let anybody = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, hold.port().get()));
        anybody.bind(&address.into()).unwrap();
        hold.close().unwrap();
    });
}
