//! Waiting for a server to listen on its port, and telling it from others who came first.

use std::thread;
use std::time::{Duration, Instant};

use portlease_core::{Holder, Occupant, Port, PortRange, Process};
use portlease_probe::{Probe, ProbeError, identity};

use crate::Error;

/// How often it is looked whether somebody listens. A look takes some microseconds.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// Every so many looks, one goes to all addresses of the machine. It takes longer.
const LOOKS_AT_LOOPBACK: u32 = 25;
/// For how long a stranger may be on the port before it counts as lost. One who only tries ports
/// out is gone sooner, and the server's bind succeeds.
const STRANGER_LIMIT: Duration = Duration::from_secs(1);

/// A server that is waited for. Without a process it is whoever comes.
pub(crate) struct Arrival<'a> {
    pub(crate) probe: &'a Probe,
    pub(crate) port: Port,
    pub(crate) server: Option<&'a Process>,
}

impl Arrival<'_> {
    /// Waits until the server, or a process that it started, listens on the port and nobody else
    /// does; answers which process it is.
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no event for a socket that begins to listen"
    )]
    pub(crate) fn wait(&self, limit: Duration) -> Result<Option<Holder>, Error> {
        let port = self.port;
        let start = Instant::now();
        let mut stranger_since = None;
        for look in 0_u32.. {
            // Before the look: a server that ends after it listened has listened.
            let has_ended = self.has_ended();
            let is_over = start.elapsed() >= limit;
            let looks_everywhere = has_ended || is_over || look.is_multiple_of(LOOKS_AT_LOOPBACK);
            if self.is_listened_to(looks_everywhere)? {
                let is_new = stranger_since.is_none();
                let since = *stranger_since.get_or_insert_with(Instant::now);
                let is_last = has_ended || is_over || since.elapsed() >= STRANGER_LIMIT;
                match self.arrived(is_new || is_last)? {
                    Ok(listener) => return Ok(listener),
                    Err(by) if is_last => return Err(Error::PortLost { port, by }),
                    Err(_) => {}
                }
            } else if has_ended {
                return Err(Error::ServerEnded { port });
            } else if is_over {
                return Err(Error::NotListening {
                    port,
                    waited: limit,
                });
            } else {
                stranger_since = None;
            }
            thread::sleep(LOOK_INTERVAL);
        }
        unreachable!("so many looks take months")
    }

    fn has_ended(&self) -> bool {
        self.server
            .is_some_and(|server| server.has_ended(&identity::sight(server)))
    }

    fn is_listened_to(&self, everywhere: bool) -> Result<bool, ProbeError> {
        if everywhere {
            let port = PortRange::only(self.port);
            Ok(!self.probe.listening(&port.into())?.is_empty())
        } else {
            Ok(self.probe.listener(self.port)?.is_some())
        }
    }

    /// The server's process, if nobody else listens on the port, where requests could reach them;
    /// else a stranger. A thorough look asks all processes of the machine if need be.
    fn arrived(&self, thoroughly: bool) -> Result<Result<Option<Holder>, Occupant>, Error> {
        let found = if thoroughly || self.server.is_none() {
            self.probe.who(self.port, self.server)
        } else {
            self.probe.confirm(self.port, self.server)
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
        let server = self.server.cloned().map(Holder::Process);
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
