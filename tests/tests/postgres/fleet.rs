//! Hosts that cannot see each other, each in a network of its own, with real runners; and planners that see none of them.

use std::env;
use std::io::{self, BufRead as _, BufReader, Lines, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use portlease::core::{Host, Lease, LeaseKey, Name, Port, Request, Wish};
use portlease::{
    Allocator, Error, Fleet, HostStatus, Options, Registry, Runner, RunnerEvent, RunnerOptions,
};
use portlease_tests::postgres::{Cluster, Database};
use serde_json::{Value, json};

use crate::support::fresh;

const ROLE: &str = "PORTLEASE_TEST_RUNNER";
const LONG: Duration = Duration::from_secs(30);
/// What is no event is what the test harness prints.
const EVENT: &str = "event: ";

/// A host: a process in a network of its own, which does what it is told and answers for its host.
struct Remote {
    host: Host,
    child: Child,
    orders: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
}

impl Remote {
    fn start(database: &Database, name: &str, gives_up_after: Option<Duration>) -> Self {
        let script = "ip link set lo up; exec \"$@\"";
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let role = json!({
            "url": by_socket(database),
            "host": name,
            "givesUpAfterMillis": gives_up_after.map(|it| it.as_millis()),
        });
        let mut child = command
            .args(["--net", "sh", "-ec", script, "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "fleet::the_part_of_a_runner", "--nocapture"])
            .env(ROLE, role.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut remote = Self {
            host: name.parse().unwrap(),
            orders: child.stdin.take().unwrap(),
            events: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        };
        remote.hear("runs");
        remote
    }

    /// Waits until it tells this, and answers what else it says.
    fn hear(&mut self, kind: &str) -> Value {
        let mut lines = self.events.by_ref().map(Result::unwrap);
        let event = lines.find_map(|line| {
            let event: Value = serde_json::from_str(line.split_once(EVENT)?.1).ok()?;
            (event["type"] == kind).then_some(event)
        });
        event.unwrap_or_else(|| panic!("the runner never tells {kind}"))
    }

    /// Has a program listen there.
    fn occupy(&mut self, port: u16) {
        writeln!(self.orders, "{port}").unwrap();
        self.hear("listens");
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test, but what the process of a host does: it answers for it, and listens where it is told to.
#[test]
fn the_part_of_a_runner() {
    let Ok(role) = env::var(ROLE) else { return };
    let role: Value = serde_json::from_str(&role).unwrap();
    let allocator = open(role["url"].as_str().unwrap(), role["host"].as_str());
    let options = RunnerOptions {
        report_every: Duration::from_millis(200),
        gives_up_after: role["givesUpAfterMillis"]
            .as_u64()
            .map(Duration::from_millis),
    };
    let runner = Runner::new(&allocator, options).unwrap();
    thread::spawn(|| {
        let mut listeners = Vec::new();
        for line in io::stdin().lines() {
            let port: u16 = line.unwrap().parse().unwrap();
            #[expect(
                clippy::disallowed_methods,
                reason = "it stands for an ordinary server"
            )]
            listeners.push(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
            tell(&json!({"type": "listens"}));
        }
    });
    tell(&json!({"type": "runs"}));
    let (_never, stopped) = channel();
    runner.run(&stopped, |event| {
        let ports = |leases: &[Lease]| leases.iter().map(|it| it.port).collect::<Vec<_>>();
        tell(&match event {
            RunnerEvent::Confirmed(granted) => json!({"type": "confirmed", "count": granted.len()}),
            RunnerEvent::Declined(error) => json!({"type": "declined", "code": error.code()}),
            RunnerEvent::Returned(leases) => json!({"type": "returned", "ports": ports(&leases)}),
            RunnerEvent::Lost(lease, _) => json!({"type": "lost", "port": lease.port}),
            other => json!({"type": "other", "is": format!("{other:?}")}),
        });
    });
}

fn tell(event: &Value) {
    println!("{EVENT}{event}");
}

pub(crate) fn open(url: &str, host: Option<&str>) -> Allocator {
    Allocator::open(Options {
        registry: Registry::from_url(url).unwrap(),
        host: host.map(|host| host.parse().unwrap()),
        ..Options::default()
    })
    .unwrap()
}

/// The database as it is reached from a network of its own: networks have the folders in common.
fn by_socket(database: &Database) -> String {
    let cluster = Cluster::shared();
    let folder = cluster.folder().to_str().unwrap().replace('/', "%2F");
    format!(
        "postgres://postgres@{folder}:{}/{}",
        cluster.port(),
        database.name
    )
}

/// Somebody who sees none of the hosts.
pub(crate) fn planner(database: &Database) -> Fleet {
    open(&database.url, Some("control-plane")).fleet().unwrap()
}

fn request(project: &str) -> Request {
    let wish = format!(r#"{{"projectId": "{project}", "framework": "vite"}}"#);
    let settings = portlease::core::HostSettings::default();
    Wish::read(&wish).unwrap().request(&settings).unwrap()
}

/// Waits until the host has reported what this asks for.
pub(crate) fn until_reported(
    fleet: &Fleet,
    host: &Host,
    is_it: impl Fn(&portlease::core::HostSnapshot) -> bool,
) {
    let deadline = Instant::now() + LONG;
    loop {
        match fleet.snapshot_of(host) {
            Ok(snapshot) if is_it(&snapshot) => return,
            Ok(_) | Err(Error::NoRunner { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(Instant::now() < deadline, "{host} does not report");
    }
}

#[test]
fn ports_are_leased_on_hosts_that_nobody_sees() {
    let database = fresh();
    let mut worker = Remote::start(&database, "worker-1", None);
    let other = Remote::start(&database, "worker-2", None);
    let fleet = planner(&database);
    until_reported(&fleet, &worker.host, |_| true);
    until_reported(&fleet, &other.host, |_| true);
    // The plan is made on what was reported, and the host knows better.
    worker.occupy(5173);
    let granted = fleet
        .reserve_on(&worker.host, &request("shop"), LONG)
        .unwrap();
    assert_eq!(granted[0].port(), Port::literal(5174));
    worker.hear("confirmed");
    // Each host has its own ports.
    let granted = fleet
        .reserve_on(&other.host, &request("blog"), LONG)
        .unwrap();
    assert_eq!(granted[0].port(), Port::literal(5173));
    // Whoever asks again has it already.
    let again = fleet
        .reserve_on(&other.host, &request("blog"), LONG)
        .unwrap();
    assert_eq!(again[0].lease.generation, granted[0].lease.generation);

    let status = |host: &Host| {
        open(&database.url, Some("control-plane"))
            .host_statuses()
            .unwrap()
            .into_iter()
            .find(|it| it.host == *host)
    };
    let HostStatus {
        leases,
        silent_for_seconds,
        ..
    } = status(&worker.host).unwrap();
    assert_eq!(leases, 1);
    assert!(silent_for_seconds.is_some_and(|seconds| seconds < 30));
}

#[test]
fn a_host_without_a_runner_is_told_of() {
    let database = fresh();
    let fleet = planner(&database);
    let nobody: Host = "nowhere".parse().unwrap();
    let error = fleet
        .reserve_on(&nobody, &request("shop"), LONG)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::NoRunner {
                silent_for: None,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("Start `portlease runner` there.")
    );

    let stopped = Remote::start(&database, "worker-1", None);
    until_reported(&fleet, &stopped.host, |_| true);
    stopped.signal(rustix::process::Signal::STOP);
    let short = Duration::from_millis(300);
    let error = fleet
        .reserve_on(&stopped.host, &request("shop"), short)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::NoRunner {
                silent_for: Some(_),
                ..
            } | Error::RunnerInDoubt { .. }
        ),
        "{error:?}"
    );
}

#[test]
fn a_host_that_was_cut_off_comes_back_and_has_its_ports_again() {
    let database = fresh();
    let mut worker = Remote::start(&database, "worker-1", Some(Duration::from_secs(1)));
    let fleet = planner(&database);
    until_reported(&fleet, &worker.host, |_| true);
    let granted = fleet
        .reserve_on(&worker.host, &request("shop"), LONG)
        .unwrap();
    let before = granted[0].lease.clone();
    // Its server runs on while the host is cut off; that of the other project ended.
    worker.occupy(before.port.get());
    fleet
        .reserve_on(&worker.host, &request("blog"), LONG)
        .unwrap();
    let keys = |host: &Host| -> Vec<LeaseKey> {
        let snapshot = fleet.snapshot_of(host).unwrap();
        snapshot
            .registry
            .leases
            .iter()
            .map(|it| it.key.clone())
            .collect()
    };
    until_reported(&fleet, &worker.host, |it| {
        it.facts.occupied.ports().contains(before.port)
    });

    worker.signal(rustix::process::Signal::STOP);
    let deadline = Instant::now() + LONG;
    let swept = loop {
        if let Some((host, swept)) = fleet.give_up_silent_hosts().unwrap().pop() {
            assert_eq!(host, worker.host);
            break swept.removed.len();
        }
        assert!(Instant::now() < deadline, "the host is never given up");
    };
    assert_eq!(swept, 2);
    assert_eq!(keys(&worker.host), []);

    worker.signal(rustix::process::Signal::CONT);
    let returned = worker.hear("returned");
    assert_eq!(returned["ports"], json!([before.port]));
    let shop = LeaseKey::new(Name::literal("shop"), Name::literal("web"));
    assert_eq!(keys(&worker.host), [shop]);
    let after = fleet.snapshot_of(&worker.host).unwrap();
    assert!(after.registry.leases[0].generation > before.generation);
}
