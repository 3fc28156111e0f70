//! Leases that nobody needs any more, and what is true of those that are left.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portlease::core::{
    Command as Registration, Evidence, Facts, Holder, LeaseStatus, MemoryStore, Store, Sweep,
    Timestamp,
};
use portlease::probe::identity;
use portlease::{Allocator, Registry};
use support::{free_ports, open, within};

const HOUR: Duration = Duration::from_hours(1);

fn sleeper() -> (Child, Holder) {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let process = identity::process(child.id()).expect("it sleeps");
    (child, Holder::Process(process))
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// An allocator, and its store as it was used so long ago.
struct Past {
    allocator: Allocator,
    store: Arc<MemoryStore>,
    facts: Facts,
}

impl Past {
    fn of(ago: Duration) -> Self {
        let store = Arc::new(MemoryStore::new());
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let then = u64::try_from(since_1970.checked_sub(ago).unwrap().as_millis()).unwrap();
        Self {
            allocator: open(Registry::Store(store.clone())),
            store,
            facts: Facts::at(Timestamp::from_millis(then)),
        }
    }

    fn transact(&self, command: &Registration) {
        self.store
            .transact(self.allocator.host(), command, &self.facts)
            .unwrap();
    }

    fn swept(&self) {
        let nothing = Sweep {
            suspects: Vec::new(),
            abandoned_after_millis: None,
        };
        self.transact(&Registration::Sweep(nothing));
    }
}

/// Whether a reserve removes the lease of a process that has ended, when the last sweep was so long
/// ago.
fn reserve_sweeps(ago: Duration) -> bool {
    let (past, ports) = (Past::of(ago), free_ports());
    past.swept();
    let (child, holder) = sleeper();
    let dead = within("dead", &ports).held_by(holder).build().unwrap();
    past.transact(&Registration::Reserve(dead));
    end(child);
    let shop = within("shop", &ports).build().unwrap();
    let _grant = past.allocator.reserve(&shop).unwrap();
    let projects = past.allocator.list(None).unwrap();
    !projects.iter().any(|lease| &*lease.key.project == "dead")
}

#[test]
fn leases_are_swept_when_the_last_time_is_more_than_an_hour_ago() {
    assert!(reserve_sweeps(HOUR + Duration::from_secs(1)));
    assert!(!reserve_sweeps(Duration::from_mins(59)));
}

#[test]
fn leases_of_nobody_are_removed_when_they_are_abandoned() {
    let day = 24 * HOUR;
    let (past, ports) = (Past::of(7 * day + HOUR), free_ports());
    let lease = |project| {
        let nobody = within(project, &ports).on_behalf_of_others();
        Registration::Reserve(nobody.build().unwrap())
    };
    past.transact(&lease("served"));
    past.transact(&lease("abandoned"));
    let kept = within("kept", &ports).on_behalf_of_others();
    past.allocator.allocate_port(kept).unwrap();
    let served = past.allocator.get_port_for_project("served").unwrap();
    let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, served.unwrap().get())).unwrap();

    assert!(past.allocator.sweep().unwrap().removed.is_empty());
    let removed = past.allocator.sweep_abandoned(8 * day).unwrap().removed;
    assert!(removed.is_empty());
    let removed = past.allocator.sweep_abandoned(7 * day).unwrap().removed;
    let removed: Vec<_> = removed
        .iter()
        .map(|swept| (&*swept.lease.key.project, swept.evidence))
        .collect();
    assert_eq!(removed, [("abandoned", Evidence::Abandoned)]);
}

#[test]
fn each_lease_is_live_idle_stale_or_hijacked() {
    let (past, ports) = (Past::of(Duration::ZERO), free_ports());
    let (running, holder) = sleeper();
    let (ending, ending_holder) = sleeper();
    let reserve = |project, holder: &Holder| {
        let request = within(project, &ports).held_by(holder.clone());
        let grant = past.allocator.reserve(&request.build().unwrap()).unwrap();
        grant.port().get()
    };
    let this = Holder::Process(identity::this_process());
    let (live, hijacked) = (reserve("live", &this), reserve("hijacked", &holder));
    reserve("idle", &holder);
    reserve("stale", &ending_holder);
    end(ending);
    let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, live)).unwrap();
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, hijacked)).unwrap();

    let validated = past.allocator.validate(None).unwrap();
    let status = |project: &str| {
        let mut leases = validated.leases.iter();
        leases
            .find(|validated| &*validated.lease.key.project == project)
            .map(|validated| validated.status)
    };
    end(running);
    assert_eq!(status("live"), Some(LeaseStatus::Live));
    assert_eq!(status("idle"), Some(LeaseStatus::Idle));
    assert_eq!(status("stale"), Some(LeaseStatus::Stale));
    assert_eq!(status("hijacked"), Some(LeaseStatus::Hijacked));
}
