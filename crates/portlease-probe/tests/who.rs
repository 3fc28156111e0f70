//! Who is on a port: real processes, found by suspicion and by search.

#![cfg(target_os = "linux")]

mod support;

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portlease_core::{Holder, Occupant, Port, Process};
use portlease_probe::{Probe, identity};
use support::{Foreign, alone, port_of};

/// A Python program that listens on a port that the kernel chooses, and says which.
const SERVER: &str = "
import os, socket, sys
server = socket.create_server(('127.0.0.1', 0))
if 'fork' in sys.argv and os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print(server.getsockname()[1], flush=True)
sys.stdin.read()
";

/// A process that is ended with the test.
struct Server {
    child: Child,
    port: Port,
}

impl Server {
    fn start(word: &str) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", SERVER, word])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            port: line.parse().unwrap(),
        }
    }

    /// Python may be started by a script that replaces itself or stays.
    fn process(&self) -> Process {
        let who = Probe::new().who(self.port, None).unwrap();
        who.into_iter().next().unwrap().process.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

#[test]
fn everything_about_a_listening_process_is_told() {
    let _alone = alone();
    let server = Server::start("--marked=ü b");
    let who = Probe::new().who(server.port, None).unwrap();
    assert_eq!(who.len(), 1, "{who:?}");
    let who = who.into_iter().next().unwrap();
    assert!(who.listens);
    assert!(who.name.as_ref().unwrap().starts_with("python3"), "{who:?}");
    assert_eq!(who.command.last().unwrap(), "--marked=ü b");
    assert!(who.command.contains(&SERVER.to_owned()));
    assert_eq!(who.directory.as_deref(), Some("/".as_ref()));
    let output = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(output.stdout).unwrap();
    assert_eq!(who.user.as_deref(), Some(user.trim()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let started = Duration::from_millis(who.started_at.unwrap().as_millis());
    let age = now.checked_sub(started).unwrap();
    assert!(age < Duration::from_secs(30), "{age:?}");
    assert!(who.ancestors.contains(&identity::this_process()), "{who:?}");

    let occupant = Occupant::from(who);
    let this = Holder::Process(identity::this_process());
    assert!(
        occupant.belongs_to(&this),
        "its lease is that of who started it"
    );
}

#[test]
fn the_right_suspicion_is_confirmed() {
    let _alone = alone();
    let server = Server::start("");
    let process = server.process();
    let who = Probe::new().who(server.port, Some(&process)).unwrap();
    assert_eq!(who.len(), 1);
    assert_eq!(who[0].process.as_ref(), Some(&process));
}

#[test]
fn the_wrong_suspicion_does_no_harm() {
    let _alone = alone();
    let server = Server::start("");
    let process = server.process();
    let later = Process {
        started: process.started.map(|started| started + 1),
        ..process.clone()
    };
    let missing = Process {
        pid: u32::MAX,
        ..process.clone()
    };
    for suspected in [identity::this_process(), later, missing] {
        let who = Probe::new().who(server.port, Some(&suspected)).unwrap();
        assert_eq!(who.len(), 1);
        assert_eq!(who[0].process.as_ref(), Some(&process));
    }
}

#[test]
fn who_shares_a_socket_comes_after_who_started_it() {
    let _alone = alone();
    let server = Server::start("fork");
    let who = Probe::new().who(server.port, None).unwrap();
    assert_eq!(who.len(), 2, "{who:?}");
    let first = who[0].process.as_ref().unwrap();
    assert!(who[1].ancestors.contains(first));

    let who = Probe::new().who(server.port, Some(first)).unwrap();
    assert_eq!(who.len(), 1, "the suspected process is answered alone");
    let earlier = Process {
        started: first.started.map(|started| started - 1),
        ..first.clone()
    };
    let who = Probe::new().who(server.port, Some(&earlier)).unwrap();
    assert_eq!(who.len(), 2, "another process has its number");
}

#[test]
fn a_process_that_the_suspect_started_is_found_without_a_search() {
    let _alone = alone();
    let server = Server::start("");
    // In a search, this process comes second on the port.
    let _bound = Foreign::at("127.0.0.2").bind(Some(server.port)).unwrap();
    let who = Probe::new()
        .who(server.port, Some(&identity::this_process()))
        .unwrap();
    assert_eq!(who.len(), 1, "{who:?}");
    assert_eq!(who[0].process.as_ref(), Some(&server.process()));
}

#[test]
fn a_suspect_who_shares_the_port_with_a_stranger_is_not_answered_alone() {
    let _alone = alone();
    let server = Server::start("");
    let _beside = Foreign::server("127.0.0.2")
        .bind(Some(server.port))
        .unwrap();
    let who = Probe::new()
        .who(server.port, Some(&server.process()))
        .unwrap();
    assert_eq!(who.len(), 2, "{who:?}");
    assert!(who.iter().all(|it| it.listens));
}

#[test]
fn the_ports_of_a_process_and_of_those_that_it_started() {
    let _alone = alone();
    let (one, two) = (Server::start(""), Server::start("fork"));
    let probe = Probe::new();
    let ports_of = |process: &Process| probe.ports_of(process).unwrap();
    assert_eq!(ports_of(&one.process()), [one.port].into_iter().collect());
    let all = ports_of(&identity::this_process());
    assert!(all.contains(one.port) && all.contains(two.port), "{all:?}");
    let bound = Foreign::at("127.0.0.1").bind(None).unwrap();
    assert!(!ports_of(&identity::this_process()).contains(port_of(&bound)));
    let later = Process {
        started: one.process().started.map(|started| started + 1),
        ..one.process()
    };
    assert!(
        ports_of(&later).is_empty(),
        "another process has its number"
    );
}

#[test]
fn many_ports_are_told_at_once() {
    let _alone = alone();
    let (one, two) = (Server::start(""), Server::start(""));
    let bound = Foreign::at("127.0.0.1").bind(None).unwrap();
    let ports = [one.port, two.port, port_of(&bound), support::free_port()];
    for suspected in [None, Some(&one.process())] {
        let who = Probe::new()
            .who_each(&ports.into_iter().collect(), suspected)
            .unwrap();
        let process = |port: Port| who[&port][0].process.clone().unwrap();
        assert_eq!(who.len(), 3, "nobody is on the last port: {who:?}");
        assert_eq!(process(one.port), one.process());
        assert_eq!(process(two.port), two.process());
        assert_eq!(process(ports[2]), identity::this_process());
    }
}

#[test]
fn who_listens_comes_before_who_is_only_bound() {
    let _alone = alone();
    let server = Server::start("");
    let _bound = Foreign::at("127.0.0.2").bind(Some(server.port)).unwrap();
    let who = Probe::new().who(server.port, None).unwrap();
    let pids: Vec<u32> = who
        .iter()
        .map(|it| it.process.as_ref().unwrap().pid)
        .collect();
    assert_eq!(pids, [server.process().pid, std::process::id()]);
    assert_eq!([who[0].listens, who[1].listens], [true, false]);
}

#[test]
fn nobody_is_on_a_free_port() {
    let _alone = alone();
    let port = support::free_port();
    assert!(Probe::new().who(port, None).unwrap().is_empty());
    let this = identity::this_process();
    assert!(Probe::new().who(port, Some(&this)).unwrap().is_empty());
}

#[test]
fn of_the_process_of_another_user_at_least_the_user_is_told() {
    const TEST: &str = "of_the_process_of_another_user_at_least_the_user_is_told";
    const PORT: &str = "PORTLEASE_TEST_PORT";
    if let Ok(port) = env::var(PORT) {
        let who = Probe::new().who(port.parse().unwrap(), None).unwrap();
        assert_eq!(who.len(), 1, "{who:?}");
        assert_eq!((&who[0].process, who[0].listens), (&None, true));
        assert_eq!(who[0].user.as_deref(), Some("root"));
        return;
    }
    if !rustix::process::geteuid().is_root() {
        // Without another user at hand, only root can try this.
        return;
    }
    let _alone = alone();
    let socket = Foreign::server("127.0.0.1").bind(None).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", TEST])
        .env(PORT, port_of(&socket).to_string())
        .output()
        .expect("this test needs setpriv");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
