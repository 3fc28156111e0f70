//! Processes that are killed at any instant: what they were told is there, and nothing is broken.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use portlease_core::conformance::tell;
use portlease_core::{Lease, PortRange};
use portlease_sqlite::SqliteStore;

use crate::processes::start;
use crate::support::{Folder, everything, integrity, release, reserve_in};

const MANY: PortRange = PortRange::literal(10_000, 60_000);
const KILLS: u64 = 60;
/// So often everything begins with no registry at all, so that some are killed while they make it.
const FRESH_EVERY: u64 = 6;
/// How many processes work, and die, at once.
const AT_ONCE: usize = 2;

/// Takes and gives back ports with one opening, until killed.
pub(crate) fn work_on(registry: &Path, name: &str) {
    tell("begins");
    let store = SqliteStore::open(registry).expect("the registry opens");
    for round in 0_u64.. {
        step(&store, name, round);
    }
}

/// The same with an opening for each command, as a command line does it.
pub(crate) fn begin_anew(registry: &Path, name: &str) {
    tell("begins");
    for round in 0_u64.. {
        step(
            &SqliteStore::open(registry).expect("the registry opens"),
            name,
            round,
        );
    }
}

fn step(store: &SqliteStore, name: &str, round: u64) {
    let project = format!("{name}-{round}");
    let lease = reserve_in(store, &project, MANY).expect("there are enough ports");
    tell(&format!(
        "granted {project} {} {}",
        lease.port, lease.generation
    ));
    if round.is_multiple_of(3) {
        tell(&format!("releases {project}"));
        release(store, &lease).expect("it is its own");
        tell(&format!("released {project}"));
    }
}

/// What the killed processes had been told, by project.
#[derive(Default)]
struct Told {
    granted: BTreeMap<String, String>,
    /// These may be there or not: the process was killed before it was told.
    in_doubt: BTreeMap<String, String>,
}

impl Told {
    fn hear(&mut self, answer: &str) {
        let words: Vec<&str> = answer.split(' ').collect();
        match words.as_slice() {
            ["granted", project, port, generation] => {
                let lease = format!("{port} {generation}");
                self.granted.insert((*project).to_owned(), lease);
            }
            ["releases", project] => {
                let lease = self
                    .granted
                    .remove(*project)
                    .expect("it was granted before");
                self.in_doubt.insert((*project).to_owned(), lease);
            }
            ["released", project] => {
                self.in_doubt
                    .remove(*project)
                    .expect("it was in doubt before");
            }
            // The pipe may end within a line.
            _ => {}
        }
    }

    fn check(&self, registry: &Path, killed: usize) {
        let store = SqliteStore::open(registry).expect("the registry opens after a kill");
        assert_eq!(store.recoveries(), [], "a kill damages nothing");
        let leases = everything(&store).expect("it can be read");
        leases.check().expect("it is consistent");
        let found: BTreeMap<String, String> = leases.iter().map(entry).collect();
        for (project, lease) in &self.granted {
            assert_eq!(found.get(project), Some(lease), "{project} was granted");
        }
        let known = |project: &String| {
            self.granted.contains_key(project) || self.in_doubt.contains_key(project)
        };
        let unheard = found.keys().filter(|project| !known(project)).count();
        assert!(
            unheard <= killed,
            "{unheard} leases that nobody was told of"
        );
        drop(store);
        assert_eq!(integrity(registry), "ok");
    }
}

fn entry(lease: &Lease) -> (String, String) {
    (
        lease.key.project.to_string(),
        format!("{} {}", lease.port, lease.generation),
    )
}

/// Lets some processes work, kills each at another moment, and hears what they had been told.
fn kill_some(registry: &Path, kill: u64, told: &mut Told) {
    let role = ["work on", "begin anew"][usize::from(kill.is_multiple_of(2))];
    let live_and_die = |number: u64| {
        let mut child = start(role, registry, &format!("child-{kill}-{number}"));
        assert_eq!(child.answer().as_deref(), Some("begins"));
        wait(Duration::from_micros(
            (kill * 7_919 + number * 4_001) % 12_000,
        ));
        child.kill();
        child.finish().0
    };
    thread::scope(|scope| {
        let lives = [0, 1].map(|number| scope.spawn(move || live_and_die(number)));
        for life in lives {
            for answer in life.join().expect("it was listened to") {
                told.hear(&answer);
            }
        }
    });
}

/// Lets a moment go by. It is not a guess about when something is over: whatever it meets is right.
pub(crate) fn wait(moment: Duration) {
    let (_sender, nobody) = mpsc::channel::<()>();
    let _ = nobody.recv_timeout(moment);
}

#[test]
fn what_was_acknowledged_survives_kills_at_any_instant() {
    let mut heard = 0;
    let mut kill = 0;
    while kill < KILLS {
        let folder = Folder::new();
        let mut told = Told::default();
        for round in 1..=FRESH_EVERY {
            kill_some(&folder.registry(), kill, &mut told);
            kill += 1;
            let killed = usize::try_from(round).unwrap() * AT_ONCE;
            told.check(&folder.registry(), killed);
        }
        heard += told.granted.len();
    }
    assert!(
        heard > 100,
        "only {heard} leases were granted: the kills came too early"
    );
}
