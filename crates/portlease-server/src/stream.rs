//! The body of an answer that goes on.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often something is said when there is nothing to tell, so that nobody on the way takes the connection for dead.
const PAUSE: Duration = Duration::from_secs(15);

/// Events as they are told.
pub(crate) struct Told {
    begin: std::vec::IntoIter<Arc<str>>,
    events: Receiver<Arc<str>>,
    pause: Interval,
}

impl Told {
    pub(crate) fn new(begin: Vec<Arc<str>>, events: Receiver<Arc<str>>) -> Self {
        let mut pause = interval(PAUSE);
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pause.reset();
        Self {
            begin: begin.into_iter(),
            events,
            pause,
        }
    }
}

impl Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = |text: Arc<str>| {
            let bytes = Bytes::copy_from_slice(text.as_bytes());
            Poll::Ready(Some(Ok(Frame::data(bytes))))
        };
        if let Some(text) = self.begin.next() {
            return data(text);
        }
        match self.events.poll_recv(context) {
            Poll::Ready(Some(text)) => return data(text),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        if self.pause.poll_tick(context).is_ready() {
            return data(":\n\n".into());
        }
        Poll::Pending
    }
}
