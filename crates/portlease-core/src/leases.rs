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
mod merged;
mod snapshot;

pub use merged::Merged;
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
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

    /// Puts in a lease as a store has it, in place of those that have its port, its key, or the key
    /// of one of its followers: a [`Change::Update`] that others made.
    pub fn put(&mut self, lease: Lease) {
        self.rows.put(lease);
    }

    /// Puts in a memory as a store has it: a [`Change::Remember`] that others made.
    pub fn put_memory(&mut self, memory: Memory) {
        self.memories.put(memory);
    }

    /// Takes out the lease and the memory of a port.
    pub fn clear(&mut self, port: Port) {
        self.rows.take_port(port);
        self.memories.take_port(port);
    }

    /// Makes known that others were granted leases up to this generation.
    ///
    /// ```
    /// use portlease_core::{Generation, Leases};
    ///
    /// let mut leases = Leases::default();
    /// leases.advance(Generation::new(7));
    /// leases.advance(Generation::new(3));
    /// assert_eq!(leases.last_generation().get(), 7);
    /// ```
    pub fn advance(&mut self, last_generation: Generation) {
        self.last_generation = self.last_generation.max(last_generation);
    }

    /// The part of these leases that belongs to a scope, as a store would load it.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        match scope {
            Scope::Everything => self.clone(),
            Scope::Rows { projects, ports } => Self {
                rows: self.rows.within(projects, ports),
                memories: self.memories.within(projects, ports),
                last_generation: self.last_generation,
                last_swept: self.last_swept,
                ..Self::default()
            },
        }
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

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;
    use crate::PortRange;

    /// Ten projects with a lease and a memory each.
    fn leases() -> Leases {
        let row = |number: u16| {
            let (leased, remembered) = (3000 + number, 3100 + number);
            let lease = format!(
                r#"{{"project":"p{number}","service":"web","port":{leased},"framework":"next",
                "generation":1,"state":"reserved","range":[3000,3100],"tier":"scan",
                "followers":[{{"service":"hmr"}}],"grantedAt":0,"renewedAt":0}}"#
            );
            let memory = format!(
                r#"{{"project":"p{number}","service":"api","port":{remembered},"releasedAt":0}}"#
            );
            (lease, memory)
        };
        let (leases, memories): (Vec<_>, Vec<_>) = (0..10).map(row).unzip();
        let json = format!(
            r#"{{"leases":[{}],"memories":[{}],"lastGeneration":1}}"#,
            leases.join(","),
            memories.join(",")
        );
        serde_json::from_str(&json).unwrap()
    }

    /// Whether the part has exactly those rows that belong to the scope.
    fn check(projects: &[&str], ports: &[PortRange]) {
        let all = leases();
        let scope = Scope::Rows {
            projects: projects.iter().map(|name| Name::literal(name)).collect(),
            ports: ports.iter().copied().collect(),
        };
        let part = all.within(&scope);
        let belongs = |key: &LeaseKey, port| scope.contains(&key.project, port);
        let leases = all.iter().filter(|lease| belongs(&lease.key, lease.port));
        assert!(part.iter().eq(leases), "{scope:?}");
        let memories = all
            .memories()
            .filter(|memory| belongs(&memory.key, memory.port));
        assert!(part.memories().eq(memories), "{scope:?}");
        assert_eq!(part.last_generation(), all.last_generation());
        part.check().unwrap();
    }

    #[test]
    fn the_part_of_a_scope() {
        let all = PortRange::literal(1, 65_535);
        check(&[], &[]);
        check(&["p3", "p7", "p3", "nobody"], &[]);
        check(
            &[],
            &[
                PortRange::literal(3002, 3004),
                PortRange::literal(3105, 3200),
            ],
        );
        check(&["p1", "p3"], &[PortRange::literal(3002, 3004)]);
        check(&["p1"], &[all]);
        assert_eq!(leases().within(&Scope::Everything), leases());
    }

    #[test]
    fn a_port_that_is_cleared_has_nothing() {
        let mut leases = leases();
        leases.clear(Port::literal(3004));
        leases.clear(Port::literal(3105));
        leases.clear(Port::literal(4000));
        assert!(!leases.ports().contains(Port::literal(3004)));
        assert_eq!(leases.len(), 9);
        assert!(leases.memory_at(Port::literal(3105)).is_none());
        assert_eq!(leases.memories().count(), 9);
        let key = |service: &str| LeaseKey::new(Name::literal("p4"), Name::literal(service));
        assert!(leases.get(&key("web")).is_none());
        assert!(leases.get(&key("hmr")).is_none());
    }

    #[test]
    fn a_row_that_is_put_in_takes_the_place_of_its_key() {
        let mut leases = leases();
        let mut lease = leases.at(Port::literal(3004)).unwrap().clone();
        lease.port = Port::literal(4000);
        leases.put(lease.clone());
        assert!(leases.at(Port::literal(3004)).is_none());
        assert_eq!(leases.get(&lease.key), Some(&lease));
        let mut memory = leases.memory_at(Port::literal(3105)).unwrap().clone();
        memory.port = Port::literal(4001);
        leases.put_memory(memory.clone());
        assert!(leases.memory_at(Port::literal(3105)).is_none());
        assert_eq!(leases.memory(&memory.key), Some(&memory));
    }
}
