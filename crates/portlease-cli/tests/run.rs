//! `portlease run` with real commands, real servers and real signals.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use rustix::process::Signal;
use support::{Ended, Running, Sandbox, http, is_there, send, until};

const SERVER: [&str; 5] = ["python3", "-m", "http.server", "{port}", "--bind=127.0.0.1"];

#[test]
fn a_server_is_ready_on_its_port_and_gets_the_same_one_again() {
    let sandbox = Sandbox::new();
    let mut ports = Vec::new();
    for _ in 0..2 {
        let mut running = sandbox.start(&[], &SERVER);
        let port = running.ready();
        assert_eq!(http(port).unwrap(), "HTTP/1.0 200 OK");
        let leases = sandbox.leases();
        assert_eq!((leases.len(), &leases[0]["status"]), (1, &"live".into()));
        assert_eq!(leases[0]["lease"]["port"], port);
        running.signal(Signal::INT);
        let (status, _) = running.end();
        assert_eq!(
            status.code(),
            Some(0),
            "Python's server ends well by Ctrl-C"
        );
        assert!(sandbox.leases().is_empty());
        ports.push(port);
    }
    assert_eq!(ports, [sandbox.ports.start; 2]);
}

#[test]
fn the_port_is_in_the_variable_and_in_the_arguments() {
    let sandbox = Sandbox::new();
    let (first, second) = (sandbox.ports.start, sandbox.ports.start + 1);
    let range = sandbox.range();
    let script = "echo $PORT $API_PORT $0 $1";
    let ended = sandbox.ended(&[
        "run",
        &range,
        "--service=web",
        "--service=api",
        "--",
        "sh",
        "-c",
        script,
        "{port}",
        "{web.port}",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert_eq!(
        (words[0], words[2], words[3]),
        (words[0], words[0], words[0])
    );
    assert_eq!(words[0], first.to_string());
    assert_ne!(words[1], words[0]);
    // The range is that of the first service; the second one's is that of any server.
    assert_ne!(words[1], second.to_string());
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let sandbox = Sandbox::new();
    let range = sandbox.range();
    for (script, code) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 77", 77),
        ("kill -9 $$", 137),
    ] {
        let ended = sandbox.ended(&["run", &range, "--", "sh", "-c", script]);
        assert_eq!(ended.code, Some(code), "{script}: {ended:?}");
    }
    let ended = sandbox.ended(&["run", &range, "--", "there-is-no-such-command"]);
    assert_eq!(ended.code, Some(127), "{ended:?}");
    assert!(ended.stderr.contains("There is no command"), "{ended:?}");
    sandbox.write("no-program", "");
    let ended = sandbox.ended(&["run", &range, "--", "./no-program"]);
    assert_eq!(ended.code, Some(126), "{ended:?}");
    assert!(sandbox.leases().is_empty());
}

#[test]
fn the_exit_code_is_heard_where_nobody_wants_to_know_of_children() {
    let sandbox = Sandbox::new();
    let script = "import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])";
    let inner = sandbox.portlease(&["run", &sandbox.range(), "--", "sh", "-c", "exit 3"]);
    let mut command = sandbox.program("python3");
    command
        .args(["-c", script])
        .arg(inner.get_program())
        .args(inner.get_args());
    let ended = Ended::of(command);
    assert_eq!(ended.code, Some(3), "{ended:?}");
}

#[test]
fn input_and_output_pass_through() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.portlease(&["run", &sandbox.range(), "--", "cat"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"one\ntwo");
}

#[test]
fn an_interrupted_command_ends_with_130() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&[], &["sh", "-c", "echo here; exec sleep 60"]);
    running.hear("here");
    running.signal(Signal::INT);
    assert_eq!(running.end().0.code(), Some(130));
}

