//! Servers that are killed, connections that break at the worst moment, locks that nobody lets go of: whatever happens between a
//! fleet and its registry while it works, is a port granted twice, or anything lost that was acknowledged?
//!
//! What is true is told by a witness that asks neither the registry nor the store.

mod faults;
mod load;
pub mod proxy;
mod witness;

use std::time::Duration;

use portlease_core::{Exchange as _, Host, Name};
use portlease_postgres::PostgresStore;

pub use faults::Fault;
pub use witness::Witness;

use crate::pgbouncer::{Mode, Pgbouncer};
use crate::postgres::Cluster;
use load::Load;
use proxy::Proxy;

/// How chaotic it is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long it lasts.
    pub time: Duration,
    /// Where the choices come from.
    pub seed: u64,
    /// What may happen.
    pub faults: Vec<Fault>,
    /// How many processes, as far as the registry can tell, work at once.
    pub workers: usize,
    /// On how many machines.
    pub hosts: usize,
    /// How long a request may take.
    pub limit: Duration,
    /// The pool in front of the server, if there is one.
    pub pool: Option<Mode>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            seed: 1,
            faults: Fault::ALL.to_vec(),
            workers: 12,
            hosts: 3,
            limit: Duration::from_secs(3),
            pool: None,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often something was broken on purpose.
    pub faults: u64,
    /// How often something was asked.
    pub requests: u64,
    /// How often there was no port.
    pub refusals: u64,
    /// How often there was no answer in time.
    pub errors: u64,
    /// How often a port was granted while somebody else had it.
    pub duplicates: u64,
    /// How many grants are gone that were acknowledged, and how many that were given back are still there.
    pub losses: u64,
    /// How many requests took longer than they may.
    pub overlong: u64,
}

impl Counts {
    /// Whether every promise was kept.
    #[must_use]
    pub fn are_well(&self) -> bool {
        self.duplicates + self.losses + self.overlong == 0
    }
}

/// Lets a fleet work on a registry that it makes hard for it, and judges.
///
/// # Panics
///
/// When there is no PostgreSQL.
#[must_use]
pub fn run(plan: &Plan) -> Counts {
    let mut cluster = Cluster::reckless();
    let database = cluster.database();
    let first = cluster.port();
    let at = |port: u16| {
        database
            .url
            .replace(&format!(":{first}/"), &format!(":{port}/"))
    };
    let pool = plan.pool.map(|mode| Pgbouncer::in_front_of(&cluster, mode));
    let proxy = Proxy::to(pool.as_ref().map_or(first, Pgbouncer::port));
    let through = at(proxy.port());
    // The tables are there before anything happens.
    drop(open(&database.url));
    let has_standby = plan.faults.contains(&Fault::Promoted);
    let standby = has_standby.then(|| cluster.standby());

    let witness = Witness::default();
    let load = Load::new(plan, &through, &witness);
    let faults = std::thread::scope(|scope| {
        let working = scope.spawn(|| load.work());
        let faults = faults::cause(plan, &mut cluster, standby, &proxy, &database.name, &load);
        load.end();
        working.join().expect("nobody panicked");
        faults
    });
    let left = open(&at(cluster.port()))
        .export()
        .expect("the registry can be read when all is over");
    for leases in left.hosts.values() {
        leases.check().expect("what is left is consistent");
    }
    let losses = witness.losses(|host, port| {
        let lease = left.hosts.get(host)?.at(port)?;
        Some((lease.key.to_string(), lease.generation))
    });
    let duplicates = witness.duplicates();
    let told = load.told();
    Counts {
        faults,
        duplicates,
        losses,
        ..told
    }
}

fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&url.parse().expect("it is a URL")).expect("the registry opens")
}

pub(crate) fn host(number: usize) -> Host {
    Host::new(Name::literal(&format!("worker-{number}")))
}
