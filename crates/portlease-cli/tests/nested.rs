//! `portlease run` inside `portlease run`.

#![cfg(unix)]

mod support;

use rustix::process::Signal;
use support::{Ended, Running, Sandbox, http, until};

/// A run of the same project, as a script of package.json has it, around a plain server.
fn nested(sandbox: &Sandbox, flags: &[&str]) -> Running {
    let portlease = env!("CARGO_BIN_EXE_portlease");
    let server = ["python3", "-m", "http.server", "{port}", "--bind=127.0.0.1"];
    let inner = [&[portlease, "run"], flags, &["--"], &server].concat();
    sandbox.start(&[], &inner)
}

#[test]
fn a_run_inside_a_run_of_the_same_project_has_its_port() {
    let sandbox = Sandbox::new();
    let mut running = nested(&sandbox, &[]);
    let port = running.ready();
    assert_eq!(port, sandbox.ports.start);
    assert_eq!(http(port).unwrap(), "HTTP/1.0 200 OK");
    assert_eq!(sandbox.leases().len(), 1);
    running.signal(Signal::INT);
    let (status, said) = running.end();
    assert_eq!(status.code(), Some(0));
    assert!(!said.concat().contains("instance"), "{said:?}");
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_run_inside_a_run_of_another_project_has_a_port_of_its_own() {
    let sandbox = Sandbox::new();
    let range = sandbox.range();
    let running = nested(&sandbox, &["--project=other", &range]);
    let ports = until("both have leases", || {
        let leases = sandbox.leases();
        let port = |lease: &serde_json::Value| lease["lease"]["port"].as_u64().unwrap();
        (leases.len() == 2).then(|| leases.iter().map(port).collect::<Vec<_>>())
    });
    assert_ne!(ports[0], ports[1]);
    running.signal(Signal::TERM);
    running.end();
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_run_that_has_ended_is_around_nobody() {
    let sandbox = Sandbox::new();
    let range = sandbox.range();
    let told = sandbox.ended(&["run", &range, "--", "sh", "-c", "echo $PORTLEASE_RUN"]);
    let own_port = sandbox.ports.start + 3;
    let own = format!("--port={own_port}");
    let mut command = sandbox.portlease(&["run", &own, "--", "sh", "-c", "echo $PORT"]);
    command.env("PORTLEASE_RUN", told.stdout.trim());
    assert!(told.stdout.contains("\"web\":"), "{told:?}");
    assert_eq!(Ended::of(command).stdout.trim(), own_port.to_string());
}
