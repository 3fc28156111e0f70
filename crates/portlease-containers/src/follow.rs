//! Following what engines tell of their containers, so that a process that lives on need not ask.

use std::io::Read as _;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Instant;

use socket2::Socket;

use crate::LIMIT;
use crate::api::Connection;
use crate::containers::{Shared, THREAD, now};
use crate::endpoint::Endpoint;
use crate::engine;

/// Only what changes which ports belong to which container, in the words of both engines: checks of health alone would
/// be an event a second.
const EVENTS: &str = concat!(
    "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B",
    "%22create%22%2C%22start%22%2C%22restart%22%2C%22pause%22%2C%22unpause%22%2C%22die%22%2C%22died%22%2C",
    "%22stop%22%2C%22rename%22%2C%22destroy%22%2C%22remove%22%5D%7D"
);

/// Threads that follow some engines until this is dropped or one of the engines fails.
#[derive(Debug)]
pub(crate) struct Follower {
    lines: Arc<Lines>,
}

/// The connections on which engines tell of changes.
#[derive(Debug, Default)]
struct Lines {
    state: Mutex<LinesState>,
}

#[derive(Debug, Default)]
struct LinesState {
    is_closed: bool,
    sockets: Vec<Socket>,
}

impl Follower {
    /// None, when the system has no thread left: then the engines are asked again and again.
    pub(crate) fn start(endpoints: Vec<Endpoint>, shared: &Arc<Shared>) -> Option<Self> {
        let follower = Self {
            lines: Arc::default(),
        };
        for endpoint in endpoints {
            let (lines, shared) = (Arc::clone(&follower.lines), Arc::downgrade(shared));
            let thread = thread::Builder::new().name(THREAD.to_owned());
            let following = thread.spawn(move || {
                let _ = follow(&endpoint, &lines, &shared);
                lines.close();
            });
            following.ok()?;
        }
        Some(follower)
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.lines.lock().is_closed
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.lines.close();
    }
}

impl Lines {
    /// Whether there still is somebody who wants to know.
    fn add(&self, socket: Option<Socket>) -> bool {
        let mut state = self.lock();
        state.sockets.extend(socket);
        !state.is_closed
    }

    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        for socket in state.sockets.drain(..) {
            // It may have been closed by the engine.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn lock(&self) -> MutexGuard<'_, LinesState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows one engine until it fails. Why it fails is found out by whoever asks it next.
fn follow(endpoint: &Endpoint, lines: &Lines, shared: &Weak<Shared>) -> Option<()> {
    let name = endpoint.name();
    let mut connection = Connection::open(endpoint, Instant::now() + LIMIT).ok()?;
    if !lines.add(connection.stream().socket()) {
        return None;
    }
    let mut events = connection.follow(EVENTS).ok()?;
    loop {
        // The events come before the list: what happens in between is told.
        let earlier = shared.upgrade()?.known(&name);
        let began_at = now();
        let known = engine::ask(endpoint, &earlier, Instant::now() + LIMIT).ok()??;
        shared.upgrade()?.update(name.clone(), known, began_at);
        if events.read(&mut [0; 4096]).ok()? == 0 {
            return None;
        }
    }
}
