//! Following what engines tell of their containers, so that a process that lives on need not ask.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use http_body_util::BodyExt as _;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::api::Connection;
use crate::containers::{Shared, now, runtime};
use crate::endpoint::Endpoint;
use crate::engine;

/// Only what changes which ports belong to which container, in the words of both engines: checks of health alone would
/// be an event a second.
const EVENTS: &str = concat!(
    "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B",
    "%22create%22%2C%22start%22%2C%22restart%22%2C%22pause%22%2C%22unpause%22%2C%22die%22%2C%22died%22%2C",
    "%22stop%22%2C%22rename%22%2C%22destroy%22%2C%22remove%22%5D%7D"
);

/// A thread that follows some engines until it is dropped or one of them fails.
#[derive(Debug)]
pub(crate) struct Follower {
    is_alive: Arc<AtomicBool>,
    end: UnboundedSender<()>,
}

impl Follower {
    /// None, when the system has no thread left: then the engines are asked again and again.
    pub(crate) fn start(endpoints: Vec<Endpoint>, shared: &Arc<Shared>) -> Option<Self> {
        let is_alive = Arc::new(AtomicBool::new(true));
        let (end, mut ended) = unbounded_channel();
        let follower = Self {
            is_alive: Arc::clone(&is_alive),
            end: end.clone(),
        };
        let shared = Arc::downgrade(shared);
        let follow_all = move || {
            if let Ok(runtime) = runtime() {
                for endpoint in endpoints {
                    let (end, shared) = (end.clone(), Weak::clone(&shared));
                    runtime.spawn(async move {
                        follow(&endpoint, &shared).await;
                        // Nobody is left to be told when the follower was dropped.
                        let _ = end.send(());
                    });
                }
                runtime.block_on(ended.recv());
                runtime.shutdown_background();
            }
            is_alive.store(false, Ordering::Release);
        };
        thread::Builder::new()
            .name("portlease-containers".to_owned())
            .spawn(follow_all)
            .ok()?;
        Some(follower)
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::Acquire)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // The thread may have ended before.
        let _ = self.end.send(());
    }
}

/// Follows one engine until it fails. Why it fails is found out by whoever asks it next.
async fn follow(endpoint: &Endpoint, shared: &Weak<Shared>) -> Option<()> {
    let name = endpoint.name();
    let mut events = Connection::open(endpoint).await.ok()?;
    let mut events = events.follow(EVENTS).await.ok()?;
    let mut connection = Connection::open(endpoint).await.ok()?;
    loop {
        // The events come before the list: what happens in between is told.
        let earlier = shared.upgrade()?.known(&name);
        let began_at = now();
        let known = engine::list(&mut connection, endpoint, &earlier)
            .await
            .ok()?;
        shared.upgrade()?.update(name.clone(), known, began_at);
        events.frame().await?.ok()?;
    }
}
