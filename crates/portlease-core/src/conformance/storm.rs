//! Many threads that take and give back ports as fast as they can, watched by an independent
//! witness.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use super::Registry;
use super::leasing::{at, numbered, service};
use super::opening::{Opening, Problem, only};
use crate::{Generation, Lease, Leases, Port, Request};

/// More than the processors of most machines, so that threads also meet where they are interrupted.
pub(super) const THREADS: usize = 8;
const OPENINGS: usize = 3;
const HOSTS: usize = 2;
const ROUNDS: usize = 40;
/// How many ports a thread keeps. So few ports are there for all that most were somebody's before.
const KEPT: usize = 2;

/// What was seen during a storm, for each of its hosts.
pub(super) struct Storm {
    pub(super) hosts: Vec<Witnessed>,
}

/// What was seen of one host.
pub(super) struct Witnessed {
    /// The grants, those of one thread in their order.
    pub(super) grants: Vec<Vec<Generation>>,
    pub(super) releases: u64,
    /// The leases that were granted and not given back.
    pub(super) kept: Vec<Lease>,
    /// The leases that the registry has when all is over.
    pub(super) left: Leases,
}

/// Lets the threads loose. A port that is granted while somebody has it is a problem at once.
pub(super) fn run(registry: &dyn Registry) -> Result<Storm, Problem> {
    let openings: Vec<Opening> = (0..OPENINGS).map(|_| Opening::of(registry)).collect();
    let witness = Witness::default();
    let ran = at_once(THREADS, |number| {
        let host = number % HOSTS;
        let opening = openings[number % OPENINGS].at(&numbered("host", host));
        work(&opening, number, host, &witness)
    })?;
    let mut hosts = Vec::new();
    for host in 0..HOSTS {
        let mut witnessed = Witnessed {
            grants: Vec::new(),
            releases: 0,
            kept: Vec::new(),
            left: openings[0].at(&numbered("host", host)).everything()?,
        };
        for worked in ran.iter().skip(host).step_by(HOSTS) {
            witnessed.grants.push(worked.grants.clone());
            witnessed.releases += worked.releases;
            witnessed.kept.extend_from_slice(&worked.kept);
        }
        hosts.push(witnessed);
    }
    Ok(Storm { hosts })
}

/// Runs so many threads that begin together, and answers what each of them answers.
pub(super) fn at_once<T: Send>(
    threads: usize,
    work: impl Fn(usize) -> Result<T, Problem> + Sync,
) -> Result<Vec<T>, Problem> {
    let start = Barrier::new(threads);
    let (start, work) = (&start, &work);
    thread::scope(|scope| {
        let spawn = |number| {
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        let joined = running.into_iter().map(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => Err(super::message_of(panic.as_ref())),
        });
        // Every thread is waited for before the first problem is told.
        let outcomes: Vec<_> = joined.collect();
        outcomes.into_iter().collect()
    })
}

struct Worked {
    grants: Vec<Generation>,
    releases: u64,
    kept: Vec<Lease>,
}

fn work(
    opening: &Opening,
    number: usize,
    host: usize,
    witness: &Witness,
) -> Result<Worked, Problem> {
    let project = numbered("project", number);
    let mut worked = Worked {
        grants: Vec::new(),
        releases: 0,
        kept: Vec::new(),
    };
    for round in 0..ROUNDS {
        // One service more than are kept, so that each reserve is a new grant.
        let name = format!("service-{}", round % (KEPT + 1));
        let wanted = service(&name, 3000, 3015);
        let request = Request::new(project.clone(), [wanted].into());
        let lease = only(opening.reserve(request, &at(round as u64))?)?;
        witness.took(host, lease.port)?;
        worked.grants.push(lease.generation);
        worked.kept.push(lease);
        if worked.kept.len() > KEPT {
            let oldest = worked.kept.remove(0);
            // From here on the port may be somebody else's.
            witness.gives_back(host, oldest.port);
            let released = opening.release(&oldest, &at(round as u64))?;
            if released.leases.len() != 1 {
                return Err(format!("the lease of {} was gone", oldest.key));
            }
            worked.releases += 1;
        }
    }
    Ok(worked)
}

/// Knows who has which port without asking the store.
#[derive(Default)]
struct Witness {
    taken: Mutex<BTreeSet<(usize, Port)>>,
}

impl Witness {
    fn took(&self, host: usize, port: Port) -> Result<(), Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.insert((host, port)) {
            Ok(())
        } else {
            Err(format!("port {port} was granted to two at the same time"))
        }
    }

    fn gives_back(&self, host: usize, port: Port) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&(host, port));
    }
}
