//! Connections that listen, each for a host of its own as those of runners do, and what it costs to ring one of them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::hosts::connect;
use super::meter::{self, Reading, real};
use crate::postgres::{Cluster, Database};

/// What it costs with so many who listen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rung {
    pub(super) listeners: usize,
    pub(super) per_second: f64,
    pub(super) median: Duration,
    /// Time of the server's processors for each.
    pub(super) processor: Duration,
    /// How many of them were heard.
    pub(super) heard: f64,
    /// Memory of the server for each connection, which listens and does nothing else.
    pub(super) memory: u64,
}

/// So many ring at once.
const RINGERS: usize = 4;

/// Rings for such a time while so many listen.
pub(super) fn ring(
    cluster: &Cluster,
    database: &Database,
    listeners: usize,
    time: Duration,
) -> Rung {
    let heard = Arc::new(AtomicUsize::new(0));
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let before = meter::memory(cluster);
    let clients: Vec<Client> = (0..listeners)
        .map(|number| runtime.block_on(listen(&database.url, number, Arc::clone(&heard))))
        .collect();
    let memory = meter::memory(cluster).saturating_sub(before) / listeners.max(1) as u64;

    let spent = Reading::of(cluster);
    let begun = Instant::now();
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let ringing: Vec<_> = (0..RINGERS)
            .map(|ringer| scope.spawn(move || keep_ringing(database, ringer, listeners, time)))
            .collect();
        let ended = ringing.into_iter().map(ScopedJoinHandle::join);
        ended.flat_map(|it| it.expect("nobody panicked")).collect()
    });
    let took = begun.elapsed();
    let spent = Reading::of(cluster).since(spent);
    drop(clients);
    runtime.shutdown_background();
    times.sort_unstable();
    let count = real(times.len().max(1));
    Rung {
        listeners,
        per_second: real(times.len()) / took.as_secs_f64(),
        median: times.get(times.len() / 2).copied().unwrap_or_default(),
        processor: spent.processor.div_f64(count),
        heard: real(heard.load(Ordering::Relaxed)) / count,
        memory,
    }
}

async fn listen(url: &str, number: usize, heard: Arc<AtomicUsize>) -> Client {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, mut connection) = connected.expect("the server lets us in");
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if matches!(message, AsyncMessage::Notification(_)) {
                heard.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let command = format!("LISTEN portlease_{number}");
    client.batch_execute(&command).await.expect("it listens");
    client
}

fn keep_ringing(
    database: &Database,
    ringer: usize,
    listeners: usize,
    time: Duration,
) -> Vec<Duration> {
    let (runtime, client) = connect(&database.url);
    let notify = runtime.block_on(client.prepare("SELECT pg_notify($1, '')"));
    let notify = notify.expect("it is right");
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let number = (times.len() * RINGERS + ringer) % listeners.max(1);
        let turn = Instant::now();
        let channel = format!("portlease_{number}");
        let rung = runtime.block_on(client.execute(&notify, &[&channel]));
        rung.expect("it is right");
        times.push(turn.elapsed());
    }
    times
}
