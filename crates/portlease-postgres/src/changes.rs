//! What is different in the tables after the changes of a decision.
//!
//! The changes are made in memory first, by [`Leases::apply`], and the rows that differ afterwards are written: so there is no
//! second way to make a change, and however many there are, a few statements write them.

use std::collections::BTreeMap;

use portlease_core::{
    Change, Counters, Generation, Lease, LeaseKey, Leases, Memory, Port, PortUsage, Timestamp,
};
use tokio_postgres::Client;

use crate::flight::{Flight, Value};
use crate::rows::{LeaseColumns, MemoryColumns, signed};
use crate::statements::Statements;

/// The rows of a host that a transaction writes.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    ended: Vec<i32>,
    forgotten: Vec<i32>,
    leases: Vec<Lease>,
    memories: Vec<Memory>,
    grants: BTreeMap<Port, i64>,
    counters: Counters,
    last_generation: Generation,
    swept_at: Option<Timestamp>,
}

impl Difference {
    /// Makes the changes in the leases they were decided on.
    pub(crate) fn make(leases: &mut Leases, changes: &[Change]) -> Self {
        let counted = leases.counters();
        let mut before = BTreeMap::new();
        let mut difference = Self::default();
        for change in changes {
            for port in touched(leases, change) {
                let row = || (leases.at(port).cloned(), leases.memory_at(port).cloned());
                before.entry(port).or_insert_with(row);
            }
            match change {
                Change::Grant(lease) => *difference.grants.entry(lease.port).or_default() += 1,
                Change::Swept { at } => difference.swept_at = Some(*at),
                _ => {}
            }
            leases.apply(change);
        }
        for (port, (lease, memory)) in before {
            difference.compare_lease(port, lease.as_ref(), leases.at(port));
            difference.compare_memory(port, memory.as_ref(), leases.memory_at(port));
        }
        difference.counters = since(leases.counters(), counted);
        difference.last_generation = leases.last_generation();
        difference
    }

    fn compare_lease(&mut self, port: Port, before: Option<&Lease>, after: Option<&Lease>) {
        // A row that gets another key is deleted first: two rows that change places would meet in the index otherwise.
        let is_same_key = |other: &Lease| before.is_some_and(|it| it.key == other.key);
        if before.is_some() && !after.is_some_and(is_same_key) {
            self.ended.push(port.get().into());
        }
        if after != before {
            self.leases.extend(after.cloned());
        }
    }

    fn compare_memory(&mut self, port: Port, before: Option<&Memory>, after: Option<&Memory>) {
        let is_same_key = |other: &Memory| before.is_some_and(|it| it.key == other.key);
        if before.is_some() && !after.is_some_and(is_same_key) {
            self.forgotten.push(port.get().into());
        }
        if after != before {
            self.memories.extend(after.cloned());
        }
    }

    /// Adds the past of a host that the registry did not know.
    pub(crate) fn add_usage(&mut self, usage: &[PortUsage]) {
        for usage in usage {
            *self.grants.entry(usage.port).or_default() += signed(usage.grants);
        }
    }

    /// Makes sure that no generation up to this one is given again.
    pub(crate) fn advance(&mut self, last_generation: Generation) {
        self.last_generation = self.last_generation.max(last_generation);
    }

    /// Writes the rows, each kind by one statement, all of them in one flight.
    pub(crate) fn write<'a>(
        &'a self,
        flight: &mut Flight<'a>,
        client: &'a Client,
        statements: &'a Statements,
        host: i64,
    ) {
        if !self.ended.is_empty() {
            flight.execute(
                client,
                &statements.delete_leases,
                vec![Box::new(host), Box::new(&self.ended)],
            );
        }
        if !self.forgotten.is_empty() {
            flight.execute(
                client,
                &statements.delete_memories,
                vec![Box::new(host), Box::new(&self.forgotten)],
            );
        }
        if !self.leases.is_empty() {
            let mut rows = LeaseColumns::default();
            self.leases.iter().for_each(|lease| rows.push(lease));
            flight.execute(
                client,
                &statements.put_leases,
                vec![
                    Box::new(host),
                    Box::new(rows.port),
                    Box::new(rows.project),
                    Box::new(rows.service),
                    Box::new(rows.instance),
                    Box::new(rows.framework),
                    Box::new(rows.generation),
                    Box::new(rows.state),
                    Box::new(rows.holder),
                    Box::new(rows.listener),
                    Box::new(rows.range_first),
                    Box::new(rows.range_last),
                    Box::new(rows.tier),
                    Box::new(rows.priority),
                    Box::new(rows.requires),
                    Box::new(rows.followers),
                    Box::new(rows.granted_at),
                    Box::new(rows.renewed_at),
                ],
            );
        }
        if !self.memories.is_empty() {
            let mut rows = MemoryColumns::default();
            self.memories.iter().for_each(|memory| rows.push(memory));
            flight.execute(
                client,
                &statements.put_memories,
                vec![
                    Box::new(host),
                    Box::new(rows.port),
                    Box::new(rows.project),
                    Box::new(rows.service),
                    Box::new(rows.instance),
                    Box::new(rows.released_at),
                ],
            );
        }
        if !self.grants.is_empty() {
            let ports: Vec<i32> = self.grants.keys().map(|port| port.get().into()).collect();
            let counts: Vec<i64> = self.grants.values().copied().collect();
            flight.execute(
                client,
                &statements.count_grants,
                vec![Box::new(host), Box::new(ports), Box::new(counts)],
            );
        }
        let counters = &self.counters;
        let counted = [
            counters.grants,
            counters.reuses,
            counters.conflicts,
            counters.moves,
            counters.refusals,
            counters.releases,
            counters.swept,
        ];
        let swept_at = self.swept_at.map(|at| signed(at.as_millis()));
        let mut values: Vec<Value<'a>> = vec![
            Box::new(host),
            Box::new(signed(self.last_generation.get())),
            Box::new(swept_at),
        ];
        for number in counted {
            values.push(Box::new(signed(number)));
        }
        flight.execute(client, &statements.change_host, values);
        if self.swept_at.is_some() {
            // It happens about once in an hour on each host.
            flight.execute(client, &statements.forget_writers, Vec::new());
        }
    }
}

/// The ports whose rows a change may change.
fn touched(leases: &Leases, change: &Change) -> Vec<Port> {
    let port_of = |key: &LeaseKey| leases.get(key).map(|lease| lease.port);
    let remembered_by = |key: &LeaseKey| leases.memory(key).map(|memory| memory.port);
    match change {
        Change::Grant(lease) | Change::Update(lease) => {
            let siblings = lease.followers.iter();
            let siblings = siblings.map(|follower| lease.key.sibling(follower.service.clone()));
            let rivals = siblings
                .chain([lease.key.clone()])
                .filter_map(|key| port_of(&key));
            rivals.chain([lease.port]).collect()
        }
        Change::End(key) => port_of(key).into_iter().collect(),
        Change::Remember(memory) => {
            let former = remembered_by(&memory.key).into_iter();
            former.chain([memory.port]).collect()
        }
        Change::Forget(key) => remembered_by(key).into_iter().collect(),
        Change::Count(_) | Change::Swept { .. } => Vec::new(),
    }
}

fn since(after: Counters, before: Counters) -> Counters {
    Counters {
        grants: after.grants - before.grants,
        reuses: after.reuses - before.reuses,
        conflicts: after.conflicts - before.conflicts,
        moves: after.moves - before.moves,
        refusals: after.refusals - before.refusals,
        releases: after.releases - before.releases,
        swept: after.swept - before.swept,
    }
}
