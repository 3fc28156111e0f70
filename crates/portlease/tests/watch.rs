//! What is told of a real machine: leases of other processes, servers that come and go, strangers.

#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portlease::core::{LeaseState, Name, Port, PortRange, PortSet, Release};
use portlease::{Allocator, Event, Grant, HealthState, Registry, Watch, WatchOptions};
use support::{Ports, free_ports, open, request, within};

const LONG: Duration = Duration::from_secs(30);

/// A registry file with two allocators: one that watches, and one that does what others do.
struct World {
    _folder: tempfile::TempDir,
    other: Allocator,
    watch: Watch,
    told: Receiver<Event>,
    ports: Ports,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let registry = || Registry::File(folder.path().join("registry.db"));
    let (watcher, other) = (open(registry()), open(registry()));
    let ports = free_ports();
    let options = WatchOptions {
        ports: range(&ports).into(),
        check_every: Duration::from_millis(50),
        ..WatchOptions::default()
    };
    let (tell, told) = channel();
    let watch = Watch::start(&watcher, options, move |events| {
        for event in events {
            // The test may be over.
            let _ = tell.send(event.clone());
        }
    });
    World {
        _folder: folder,
        other,
        watch: watch.unwrap(),
        told,
        ports,
    }
}

fn range(ports: &Ports) -> PortRange {
    PortRange::literal(ports.start, ports.end - 1)
}

impl World {
    fn reserve(&self, project: &str) -> Grant {
        let request = request(project, &self.ports);
        self.other.reserve(&request).unwrap()
    }

    /// Waits until this is told; what else is told meanwhile does not matter.
    #[track_caller]
    fn expect<T>(&self, what: &str, is_it: impl Fn(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + LONG;
        let mut others = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.told.recv_timeout(left) else {
                panic!("nobody told that {what}, but {others:#?}");
            };
            if let Some(found) = is_it(&event) {
                return found;
            }
            others.push(event);
        }
    }

    #[track_caller]
    fn expect_health(&self, state: HealthState) -> Option<HealthState> {
        self.expect(&format!("it is {state:?}"), |event| match event {
            Event::HealthChanged {
                health, previous, ..
            } if health.state == state => Some(*previous),
            _ => None,
        })
    }
}

#[test]
fn a_lease_of_another_process_appears_goes_live_and_ends() {
    let world = world();
    let mut grant = world.reserve("shop");
    let first = world.expect("a port is leased", |event| match event {
        Event::LeaseGranted(watched) => Some(watched.clone()),
        _ => None,
    });
    assert_eq!(first.validated.lease.port, grant.port());
    assert_eq!(first.validated.lease.state, LeaseState::Reserved);

    grant.let_go();
    let _server = TcpListener::bind(("127.0.0.1", grant.port().get())).unwrap();
    grant.confirm(None).unwrap();
    world.expect("it is live", |event| match event {
        Event::LeaseChanged(watched) => {
            (watched.validated.lease.state == LeaseState::Live).then_some(())
        }
        _ => None,
    });
    grant.release().unwrap();
    let ended = world.expect("it ended", |event| match event {
        Event::LeaseEnded { lease } => Some(lease.port),
        _ => None,
    });
    assert_eq!(ended, first.validated.lease.port);
    assert_eq!(world.watch.seen(|seen| seen.leases().count()), 0);
}

#[test]
fn what_was_there_before_is_seen_and_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let allocator = open(Registry::File(folder.path().join("registry.db")));
    let ports = free_ports();
    drop(allocator.reserve(&request("earlier", &ports)).unwrap());
    let (tell, told) = channel();
    let watch = Watch::start(&allocator, WatchOptions::default(), move |events| {
        let _ = tell.send(events.to_vec());
    });
    let watch = watch.unwrap();
    let projects = watch.seen(|seen| {
        let project = |it: &portlease::WatchedLease| it.validated.lease.key.project.clone();
        seen.leases().map(project).collect::<Vec<_>>()
    });
    assert_eq!(projects, [Name::literal("earlier")]);
    allocator
        .release(&Release {
            force: true,
            ..Release::by_project(Name::literal("earlier"))
        })
        .unwrap();
    let first = told.recv_timeout(LONG).unwrap();
    assert!(matches!(first[0], Event::LeaseEnded { .. }), "{first:?}");
}

#[test]
fn a_move_names_both_ports() {
    let world = world();
    let before = world.reserve("shop");
    let from = before.port();
    world.expect("it is known", |event| {
        matches!(event, Event::LeaseGranted(_)).then_some(())
    });
    drop(before);
    let anew = within("shop", &world.ports).force_new();
    let after = world.other.reserve(&anew.build().unwrap()).unwrap();
    let moved = world.expect("it moved", |event| match event {
        Event::LeaseMoved { from, watched } => Some((*from, watched.validated.lease.port)),
        _ => None,
    });
    assert_eq!(moved, (from, after.port()));
    assert_ne!(from, after.port());
}

#[test]
fn servers_become_well_unwell_and_idle() {
    let world = world();
    let mut grant = world.reserve("shop");
    world.expect_health(HealthState::Idle);
    grant.let_go();
    let server = TcpListener::bind(("127.0.0.1", grant.port().get())).unwrap();
    assert_eq!(
        world.expect_health(HealthState::Healthy),
        Some(HealthState::Idle)
    );
    drop(server);
    assert_eq!(
        world.expect_health(HealthState::Idle),
        Some(HealthState::Healthy)
    );
}

#[test]
fn whoever_comes_to_a_watched_port_and_leaves_it_is_told_of() {
    let world = world();
    let number = world.ports.start + 3;
    let only = PortSet::from_iter([Port::literal(number)]);
    let stranger = TcpListener::bind(("127.0.0.1", number)).unwrap();
    let changed = |event: &Event| match event {
        Event::OccupancyChanged { appeared, gone } => Some((appeared.clone(), gone.clone())),
        _ => None,
    };
    let came = world.expect("somebody came", changed);
    assert_eq!(came, (only.clone(), PortSet::new()));
    drop(stranger);
    assert_eq!(world.expect("they left", changed), (PortSet::new(), only));
}

#[test]
fn a_registry_that_breaks_is_told_of_once_and_its_return_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let allocator = open(Registry::File(home.join("registry.db")));
    let (tell, told) = channel();
    let _watch = Watch::start(&allocator, WatchOptions::default(), move |events| {
        for event in events {
            // The test may be over.
            let _ = tell.send(event.clone());
        }
    });
    let elsewhere = folder.path().join("elsewhere");
    std::fs::rename(&home, &elsewhere).unwrap();
    std::fs::write(&home, "no folder").unwrap();
    let event = told.recv_timeout(LONG).unwrap();
    assert!(matches!(event, Event::Blinded { .. }), "{event:?}");
    std::fs::remove_file(&home).unwrap();
    std::fs::rename(&elsewhere, &home).unwrap();
    assert_eq!(told.recv_timeout(LONG), Ok(Event::Recovered));
}

#[test]
fn a_watch_that_is_dropped_lets_go_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let allocator = open(Registry::File(folder.path().join("registry.db")));
    let (tell, told) = channel::<()>();
    let watch = Watch::start(&allocator, WatchOptions::default(), move |_| {
        let _ = tell.send(());
    });
    drop(watch);
    // The sender is gone when both threads are.
    let ended = told.recv_timeout(LONG);
    assert_eq!(ended, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}