#[test]
fn a_terminated_command_takes_its_whole_tree_along() {
    let sandbox = Sandbox::new();
    for signal in [Signal::TERM, Signal::HUP] {
        let script = "sleep 60 & echo child $!; wait";
        let mut running = sandbox.start(&[], &["sh", "-c", script]);
        let line = running.hear("child ");
        let child: u32 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(is_there(child));
        running.signal(signal);
        let (status, _) = running.end();
        assert_eq!(status.code(), Some(128 + signal.as_raw()));
        assert!(!is_there(child), "it was started by the command");
    }
}

#[test]
fn a_command_that_ignores_the_signal_is_killed_after_the_grace() {
    let sandbox = Sandbox::new();
    let script = "trap '' TERM; echo here; while :; do sleep 0.05; done";
    let mut running = sandbox.start(&["--grace=1"], &["sh", "-c", script]);
    running.hear("here");
    running.signal(Signal::TERM);
    assert_eq!(running.end().0.code(), Some(137));
}

#[test]
fn a_program_that_goes_into_the_background_ends_with_the_command() {
    let sandbox = Sandbox::new();
    let script = "setsid sh -c 'echo $$ > pid; exec sleep 60' >/dev/null 2>&1 & while [ ! -s pid ]; do sleep 0.01; done";
    let ended = sandbox.ended(&["run", &sandbox.range(), "--", "sh", "-c", script]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let pid: u32 = sandbox.read("pid").unwrap().trim().parse().unwrap();
    assert!(!is_there(pid));
}

#[test]
fn a_server_whose_portlease_is_killed_lives_on_and_keeps_its_lease() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&[], &SERVER);
    let port = running.ready();
    let leases = sandbox.leases();
    let server = leases[0]["lease"]["listener"]["pid"].as_u64().unwrap();
    let server = u32::try_from(server).unwrap();
    running.kill();
    assert_eq!(http(port).unwrap(), "HTTP/1.0 200 OK");

    let cleaned = sandbox.ended(&["cleanup"]);
    assert!(cleaned.stderr.contains("0 leases removed"), "{cleaned:?}");
    assert_eq!(sandbox.leases()[0]["status"], "live");
    send(server, Signal::KILL);
    until("the server is gone", || (!is_there(server)).then_some(()));
    let cleaned = sandbox.ended(&["cleanup"]);
    assert!(cleaned.stderr.contains("1 lease removed"), "{cleaned:?}");
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_server_on_another_port_than_it_was_told_is_noticed() {
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.ports.end - 1;
    let address = elsewhere.to_string();
    let mut running = sandbox.start(&[], &["python3", "-m", "http.server", &address]);
    let line = running.hear(" although it was told ");
    assert!(line.contains(&address), "{line}");
    let leases = sandbox.leases();
    assert_eq!(
        (&leases[0]["lease"]["port"], &leases[0]["status"]),
        (&elsewhere.into(), &"live".into())
    );
    running.signal(Signal::TERM);
    running.end();
}

#[test]
fn a_stranger_on_another_address_of_the_port_is_told_of() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&[], &SERVER);
    let port = running.ready();
    let _stranger = TcpListener::bind(("::1", port)).unwrap();
    let line = running.hear(" as well, on another address");
    let own = format!("(pid {}) listens on port {port}", std::process::id());
    assert!(line.contains(&own), "{line}");
    running.signal(Signal::TERM);
    running.end();
}

#[test]
fn a_lease_that_is_taken_away_does_not_end_the_command() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&[], &["sh", "-c", LATE]);
    told_port(&sandbox);
    let released = sandbox.ended(&["release", "--force"]);
    assert_eq!(released.code, Some(0), "{released:?}");
    sandbox.write("go", "");
    running.hear("has no lease: it was released or swept. Reserve again. The command goes on.");
    running.signal(Signal::TERM);
    running.end();
}

/// A command that says its port and waits for a sign before it listens.
const LATE: &str = "echo $PORT > port.new; mv port.new port; while [ ! -e go ]; do sleep 0.01; done; \
                    exec python3 -m http.server $PORT --bind 127.0.0.1";

fn told_port(sandbox: &Sandbox) -> u16 {
    let port = until("the command says its port", || sandbox.read("port"));
    fs::remove_file(sandbox.project().join("port")).unwrap();
    port.trim().parse().unwrap()
}

