//! The gate of a hold: socket options that are changed after the bind decide whom the kernel lets in.
//!
//! Two sockets may share an address when both set `SO_REUSEADDR` and the earlier does not listen,
//! or when both set `SO_REUSEPORT` and belong to one user. The kernel reads the options of the
//! earlier socket when the later one binds, not when the earlier one did. So a socket that was bound
//! without them claims the port alone, and setting or clearing them opens or closes the port.
//!
//! There is one thing that the kernel does remember: after a socket with `SO_REUSEPORT` was let in,
//! later ones of the same user on the same address are let in without looking at the others, for as
//! long as anybody has the port. The hold has it all the time, so closing has to make it forget.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use socket2::{Domain, Socket, Type};

/// Whether the gate works with this kernel, tried once in the life of the process.
pub(crate) fn has_gate() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    // What cannot be tried is not relied upon. A failure, such as no descriptor left, is not
    // remembered: it says nothing about the kernel.
    if let Some(works) = WORKS.get() {
        return *works;
    }
    self_test().is_ok_and(|works| *WORKS.get_or_init(|| works))
}

pub(crate) fn set_gate(socket: &Socket, open: bool) -> io::Result<()> {
    if !open && let Some(address) = socket.local_addr()?.as_socket() {
        // The gate may be closed already: then it is opened for the microseconds that this takes.
        socket.set_reuse_address(true)?;
        forget_who_shared(address.port());
    }
    socket.set_reuse_address(open)?;
    socket.set_reuse_port(open)
}

/// Makes the kernel forget that it let a socket with `SO_REUSEPORT` in: one without the option is let
/// in, and closed at once, while the gate is open. The last one decides what is remembered.
///
/// Beside a server that listens on every address of both families nobody can get in. Without the
/// option it was the last one itself; with it, the kernel goes on to remember, until the gate is
/// closed once more after the server has ended.
fn forget_who_shared(port: u16) {
    let ipv4 = SocketAddr::from((UNUSED, port));
    let ipv6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let _ = bound(ipv4, Sharing::Address).or_else(|_| bound(ipv6, Sharing::Address));
}

/// Every address that begins with 127 is this machine; this one nobody has a reason to choose.
const UNUSED: Ipv4Addr = Ipv4Addr::new(127, 83, 41, 197);

/// Goes through the life of a hold on a port that the kernel chooses.
fn self_test() -> io::Result<bool> {
    let (hold, address) = match bound((Ipv6Addr::UNSPECIFIED, 0).into(), Sharing::Nothing) {
        Ok(hold) => (hold, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
        Err(_) => (
            bound((Ipv4Addr::UNSPECIFIED, 0).into(), Sharing::Nothing)?,
            Ipv4Addr::UNSPECIFIED.into(),
        ),
    };
    let port = hold.local_addr()?.as_socket().map_or(0, |it| it.port());
    let everywhere = SocketAddr::new(address, port);
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Whoever shares everything is let in if anybody is.
    let is_shut = || {
        [everywhere, loopback]
            .into_iter()
            .all(|address| bound(address, Sharing::Both).is_err())
    };
    if !is_shut() {
        return Ok(false);
    }
    let servers = [(everywhere, Sharing::Address), (loopback, Sharing::Both)];
    for (address, sharing) in servers {
        set_gate(&hold, true)?;
        let Ok(server) = bound(address, sharing) else {
            return Ok(false);
        };
        if server.listen(1).is_err() {
            return Ok(false);
        }
        set_gate(&hold, false)?;
        let is_shut_while_it_listens = is_shut();
        drop(server);
        if !is_shut_while_it_listens || !is_shut() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a program is willing to share.
#[derive(Clone, Copy)]
enum Sharing {
    Nothing,
    Address,
    Both,
}

fn bound(address: SocketAddr, sharing: Sharing) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(!matches!(sharing, Sharing::Nothing))?;
    socket.set_reuse_port(matches!(sharing, Sharing::Both))?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_has_the_gate() {
        assert!(self_test().unwrap());
        assert!(has_gate());
    }
}
