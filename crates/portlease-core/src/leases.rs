//! The leases and memories of one host, indexed so that no decision walks through all of them.

use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use index::Index;

use crate::{
    Change, Generation, Lease, LeaseKey, Memory, Name, Port, PortSet, PortUsage, Scope, Timestamp,
};

mod index;
mod snapshot;

pub use snapshot::{InvalidSnapshot, Snapshot};

/// Everything that the registry knows of one host: a value, whether it came out of a store or
/// out of a snapshot that somebody sent.
///
/// By its construction no port has two leases, and no key either.
///
/// ```
/// use portlease_core::{Catalog, Command, Facts, Leases, Name, Request, Service, Timestamp, decide};
///
/// let mut leases = Leases::default();
/// let web = Service::new(Name::literal("web"), Catalog::builtin().or_default("vite"));
/// let command = Command::Reserve(Request::new(Name::literal("shop"), vec![web]));
/// let decision = decide(&leases, &command, &Facts::at(Timestamp::from_millis(0)))?;
/// leases.apply_all(&decision.changes);
/// assert_eq!(leases.iter().next().unwrap().port.get(), 5173);
/// # Ok::<(), portlease_core::Refusal>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct Leases {
    rows: Index<Lease>,
    memories: Index<Memory>,
    last_generation: Generation,
    grants: HashMap<Port, u64>,
    counters: Counters,
    last_swept: Option<Timestamp>,
}

/// How long after a sweep the next one is due.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// What happened since the registry was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counters {
    /// Leases that were granted with a new generation.
    pub grants: u64,
    /// Requests that were answered with the lease that was there.
    pub reuses: u64,
    /// Wanted ports that belonged to another service.
    pub conflicts: u64,
    /// Services that had to make way.
    pub moves: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// Leases that were given back.
    pub releases: u64,
    /// Leases that were removed because their owners are gone.
    pub swept: u64,
}

impl Leases {
    /// The lease of a service, which for one that inherits is the lease of another.
    #[must_use]
    pub fn get(&self, key: &LeaseKey) -> Option<&Lease> {
        self.rows.get(key)
    }

    /// The lease of a port.
    #[must_use]
    pub fn at(&self, port: Port) -> Option<&Lease> {
        self.rows.at(port)
    }

    /// The ports that are leased.
    #[must_use]
    pub fn ports(&self) -> &PortSet {
        &self.rows.ports
    }

    /// All leases, by port.
    pub fn iter(&self) -> impl Iterator<Item = &Lease> {
        self.rows.iter()
    }

    /// How many leases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.rows.len()
    }

    /// Whether there is no lease.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.rows.is_empty()
    }

    /// The leases of a project, by service and instance.
    pub fn of_project(&self, project: &Name) -> impl Iterator<Item = &Lease> {
        self.rows.of_project(project)
    }

    /// The port that a service had when it released its lease.
    #[must_use]
    pub fn memory(&self, key: &LeaseKey) -> Option<&Memory> {
        self.memories.get(key)
    }

    /// The memory of a port.
    #[must_use]
    pub fn memory_at(&self, port: Port) -> Option<&Memory> {
        self.memories.at(port)
    }

    /// The ports that somebody remembers.
    #[must_use]
    pub fn remembered_ports(&self) -> &PortSet {
        &self.memories.ports
    }

    /// All memories, by port.
    pub fn memories(&self) -> impl Iterator<Item = &Memory> {
        self.memories.iter()
    }

    /// The generation of the last grant.
    #[must_use]
    pub fn last_generation(&self) -> Generation {
        self.last_generation
    }

    /// What happened since the registry was made.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// When the leases were last swept.
    #[must_use]
    pub fn last_swept(&self) -> Option<Timestamp> {
        self.last_swept
    }

    /// Whether more than an hour has passed since the last sweep.
    ///
    /// ```
    /// use portlease_core::{Change, Leases, Timestamp};
    ///
    /// let mut leases = Leases::default();
    /// assert!(leases.is_sweep_due(Timestamp::from_millis(0)));
    /// leases.apply(&Change::Swept { at: Timestamp::from_millis(0) });
    /// assert!(!leases.is_sweep_due(Timestamp::from_millis(3_600_000)));
    /// assert!(leases.is_sweep_due(Timestamp::from_millis(3_600_001)));
    /// ```
    #[must_use]
    pub fn is_sweep_due(&self, now: Timestamp) -> bool {
        self.last_swept
            .is_none_or(|at| now.since(at) > SWEEP_INTERVAL)
    }

    /// How often each port was granted, by port.
    #[must_use]
    pub fn usage(&self) -> Vec<PortUsage> {
        let mut usage: Vec<PortUsage> = self
            .grants
            .iter()
            .map(|(&port, &grants)| PortUsage { port, grants })
            .collect();
        usage.sort_unstable_by_key(|usage| usage.port);
        usage
    }

    /// Applies the changes of a decision that was made on these very leases.
    pub fn apply_all(&mut self, changes: &[Change]) {
        for change in changes {
            self.apply(change);
        }
    }

    /// Applies one change. Applying a grant again changes nothing but the counters.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Grant(lease) => {
                self.last_generation = self.last_generation.max(lease.generation);
                *self.grants.entry(lease.port).or_default() += 1;
                self.counters.grants += 1;
                self.rows.put(lease.clone());
            }
            Change::Update(lease) => self.rows.put(lease.clone()),
            Change::End(key) => self.rows.take(key),
            Change::Remember(memory) => self.memories.put(memory.clone()),
            Change::Forget(key) => self.memories.take(key),
            Change::Count(counters) => self.counters.add(counters),
            Change::Swept { at } => self.last_swept = Some(*at),
        }
    }

    /// The part of these leases that belongs to a scope, as a store would load it.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        let mut part = Self {
            last_generation: self.last_generation,
            last_swept: self.last_swept,
            ..Self::default()
        };
        for lease in self
            .iter()
            .filter(|lease| scope.contains(&lease.key.project, lease.port))
        {
            part.rows.put(lease.clone());
        }
        for memory in self
            .memories()
            .filter(|memory| scope.contains(&memory.key.project, memory.port))
        {
            part.memories.put(memory.clone());
        }
        if matches!(scope, Scope::Everything) {
            part.grants.clone_from(&self.grants);
            part.counters = self.counters;
        }
        part
    }
}

impl Counters {
    fn add(&mut self, more: &Self) {
        self.grants = self.grants.saturating_add(more.grants);
        self.reuses = self.reuses.saturating_add(more.reuses);
        self.conflicts = self.conflicts.saturating_add(more.conflicts);
        self.moves = self.moves.saturating_add(more.moves);
        self.refusals = self.refusals.saturating_add(more.refusals);
        self.releases = self.releases.saturating_add(more.releases);
        self.swept = self.swept.saturating_add(more.swept);
    }
}
