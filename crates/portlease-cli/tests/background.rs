//! `start`, `stop`, `restart`, `logs` and `status` with real processes.

#![cfg(unix)]

mod support;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;
use support::{Ended, Running, Sandbox, check, http, is_there, send, text, until};

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

    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut unread = sandbox.portlease(&["logs", "--follow"]);
    let mut unread = unread.stdout(writer).spawn().unwrap();
    reader.read_exact(&mut [0; 6]).unwrap();
    drop(reader);
    let status = until("it ends with its reader", || unread.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));

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

/// The folder of the only run.
fn run_folder(sandbox: &Sandbox) -> PathBuf {
    let runs = sandbox.home().join(".local/state/portlease/runs");
    let run = fs::read_dir(runs).unwrap().next().unwrap();
    run.unwrap().path()
}

/// Starts two services, of which the second one listens first; the browser is this program.
fn opened_by(sandbox: &Sandbox, browser: &str) -> Ended {
    let script = "import os, http.server as h, threading, time
def serve(name):
    server = h.HTTPServer(('127.0.0.1', int(os.environ[name])), h.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever).start()
serve('API_PORT')
time.sleep(0.5)
serve('PORT')";
    sandbox.write("server.py", script);
    let (first, last) = (sandbox.ports.start, sandbox.ports.end - 1);
    let range = format!("range = '{first}-{last}'\n");
    sandbox.write(
        "portlease.toml",
        &format!("[services.web]\n{range}[services.api]\n{range}"),
    );
    let mut command = sandbox.portlease(&["start", "--open", "--", "python3", "server.py"]);
    command.env("BROWSER", browser);
    Ended::of(command)
}

#[test]
fn a_browser_opens_what_the_command_serves() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    sandbox.write(
        "browser",
        "#!/bin/sh\necho \"$1\" > opened.new; mv opened.new opened",
    );
    let browser = sandbox.project().join("browser");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let started = opened_by(&sandbox, text(&browser));
    assert_eq!(started.code, Some(0), "{started:?}");
    let opened = until("the browser opens it", || sandbox.read("opened"));
    let main = format!("http://localhost:{}", sandbox.ports.start);
    assert_eq!(opened.trim(), main);
    assert_eq!(started.stdout.lines().count(), 2, "{started:?}");
}

#[test]
fn a_server_runs_also_where_no_browser_is() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    start(&sandbox);
    let mut again = sandbox.portlease(&["start", "--open"]);
    again.env("BROWSER", "/there/is/none").env("PATH", "");
    let again = Ended::of(again);
    port_of(&again);
    let words = "No browser opens http://localhost:";
    assert!(again.stderr.contains(words), "{again:?}");
}

#[test]
fn a_record_that_cannot_be_written_is_no_reason_to_end() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let script = "until [ -e go ]; do sleep 0.01; done; echo done";
    let started = sandbox.ended(&["start", "--timeout=0", "--", "sh", "-c", script]);
    check(&started, 5, "It does not listen yet. The end of ");
    until("it has begun", || {
        let state = status(&sandbox).first()?["state"].clone();
        (state == "starting").then_some(())
    });
    fs::create_dir(run_folder(&sandbox).join("run.json.new")).unwrap();
    sandbox.write("go", "");
    let logs = until("it is told", || {
        let logs = sandbox.ended(&["logs"]).stdout;
        logs.contains("The record of this run cannot be written")
            .then_some(logs)
    });
    assert!(logs.contains("done\n"), "{logs}");
    check(
        &sandbox.ended(&["stop"]),
        1,
        "Make it readable and writable for you, or remove it",
    );
}

#[test]
fn files_of_a_run_that_are_folders() {
    let sandbox = Sandbox::new();
    sandbox.ended(&["start", "--", "true"]);
    let folder = run_folder(&sandbox);
    fs::remove_file(folder.join("log")).unwrap();
    fs::create_dir(folder.join("log")).unwrap();
    check(
        &sandbox.ended(&["logs"]),
        1,
        "/log cannot be printed: Is a directory",
    );
    check(
        &sandbox.ended(&["start"]),
        1,
        " cannot be used: Is a directory",
    );
    let runs = folder.parent().unwrap();
    fs::remove_dir_all(runs).unwrap();
    fs::write(runs, "").unwrap();
    for arguments in [&["status"][..], &["start", "--", "true"]] {
        check(&sandbox.ended(arguments), 1, "/runs");
    }
    let (code, told) = sandbox.json(&["status"]);
    assert_eq!(
        (code, &told["error"]["code"]),
        (Some(1), &"RECORD_UNUSABLE".into())
    );
}

#[test]
fn a_project_whose_name_looks_like_a_flag() {
    let sandbox = Sandbox::new();
    let _stopped = Stopped(&sandbox);
    let (first, last) = (sandbox.ports.start, sandbox.ports.end - 1);
    let config = format!("project = '--help'\nservices.web.range = '{first}-{last}'");
    sandbox.write("portlease.toml", &config);
    start(&sandbox);
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
    fs::write(run_folder(&sandbox).join("run.json"), "{ broken").unwrap();
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
