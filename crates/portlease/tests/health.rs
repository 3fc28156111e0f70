//! The health of real servers: well, silent, slow, strange and gone.

#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portlease::core::{
    Capability, Command, Facts, Host, MemoryStore, Name, Port, PortRange, Request, Scope, Service,
    Store as _,
};
use portlease::{
    Health, HealthChange, HealthCheck, HealthMonitor, HealthStatus, UrlPath, check_health,
};
use support::free_ports;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(30);

fn port_of(listener: &TcpListener) -> Port {
    Port::new(listener.local_addr().unwrap().port()).unwrap()
}

/// A server that does the same with each of its connections.
fn serving(address: &str, serve: impl Fn(TcpStream) + Send + 'static) -> Port {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = port_of(&listener);
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    port
}

/// A server that hears the request and says this.
fn saying(answer: &'static str) -> Port {
    serving("127.0.0.1", move |mut connection| {
        let mut request = [0; 1024];
        let length = connection.read(&mut request).unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        assert!(request.starts_with("GET /health HTTP/1.1\r\nHost: localhost:"));
        let _ = connection.write_all(answer.as_bytes());
    })
}

fn asked(port: Port, timeout: Duration) -> Health {
    let check = HealthCheck::of(port).get("/health".parse().unwrap());
    check.timeout(timeout).run()
}

fn check(answer: &'static str, status: HealthStatus, http_status: Option<u16>) {
    let health = asked(saying(answer), LONG);
    assert_eq!((health.status, health.http_status), (status, http_status));
    assert_eq!(health.latency_micros.is_some(), http_status.is_some());
}

#[test]
fn answers() {
    check(
        "HTTP/1.1 200 OK\r\n\r\nhere",
        HealthStatus::Healthy,
        Some(200),
    );
    check(
        "HTTP/1.0 302 Found\r\n\r\n",
        HealthStatus::Healthy,
        Some(302),
    );
    check(
        "HTTP/1.1 404 No\r\n\r\n",
        HealthStatus::HttpError,
        Some(404),
    );
    check(
        "HTTP/1.1 500 Oh\r\n\r\n",
        HealthStatus::HttpError,
        Some(500),
    );
    check("SSH-2.0-OpenSSH_9.2\r\n", HealthStatus::NotHttp, None);
    check("", HealthStatus::NotHttp, None);
}

#[test]
fn a_port_on_which_nobody_listens() {
    let ports = free_ports();
    let health = asked(Port::new(ports.start).unwrap(), LONG);
    assert_eq!(health.status, HealthStatus::Refused);
    assert_eq!((health.address, health.latency_micros), (None, None));
    assert!(!health.is_healthy());
}

#[test]
fn a_server_that_accepts_and_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port_of(&listener);
    let health = HealthCheck::of(port).timeout(LONG).run();
    assert!(health.is_healthy(), "{health:?}");
    assert!(health.latency_micros.is_some());
    let begun = Instant::now();
    assert_eq!(asked(port, SHORT).status, HealthStatus::TimedOut);
    assert!(begun.elapsed() < LONG);
}

#[test]
fn a_server_that_never_comes_to_the_point() {
    // A letter at a time, each soon after the last.
    let (_never, pace) = channel::<()>();
    let port = serving("127.0.0.1", move |mut connection| {
        while connection.write_all(b"H").is_ok() {
            let _ = pace.recv_timeout(SHORT / 10);
        }
    });
    let begun = Instant::now();
    assert_eq!(asked(port, SHORT).status, HealthStatus::TimedOut);
    assert!(begun.elapsed() < LONG);
}

#[test]
fn a_page_without_an_end_is_no_illness() {
    let port = serving("127.0.0.1", |mut connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        // It ends when the other side is tired of it.
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let begun = Instant::now();
    let health = asked(port, LONG);
    assert_eq!(health.http_status, Some(200));
    assert!(begun.elapsed() < LONG / 2);
}

#[test]
fn a_server_on_ipv6_alone() {
    let port = serving("::1", |mut connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    });
    let health = asked(port, LONG);
    assert!(health.is_healthy(), "{health:?}");
    assert_eq!(health.address, Some("::1".parse().unwrap()));
}

#[test]
fn a_path_that_would_be_another_request() {
    for path in ["", "health", "/a b", "/\r\nHost: elsewhere", "/\u{7}"] {
        let error = path.parse::<UrlPath>().unwrap_err();
        assert_eq!(error.path, path);
        assert!(error.to_string().contains("is not a path"), "{error}");
    }
    assert_eq!("/a?b#c".parse::<UrlPath>().unwrap().to_string(), "/a?b#c");
}