#[test]
fn a_command_that_loses_its_port_is_started_on_another() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&[], &["sh", "-c", LATE]);
    let lost = told_port(&sandbox);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, lost)).expect("the gate is open");
    let line = running.hear(" took port ");
    assert!(
        line.contains(&format!("(pid {})", std::process::id())),
        "{line}"
    );
    let next = told_port(&sandbox);
    assert_ne!(next, lost);
    sandbox.write("go", "");
    assert_eq!(running.ready(), next);
    running.signal(Signal::TERM);
    running.end();
}

#[test]
fn a_command_that_loses_every_port_is_given_up() {
    let sandbox = Sandbox::new();
    let running = sandbox.start(&["--retries=1"], &["sh", "-c", LATE]);
    let mut strangers = Vec::new();
    for _ in 0..2 {
        let lost = told_port(&sandbox);
        strangers.push(TcpListener::bind((Ipv4Addr::LOCALHOST, lost)).unwrap());
    }
    let (status, said) = running.end();
    assert_eq!(status.code(), Some(5), "{said:?}");
    assert!(said.concat().contains("took 2 ports"), "{said:?}");
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_server_that_finds_its_port_taken_is_no_ordinary_failure() {
    let sandbox = Sandbox::new();
    // The stranger comes and the server ends before anybody looks.
    let script = format!("{LATE} 2>/dev/null");
    let mut running = sandbox.start(&[], &["sh", "-c", &script]);
    let lost = told_port(&sandbox);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, lost)).unwrap();
    sandbox.write("go", "");
    running.hear(" took port ");
    assert_ne!(running.ready(), lost);
    running.signal(Signal::TERM);
    running.end();
}

#[test]
fn a_second_instance_has_a_port_of_its_own_unless_it_is_told_otherwise() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.start(&[], &SERVER);
    let port = first.ready();
    let mut second = sandbox.start(&[], &SERVER);
    let line = second.hear("This is instance 2");
    assert!(line.contains(&format!("http://localhost:{port}")), "{line}");
    assert_eq!(second.ready(), port + 1);

    let range = sandbox.range();
    let attached = sandbox.ended(&["run", &range, "--attach", "--", "false"]);
    assert_eq!(
        (attached.code, attached.stdout.trim()),
        (Some(0), &*format!("http://localhost:{port}"))
    );

    let arguments = [&["run", &range, "--takeover", "--"][..], &SERVER].concat();
    let mut third = Running::of(sandbox.portlease(&arguments));
    assert_eq!(third.ready(), port);
    assert_eq!(first.end().0.code(), Some(143), "it was ended");
    for running in [second, third] {
        running.signal(Signal::TERM);
        running.end();
    }
    assert!(sandbox.leases().is_empty());
}

#[test]
fn the_users_own_port_is_that_port_or_none() {
    let sandbox = Sandbox::new();
    let port = sandbox.ports.start + 4;
    let flag = format!("--port={port}");
    let arguments = ["run", &flag, "--", "sh", "-c", "echo $PORT"];
    assert_eq!(sandbox.ended(&arguments).stdout.trim(), port.to_string());
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let refused = sandbox.ended(&arguments);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains(&format!("(pid {})", std::process::id())),
        "{refused:?}"
    );

    // Also when it stands in the command.
    let own = format!("--port={port}");
    let refused = sandbox.ended(&["run", "--", "vite", &own]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
}

#[test]
fn the_port_of_the_environment_is_tried_first() {
    let sandbox = Sandbox::new();
    let wanted = sandbox.ports.start + 5;
    let range = sandbox.range();
    let with = |value: &str| {
        let mut command = sandbox.portlease(&["run", &range, "--", "sh", "-c", "echo $PORT"]);
        command.env("PORT", value);
        Ended::of(command)
    };
    assert_eq!(with(&wanted.to_string()).stdout.trim(), wanted.to_string());
    let warned = with("abc");
    assert_eq!(warned.code, Some(0));
    assert!(warned.stderr.contains("PORT is \"abc\""), "{warned:?}");
}

