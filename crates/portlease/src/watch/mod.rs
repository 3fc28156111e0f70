//! Watching the machine: what happens to leases, servers and containers, as it happens.

mod checkups;
mod event;
mod looking;
mod seen;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use portlease_core::PortSet;

use self::checkups::Checkups;
pub use self::event::{Event, HealthState, LeaseHealth, WatchedContainer, WatchedLease};
use self::looking::Looking;
pub use self::seen::Seen;
use crate::{Allocator, Error, UrlPath};

/// What a [`Watch`] looks at besides leases and containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOptions {
    /// The ports of which it is told when somebody comes and goes.
    pub ports: PortSet,
    /// How often each server is asked whether it is well, give or take a tenth, so that not all are asked at once.
    pub check_every: Duration,
    /// The page that servers which speak HTTP are asked for. Without it, that they take the connection is enough.
    pub check_path: Option<UrlPath>,
    /// How long a server may take to answer.
    pub check_timeout: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            ports: PortSet::new(),
            check_every: Duration::from_secs(10),
            check_path: None,
            check_timeout: Duration::from_secs(2),
        }
    }
}

/// Sees what happens on this machine until it is dropped: leases that come, move and go, whoever changed them; servers that
/// become well or unwell; containers.
///
/// Whoever is told of every event, and began with what was [seen](Self::seen) at one moment, knows everything.
///
/// ```
/// use std::sync::mpsc::channel;
/// use portlease::{Allocator, Event, Options, Registry, Reservation, Watch, WatchOptions};
///
/// let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
/// let (tell, told) = channel();
/// let watch = Watch::start(&allocator, WatchOptions::default(), move |events| {
///     for event in events {
///         // Nobody may listen any more.
///         let _ = tell.send(event.clone());
///     }
/// })?;
/// let grant = allocator.reserve(&Reservation::of("shop").build()?)?;
///
/// let Ok(Event::LeaseGranted(watched)) = told.recv() else { panic!("the lease is news") };
/// assert_eq!(watched.validated.lease.port, grant.port());
/// assert_eq!(watch.seen(|seen| seen.leases().count()), 1);
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    /// When it is gone, the threads end.
    _stop: Sender<()>,
}

/// What those who look and those who ask servers both know.
pub(crate) struct Shared {
    state: Mutex<State>,
}

struct State {
    seen: Seen,
    tell: Tell,
}

type Tell = Box<dyn FnMut(&[Event]) + Send>;

impl Watch {
    /// Looks, and goes on looking. `tell` is told what happened since the first look, in order, and keeps everything else
    /// waiting until it returns.
    ///
    /// # Errors
    ///
    /// When not even the first look is possible. What is not possible later is an [event](Event::Blinded).
    pub fn start(
        allocator: &Allocator,
        options: WatchOptions,
        tell: impl FnMut(&[Event]) + Send + 'static,
    ) -> Result<Self, Error> {
        let (looking, first) = Looking::begin(allocator, options.ports.clone())?;
        let mut seen = Seen::default();
        seen.take(first);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                seen,
                tell: Box::new(tell),
            }),
        });
        let (stop, stopped) = channel();
        let (wake, woken) = channel();
        let (for_looks, for_checkups) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || looking.go_on(&for_looks, &stopped, &wake));
        let mut checkups = Checkups::new(options);
        thread::spawn(move || checkups.go_on(&for_checkups, &woken));
        Ok(Self {
            shared,
            _stop: stop,
        })
    }

    /// What was seen last. Nothing is told meanwhile: who looks here and listens from then on misses nothing and hears nothing
    /// twice.
    pub fn seen<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.shared.lock().seen)
    }
}

impl Shared {
    /// Changes what is seen, and tells what has happened.
    fn happen(&self, change: impl FnOnce(&mut Seen) -> Vec<Event>) {
        let mut state = self.lock();
        let events = change(&mut state.seen);
        if !events.is_empty() {
            (state.tell)(&events);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever was told may have panicked. What is seen was complete before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}
