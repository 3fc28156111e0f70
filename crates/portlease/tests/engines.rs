//! Engines of containers that behave as none should: an allocation goes on without them.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portlease::engines::{Environment, LIMIT};
use portlease::{Allocator, Options, Registry};
use support::{free_ports, request};

mod support;

/// What is done besides asking: opening, leasing and binding, on a busy machine.
const BESIDES: Duration = Duration::from_secs(2);
/// A piece of an answer that goes on and on comes so often.
const DRIP: Duration = Duration::from_millis(20);
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What an engine does with a connection, until nobody listens any more.
type Behaviour = fn(&mut UnixStream, &Receiver<()>);

/// The allocation goes on within its bound, with one warning of this kind, and the next one is not kept waiting.
fn check(behaviour: Behaviour, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (end, ended) = channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let ended = Arc::clone(&ended);
            thread::spawn(move || behaviour(&mut stream, &ended.lock().unwrap()));
        }
    });
    check_at(&socket, expected);
    drop(end);
}

fn check_at(socket: &Path, expected: &str) {
    let ports = free_ports();
    let start = Instant::now();
    let allocator = Allocator::open(Options {
        registry: Registry::Memory,
        engines: Some(Environment {
            engine: Some("docker".to_owned()),
            docker_host: Some(format!("unix://{}", socket.display())),
            ..Environment::default()
        }),
        on_warning: Some(|text| told().push(text.to_owned())),
        ..Options::default()
    })
    .unwrap();
    let grants = allocator.reserve_all(&request("shop", &ports)).unwrap();
    assert!(start.elapsed() < LIMIT + BESIDES, "{:?}", start.elapsed());
    let [warning] = grants.warnings() else {
        panic!("{:?}", grants.warnings());
    };
    assert!(warning.contains(expected), "{warning}");
    let start = Instant::now();
    for project in ["blog", "wiki", "docs"] {
        allocator.reserve(&request(project, &ports)).unwrap();
    }
    assert!(start.elapsed() < BESIDES, "{:?}", start.elapsed());
    let path = socket.display().to_string();
    let about_this = told().iter().filter(|text| text.contains(&path)).count();
    assert_eq!(about_this, 1);
}

fn told() -> std::sync::MutexGuard<'static, Vec<String>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the question, and writes.
fn answer(stream: &mut UnixStream, text: &str) {
    let _ = stream.read(&mut [0; 4096]);
    // Nobody may be there any more.
    let _ = stream.write_all(text.as_bytes());
}

/// Writes the same again and again, until nobody reads it any more.
fn drip(stream: &mut UnixStream, ended: &Receiver<()>, text: &str) {
    while stream.write_all(text.as_bytes()).is_ok()
        && ended.recv_timeout(DRIP) == Err(RecvTimeoutError::Timeout)
    {}
}

fn wait(ended: &Receiver<()>) {
    // The end is an error, as its sender is dropped.
    let _ = ended.recv();
}

#[test]
fn one_that_hangs() {
    check(|_, ended| wait(ended), "did not answer within 2 s");
}

#[test]
fn one_that_begins_and_hangs() {
    let begin = |stream: &mut UnixStream, ended: &Receiver<()>| {
        answer(stream, &format!("{HEAD}Content-Length: 100\r\n\r\n["));
        wait(ended);
    };
    check(begin, "did not answer within 2 s");
}

#[test]
fn one_that_is_for_ever_about_to_answer() {
    let drip = |stream: &mut UnixStream, ended: &Receiver<()>| {
        answer(stream, HEAD);
        drip(stream, ended, "X-Wait: 1\r\n");
    };
    check(drip, "did not answer within 2 s");
}

#[test]
fn one_that_never_comes_to_an_end() {
    let drip = |stream: &mut UnixStream, ended: &Receiver<()>| {
        answer(
            stream,
            &format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n"),
        );
        drip(stream, ended, "1\r\n \r\n");
    };
    check(drip, "did not answer within 2 s");
}

#[test]
fn one_that_answers_garbage() {
    check(|stream, _| answer(stream, "\u{7f}ELF\r\n\r\n"), "broke off");
}

#[test]
fn one_that_answers_garbage_in_good_form() {
    check(
        |stream, _| answer(stream, &format!("{HEAD}Content-Length: 4\r\n\r\n{{[}}]")),
        "answered what is no list of containers",
    );
}

#[test]
fn one_that_closes_in_the_middle() {
    check(
        |stream, _| answer(stream, &format!("{HEAD}Content-Length: 100\r\n\r\n[{{")),
        "broke off",
    );
}

#[test]
fn one_that_disappeared() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    drop(UnixListener::bind(&socket).unwrap());
    check_at(&socket, "cannot be reached");
}
