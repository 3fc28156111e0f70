//! Real sockets, real processes and real namespaces for the tests.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file is a program of its own and uses a part of this, one of them all"
)]

use std::env;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use portlease_core::Port;
use socket2::{Domain, Socket, Type};

/// Lets the tests of one program run one after the other. While a process is started, it has a copy
/// of every socket of this one, so what another test closes at that moment is not yet closed.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port that nobody used a moment ago, chosen by the kernel.
pub(crate) fn free_port() -> Port {
    let socket = Foreign::at("::").bind(None).unwrap();
    port_of(&socket)
}

pub(crate) fn port_of(socket: &Socket) -> Port {
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    Port::new(address.port()).unwrap()
}

/// How some other program binds.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the options of a socket, each independent of the others"
)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foreign {
    pub(crate) address: IpAddr,
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) only_v6: bool,
    pub(crate) listens: bool,
}

impl Foreign {
    /// Bound, sharing nothing.
    pub(crate) fn at(address: &str) -> Self {
        Self {
            address: address.parse().unwrap(),
            reuse_address: false,
            reuse_port: false,
            only_v6: false,
            listens: false,
        }
    }

    /// As a usual dev server does it.
    pub(crate) fn server(address: &str) -> Self {
        Self {
            reuse_address: true,
            listens: true,
            ..Self::at(address)
        }
    }

    /// Binds, and listens if it is to. Without a port the kernel chooses one that is free on every
    /// address.
    pub(crate) fn bind(self, port: Option<Port>) -> io::Result<Socket> {
        let is_for_all = self.address == Ipv6Addr::UNSPECIFIED && !self.only_v6;
        let port = match port {
            None if is_for_all => 0,
            None => free_port().get(),
            Some(port) => port.get(),
        };
        let address = SocketAddr::new(self.address, port);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(self.only_v6)?;
        }
        socket.set_reuse_address(self.reuse_address)?;
        socket.set_reuse_port(self.reuse_port)?;
        socket.bind(&address.into())?;
        if self.listens {
            socket.listen(16)?;
        }
        Ok(socket)
    }

    /// Every way to bind: all addresses, all options, listening and only bound.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (address, only_v6) in [
            ("127.0.0.1", false),
            ("127.0.0.2", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("::", false),
            ("::", true),
        ] {
            for options in 0..8 {
                all.push(Self {
                    only_v6,
                    reuse_address: options & 1 != 0,
                    reuse_port: options & 2 != 0,
                    listens: options & 4 != 0,
                    ..Self::at(address)
                });
            }
        }
        all
    }
}

/// Runs the body of a test in a process of its own that a command starts, such as `unshare --net`:
/// the test calls itself.
pub(crate) fn inside(wrapper: &[&str], test: &str, body: impl FnOnce()) {
    const MARK: &str = "PORTLEASE_TEST_INSIDE";
    if env::var_os(MARK).is_some_and(|inside| inside == test) {
        body();
        return;
    }
    let _alone = alone();
    let output = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(MARK, test)
        .output()
        .unwrap_or_else(|error| panic!("this test needs {}: {error}", wrapper[0]));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "inside {wrapper:?}, {}:\n{text}",
        output.status
    );
}

/// A network namespace of our own, with its loopback up, so that no other program of the machine
/// takes a port between two steps; and as many descriptors as the system allows. Users who are not root get one inside a
/// user namespace, where the system allows that.
pub(crate) fn inside_own_network(test: &str, body: impl FnOnce()) {
    let script = "ip link set lo up; ulimit -n $(ulimit -Hn); exec \"$@\"";
    let mut wrapper = vec!["unshare", "--net", "sh", "-ec", script, "sh"];
    if !rustix::process::geteuid().is_root() {
        wrapper.insert(1, "--map-root-user");
    }
    inside(&wrapper, test, body);
}
