//! Every step of a decision, in order, for people who ask for it and for `tracing`.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};

use support::{free_ports, memory, request};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const MARK: &str = "PORTLEASE_TEST_STEPS";

/// Reserves beside a lease and a listener; answers the first of the ports.
fn reserve_the_third_port() -> u16 {
    let (allocator, ports) = (memory(), free_ports());
    let _leased = allocator.reserve(&request("blog", &ports)).unwrap();
    let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start + 1)).unwrap();
    let grant = allocator.reserve(&request("shop", &ports)).unwrap();
    assert_eq!(grant.port().get(), ports.start + 2);
    ports.start
}

/// What is told about the second reserve, after the two lines about the first.
fn expected(first: u16) -> Vec<String> {
    let (second, third) = (first + 1, first + 2);
    let leased = format!("web: {first} leased: blog/web");
    vec![
        format!("{leased} (scan)"),
        format!("web: {second} granted (scan)"),
        format!("web: Port {second} is in use."),
        format!("{leased} (scan)"),
        format!("web: {second} in use (scan)"),
        format!("web: {third} granted (scan)"),
        format!("web: {third} held"),
    ]
}

/// The lines without the identity of processes.
fn without_processes(lines: &[String]) -> Vec<String> {
    let shortened = |line: &String| match (line.find(" (pid "), line.rfind(" (scan)")) {
        (Some(start), Some(end)) => format!("{}{}", &line[..start], &line[end..]),
        _ => line.clone(),
    };
    lines.iter().map(shortened).collect()
}

#[test]
fn people_who_ask_are_told_every_step_in_order() {
    const TEST: &str = "people_who_ask_are_told_every_step_in_order";
    if std::env::var_os(MARK).is_some() {
        println!("first={}", reserve_the_third_port());
        return;
    }
    let told = |value: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(MARK, "1")
            .env("VERBOSE_PORT_ALLOCATOR", value)
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let first = stdout.split("first=").nth(1).expect("it ended well");
        let first: u16 = first.lines().next().unwrap().parse().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let steps = stderr
            .lines()
            .filter_map(|line| Some(line.strip_prefix("[portlease] ")?.to_owned()));
        (first, steps.collect::<Vec<_>>())
    };
    let (first, steps) = told("true");
    assert_eq!(without_processes(&steps[2..]), expected(first));
    assert!(told("false").1.is_empty());
    assert!(told("").1.is_empty());
}

#[test]
fn tracing_is_told_the_same() {
    let messages = Messages::default();
    let first = tracing::subscriber::with_default(messages.clone(), reserve_the_third_port);
    let messages = messages.0.lock().unwrap();
    assert_eq!(without_processes(&messages[2..]), expected(first));
}

/// Keeps the messages of all events.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

impl Subscriber for Messages {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("portlease")
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Messages {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}
