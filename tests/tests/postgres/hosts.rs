//! Several hosts at once, each with a network, a runner and many processes of its own: these lease ports, really listen on them, and are
//! killed at random, while a control plane leases ports there and one host is cut off for a while.
//!
//! What is true is told by those who were granted something, by the kernel's own list of what listens in each network, and by the
//! tables themselves. Nothing of the product is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::stdin;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use portlease::core::{Generation, Host, Lease, Release, Request};
use portlease::{Allocator, Error, Grant, Reservation, Runner, RunnerOptions};
use portlease_core::conformance::{Child, Part, tell};
use portlease_tests::chaos::Witness;
use portlease_tests::chaos::proxy::Proxy;
use portlease_tests::postgres::{Cluster, Database};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::fleet::{open, planner, until_reported};
use crate::support::fresh;

const HOSTS: usize = 3;
/// How many processes lease ports on each host at once.
const WORKERS: usize = 3;
/// How often each of them does something.
const ROUNDS: u32 = 14;
/// How many ports each keeps.
const KEPT: usize = 2;
/// The ports of every host. In networks of their own nobody else is on them.
const FIRST: u64 = 3000;
const LAST: u64 = 3009;
/// How often the control plane leases something.
const PLANS: u32 = 8;
/// In how long everything that is asked of a process has to be answered: a command's limit, and what a busy machine may add.
const LIMIT: Duration = Duration::from_secs(15);

/// What a worker tells.
#[derive(Debug, Serialize, Deserialize)]
enum Told {
    /// It is there.
    Ready,
    /// It was granted a port.
    Granted(Box<Lease>),
    /// It listens there, and that is confirmed.
    Listens,
    /// It gave a port back.
    Left,
    /// There is no port.
    Refused,
    /// The registry did not answer in time.
    Unreachable(String),
}

/// Not a test, but what the processes of the hosts do.
#[test]
fn the_work_of_a_process() {
    let Some(part) = Part::of_this_process() else {
        return;
    };
    let allocator = open(&part.registry, Some(&part.name));
    match part.role.as_str() {
        "run" => run(&allocator),
        "work" => work(&allocator),
        other => panic!("there is no role {other:?}"),
    }
}

/// Answers for the host until nobody is left to tell.
fn run(allocator: &Allocator) {
    let options = RunnerOptions {
        report_every: Duration::from_millis(200),
        gives_up_after: None,
    };
    let runner = Runner::new(allocator, options).unwrap();
    let (stop, stopped) = channel();
    thread::spawn(move || {
        for _ in stdin().lines() {}
        drop(stop);
    });
    runner.run(&stopped, |_| {});
}

/// Takes a port for each project that it is told, and gives one back for each empty line.
fn work(allocator: &Allocator) {
    say(&Told::Ready);
    let mut kept: Vec<(Grant, TcpListener)> = Vec::new();
    for order in stdin().lines() {
        let order = order.unwrap();
        let done = if order.is_empty() {
            let (grant, listener) = kept.remove(0);
            drop(listener);
            grant.release().map(|()| Told::Left)
        } else {
            take(allocator, &order).map(|taken| {
                kept.push(taken);
                Told::Listens
            })
        };
        say(&done.unwrap_or_else(|error| match error {
            Error::Refused(_) => Told::Refused,
            Error::Store(error) => Told::Unreachable(error.to_string()),
            other => panic!("{other}"),
        }));
    }
}

/// A port, and a server on it. Once it is granted, nothing keeps the server from it, and what is confirmed is tried until it is.
fn take(allocator: &Allocator, project: &str) -> Result<(Grant, TcpListener), Error> {
    let mut grant = allocator.reserve(&request(project))?;
    say(&Told::Granted(Box::new(grant.lease().clone())));
    grant
        .hold()
        .expect("it is granted to this process")
        .open()
        .unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "it stands for an ordinary server"
    )]
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, grant.port().get()));
    let listener = listener.expect("a port that was granted can be listened on");
    while let Err(error) = grant.confirm_when_listening(None, LIMIT) {
        assert!(matches!(error, Error::Store(_)), "{error}");
    }
    Ok((grant, listener))
}

