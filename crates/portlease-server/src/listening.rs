//! Sockets that a server listens on.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use portlease::core::Port;
use socket2::{Domain, Protocol, Socket, Type};

/// So many connections may wait to be let in.
const WAITING: i32 = 1024;

/// Listens on this port of an address. The caller holds the port and has opened the gate of its hold, or nobody holds it.
pub fn listen(address: IpAddr, port: Port) -> io::Result<TcpListener> {
    let address = SocketAddr::new(address, port.get());
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // On Windows the option means that somebody else may take the port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // All addresses of both families, when it is all addresses.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(WAITING)?;
    Ok(socket.into())
}