#[test]
fn a_server_that_speaks_https_is_asked_for_no_page() {
    let port = serving("127.0.0.1", |mut connection| {
        // As one that waits for the client to begin with TLS.
        let _ = connection.read(&mut [0; 1024]);
    });
    let service = Service {
        requires: vec![Capability::Https],
        ..Service::in_range(Name::literal("web"), PortRange::only(port))
    };
    let request = Request::new(Name::literal("shop"), vec![service]);
    let reserve = Command::Reserve(request);
    let (store, host) = (MemoryStore::new(), Host::new(Name::literal("laptop")));
    store.transact(&host, &reserve, &Facts::default()).unwrap();
    let leases = store.load(&host, &Scope::Everything).unwrap();
    let check = |lease| HealthCheck::of_lease(lease).get("/".parse().unwrap());
    let health = check(leases.at(port).unwrap()).timeout(LONG).run();
    assert_eq!(
        (health.status, health.http_status),
        (HealthStatus::Healthy, None)
    );
}

#[test]
fn many_are_asked_at_the_same_time() {
    let listeners: Vec<TcpListener> = (0..20)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let checks: Vec<HealthCheck> = listeners
        .iter()
        .map(|silent| HealthCheck::of(port_of(silent)).get("/".parse().unwrap()))
        .map(|check| check.timeout(Duration::from_secs(1)))
        .collect();
    let begun = Instant::now();
    let healths = check_health(&checks);
    assert!(begun.elapsed() < Duration::from_secs(10));
    let ports: Vec<Port> = healths.iter().map(|health| health.port).collect();
    assert_eq!(ports, listeners.iter().map(port_of).collect::<Vec<_>>());
}

fn news(changes: &[HealthChange]) -> Vec<(Option<HealthStatus>, HealthStatus)> {
    let news = |change: &HealthChange| (change.previous, change.health.status);
    changes.iter().map(news).collect()
}

#[test]
fn only_changes_are_news() {
    let ports = free_ports();
    let port = Port::new(ports.start).unwrap();
    let checks = [HealthCheck::of(port)];
    let mut monitor = HealthMonitor::new();
    let (healthy, refused) = (HealthStatus::Healthy, HealthStatus::Refused);
    assert_eq!(news(&monitor.round(&checks)), [(None, refused)]);
    assert_eq!(news(&monitor.round(&checks)), []);
    let server = TcpListener::bind(("127.0.0.1", port.get())).unwrap();
    assert_eq!(news(&monitor.round(&checks)), [(Some(refused), healthy)]);
    assert_eq!(news(&monitor.round(&checks)), []);
    drop(server);
    assert_eq!(news(&monitor.round(&checks)), [(Some(healthy), refused)]);
    // Who is not asked about is forgotten, and is news when it comes back.
    assert_eq!(news(&monitor.round(&[])), []);
    assert_eq!(news(&monitor.round(&checks)), [(None, refused)]);
}

#[test]
fn a_watch_tells_of_changes_until_it_is_dropped() {
    let ports = free_ports();
    let port = Port::new(ports.start).unwrap();
    let (asking, asked) = channel::<()>();
    let mut watch = HealthMonitor::new().watch(Duration::from_millis(5), move || {
        asking.send(()).unwrap();
        vec![HealthCheck::of(port)]
    });
    assert_eq!(watch.next().unwrap().health.status, HealthStatus::Refused);
    let _server = TcpListener::bind(("127.0.0.1", port.get())).unwrap();
    let change = watch.next().unwrap();
    assert_eq!(change.previous, Some(HealthStatus::Refused));
    assert!(change.health.is_healthy());
    drop(watch);
    // It is asked once more at most, and then who asks is gone.
    let deadline = Instant::now() + LONG;
    while asked.recv_timeout(LONG) != Err(RecvTimeoutError::Disconnected) {
        assert!(Instant::now() < deadline, "its thread goes on");
    }
}

#[test]
fn health_is_plain_data() {
    let change = HealthChange {
        health: Health {
            port: Port::literal(3000),
            status: HealthStatus::HttpError,
            address: Some("::1".parse().unwrap()),
            latency_micros: Some(830),
            http_status: Some(500),
            problem: None,
        },
        previous: Some(HealthStatus::Healthy),
    };
    let json = r#"{"port":3000,"status":"httpError","address":"::1","latencyMicros":830,"httpStatus":500,"previous":"healthy"}"#;
    assert_eq!(serde_json::to_string(&change).unwrap(), json);
    assert_eq!(serde_json::from_str::<HealthChange>(json).unwrap(), change);
}
