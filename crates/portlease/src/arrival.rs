//! Waiting for a server to listen on its port, and telling it from others who came first.

use std::time::{Duration, Instant};

use portlease_core::{Holder, Occupant, Port, PortRange, Process};
use portlease_probe::{Probe, ProbeError, Socket, identity};

use crate::Error;

/// Every so many looks, one goes to all addresses of the machine. It takes longer.
const LOOKS_AT_LOOPBACK: u32 = 25;
/// For how long the same socket has to listen before it counts as the server's. Vite listens on
/// every address for a moment to see whether the port is free, before it listens where it was told.
const STEADY: Duration = Duration::from_millis(100);
/// For how long a stranger may be on the port before it counts as lost. One who only tries ports
/// out is gone sooner, and the server's bind succeeds.
const STRANGER_LIMIT: Duration = Duration::from_secs(1);

/// A server that is on its way to its port: see [`Grant::confirm_if_listening`].
///
/// [`Grant::confirm_if_listening`]: crate::Grant::confirm_if_listening
#[derive(Debug)]
pub struct Arrival {
    port: Port,
    /// Without a process, it is whoever comes.
    server: Option<Process>,
    looks: u32,
    /// The sockets that listen, and since when it is these.
    seen: Option<(Vec<Socket>, Instant)>,
    stranger_since: Option<Instant>,
}

/// What a look saw.
pub(crate) enum Sight {
    /// The server, or a process that it started, listens on the port, and nobody else does.
    Arrived(Option<Holder>),
    NotYet,
}

impl Arrival {
    pub(crate) fn new(port: Port, server: Option<Process>) -> Self {
        Self {
            port,
            server,
            looks: 0,
            seen: None,
            stranger_since: None,
        }
    }

    /// Where it is to listen.
    pub(crate) fn port(&self) -> Port {
        self.port
    }

    /// Looks once. The last look waits for nothing: a stranger who is there has won.
    pub(crate) fn look(&mut self, probe: &Probe, is_last: bool) -> Result<Sight, Error> {
        // Before the look: a server that ends after it listened has listened.
        let has_ended = self.has_ended();
        let looks_everywhere = has_ended
            || is_last
            || self.stranger_since.is_some()
            || self.seen.is_some()
            || self.looks.is_multiple_of(LOOKS_AT_LOOPBACK);
        self.looks = self.looks.wrapping_add(1);
        if !self.is_listened_to(probe, looks_everywhere)? {
            self.seen = None;
            self.stranger_since = None;
            return if has_ended {
                Err(Error::ServerEnded { port: self.port })
            } else {
                Ok(Sight::NotYet)
            };
        }
        let is_new = self.stranger_since.is_none();
        let since = *self.stranger_since.get_or_insert_with(Instant::now);
        let is_decided = has_ended || is_last || since.elapsed() >= STRANGER_LIMIT;
        match self.arrived(probe, is_new || is_decided)? {
            Ok(listener) if has_ended || is_last || self.is_steady(probe)? => {
                Ok(Sight::Arrived(listener))
            }
            Ok(_) => {
                self.stranger_since = None;
                Ok(Sight::NotYet)
            }
            Err(by) if is_decided => Err(Error::PortLost {
                port: self.port,
                by,
            }),
            Err(_) => Ok(Sight::NotYet),
        }
    }

    fn has_ended(&self) -> bool {
        let server = self.server.as_ref();
        server.is_some_and(|server| server.has_ended(&identity::sight(server)))
    }

    fn is_listened_to(&self, probe: &Probe, everywhere: bool) -> Result<bool, ProbeError> {
        if everywhere {
            let port = PortRange::only(self.port);
            Ok(!probe.listening(&port.into())?.is_empty())
        } else {
            Ok(probe.listener(self.port)?.is_some())
        }
    }

    /// Whether the sockets that listen are those of some time ago.
    fn is_steady(&mut self, probe: &Probe) -> Result<bool, ProbeError> {
        let mut listening = probe.sockets(self.port)?;
        listening.retain(|socket| socket.listens);
        match &self.seen {
            Some((seen, since)) if *seen == listening => Ok(since.elapsed() >= STEADY),
            _ => {
                self.seen = Some((listening, Instant::now()));
                Ok(false)
            }
        }
    }

    /// The server's process, if nobody else listens on the port, where requests could reach them;
    /// else a stranger. A thorough look asks all processes of the machine if need be.
    fn arrived(
        &self,
        probe: &Probe,
        thoroughly: bool,
    ) -> Result<Result<Option<Holder>, Occupant>, Error> {
        let found = if thoroughly || self.server.is_none() {
            probe.who(self.port, &self.server)
        } else {
            probe.confirm(self.port, &self.server)
        };
        let found = match found {
            // A machine this busy may know at the next look.
            Err(ProbeError::TimedOut { .. }) => return Ok(Err(Occupant::default())),
            found => found?,
        };
        let listening = found
            .into_iter()
            .filter(|occupant| occupant.listens)
            .map(Occupant::from);
        let server = self.server.clone().map(Holder::Process);
        let (own, strangers): (Vec<_>, Vec<_>) = listening.partition(|occupant| {
            server
                .as_ref()
                .is_none_or(|server| occupant.belongs_to(server))
        });
        Ok(
            match (own.into_iter().next(), strangers.into_iter().next()) {
                (Some(own), None) => Ok(own.holder),
                (_, stranger) => Err(stranger.unwrap_or_default()),
            },
        )
    }
}
