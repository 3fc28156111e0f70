//! Two hosts, each in a network of its own, and a planner that sees neither: plans are made in this process and confirmed in
//! theirs, and strangers take ports in between.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};

use portlease::core::{HostSnapshot, Lease, Plan, Planner, Port, Wish};
use portlease::{Allocator, Error, Options, Registry};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const ROLE: &str = "PORTLEASE_TEST_ROLE";
const REGISTRY: &str = "PORTLEASE_TEST_REGISTRY";
/// What is no answer is what the test harness prints.
const ANSWER: &str = "answer: ";

/// What a runner is asked, a line each.
#[derive(Serialize, Deserialize)]
enum Asked {
    Snapshot,
    Confirm(Box<Plan>),
    /// Some other program is to listen on the port.
    Occupy(Port),
    Leases,
}

#[derive(Serialize, Deserialize)]
enum Confirmed {
    Granted(Port),
    Outdated(Box<HostSnapshot>),
}

/// A runner in a network of its own.
struct Runner {
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Runner {
    fn start(registry: &Path, test: &str) -> Self {
        let script = "ip link set lo up; exec \"$@\"";
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let mut child = command
            .args(["--net", "sh", "-ec", script, "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(ROLE, "runner")
            .env(REGISTRY, registry)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            asks: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    fn ask<T: DeserializeOwned>(&mut self, asked: &Asked) -> T {
        writeln!(self.asks, "{}", serde_json::to_string(asked).unwrap()).unwrap();
        let mut answers = self.answers.by_ref().map(Result::unwrap);
        let answer = answers.find_map(|line| Some(line.split_once(ANSWER)?.1.to_owned()));
        let answer = answer.expect("the runner answers");
        serde_json::from_str(&answer).unwrap()
    }

    /// Plans and asks until the plan is confirmed; answers the port and how often it was planned.
    fn seat(&mut self, mut snapshot: HostSnapshot, project: &str) -> (Port, usize) {
        for turn in 1.. {
            let plan = Box::new(plan(snapshot, project));
            match self.ask(&Asked::Confirm(plan)) {
                Confirmed::Granted(port) => return (port, turn),
                Confirmed::Outdated(now) => snapshot = *now,
            }
        }
        unreachable!()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn plan(snapshot: HostSnapshot, project: &str) -> Plan {
    let wish = format!(r#"{{"projectId": "{project}", "framework": "vite"}}"#);
    let planner = Planner::new(snapshot).unwrap();
    let request = Wish::read(&wish).unwrap().request(planner.settings());
    planner.plan(request.unwrap()).unwrap()
}

/// The runner's side: it sees its own network and nothing else.
fn run() {
    let registry = env::var(REGISTRY).unwrap();
    let allocator = Allocator::open(Options {
        registry: Registry::from_url(&format!("sqlite:{registry}")).unwrap(),
        ..Options::default()
    })
    .unwrap();
    let (mut grants, mut strangers) = (Vec::new(), Vec::new());
    for line in io::stdin().lines() {
        match serde_json::from_str(&line.unwrap()).unwrap() {
            Asked::Snapshot => answer(&allocator.snapshot().unwrap()),
            Asked::Leases => {
                let leases = allocator.list(None).unwrap();
                answer(&leases);
            }
            Asked::Occupy(port) => {
                strangers.push(Stranger::on(port));
                answer(&());
            }
            Asked::Confirm(plan) => match allocator.confirm_plan(&plan) {
                Ok(granted) => {
                    answer(&Confirmed::Granted(granted.get("web").unwrap().port()));
                    grants.push(granted);
                }
                Err(Error::PlanOutdated(outdated)) => {
                    answer(&Confirmed::Outdated(Box::new(outdated.snapshot)));
                }
                Err(error) => panic!("{error}"),
            },
        }
    }
}

fn answer(answer: &impl Serialize) {
    println!("{ANSWER}{}", serde_json::to_string(answer).unwrap());
}

/// Some other program that listens.
struct Stranger(Child);

impl Stranger {
    fn on(port: Port) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(ROLE, port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut lines = said.lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(ANSWER)), "it listens");
        Self(child)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "strangers are ordinary programs")]
fn listen(port: &str) {
    let port: u16 = port.parse().unwrap();
    let _listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    answer(&());
    // Until whoever started it has gone.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    process::exit(0);
}

const TEST: &str = "plans_of_two_hosts_that_the_planner_cannot_see";

#[test]
fn plans_of_two_hosts_that_the_planner_cannot_see() {
    match env::var(ROLE).as_deref() {
        Ok("runner") => return run(),
        Ok(port) => return listen(port),
        Err(_) => {}
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry.db");
    let [mut left, mut right] = [(); 2].map(|()| Runner::start(&registry, TEST));
    let [before_left, before_right]: [HostSnapshot; 2] =
        [left.ask(&Asked::Snapshot), right.ask(&Asked::Snapshot)];
    assert_ne!(before_left.host, before_right.host);

    // All of them are planned on what was known at first, and a stranger is faster each second time.
    let mut strangers = BTreeSet::new();
    let mut granted = BTreeSet::new();
    for index in 0..12 {
        let project = format!("project-{index}");
        if index % 2 == 0 {
            let now: HostSnapshot = left.ask(&Asked::Snapshot);
            let port = plan(now, &project).planned.seats[0].port;
            let () = left.ask(&Asked::Occupy(port));
            strangers.insert(port);
        }
        let (port, turns) = left.seat(before_left.clone(), &project);
        assert!(turns <= 2, "{project} was planned {turns} times");
        assert!(granted.insert(port) && !strangers.contains(&port), "{port}");
    }
    assert_eq!(strangers.len(), 6);

    // Of all that, the other host knows nothing.
    let (port, turns) = right.seat(before_right.clone(), "project-0");
    assert_eq!((port.get(), turns), (5173, 1));
    let leases = |runner: &mut Runner| -> BTreeSet<Port> {
        let leases: Vec<Lease> = runner.ask(&Asked::Leases);
        leases.iter().map(|lease| lease.port).collect()
    };
    assert_eq!(leases(&mut left), granted);
    assert_eq!(leases(&mut right), BTreeSet::from([port]));
    assert_eq!(hosts(&registry), 2);
}

fn hosts(registry: &Path) -> usize {
    let registry = format!("sqlite:{}", registry.display());
    let allocator = Allocator::open(Options {
        registry: Registry::from_url(&registry).unwrap(),
        ..Options::default()
    });
    allocator.unwrap().export().unwrap().hosts.len()
}
