//! The blocking face: what is known of containers at this moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portlease_core::{Name, Timestamp};

use crate::container::ContainerDetails;
use crate::endpoint::{Address, Endpoint};
use crate::engine::{self, Known};
use crate::environment::Environment;
use crate::fault::{Fault, FaultKind};
use crate::follow::Follower;
use crate::{LIMIT, Look};

/// For how long a look holds when nobody tells of changes.
const MOMENT: Duration = Duration::from_secs(1);
/// How often it is looked whether an engine came or went, while those that are there tell of changes.
const GLANCE: Duration = Duration::from_secs(10);
/// For how long an engine is left alone that could not answer.
const PENALTY: Duration = Duration::from_mins(1);
/// What threads may be late after they noticed that the time is over.
const GRACE: Duration = Duration::from_millis(100);
/// What the threads of this crate are called.
pub(crate) const THREAD: &str = "portlease-containers";

/// The containers of this machine: asked for once, and in a process that asks again kept up to date by the events of
/// the engines.
#[derive(Debug)]
pub struct Containers {
    endpoints: Vec<Endpoint>,
    shared: Arc<Shared>,
}

/// What those who look and those who follow the events both know.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    look: Arc<Look>,
    known: BTreeMap<Name, Known>,
    faults: Vec<(Fault, Instant)>,
    asked_at: Option<Instant>,
    /// Those that were there at that time.
    present: Vec<Endpoint>,
    follower: Option<Follower>,
}

impl Containers {
    /// Nobody is asked yet.
    pub fn new(environment: &Environment) -> Self {
        Self {
            endpoints: environment.endpoints(),
            shared: Arc::default(),
        }
    }

    /// All containers, as they are now or were a moment ago. It comes within [`LIMIT`].
    pub fn look(&self) -> Arc<Look> {
        let mut state = self.shared.lock();
        if !self.endpoints.is_empty() && !self.is_fresh(&mut state) {
            self.look_anew(&mut state);
        }
        Arc::clone(&state.look)
    }

    /// The same, and never what was a moment ago.
    pub fn look_closely(&self) -> Arc<Look> {
        let mut state = self.shared.lock();
        if !self.endpoints.is_empty() {
            self.look_anew(&mut state);
        }
        Arc::clone(&state.look)
    }

    /// Stops the container, firmly when it does not end by itself, and removes it. Its volumes stay.
    pub fn remove(&self, container: &ContainerDetails) -> Result<(), Fault> {
        let engine = &container.identity.engine;
        let mut endpoints = self.endpoints.iter();
        let endpoint = endpoints.find(|endpoint| endpoint.name() == *engine);
        // It was told of by one of them.
        let Some(endpoint) = endpoint else {
            return Ok(());
        };
        engine::remove(endpoint, container).map_err(|kind| Fault {
            endpoint: endpoint.clone(),
            kind,
        })
    }

    fn is_fresh(&self, state: &mut State) -> bool {
        let Some(asked_at) = state.asked_at else {
            return false;
        };
        let is_followed = state.follower.as_ref().is_some_and(Follower::is_alive);
        if !is_followed {
            return asked_at.elapsed() < MOMENT;
        }
        if asked_at.elapsed() >= GLANCE {
            if self.present(state) != state.present {
                return false;
            }
            state.asked_at = Some(Instant::now());
        }
        true
    }

    fn look_anew(&self, state: &mut State) {
        state.faults.retain(|(_, at)| at.elapsed() < PENALTY);
        let present = self.present(state);
        let is_alive = state.follower.as_ref().is_some_and(Follower::is_alive);
        if !is_alive || present != state.present {
            state.follower = None;
        }
        let began_at = now();
        let is_asked_again = state.asked_at.is_some();
        let answers = if present.is_empty() {
            Vec::new()
        } else {
            ask_all(&present, &state.known)
        };
        let mut known = BTreeMap::new();
        let mut followed = Vec::new();
        for (endpoint, answer) in answers {
            match answer {
                Ok(Some(containers)) => {
                    known.insert(endpoint.name(), containers);
                    followed.push(endpoint);
                }
                Ok(None) => {}
                Err(kind) => state
                    .faults
                    .push((Fault { endpoint, kind }, Instant::now())),
            }
        }
        state.known = known;
        state.present = present;
        state.asked_at = Some(Instant::now());
        state.refresh(began_at);
        // Most processes look once and end; who looks again will do so once more.
        if is_asked_again && state.follower.is_none() && !followed.is_empty() {
            state.follower = Follower::start(followed, &self.shared);
        }
    }

    /// The engines that may be there and that are not left alone.
    fn present(&self, state: &State) -> Vec<Endpoint> {
        let is_faulty = |endpoint: &Endpoint| {
            let mut faults = state.faults.iter();
            faults.any(|(fault, _)| fault.endpoint == *endpoint)
        };
        let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
        let mut is_first = |endpoint: &&Endpoint| match &endpoint.address {
            // Podman comes with a link that makes it known under Docker's name.
            Address::Socket(path) => path.canonicalize().is_ok_and(|path| seen.insert(path)),
            _ => true,
        };
        self.endpoints
            .iter()
            .filter(|endpoint| endpoint.may_exist() || endpoint.is_named)
            .filter(|endpoint| !is_faulty(endpoint))
            .filter(|endpoint| endpoint.is_named || is_first(endpoint))
            .cloned()
            .collect()
    }
}

impl Shared {
    /// Replaces what is known of one engine.
    pub(crate) fn update(&self, engine: Name, known: Known, began_at: Timestamp) {
        let mut state = self.lock();
        state.known.insert(engine, known);
        state.refresh(began_at);
    }

    pub(crate) fn known(&self, engine: &Name) -> Known {
        self.lock().known.get(engine).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What is half changed is asked for again when the moment is over.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refresh(&mut self, began_at: Timestamp) {
        let containers = self.known.values();
        let containers = containers.flat_map(|known| known.containers.values().cloned());
        self.look = Arc::new(Look::new(
            containers.collect(),
            self.known.keys().cloned().collect(),
            self.faults.iter().map(|(fault, _)| fault.clone()).collect(),
            began_at,
        ));
    }
}

type Answered = Vec<(Endpoint, Result<Option<Known>, FaultKind>)>;

/// Asks all of them at once, each on a thread of its own, and waits for none longer than the limit: what hangs in the
/// system, such as looking up the name of a host, cannot be broken off.
fn ask_all(endpoints: &[Endpoint], known: &BTreeMap<Name, Known>) -> Answered {
    let deadline = Instant::now() + LIMIT;
    let (tell, told) = channel();
    let mut answers: Answered = Vec::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        let earlier = known.get(&endpoint.name()).cloned().unwrap_or_default();
        let (asked, tell) = (endpoint.clone(), tell.clone());
        let thread = thread::Builder::new().name(THREAD.to_owned());
        let asking = thread.spawn(move || {
            // Nobody listens any more, when it took too long.
            let _ = tell.send((index, engine::ask(&asked, &earlier, deadline)));
        });
        let answer = match asking {
            Ok(_) => FaultKind::TimedOut,
            Err(error) => FaultKind::Unreachable(error.to_string()),
        };
        answers.push((endpoint.clone(), Err(answer)));
    }
    drop(tell);
    let left = || deadline.saturating_duration_since(Instant::now()) + GRACE;
    while let Ok((index, answer)) = told.recv_timeout(left()) {
        if let Some((_, told)) = answers.get_mut(index) {
            *told = answer;
        }
    }
    answers
}

pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(all(test, unix))]
mod tests;
