//! Live events: everything that changes, told to everybody who listens, with numbers by which a listener that was away goes on where
//! it stopped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::inputs::{FromQuery, Input as _, Resumed};
use crate::problem::Problem;
use crate::routes::Asked;
use crate::server::Service;
use crate::stream::Told;
use crate::workers::Pace;

pub(crate) const CONTENT_TYPE: &str = "text/event-stream";

/// So many events are kept for those who were away.
const REMEMBERED: usize = 1024;
/// So many may wait for a listener that is slow. Whoever is slower is sent away, comes back and goes on.
const WAITING: usize = 256;

/// Where events are told and heard.
pub(crate) struct Hub {
    /// Which run of the server this is: the numbers of another one mean nothing here.
    epoch: String,
    most_listeners: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the last event.
    last: u64,
    remembered: VecDeque<Arc<str>>,
    listeners: Vec<Sender<Arc<str>>>,
    is_over: bool,
}

/// What a listener begins with, and where it hears the rest.
pub(crate) struct Listening {
    /// What it missed; none when everything has to be told anew.
    pub(crate) missed: Option<Vec<Arc<str>>>,
    /// The id of what is told anew.
    pub(crate) id: String,
    pub(crate) events: Receiver<Arc<str>>,
}

impl Hub {
    pub(crate) fn new(most_listeners: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = now.map_or(0, |now| now.as_micros());
        Self {
            epoch: format!("{micros:x}"),
            most_listeners,
            state: Mutex::default(),
        }
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, event: &impl Serialize) {
        // Events are data that can always be written.
        let data = serde_json::to_string(event).unwrap_or_default();
        let mut state = self.state();
        state.last += 1;
        let told: Arc<str> = frame(&self.id(state.last), &data).into();
        if state.remembered.len() == REMEMBERED {
            state.remembered.pop_front();
        }
        state.remembered.push_back(Arc::clone(&told));
        state
            .listeners
            .retain(|listener| listener.try_send(Arc::clone(&told)).is_ok());
    }

    /// Begins to listen, after the event with this id.
    pub(crate) fn listen(&self, after: Option<&str>) -> Result<Listening, Problem> {
        let (sender, events) = channel(WAITING);
        let mut state = self.state();
        state.listeners.retain(|listener| !listener.is_closed());
        if state.is_over || state.listeners.len() >= self.most_listeners {
            let detail = format!(
                "{} others listen already, which is as many as this server allows. Close one, or ask again later.",
                state.listeners.len()
            );
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(status, "TOO_MANY_LISTENERS", detail).retry_after(10));
        }
        state.listeners.push(sender);
        let missed = after.and_then(|id| self.missed(&state, id));
        Ok(Listening {
            missed,
            id: self.id(state.last),
            events,
        })
    }

    /// What was told since this event, if that is known.
    fn missed(&self, state: &State, id: &str) -> Option<Vec<Arc<str>>> {
        let (epoch, number) = id.split_once('-')?;
        let number: u64 = number.parse().ok()?;
        let missed = usize::try_from(state.last.checked_sub(number)?).ok()?;
        let first = state.remembered.len().checked_sub(missed)?;
        (epoch == self.epoch).then(|| state.remembered.range(first..).cloned().collect())
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        let mut state = self.state();
        state.listeners.retain(|listener| !listener.is_closed());
        state.listeners.len()
    }

    /// Sends everybody away.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.listeners.clear();
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event as it is written. JSON has no line breaks of its own.
pub(crate) fn frame(id: &str, data: &str) -> String {
    format!("id: {id}\ndata: {data}\n\n")
}

pub(crate) async fn listen(
    service: Arc<Service>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let FromQuery(resumed) = FromQuery::<Resumed>::read(&asked)?;
    let named = headers.get("last-event-id");
    let named = named.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let after = named.or(resumed.last_event_id);
    let own = Arc::clone(&service);
    let listen = service
        .workers
        .run(Pace::Quick, move || own.listen(after.as_deref()));
    let (listening, snapshot) = listen.await??;
    let mut begin = listening.missed.unwrap_or_default();
    if let Some(snapshot) = snapshot {
        begin.push(frame(&listening.id, &snapshot.to_string()).into());
    }
    let mut response = Response::new(Body::new(Told::new(begin, listening.events)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    // Proxies would wait for the end.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(hub: &Hub, range: std::ops::Range<usize>) {
        for number in range {
            hub.tell(&number);
        }
    }

    /// The data of what was missed.
    fn missed(hub: &Hub, id: &str) -> Option<Vec<usize>> {
        let missed = hub.listen(Some(id)).ok()?.missed?;
        let data = |frame: &Arc<str>| {
            let (_, data) = frame.split_once("data: ").unwrap();
            data.trim_end().parse().unwrap()
        };
        Some(missed.iter().map(data).collect())
    }

    #[test]
    fn who_comes_back_hears_what_was_missed_and_nothing_twice() {
        let hub = Hub::new(64);
        told(&hub, 0..5);
        let first = hub.listen(None).ok().unwrap();
        assert!(
            first.missed.is_none(),
            "a fresh listener is told everything"
        );
        told(&hub, 5..8);
        assert_eq!(missed(&hub, &first.id), Some(vec![5, 6, 7]));
        let now = hub.listen(None).ok().unwrap().id;
        assert_eq!(missed(&hub, &now), Some(vec![]));
    }

    #[test]
    fn what_is_unknown_is_told_anew() {
        let hub = Hub::new(64);
        let begin = hub.listen(None).ok().unwrap().id;
        told(&hub, 0..REMEMBERED);
        assert_eq!(missed(&hub, &begin).map(|all| all.len()), Some(REMEMBERED));
        told(&hub, 0..1);
        assert_eq!(missed(&hub, &begin), None, "it is too long ago");
        let epoch = &hub.epoch;
        for id in [
            "",
            "-",
            "x-1",
            "0-0",
            &format!("{epoch}-99999"),
            &format!("{epoch}--1"),
            epoch,
        ] {
            assert_eq!(missed(&hub, id), None, "{id}");
        }
    }

    #[test]
    fn who_is_too_slow_is_sent_away_and_can_go_on() {
        let hub = Hub::new(64);
        let mut slow = hub.listen(None).ok().unwrap();
        told(&hub, 0..WAITING + 5);
        assert_eq!(hub.listeners(), 0);
        let mut heard = 0;
        while slow.events.blocking_recv().is_some() {
            heard += 1;
        }
        assert_eq!(heard, WAITING);
        let last = format!("{}-{heard}", hub.epoch);
        assert_eq!(missed(&hub, &last).map(|all| all.len()), Some(5));
    }

    #[test]
    fn only_so_many_listen() {
        let hub = Hub::new(2);
        let one = hub.listen(None).ok().unwrap();
        let _two = hub.listen(None).ok().unwrap();
        let refused = hub.listen(None).err().unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(one);
        assert!(hub.listen(None).is_ok(), "whoever left is not counted");
    }
}
