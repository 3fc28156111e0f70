//! The way to an engine, which ends in time.

use std::io::{self, Read, Write};
use std::net::ToSocketAddrs as _;
use std::time::{Duration, Instant};

use socket2::{SockAddr, Socket, Type};

use crate::endpoint::Address;

/// A connection to an engine. Whatever happens on it happens before its deadline, or is an error.
pub(crate) struct Stream {
    carrier: Carrier,
    deadline: Option<Instant>,
}

enum Carrier {
    Socket(Socket),
    /// Nothing can be broken off on it: whoever has to be in time does not wait for its thread.
    #[cfg(windows)]
    Pipe(std::fs::File),
}

impl Stream {
    pub(crate) fn open(address: &Address, deadline: Instant) -> io::Result<Self> {
        let carrier = match address {
            #[cfg(unix)]
            Address::Socket(path) => {
                let socket = Socket::new(socket2::Domain::UNIX, Type::STREAM, None)?;
                // An engine that hangs lets those wait who connect, for as long as they would for writing.
                socket.set_write_timeout(Some(left(deadline)?))?;
                socket.connect(&SockAddr::unix(path)?)?;
                Carrier::Socket(socket)
            }
            Address::Tcp(host) => Carrier::Socket(connect(host, deadline)?),
            #[cfg(windows)]
            Address::Pipe(path) => {
                let mut options = std::fs::OpenOptions::new();
                Carrier::Pipe(options.read(true).write(true).open(path)?)
            }
            other => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    format!(
                        "{other} is no address that Portlease can ask: it knows unix://, npipe:// and tcp://"
                    ),
                ));
            }
        };
        Ok(Self {
            carrier,
            deadline: Some(deadline),
        })
    }

    /// From here on it may take as long as it takes.
    pub(crate) fn wait_for_ever(&mut self) -> io::Result<()> {
        self.deadline = None;
        match &self.carrier {
            Carrier::Socket(socket) => socket.set_read_timeout(None),
            #[cfg(windows)]
            Carrier::Pipe(_) => Ok(()),
        }
    }

    /// The same connection, for somebody who may want to end it.
    pub(crate) fn socket(&self) -> Option<Socket> {
        match &self.carrier {
            Carrier::Socket(socket) => socket.try_clone().ok(),
            #[cfg(windows)]
            Carrier::Pipe(_) => None,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.carrier {
            Carrier::Socket(socket) => {
                if let Some(deadline) = self.deadline {
                    socket.set_read_timeout(Some(left(deadline)?))?;
                }
                socket.read(buffer)
            }
            #[cfg(windows)]
            Carrier::Pipe(pipe) => pipe.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.carrier {
            Carrier::Socket(socket) => {
                if let Some(deadline) = self.deadline {
                    socket.set_write_timeout(Some(left(deadline)?))?;
                }
                socket.write(buffer)
            }
            #[cfg(windows)]
            Carrier::Pipe(pipe) => pipe.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn connect(host: &str, deadline: Instant) -> io::Result<Socket> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in host.to_socket_addrs()? {
        let address = SockAddr::from(address);
        let socket = Socket::new(address.domain(), Type::STREAM, None)?;
        match socket.connect_timeout(&address, left(deadline)?) {
            Ok(()) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    // A time of zero would mean for ever.
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}