fn say(told: &Told) {
    tell(&serde_json::to_string(told).unwrap());
}

fn request(project: &str) -> Request {
    let reservation = Reservation::of(project).framework("default");
    reservation.range(FIRST, LAST).build().unwrap()
}

/// A host: a network of its own, and its own way to the database.
struct Place {
    host: Host,
    /// The process of its runner, by which the network is found.
    runner: u32,
    url: String,
    way: Proxy,
    _folder: TempDir,
}

impl Place {
    fn new(database: &Database, number: usize) -> (Self, Child) {
        let port = Cluster::shared().port();
        // Networks have the folders in common, and a way that is a socket in a folder leads out of each.
        let folder = tempfile::tempdir().unwrap();
        let way = Proxy::from_socket(&folder.path().join(".s.PGSQL.5432"), port);
        let socket = folder.path().to_str().unwrap().replace('/', "%2F");
        let at = format!("127.0.0.1:{port}");
        let url = database.url.replace(&at, &format!("{socket}:5432"));
        let name = format!("worker-{number}");
        let mut starter = vec!["unshare", "--net"];
        if !rustix::process::geteuid().is_root() {
            starter.push("--map-root-user");
        }
        starter.extend(["sh", "-ec", "ip link set lo up; exec \"$@\"", "sh"]);
        let runner = process(&starter, "run", &url, &name);
        let place = Self {
            host: name.parse().unwrap(),
            runner: runner.id(),
            url,
            way,
            _folder: folder,
        };
        (place, runner)
    }

    /// A process in the network of the host.
    fn worker(&self) -> Child {
        let target = self.runner.to_string();
        let mut starter = vec!["nsenter", "--target", &target, "--net"];
        if !rustix::process::geteuid().is_root() {
            starter.extend(["--user", "--preserve-credentials"]);
        }
        let worker = process(&starter, "work", &self.url, self.host.name().as_str());
        assert!(matches!(hear(&worker, LIMIT), Some(Told::Ready)));
        worker
    }

    /// The ports on which something listens there, as the kernel says.
    fn listening(&self) -> BTreeSet<u16> {
        let tables = ["tcp", "tcp6"].map(|table| {
            let path = format!("/proc/{}/net/{table}", self.runner);
            fs::read_to_string(path).unwrap()
        });
        let sockets = tables.iter().flat_map(|table| table.lines().skip(1));
        let listener = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            let (address, state) = (words.next()?, words.nth(1)?);
            let port = u16::from_str_radix(address.split_once(':')?.1, 16).ok()?;
            (state == "0A").then_some(port)
        };
        sockets.filter_map(listener).collect()
    }
}

fn process(starter: &[&str], role: &str, registry: &str, name: &str) -> Child {
    let part = Part {
        role: role.to_owned(),
        registry: registry.to_owned(),
        name: name.to_owned(),
    };
    Child::start_by(starter, "hosts::the_work_of_a_process", &part)
}

/// What a process tells next; none when it is gone.
fn hear(child: &Child, limit: Duration) -> Option<Told> {
    match child.answer_within(limit) {
        Ok(line) => Some(serde_json::from_str(&line).unwrap()),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("a process does not answer within {limit:?}"),
    }
}

/// What all have in common who do something to the hosts.
struct Scene<'a> {
    places: &'a [Place],
    witness: Witness,
    kills: AtomicU64,
}

/// A process of a host, as whoever tells it what to do knows it.
struct Worker<'a> {
    scene: &'a Scene<'a>,
    place: &'a Place,
    number: usize,
    child: Child,
    kept: Vec<Lease>,
}

impl<'a> Worker<'a> {
    fn start(scene: &'a Scene<'a>, place: &'a Place, number: usize) -> Self {
        Self {
            scene,
            place,
            number,
            child: place.worker(),
            kept: Vec::new(),
        }
    }