#[test]
fn quiet_says_nothing_of_its_own() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(
        &["--quiet"],
        &["sh", "-c", "echo $PORT; exec python3 -m http.server $PORT"],
    );
    let port: u16 = running.hear("").trim().parse().unwrap();
    until("it listens", || http(port).ok());
    running.signal(Signal::TERM);
    let (_, said) = running.end();
    assert!(!said.concat().contains("portlease"), "{said:?}");
}

#[test]
fn a_summary_tells_which_port_each_service_got_and_how() {
    let sandbox = Sandbox::new();
    let range = sandbox.range();
    let with = |port: &str| {
        sandbox.ended(&[
            "run",
            &range,
            port,
            "--summary",
            "--service=web",
            "--service=api",
            "--",
            "true",
        ])
    };
    let told = with("--exclude=1");
    assert!(
        told.stderr.contains("2 of 2 services have a port (100 %)"),
        "{told:?}"
    );
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, sandbox.ports.start)).unwrap();
    let told = with(&format!("--port={}", sandbox.ports.start));
    assert_eq!(told.code, Some(3), "{told:?}");
    assert!(
        told.stderr.contains("0 of 2 services have a port (0 %)"),
        "{told:?}"
    );
}

/// Listens on a port of its own choice, and a while later on the one that it was told.
const EARLY: &str = "
import os, socket, sys, time
early = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while not os.path.exists('go'):
    time.sleep(0.01)
told = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))
time.sleep(60)
";

#[test]
fn a_server_that_comes_to_its_port_after_another_one_is_followed_there() {
    let sandbox = Sandbox::new();
    let elsewhere = (sandbox.ports.end - 1).to_string();
    let mut running = sandbox.start(&[], &["python3", "-c", EARLY, &elsewhere]);
    running.hear(" although it was told ");
    sandbox.write("go", "");
    let port = running.ready();
    assert_eq!(port, sandbox.ports.start);
    assert_eq!(sandbox.leases()[0]["lease"]["port"], port);
    running.signal(Signal::TERM);
    running.end();
}

#[test]
fn a_registry_that_fails_does_not_end_the_server() {
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&[], &["sh", "-c", LATE]);
    let port = told_port(&sandbox);
    sandbox.break_registry();
    sandbox.write("go", "");
    running.hear("The command goes on.");
    until("it serves", || http(port).ok());
    running.signal(Signal::TERM);
    assert_eq!(running.end().0.code(), Some(143));
}

/// Listens for its second service in a process that outlives the command.
const LEFT_BEHIND: &str = "python3 -m http.server $API_PORT --bind 127.0.0.1 2>/dev/null & \
                           while [ ! -e go ]; do sleep 0.01; done; exit 7";

#[test]
fn a_command_that_ends_with_a_service_that_was_not_seen_yet_has_lost_nothing() {
    let sandbox = Sandbox::new();
    let flags = ["--service=web", "--service=api"];
    let running = sandbox.start(&flags, &["sh", "-c", LEFT_BEHIND]);
    let port = until("both have leases", || {
        let leases = sandbox.leases();
        let api = leases
            .iter()
            .find(|lease| lease["lease"]["service"] == "api")?;
        api["lease"]["port"].as_u64()
    });
    let port = u16::try_from(port).unwrap();
    until("it listens", || http(port).ok());
    sandbox.write("go", "");
    let (status, said) = running.end();
    assert_eq!(status.code(), Some(7), "{said:?}");
    assert!(!said.concat().contains(" took port "), "{said:?}");
}

#[test]
fn a_command_that_is_interrupted_before_it_listens_is_not_started_again() {
    let sandbox = Sandbox::new();
    let running = sandbox.start(&[], &["sh", "-c", LATE]);
    let port = told_port(&sandbox);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the gate is open");
    running.signal(Signal::INT);
    let (status, said) = running.end();
    assert_eq!(status.code(), Some(130), "{said:?}");
    assert!(sandbox.read("port").is_none(), "it is started once");
}
