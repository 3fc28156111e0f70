//! Engines that are not there, or that behave as none should.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use super::*;

/// What an engine does with the nth connection.
type Behaviour = fn(&mut UnixStream, usize);

/// An engine in a folder of its own.
fn engine(behaviour: Behaviour) -> (tempfile::TempDir, Environment) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || behaviour(&mut { stream }, index));
        }
    });
    (folder, at(&socket))
}

fn at(socket: &Path) -> Environment {
    Environment {
        engine: Some("docker".to_owned()),
        docker_host: Some(format!("unix://{}", socket.display())),
        ..Environment::default()
    }
}

fn answer(stream: &mut UnixStream, body: &str) {
    let _ = stream.read(&mut [0; 4096]);
    say(stream, body);
}

fn say(stream: &mut UnixStream, body: &str) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
    );
}

/// One fault with this sentence in it, within the limit; the second look asks nobody.
fn check(behaviour: Behaviour, expected: &str) {
    let (_folder, environment) = engine(behaviour);
    let containers = Containers::new(&environment);
    let start = Instant::now();
    let look = containers.look();
    assert!(start.elapsed() < LIMIT + Duration::from_secs(1));
    let told: Vec<String> = look.faults().iter().map(ToString::to_string).collect();
    assert!(
        told.len() == 1 && told[0].contains(expected),
        "{told:?} instead of {expected:?}"
    );
    let start = Instant::now();
    assert_eq!(containers.look_closely().faults().len(), 1);
    assert!(start.elapsed() < LIMIT, "it is left alone");
}

#[test]
fn an_engine_that_hangs() {
    check(
        |stream, _| drop(stream.read_to_end(&mut Vec::new())),
        "did not answer within 2 s",
    );
}

#[test]
fn an_engine_that_speaks_no_http() {
    check(
        |stream, _| drop(stream.write_all(b"220 mail.test ready\r\n\r\n")),
        "broke off",
    );
}

#[test]
fn an_engine_that_lists_no_containers() {
    check(
        |stream, _| answer(stream, r#"{"containers": 7}"#),
        "answered what is no list of containers",
    );
}

#[test]
fn an_engine_that_lists_a_container_without_a_name_that_can_be_asked_for() {
    check(
        |stream, _| answer(stream, r#"[{"Id": "a b\r\nc", "State": "exited"}]"#),
        "answered what is no list of containers",
    );
}

#[test]
fn an_engine_that_closes_in_the_middle() {
    let half = |stream: &mut UnixStream, _| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{{");
    };
    check(half, "broke off");
}

#[test]
fn an_engine_that_refuses() {
    let refuse = |stream: &mut UnixStream, _| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = write!(
            stream,
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
        );
    };
    check(refuse, "answered with HTTP status 500");
}

#[test]
fn an_engine_that_was_named_and_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let told = |environment: Environment| {
        let look = Containers::new(&environment).look();
        look.faults()[0].to_string()
    };
    assert!(told(at(&socket)).contains("cannot be reached"));
    drop(UnixListener::bind(&socket).unwrap());
    assert!(told(at(&socket)).contains("cannot be reached"));
    let ssh = Environment {
        docker_host: Some("ssh://ada@engine.test".to_owned()),
        ..at(&socket)
    };
    assert!(told(ssh).contains("unix://, npipe:// and tcp://"));
}

#[test]
fn an_engine_that_nobody_named_and_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let environment = || Environment {
        docker_host: None,
        podman_host: None,
        engine: Some("none of the system's".to_owned()),
        runtime_folder: Some(folder.path().to_path_buf()),
        ..Environment::default()
    };
    let silent = |environment: Environment| {
        let mut containers = Containers::new(&environment);
        containers.endpoints = vec![Endpoint {
            engine: "docker",
            address: Address::Socket(folder.path().join("docker.sock")),
            is_named: false,
            is_default: true,
        }];
        let look = containers.look();
        look.faults().is_empty() && !look.answered("docker")
    };
    assert!(silent(environment()));
    // The socket of an engine that does not run.
    drop(UnixListener::bind(folder.path().join("docker.sock")).unwrap());
    assert!(silent(environment()));
    fs::remove_file(folder.path().join("docker.sock")).unwrap();
    fs::write(folder.path().join("docker.sock"), "").unwrap();
    assert!(silent(environment()));
}

#[test]
fn an_engine_that_disappears_is_told_once_and_knows_nothing_any_more() {
    let (folder, environment) = engine(|stream, index| {
        if index == 0 {
            let list = r#"[{"Id": "01", "State": "running", "Ports": [{"PublicPort": 8080, "Type": "tcp"}]}]"#;
            answer(stream, list);
        }
    });
    let containers = Containers::new(&environment);
    let look = containers.look();
    assert_eq!(look.on(portlease_core::Port::literal(8080)).len(), 1);
    fs::remove_file(folder.path().join("engine.sock")).unwrap();
    let look = containers.look_closely();
    assert_eq!((look.containers().len(), look.faults().len()), (0, 1));
    assert!(
        !look.is_removed(&portlease_core::Container {
            engine: Name::literal("docker"),
            id: Name::literal("01"),
        }),
        "only an engine that answers tells that a container is gone"
    );
}

#[test]
fn an_engine_whose_events_end_is_asked_again() {
    static PUBLISHED: AtomicU16 = AtomicU16::new(8080);
    static LISTS: AtomicU16 = AtomicU16::new(0);
    let (_folder, environment) = engine(|stream, _| {
        let mut question = [0; 4096];
        let length = stream.read(&mut question).unwrap_or_default();
        if question[..length].starts_with(b"GET /events") {
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            return;
        }
        let port = PUBLISHED.load(Ordering::Relaxed);
        let list = format!(
            r#"[{{"Id": "01", "State": "running", "Ports": [{{"PublicPort": {port}, "Type": "tcp"}}]}}]"#
        );
        say(stream, &list);
        LISTS.fetch_add(1, Ordering::Relaxed);
    });
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
            thread::yield_now();
        }
    };
    let containers = Containers::new(&environment);
    containers.look();
    // The second look finds out that this process lives on.
    containers.look_closely();
    let is_followed = || LISTS.load(Ordering::Relaxed) == 3;
    until("it is followed", &is_followed);
    PUBLISHED.store(8081, Ordering::Relaxed);
    let port = portlease_core::Port::literal(8081);
    let is_seen = || !containers.look().on(port).is_empty();
    until("the change is seen", &is_seen);
}
