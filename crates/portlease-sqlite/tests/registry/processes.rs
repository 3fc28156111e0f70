//! Several processes on one registry: this program starts itself again to have them.

use std::fs::{self, File};
use std::path::Path;

use portlease_core::conformance::{self, Child, Part, tell};
use portlease_core::{Generation, Lease, PortRange};
use portlease_sqlite::SqliteStore;

use crate::support::{Folder, everything, integrity, release, reserve_in};

/// Starts a process that works on a registry.
pub(crate) fn start(role: &str, registry: &Path, name: &str) -> Child {
    let part = Part {
        role: role.to_owned(),
        registry: registry.to_str().expect("its name is text").to_owned(),
        name: name.to_owned(),
    };
    Child::start("processes::the_work_of_a_child", &part)
}

/// Not a test of its own, but what the processes of the other tests do.
#[test]
fn the_work_of_a_child() {
    let Some(part) = Part::of_this_process() else {
        return;
    };
    let registry = Path::new(&part.registry);
    match part.role.as_str() {
        "answer" => {
            conformance::answer(&SqliteStore::open(registry).expect("the registry opens"));
        }
        "come and go" => come_and_go(registry, &part.name),
        "look" => crate::recovery::look(registry),
        "work on" => crate::kills::work_on(registry, &part.name),
        "begin anew" => crate::kills::begin_anew(registry, &part.name),
        other => panic!("there is no role {other:?}"),
    }
}

const PROCESSES: usize = 6;
const ROUNDS: u64 = 80;
const KEPT: usize = 2;
/// So few ports that most were somebody else's before.
const FEW: PortRange = PortRange::literal(3001, 3020);

/// Takes ports and gives them back. Whoever has a port has a file that nobody else can make.
fn come_and_go(registry: &Path, name: &str) {
    let store = SqliteStore::open(registry).expect("the registry opens");
    let witness = |lease: &Lease| registry.with_file_name(format!("witness-{}", lease.port));
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        let project = format!("{name}-{}", round % 5);
        let lease = reserve_in(&store, &project, FEW).expect("there are enough ports");
        let claimed = File::create_new(witness(&lease));
        assert!(
            claimed.is_ok(),
            "port {} was granted to two at the same time",
            lease.port
        );
        tell(&lease.generation.to_string());
        kept.push(lease);
        if kept.len() > KEPT {
            let oldest = kept.remove(0);
            fs::remove_file(witness(&oldest)).expect("it is there since the grant");
            release(&store, &oldest).expect("it is its own");
        }
    }
}

#[test]
fn no_port_is_granted_twice_among_processes_and_every_change_counts() {
    let folder = Folder::new();
    let registry = folder.registry();
    let start = |number| start("come and go", &registry, &format!("child-{number}"));
    let children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let mut generations = Vec::new();
    for child in children {
        let (answers, is_well) = child.finish();
        assert!(is_well, "a process failed; its own words are above");
        let own: Vec<u64> = answers
            .iter()
            .map(|answer| answer.parse().unwrap())
            .collect();
        assert_eq!(own.len() as u64, ROUNDS);
        assert!(own.is_sorted(), "generations only grow");
        generations.extend(own);
    }
    let grants = PROCESSES as u64 * ROUNDS;
    generations.sort_unstable();
    assert_eq!(
        generations,
        (1..=grants).collect::<Vec<_>>(),
        "each was given once"
    );

    let store = SqliteStore::open(&registry).unwrap();
    let leases = everything(&store).unwrap();
    leases.check().unwrap();
    assert_eq!(leases.len(), PROCESSES * KEPT);
    for lease in leases.iter() {
        assert!(
            registry
                .with_file_name(format!("witness-{}", lease.port))
                .exists()
        );
    }
    assert_eq!(leases.last_generation(), Generation::new(grants));
    assert_eq!(leases.counters().grants, grants);
    assert_eq!(
        leases.counters().releases,
        grants - (PROCESSES * KEPT) as u64
    );
    assert_eq!(
        leases.usage().iter().map(|usage| usage.grants).sum::<u64>(),
        grants
    );
    assert_eq!(store.recoveries(), []);
    drop(store);
    assert_eq!(integrity(&registry), "ok");
}