    /// One project of its own that has no port yet.
    fn project(&self) -> String {
        let name = |number| format!("worker-{}-{number}", self.number);
        let has_none = |name: &String| !self.kept.iter().any(|it| it.key.project.as_str() == name);
        (0..=KEPT).map(name).find(has_none).unwrap()
    }

    fn takes(&mut self) {
        self.child.ask(&self.project());
        while self.goes_on(hear(&self.child, LIMIT).expect("it was not killed")) {}
    }

    fn leaves(&mut self) {
        let lease = self.kept.remove(0);
        // Before it is told, because somebody else may have the port before it is heard.
        self.scene.witness.leaves(&self.place.host, &lease);
        self.child.ask("");
        match hear(&self.child, LIMIT).expect("it was not killed") {
            Told::Left => self.scene.witness.left(&self.place.host, &lease),
            // Nobody knows whether it left.
            Told::Unreachable(_) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Takes what it tells; false when nothing follows.
    fn goes_on(&mut self, told: Told) -> bool {
        match told {
            Told::Granted(lease) => {
                self.scene.witness.granted(&self.place.host, &lease);
                self.kept.push(*lease);
                return true;
            }
            Told::Listens | Told::Refused | Told::Unreachable(_) => {}
            Told::Ready | Told::Left => panic!("it was not asked for {told:?}"),
        }
        false
    }

    /// Is killed while it takes a port, and another one comes in its place.
    fn dies(&mut self, moment: Duration) {
        self.child.ask(&self.project());
        let host = &self.place.host;
        for lease in &self.kept {
            self.scene.witness.leaves(host, lease);
        }
        let mut last = self.child.answer_within(moment);
        self.child.kill();
        while last != Err(RecvTimeoutError::Disconnected) {
            if let Ok(line) = last
                && let Ok(Told::Granted(lease)) = serde_json::from_str(&line)
            {
                // Nobody can tell whether somebody else has it since it was killed.
                self.scene.witness.leaves(host, &lease);
            }
            last = self.child.answer_within(LIMIT);
        }
        self.scene.kills.fetch_add(1, Ordering::Relaxed);
        self.child = self.place.worker();
        self.kept.clear();
    }
}

impl Scene<'_> {
    /// What happens to one of the processes; it is there in the end, with what it was granted.
    fn work<'s>(&'s self, place: &'s Place, number: usize, steps: &Sender<()>) -> Worker<'s> {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let mut worker = Worker::start(self, place, number);
        for _ in 0..ROUNDS {
            let kept = worker.kept.len();
            match random.u8(0..8) {
                0 => worker.dies(Duration::from_micros(random.u64(0..20_000))),
                1..4 if kept > 0 => worker.leaves(),
                _ if kept == KEPT => worker.leaves(),
                _ => worker.takes(),
            }
            steps.send(()).unwrap();
        }
        if worker.kept.is_empty() {
            worker.takes();
        }
        worker
    }

    /// Leases ports on hosts that it does not see, and gives back every other one.
    fn plan(&self, database: &Database, steps: &Sender<()>) {
        let fleet = planner(database);
        for number in 0..PLANS {
            let place = &self.places[number as usize % HOSTS];
            let begun = Instant::now();
            let planned = request(&format!("planned-{number}"));
            let granted = fleet.reserve_on(&place.host, &planned, LIMIT / 3);
            assert!(begun.elapsed() < LIMIT, "a plan took {:?}", begun.elapsed());
            match granted {
                Ok(granted) => {
                    let lease = &granted[0].lease;
                    self.witness.granted(&place.host, lease);
                    if number % 2 == 0 {
                        self.witness.leaves(&place.host, lease);
                        let release = Release::granted(lease.key.clone(), lease.generation);
                        let allocator = open(&database.url, Some(place.host.name().as_str()));
                        allocator.release(&release).unwrap();
                        self.witness.left(&place.host, lease);
                    }
                }
                // There is no port, or the runner is cut off.
                Err(
                    Error::Refused(_)
                    | Error::NoRunner { .. }
                    | Error::RunnerInDoubt { .. }
                    | Error::RunnerFailed { .. },
                ) => {}
                Err(error) => panic!("{error}"),
            }
            steps.send(()).unwrap();
        }
    }

    /// Looks at all hosts, while nothing happens on any of them.
    fn judge(&self, database: &Database, workers: &[Worker<'_>]) {
        let rows = rows(database);
        let has = |host: &Host, port: u16| {
            let row = rows.get(&(host.to_string(), port))?;
            Some((row.key.clone(), row.generation))
        };
        let losses = self.witness.losses(|host, port| has(host, port.get()));
        assert_eq!((self.witness.duplicates(), losses), (0, 0));

        let mut on_hosts: BTreeMap<u16, usize> = BTreeMap::new();
        for place in self.places {
            let here = workers.iter().filter(|it| it.place.host == place.host);
            let served: BTreeSet<u16> = here
                .flat_map(|worker| worker.kept.iter().map(|lease| lease.port.get()))
                .collect();
            assert_eq!(place.listening(), served, "what listens on {}", place.host);
            for port in served {
                let row = &rows[&(place.host.to_string(), port)];
                assert_eq!(row.state, "live", "port {port} of {}", place.host);
                *on_hosts.entry(port).or_default() += 1;
            }
        }
        let is_shared = on_hosts.values().any(|hosts| *hosts > 1);
        assert!(is_shared, "no port is on two hosts at once: {on_hosts:?}");
        assert!(self.kills.load(Ordering::Relaxed) > 0, "nobody was killed");
    }
}

/// What the tables say of a port.
struct Row {
    key: String,
    generation: Generation,
    state: String,
}

fn rows(database: &Database) -> BTreeMap<(String, u16), Row> {
    let text = Cluster::shared().sql(
        &database.name,
        "SELECT name, port, project || '/' || service, generation, state FROM portlease.lease \
         JOIN portlease.host ON host.id = lease.host",
    );
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let row = Row {
            key: fields[2].to_owned(),
            generation: Generation::new(fields[3].parse().unwrap()),
            state: fields[4].to_owned(),
        };
        let place = (fields[0].to_owned(), fields[1].parse().unwrap());
        assert!(rows.insert(place, row).is_none(), "twice: {line}");
    }
    rows
}

/// Cuts a host off once so much was done, until others did so much more.
fn cut_off(place: &Place, steps: &Receiver<()>) {
    let mut others = steps.iter();
    others.by_ref().take(40).for_each(drop);
    place.way.block(true);
    others.by_ref().take(30).for_each(drop);
    place.way.cut();
    place.way.block(false);
    others.for_each(drop);
}

/// Lets a process end, which it does when nobody asks it any more.
fn end(mut child: Child) {
    child.dismiss();
    while hear(&child, LIMIT).is_some() {}
    assert!(child.finish().1, "it ends well");
}

#[test]
fn hosts_with_many_processes_share_nothing_and_lose_nothing() {
    let database = fresh();
    let (places, runners): (Vec<Place>, Vec<Child>) = (0..HOSTS)
        .map(|number| Place::new(&database, number))
        .unzip();
    let fleet = planner(&database);
    for place in &places {
        until_reported(&fleet, &place.host, |_| true);
    }
    let scene = Scene {
        places: &places,
        witness: Witness::default(),
        kills: AtomicU64::new(0),
    };
    let (step, steps) = channel();
    let (scene, registry) = (&scene, &database);
    let workers: Vec<Worker<'_>> = thread::scope(|scope| {
        let start = |number: usize| {
            let (place, step) = (&scene.places[number % HOSTS], step.clone());
            scope.spawn(move || scene.work(place, number, &step))
        };
        let working: Vec<_> = (0..HOSTS * WORKERS).map(start).collect();
        scope.spawn(move || scene.plan(registry, &step));
        cut_off(&scene.places[0], &steps);
        let done = working.into_iter().map(|it| it.join().unwrap());
        done.collect()
    });
    scene.judge(&database, &workers);
    for child in workers.into_iter().map(|it| it.child).chain(runners) {
        end(child);
    }
}
