//! The TCP sockets of the network namespace, by netlink `sock_diag`. Established connections are
//! never looked at, so they cost nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;

use portlease_core::{Port, PortRange, PortSet};
use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

use crate::parse::diag::{DiagSocket, Look, Progress, dump_request, exact_request, read_answers};
use crate::parse::filter;
use crate::{LIMIT, ProbeError, Socket};

const ACTION: &str = "list sockets by netlink";

/// The kernel fills datagrams of up to 32 KiB when it is offered that much.
const DATAGRAM: usize = 32 * 1024;

/// A channel to the kernel that is opened when it is first needed.
#[derive(Default)]
pub(crate) struct Sockets {
    channel: Option<Channel>,
}

struct Channel {
    descriptor: OwnedFd,
    datagram: Vec<u8>,
    /// The number of the latest request, so that answers to others are told apart.
    sequence: u32,
    /// Whether the kernel is known to answer about TCP. Until then "no such socket" may as well
    /// mean "no such protocol", because both have the same error number.
    knows_tcp: bool,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn occupied(&mut self, ports: &PortSet, look: Look) -> Result<PortSet, ProbeError> {
        let mut occupied = PortSet::new();
        self.dump(ports, look, |socket| {
            occupied.extend(Port::new(socket.port));
        })?;
        // The filter may have let more ports pass than were asked for.
        occupied &= ports;
        Ok(occupied)
    }

    pub(crate) fn sockets(
        &mut self,
        ports: &PortSet,
        look: Look,
    ) -> Result<Vec<Socket>, ProbeError> {
        let mut sockets = Vec::new();
        self.dump(ports, look, |found| {
            let found = socket(found);
            // The filter may have let more ports pass than were asked for.
            sockets.extend(found.filter(|socket| ports.contains(socket.port)));
        })?;
        Ok(sockets)
    }

    pub(crate) fn listener(&mut self, port: Port) -> Result<Option<Socket>, ProbeError> {
        let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        for address in addresses {
            let found = self.with_channel(|channel| channel.exact(address, port))?;
            if found.is_some() {
                return Ok(found.and_then(socket));
            }
        }
        let is_certain = self
            .channel
            .as_ref()
            .is_some_and(|channel| channel.knows_tcp);
        if !is_certain {
            let sockets = self.sockets(&PortRange::only(port).into(), Look::Listening)?;
            return Ok(sockets.into_iter().next());
        }
        Ok(None)
    }

    fn dump(
        &mut self,
        ports: &PortSet,
        look: Look,
        mut each: impl FnMut(DiagSocket),
    ) -> Result<(), ProbeError> {
        let filter = filter::program(ports);
        self.with_channel(|channel| channel.dump(look, &filter, &mut each))
    }

    /// Asks through the channel, and gives it up after any failure: whatever is still under way
    /// in it is no answer to the next question.
    fn with_channel<T>(
        &mut self,
        question: impl FnOnce(&mut Channel) -> io::Result<T>,
    ) -> Result<T, ProbeError> {
        let mut channel = match self.channel.take() {
            Some(channel) => channel,
            None => Channel::open().map_err(|error| ProbeError::new(ACTION, error))?,
        };
        let answer = question(&mut channel).map_err(|error| ProbeError::new(ACTION, error))?;
        self.channel = Some(channel);
        Ok(answer)
    }
}

impl Channel {
    fn open() -> io::Result<Self> {
        let descriptor = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            Some(SOCK_DIAG),
        )?;
        set_socket_timeout(&descriptor, Timeout::Recv, Some(LIMIT))?;
        Ok(Self {
            descriptor,
            datagram: vec![0; DATAGRAM],
            sequence: 0,
            knows_tcp: false,
        })
    }

    fn dump(
        &mut self,
        look: Look,
        filter: &[u8],
        each: &mut impl FnMut(DiagSocket),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        self.send(&dump_request(look, self.sequence, filter))?;
        self.answers(each)?;
        self.knows_tcp = true;
        Ok(())
    }

    fn exact(&mut self, address: IpAddr, port: Port) -> io::Result<Option<DiagSocket>> {
        self.sequence = self.sequence.wrapping_add(1);
        self.send(&exact_request(address, port.get(), self.sequence))?;
        let mut found = None;
        // One datagram is the whole answer, and no end is announced.
        loop {
            let progress = self.receive(&mut |socket| found = Some(socket))?;
            if found.is_some() {
                self.knows_tcp = true;
                return Ok(found);
            }
            match finished(progress) {
                Some(Err(error)) if is_missing(&error) => return Ok(None),
                Some(answer) => return answer.map(|()| None),
                None => {}
            }
        }
    }

    fn answers(&mut self, each: &mut impl FnMut(DiagSocket)) -> io::Result<()> {
        loop {
            if let Some(end) = finished(self.receive(each)?) {
                return end;
            }
        }
    }

    fn send(&self, request: &[u8]) -> io::Result<()> {
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&self.descriptor, request, SendFlags::empty(), &kernel)?;
        Ok(())
    }

    fn receive(&mut self, each: &mut impl FnMut(DiagSocket)) -> io::Result<Progress> {
        let received = loop {
            match recv(
                &self.descriptor,
                self.datagram.as_mut_slice(),
                RecvFlags::TRUNC,
            ) {
                Err(Errno::INTR) => {}
                received => break received?.1,
            }
        };
        // A datagram longer than the buffer lost its end.
        let datagram = self.datagram.get(..received).ok_or(Errno::MSGSIZE)?;
        read_answers(datagram, self.sequence, each).map_err(io::Error::other)
    }
}

fn finished(progress: Progress) -> Option<io::Result<()>> {
    match progress {
        Progress::Unfinished => None,
        Progress::Done => Some(Ok(())),
        Progress::Failed(number) => Some(Err(io::Error::from_raw_os_error(number))),
    }
}

fn is_missing(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::NOENT)
}

fn socket(found: DiagSocket) -> Option<Socket> {
    Some(Socket {
        port: Port::new(found.port)?,
        address: found.address,
        listens: found.listens,
        inode: Some(found.inode),
        user_id: Some(found.user_id),
    })
}
