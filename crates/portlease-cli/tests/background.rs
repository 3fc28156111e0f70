//! `start`, `stop`, `restart`, `logs` and `status` with real processes.

#![cfg(unix)]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use support::{Ended, Running, Sandbox, http, is_there, send, until};

fn server(sandbox: &Sandbox) -> String {
    let port = sandbox.ports.start;
    format!("echo hello; exec python3 -u -m http.server {{port}} --bind 127.0.0.1 # {port}")
}

/// Starts it on a port of its own; answers that port.
fn start(sandbox: &Sandbox) -> u16 {
    let script = server(sandbox);
    let started = sandbox.ended(&["start", "--", "sh", "-c", &script]);
    port_of(&started)
}

#[track_caller]
fn port_of(started: &Ended) -> u16 {
    assert_eq!(started.code, Some(0), "{started:?}");
    let port = started.stdout.trim().rsplit(':').next().unwrap();
    port.parse().unwrap_or_else(|_| panic!("{started:?}"))
}

fn status(sandbox: &Sandbox) -> Vec<Value> {
    let ended = sandbox.ended(&["status", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

fn supervisor(sandbox: &Sandbox) -> u32 {
    let pid = status(sandbox)[0]["run"]["process"]["pid"]
        .as_u64()
        .unwrap();
    pid.try_into().unwrap()
}

/// Ends what a test that failed leaves behind.
struct Stopped<'a>(&'a Sandbox);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.ended(&["stop", "--grace=1"]);
    }
}

#[test]
fn a_server_runs_in_the_background_until_it_is_stopped() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let port = start(&sandbox);
    assert_eq!(http(port).unwrap(), "HTTP/1.0 200 OK");
    assert_eq!(status(&sandbox)[0]["state"], "running");
    assert_eq!(sandbox.leases()[0]["lease"]["port"], port);
    let pid = supervisor(&sandbox);

    let again = sandbox.ended(&["start"]);
    assert_eq!(port_of(&again), port);
    assert!(again.stderr.contains("runs already"), "{again:?}");
    assert_eq!(supervisor(&sandbox), pid);

    let stopped = sandbox.ended(&["stop"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    assert!(!is_there(pid) && http(port).is_err());
    assert_eq!(status(&sandbox)[0]["state"], "ended");
    assert!(sandbox.leases().is_empty());
    let twice = sandbox.ended(&["stop"]);
    assert_eq!(twice.code, Some(0));
    assert!(twice.stderr.contains("does not run"), "{twice:?}");
}

#[test]
fn a_restart_runs_the_same_command_on_the_same_port() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let port = start(&sandbox);
    let pid = supervisor(&sandbox);
    let restarted = sandbox.ended(&["restart"]);
    assert_eq!(port_of(&restarted), port);
    assert_ne!(supervisor(&sandbox), pid);
    assert_eq!(http(port).unwrap(), "HTTP/1.0 200 OK");
}

#[test]
fn what_it_said_is_printed_and_followed_to_its_end() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let port = start(&sandbox);
    let logs = sandbox.ended(&["logs"]);
    assert!(logs.stdout.contains("hello\n"), "{logs:?}");
    let last = sandbox.ended(&["logs", "-n", "1"]);
    assert_eq!(last.stdout.lines().count(), 1, "{last:?}");

    let mut following = Running::of(sandbox.portlease(&["logs", "--follow"]));
    http(port).unwrap();
    following.hear("GET / ");
    sandbox.ended(&["stop"]);
    assert_eq!(following.end().0.code(), Some(0));
    let elsewhere = Sandbox::new().ended(&["logs"]);
    assert_eq!(elsewhere.code, Some(4), "{elsewhere:?}");
}

#[test]
fn a_server_whose_supervisor_was_killed_is_stopped_all_the_same() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let port = start(&sandbox);
    let pid = supervisor(&sandbox);
    send(pid, Signal::KILL);
    // Its threads end one after the other.
    until("it is told", || {
        (status(&sandbox)[0]["state"] == "lost").then_some(())
    });
    assert_eq!(
        http(port).unwrap(),
        "HTTP/1.0 200 OK",
        "the server lives on"
    );
    let stopped = sandbox.ended(&["stop"]);
    assert!(stopped.stdout.contains("stopped"), "{stopped:?}");
    assert!(http(port).is_err());
}

#[test]
fn a_command_that_fails_tells_why() {
    let sandbox = Sandbox::new();
    let failed = sandbox.ended(&["start", "--", "sh", "-c", "echo out of order; exit 3"]);
    assert_eq!(failed.code, Some(5), "{failed:?}");
    assert!(failed.stderr.contains("out of order"), "{failed:?}");
    let run = &status(&sandbox)[0];
    assert_eq!(
        (&run["state"], &run["run"]["exitCode"]),
        (&"ended".into(), &3.into())
    );

    let slow = sandbox.ended(&["start", "--timeout=0", "--", "sleep", "60"]);
    assert_eq!(slow.code, Some(5), "{slow:?}");
    assert!(slow.stderr.contains("does not listen yet"), "{slow:?}");
    sandbox.ended(&["stop"]);
}

#[test]
fn without_a_command_it_is_the_script_dev() {
    let sandbox = Sandbox::new();
    let nothing = sandbox.ended(&["start"]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    let _stopped = Stopped(&sandbox);
    let dev = "node -e \\\"require('node:http').createServer((_, answer) => answer.end()).listen(process.env.PORT)\\\"";
    sandbox.write(
        "package.json",
        &format!(r#"{{"scripts": {{"dev": "{dev}"}}}}"#),
    );
    let port = port_of(&sandbox.ended(&["start"]));
    assert!(http(port).unwrap().contains(" 200"));
}

#[test]
fn a_record_that_cannot_be_read_is_told() {
    let sandbox = Sandbox::new();
    sandbox.ended(&["start", "--", "true"]);
    let runs = sandbox.home().join(".local/state/portlease/runs");
    let run = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap();
    std::fs::write(run.path().join("run.json"), "{ broken").unwrap();
    let stopped = sandbox.ended(&["stop"]);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(stopped.stderr.contains("run.json"), "{stopped:?}");
}

#[test]
fn it_knows_the_project_by_its_configured_name() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let (first, last) = (sandbox.ports.start, sandbox.ports.end - 1);
    let config = format!("project = 'shop'\nservices.site.range = '{first}-{last}'");
    sandbox.write("portlease.toml", &config);
    let port = start(&sandbox);
    assert!(sandbox.ports.contains(&port), "{port}");
    let stopped = sandbox.ended(&["stop"]);
    assert_eq!(stopped.stdout.trim_end(), "stopped shop", "{stopped:?}");
}

#[test]
fn it_waits_as_long_as_is_configured() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    sandbox.write("portlease.toml", "timeout = 1\ngrace = 1");
    let started = sandbox.ended(&["start", "--", "sleep", "60"]);
    assert_eq!(started.code, Some(5), "{started:?}");
    assert!(
        started.stderr.contains("It does not listen yet"),
        "{started:?}"
    );
}

#[test]
fn two_who_start_it_at_the_same_time_start_it_once() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let script = server(&sandbox);
    let started: Vec<Ended> = std::thread::scope(|scope| {
        let start = || sandbox.ended(&["start", "--", "sh", "-c", &script]);
        let both = [scope.spawn(start), scope.spawn(start)];
        both.map(|started| started.join().unwrap()).into()
    });
    assert_eq!(port_of(&started[0]), port_of(&started[1]));
    assert_eq!(sandbox.leases().len(), 1);
}
