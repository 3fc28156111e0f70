//! Several processes on one registry: this program starts itself again to have them.

use std::collections::BTreeMap;

use portlease_core::conformance::{self, Child, Part, tell};
use portlease_core::{Generation, Host, Name, PortRange, Scope, Store as _};

use crate::support::{fresh, open, release, reserve_in};

/// Starts a process that works on a registry.
pub(crate) fn start(role: &str, registry: &str, name: &str) -> Child {
    let part = Part {
        role: role.to_owned(),
        registry: registry.to_owned(),
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
    match part.role.as_str() {
        "answer" => conformance::answer(&open(&part.registry)),
        "come and go" => come_and_go(&part.registry, &part.name),
        other => panic!("there is no role {other:?}"),
    }
}

const PROCESSES: usize = 6;
const ROUNDS: u64 = 40;
const KEPT: usize = 2;
/// So few ports that most were somebody else's before.
const FEW: PortRange = PortRange::literal(3001, 3020);
/// How many machines the processes are on, as far as the registry knows.
const HOSTS: usize = 2;

fn host_of(name: &str) -> Host {
    let number: usize = name.parse().expect("it is a number");
    Host::new(Name::literal(&format!("worker-{}", number % HOSTS)))
}

/// Takes ports and gives them back, and tells each time when it has one and when it has it no more.
fn come_and_go(registry: &str, name: &str) {
    let store = open(registry);
    let host = host_of(name);
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        let project = format!("{name}-{}", round % 5);
        let lease = reserve_in(&store, &host, &project, FEW).expect("there are enough ports");
        tell(&format!("{} {}", lease.port, lease.generation));
        kept.push(lease);
        if kept.len() > KEPT {
            release(&store, &host, &kept.remove(0)).expect("it is its own");
        }
    }
}

#[test]
fn every_change_counts_among_processes_of_several_hosts() {
    let registry = fresh().url;
    let start = |number: usize| start("come and go", &registry, &number.to_string());
    let children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let mut generations: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (number, child) in children.into_iter().enumerate() {
        let (answers, is_well) = child.finish();
        assert!(is_well, "a process failed; its own words are above");
        let generation = |answer: &String| answer.split(' ').nth(1).unwrap().parse().unwrap();
        let own: Vec<u64> = answers.iter().map(generation).collect();
        assert_eq!(own.len() as u64, ROUNDS);
        assert!(own.is_sorted(), "generations only grow");
        generations.entry(number % HOSTS).or_default().extend(own);
    }
    let store = open(&registry);
    for (number, mut generations) in generations {
        let processes = PROCESSES / HOSTS;
        let grants = processes as u64 * ROUNDS;
        generations.sort_unstable();
        assert_eq!(
            generations,
            (1..=grants).collect::<Vec<_>>(),
            "each was given once"
        );
        let leases = store
            .load(&host_of(&number.to_string()), &Scope::Everything)
            .unwrap();
        leases.check().unwrap();
        assert_eq!(leases.len(), processes * KEPT);
        assert_eq!(leases.last_generation(), Generation::new(grants));
        assert_eq!(leases.counters().grants, grants);
        assert_eq!(
            leases.counters().releases,
            grants - (processes * KEPT) as u64
        );
        let used: u64 = leases.usage().iter().map(|usage| usage.grants).sum();
        assert_eq!(used, grants);
    }
}
