//! Connections, of which there are only so many. When one comes and there is no room, the one that has waited longest for a request
//! makes way: whoever opens thousands and says nothing keeps nobody else out.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use crate::guard::Ends;
use crate::server::Service;
use crate::stalled::Stalled;

/// All connections that are open.
pub(crate) struct Connections {
    most: usize,
    table: Mutex<Table>,
    /// Somebody left, or has nothing to do any more.
    changed: Notify,
}

#[derive(Default)]
struct Table {
    last: u64,
    open: BTreeMap<u64, Arc<Open>>,
}

/// One of them.
#[derive(Default)]
struct Open {
    /// The requests that it waits to be answered: one, or none.
    asked: AtomicUsize,
    make_way: Notify,
}

/// A place among the connections, until it is dropped.
pub(crate) struct Seat {
    number: u64,
    open: Arc<Open>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            table: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.table().open.len()
    }

    /// Takes a place. When all are taken by connections that wait for answers, it waits for one of them.
    pub(crate) async fn enter(self: &Arc<Self>) -> Seat {
        loop {
            let changed = self.changed.notified();
            if let Some(seat) = self.try_enter() {
                return seat;
            }
            changed.await;
        }
    }

    fn try_enter(self: &Arc<Self>) -> Option<Seat> {
        let mut table = self.table();
        if table.open.len() >= self.most {
            let is_idle = |open: &Arc<Open>| open.asked.load(Ordering::Acquire) == 0;
            let (number, oldest) = table.open.iter().find(|(_, open)| is_idle(open))?;
            oldest.make_way.notify_one();
            let number = *number;
            table.open.remove(&number);
        }
        table.last += 1;
        let (number, open) = (table.last, Arc::<Open>::default());
        table.open.insert(number, Arc::clone(&open));
        Some(Seat {
            number,
            open,
            connections: Arc::clone(self),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.table().open.remove(&self.number);
        self.connections.changed.notify_one();
    }
}

/// Answers the requests of a connection until it ends, makes way, or everything ends.
pub(crate) async fn serve(
    service: Arc<Service>,
    seat: Seat,
    stream: TcpStream,
    mut stop: watch::Receiver<bool>,
) {
    let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else {
        return;
    };
    // Answers are short, and nobody should wait for the next one to fill the packet.
    let _ = stream.set_nodelay(true);
    let ends = Ends { local, remote };
    let head_timeout = service.options.head_timeout;
    let write_timeout = service.options.write_timeout;
    let open = Arc::clone(&seat.open);
    let connections = Arc::clone(&seat.connections);
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let busy = Busy::begin(&open, &connections);
        let service = Arc::clone(&service);
        async move {
            let response = service.answer(ends, request.map(Body::new)).await;
            Ok::<_, Infallible>(response.map(|body| Until { body, _busy: busy }))
        }
    });
    let io = TokioIo::new(Stalled::new(stream, write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(64 * 1024)
        .serve_connection(io, answer);
    let mut connection = std::pin::pin!(connection);
    let mut is_ending = false;
    loop {
        tokio::select! {
            // An error is one of the other end, which nobody is interested in any more.
            _ = connection.as_mut() => return,
            () = seat.open.make_way.notified() => return,
            _ = stop.wait_for(|is_over| *is_over), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A request that is being answered.
struct Busy {
    open: Arc<Open>,
    connections: Arc<Connections>,
}

impl Busy {
    fn begin(open: &Arc<Open>, connections: &Arc<Connections>) -> Self {
        open.asked.fetch_add(1, Ordering::AcqRel);
        Self {
            open: Arc::clone(open),
            connections: Arc::clone(connections),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.open.asked.fetch_sub(1, Ordering::AcqRel);
        self.connections.changed.notify_one();
    }
}

/// A body whose request is answered when it was written.
struct Until {
    body: Body,
    _busy: Busy,
}

impl http_body::Body for Until {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
