//! What a request was granted: a lease, the hold that keeps its port, and the reasons.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use portlease_containers::Look;
use portlease_core::{
    Command, Confirm, Granted, Holder, Lease, Move, Outcome, Port, Release, Renew, Reserved, Trace,
};
use portlease_probe::{Hold, identity};

use crate::Error;
use crate::allocator::Inner;
use crate::arrival::{Arrival, Sight};
use crate::containers;
use crate::observe::processes;

/// How often it is looked whether a server listens. A look takes some microseconds.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// A leased port, held in the kernel until the grant is dropped or its server listens.
///
/// Dropping it lets go of the port at the operating system and leaves the lease as it is.
#[derive(Debug)]
pub struct Grant {
    inner: Arc<Inner>,
    granted: Granted,
    hold: Option<Hold>,
    trace: Arc<Trace>,
}

/// The grants of one request, in the order of its services.
#[derive(Debug)]
pub struct Grants {
    all: Vec<Grant>,
    moves: Vec<Move>,
    instance: u32,
    warnings: Vec<String>,
}

impl Grants {
    pub(crate) fn new(
        inner: &Arc<Inner>,
        reserved: Reserved,
        trace: Trace,
        warnings: Vec<String>,
        mut holds: BTreeMap<Port, Hold>,
    ) -> Self {
        let trace = Arc::new(trace);
        let grant = |granted: Granted| Grant {
            inner: Arc::clone(inner),
            // A service that inherits shares the hold of its root.
            hold: if granted.outcome == Outcome::Inherited {
                None
            } else {
                holds.remove(&granted.port())
            },
            granted,
            trace: Arc::clone(&trace),
        };
        let all = reserved.services.into_iter().map(grant).collect();
        Self {
            all,
            moves: reserved.moves,
            instance: reserved.instance,
            warnings,
        }
    }

    /// The grant of a service.
    pub fn get(&self, service: &str) -> Option<&Grant> {
        self.all
            .iter()
            .find(|grant| &*grant.granted.service == service)
    }

    /// The grants, in the order of the services of the request.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.all.iter()
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Grant> {
        self.all.iter_mut()
    }

    /// Other services that had to make way. Whoever supervises them restarts them.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// What the user should know, such as an engine of containers that did not answer, and containers that were removed.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Which instance of the project was granted.
    pub fn instance(&self) -> u32 {
        self.instance
    }
}

