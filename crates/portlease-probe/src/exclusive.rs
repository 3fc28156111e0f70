//! Sockets that claim a port on every address, and never listen.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use portlease_core::Port;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::Failure;
use crate::system;

/// Sockets that are not bound yet and together stand for every address of the machine.
///
/// On Linux it is one socket of both families. The others let IPv4 sockets in beside a socket of
/// both families, so there it is one of each.
#[derive(Debug)]
pub(crate) struct Unbound {
    /// For all addresses of IPv6, and of IPv4 too where one socket can stand for both. None where
    /// IPv6 is switched off.
    ipv6: Option<Socket>,
    ipv4: Option<Socket>,
}

/// The same sockets, bound. They let go of the port when they are dropped.
#[derive(Debug)]
pub(crate) struct Bound {
    sockets: Vec<Socket>,
}

/// A bind that failed, and the sockets for the next try when they are as good as before.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: io::Error,
    pub(crate) unbound: Option<Unbound>,
}

impl Unbound {
    pub(crate) fn open() -> io::Result<Self> {
        let ipv6 = match open(Domain::IPV6) {
            Ok(socket) => {
                socket.set_only_v6(!system::ONE_SOCKET_FOR_BOTH_FAMILIES)?;
                Some(socket)
            }
            // IPv6 switched off is not "busy".
            Err(error) if system::failure(&error) == Failure::NoSuchFamily => None,
            Err(error) => return Err(error),
        };
        let ipv4 = match ipv6 {
            Some(_) if system::ONE_SOCKET_FOR_BOTH_FAMILIES => None,
            _ => Some(open(Domain::IPV4)?),
        };
        Ok(Self { ipv6, ipv4 })
    }

    /// Lets the sockets share an address with connections that a server left behind, and with
    /// anybody else who sets `SO_REUSEADDR` and does not listen.
    pub(crate) fn set_reuse_address(&self, reuse: bool) -> io::Result<()> {
        self.ipv6
            .iter()
            .chain(&self.ipv4)
            .try_for_each(|socket| socket.set_reuse_address(reuse))
    }

    /// Claims the port on every address, or nothing at all.
    pub(crate) fn bind(self, port: Port) -> Result<Bound, Failed> {
        if let Some(socket) = &self.ipv6
            && let Err(error) = bind(socket, Ipv6Addr::UNSPECIFIED.into(), port)
        {
            // The family may be there and have no address: then only IPv4 is left.
            if system::failure(&error) == Failure::NoSuchAddress
                && let Ok(ipv4) = open(Domain::IPV4)
            {
                let only_ipv4 = Self {
                    ipv6: None,
                    ipv4: Some(ipv4),
                };
                return only_ipv4.bind(port);
            }
            // The descriptor is as it was, and trying again with it saves most of the cost.
            return Err(Failed {
                error,
                unbound: Some(self),
            });
        }
        if let Some(socket) = &self.ipv4
            && let Err(error) = bind(socket, Ipv4Addr::UNSPECIFIED.into(), port)
        {
            let is_untouched = self.ipv6.is_none();
            return Err(Failed {
                error,
                unbound: is_untouched.then_some(self),
            });
        }
        let mut sockets: Vec<Socket> = self.ipv6.into_iter().chain(self.ipv4).collect();
        if system::WILDCARD_LEAVES_LOOPBACK_OPEN {
            // What can be closed is closed; where the system refuses, it stays as open as it was.
            sockets.extend(loopback(Ipv6Addr::LOCALHOST.into(), port));
            sockets.extend(loopback(Ipv4Addr::LOCALHOST.into(), port));
        }
        Ok(Bound { sockets })
    }
}

impl Bound {
    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    pub(crate) fn set_reuse_address(&self, reuse: bool) -> io::Result<()> {
        self.sockets
            .iter()
            .try_for_each(|socket| socket.set_reuse_address(reuse))
    }
}

/// Claims one address, exclusively.
pub(crate) fn bind_address(address: IpAddr, port: Port) -> io::Result<Socket> {
    let socket = match address {
        IpAddr::V4(_) => open(Domain::IPV4)?,
        IpAddr::V6(_) => {
            let socket = open(Domain::IPV6)?;
            socket.set_only_v6(true)?;
            socket
        }
    };
    bind(&socket, address, port)?;
    Ok(socket)
}

/// A socket beside the wildcard of the same process, which takes `SO_REUSEADDR`; another socket on
/// exactly this address is refused all the same.
fn loopback(address: IpAddr, port: Port) -> Option<Socket> {
    let socket = open(if address.is_ipv4() {
        Domain::IPV4
    } else {
        Domain::IPV6
    });
    let socket = socket.ok()?;
    socket.set_reuse_address(true).ok()?;
    bind(&socket, address, port).ok()?;
    Some(socket)
}

/// A socket that is closed on exec and does not share an address.
fn open(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    system::make_exclusive(&socket)?;
    Ok(socket)
}

fn bind(socket: &Socket, address: IpAddr, port: Port) -> io::Result<()> {
    socket.bind(&SocketAddr::new(address, port.get()).into())
}