impl IntoIterator for Grants {
    type Item = Grant;
    type IntoIter = std::vec::IntoIter<Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl Grant {
    /// The port.
    pub fn port(&self) -> Port {
        self.granted.port()
    }

    /// The address to open.
    pub fn url(&self) -> String {
        self.granted.url("localhost")
    }

    /// The lease.
    pub fn lease(&self) -> &Lease {
        &self.granted.lease
    }

    /// How the service came to it, and what it had before.
    pub fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Everything that was looked at, and why it came out so.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The hold, unless the port is served already or was let go.
    pub fn hold(&mut self) -> Option<&mut Hold> {
        self.hold.as_mut()
    }

    /// Lets go of the port at the operating system, so that a server that cannot come in by the
    /// hold's gate can bind it. The lease stays.
    pub fn let_go(&mut self) {
        self.hold = None;
    }

    /// Says that the server listens, and who it is when it is not the holder.
    pub fn confirm(&mut self, listener: Option<Holder>) -> Result<(), Error> {
        self.confirm_at(listener, None)
    }

    /// Says that the server listens on another port than the granted one.
    pub fn confirm_at(
        &mut self,
        listener: Option<Holder>,
        port: Option<Port>,
    ) -> Result<(), Error> {
        let lease = self.lease();
        let confirm = Confirm {
            key: lease.key.clone(),
            generation: lease.generation,
            listener,
            port,
        };
        self.granted.lease = self.inner.confirm(&confirm)?;
        if let Some(hold) = &mut self.hold {
            hold.close()
                .map_err(|source| portlease_probe::BindError::Other {
                    port: hold.port(),
                    source,
                })?;
        }
        Ok(())
    }

    /// Waits until the server listens on the port, confirms the lease, and shuts everybody else
    /// out again.
    ///
    /// The server is the process with this number, a child of the caller's for instance, or one that
    /// it starts in turn. Without a number, it is the holder of the lease; if the lease has none, it
    /// is whoever comes.
    ///
    /// A server that starts itself anew in place, as Vite does when its configuration changes, closes
    /// its port and binds it again within milliseconds. It needs an open gate all the time: open the
    /// [`hold`](Self::hold) again after this.
    ///
    /// # Errors
    ///
    /// [`Error::PortLost`] when another program listens on the port and stays there: the hold's
    /// gate was open, or this system has none. [`reserve`](crate::Allocator::reserve) then grants
    /// another port. [`Error::ServerEnded`] when the server ended without listening,
    /// [`Error::NotListening`] when the time is over.
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no event for a socket that begins to listen"
    )]
    pub fn confirm_when_listening(
        &mut self,
        server: Option<u32>,
        limit: Duration,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let mut arrival = self.arrival(server)?;
        loop {
            let is_over = start.elapsed() >= limit;
            if self.look(&mut arrival, is_over)? {
                return Ok(());
            }
            if is_over {
                return Err(Error::NotListening {
                    port: self.port(),
                    waited: limit,
                });
            }
            thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Begins to wait for a server as [`confirm_when_listening`](Self::confirm_when_listening) does,
    /// for a caller that has other things to wait for as well.
    pub fn arrival(&self, server: Option<u32>) -> Result<Arrival, Error> {
        let port = self.port();
        let server = match server {
            Some(pid) => Some(identity::process(pid).ok_or(Error::ServerEnded { port })?),
            None => processes(self.lease().holder.iter()).next().cloned(),
        };
        Ok(Arrival::new(port, server))
    }

    /// Looks once whether the server has arrived, which takes some microseconds, and if so confirms
    /// the lease and shuts everybody else out again. To be called every few milliseconds.
    pub fn confirm_if_listening(&mut self, arrival: &mut Arrival) -> Result<bool, Error> {
        self.look(arrival, false)
    }

    /// Looks a last time, when the time is over: whoever listens now has won, and if nobody does, that is the error.
    pub fn confirm_at_last(&mut self, mut arrival: Arrival, waited: Duration) -> Result<(), Error> {
        if self.look(&mut arrival, true)? {
            return Ok(());
        }
        Err(Error::NotListening {
            port: self.port(),
            waited,
        })
    }

    fn look(&mut self, arrival: &mut Arrival, is_last: bool) -> Result<bool, Error> {
        let seen = arrival.look(self.inner.observer.probe(), is_last);
        let listener = match seen {
            Ok(Sight::Arrived(listener)) => listener,
            // An engine that serves a container is a stranger like any other, or not to be seen at all.
            Ok(Sight::NotYet) => match self.serving(&self.inner.observer.containers()) {
                Some(container) => Some(container),
                None => return Ok(false),
            },
            Err(error @ Error::PortLost { .. }) => {
                let mut look = self.inner.observer.containers();
                if !containers::may_be_made_for(&self.inner, &look, self.lease()) {
                    look = self.inner.observer.containers_now();
                }
                match self.serving(&look) {
                    Some(container) => Some(container),
                    // The engine listens before it starts the container.
                    None if containers::may_be_made_for(&self.inner, &look, self.lease()) => {
                        return Ok(false);
                    }
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        // The lease may have followed the server to another port meanwhile.
        self.confirm_at(listener, Some(arrival.port()))
            .map(|()| true)
    }

    /// The container that was made for the port and runs.
    fn serving(&self, look: &Look) -> Option<Holder> {
        let container = containers::made_for(&self.inner, look, self.lease())?;
        let identity = container.identity.clone();
        container
            .is_running()
            .then_some(Holder::Container(identity))
    }

    /// Whether a container serves on the port, and not a process that could be watched.
    pub fn is_served_by_container(&self) -> bool {
        let listener = &self.lease().listener;
        let look = || self.inner.observer.containers();
        matches!(listener, Some(Holder::Container(_))) && self.serving(&look()) == *listener
    }

    /// Says that the lease is still in use, or passes it on to another holder.
    pub fn renew(&mut self, holder: Option<Holder>) -> Result<(), Error> {
        let lease = self.lease();
        let renew = Renew {
            key: lease.key.clone(),
            generation: lease.generation,
            holder,
        };
        self.granted.lease = self.inner.renew(&renew)?;
        Ok(())
    }

    /// Leaves the lease to the container that was made for the port and outlives its command, or else gives it back. The
    /// stopped container of a project that starts it again itself needs no lease.
    pub fn leave(mut self) -> Result<(), Error> {
        let containers = &self.inner.observer;
        if containers.containers().knows_nobody() {
            return self.release();
        }
        let look = containers.containers_now();
        let project = &self.lease().key.project;
        let heir = containers::made_for(&self.inner, &look, self.lease())
            .filter(|it| it.is_running() || !containers::is_of(it, project))
            .map(|it| Holder::Container(it.identity.clone()));
        match heir {
            Some(container) => self.renew(Some(container)),
            None => self.release(),
        }
    }

    /// Gives the lease back and lets go of the port. The lease of another process, to which this one
    /// only attached, stays that one's.
    pub fn release(self) -> Result<(), Error> {
        if self.granted.outcome == Outcome::Attached {
            return Ok(());
        }
        let lease = self.lease();
        let key = lease.key.sibling(self.granted.service.clone());
        let release = Release::granted(key, lease.generation);
        self.inner
            .transact(&Command::Release(release), &self.inner.observer.facts())?;
        Ok(())
    }
}
