//! What a registry knows, copied out of one file and into another: when a damaged one is replaced,
//! when one disappears under a running process, and when one is imported.

use portlease_core::{
    Change, Counters, Generation, Host, Lease, Leases, Memory, Name, PortUsage, Scope, Timestamp,
};
use rusqlite::{Connection, Params, Row, Statement};

use crate::changes;
use crate::explain::Trouble;
use crate::loaded::{self, Head, Loaded};
use crate::rows::{self, Reader};

/// Everything that is known of one host, whether or not it contradicts itself.
#[derive(Debug)]
pub(crate) struct HostCopy {
    pub(crate) host: Host,
    pub(crate) leases: Vec<Lease>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) last_generation: Generation,
    pub(crate) last_swept: Option<Timestamp>,
    pub(crate) counters: Counters,
    pub(crate) usage: Vec<PortUsage>,
}

impl HostCopy {
    pub(crate) fn of(host: &Host, leases: &Leases) -> Self {
        Self {
            host: host.clone(),
            leases: leases.iter().cloned().collect(),
            memories: leases.memories().cloned().collect(),
            last_generation: leases.last_generation(),
            last_swept: leases.last_swept(),
            counters: leases.counters(),
            usage: leases.usage(),
        }
    }
}

/// What could be read of a registry.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    /// Which registries its leases come from.
    pub(crate) ancestors: Vec<Vec<u8>>,
    pub(crate) hosts: Vec<HostCopy>,
    /// Whether everything could be read.
    pub(crate) is_complete: bool,
}

impl Copy {
    /// Reads as much as can be read, row by row around what cannot.
    pub(crate) fn read(connection: &Connection) -> Self {
        let mut copy = Self {
            is_complete: true,
            ..Self::default()
        };
        copy.ancestors = copy.rows(connection, "SELECT id FROM registry", [], bytes);
        let ids = copy.rows(connection, "SELECT id FROM predecessor", [], bytes);
        copy.ancestors.extend(ids);
        // The names stand in the table and in its index, and one may be whole where the other is not.
        let id_and_name = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, rows::name(row, 1)?));
        let of_index = "SELECT id, name FROM host ORDER BY name";
        let mut hosts = copy.rows(connection, of_index, [], id_and_name);
        if !copy.is_complete {
            let of_table = "SELECT id, name FROM host NOT INDEXED";
            hosts = copy.rows(connection, of_table, [], id_and_name);
        }
        for (row, name) in hosts {
            let host = copy.host(connection, row, name);
            copy.hosts.push(host);
        }
        copy
    }

    fn host(&mut self, connection: &Connection, host: i64, name: Name) -> HostCopy {
        let sql = format!("SELECT {} FROM host WHERE id = ?", Head::COLUMNS);
        let head = self.rows(connection, &sql, [host], Head::decode);
        let head = head.into_iter().next().unwrap_or_default();
        let leases = self.by_port(connection, host, "lease", rows::LEASE, |row| {
            Reader::default().lease(row)
        });
        let memories = self.by_port(connection, host, "memory", rows::MEMORY, |row| {
            Reader::default().memory(row)
        });
        let usage = self.by_port(connection, host, "usage", "port, grants", |row| {
            Ok(PortUsage {
                port: rows::port(row, 0)?,
                grants: rows::count(row, 1)?,
            })
        });
        let generations = leases.iter().map(|lease| lease.generation);
        HostCopy {
            host: Host::new(name),
            last_generation: generations.fold(head.last_generation, Generation::max),
            last_swept: head.last_swept,
            counters: head.counters,
            leases,
            memories,
            usage,
        }
    }

    /// The rows of a table in halves of ever smaller ranges, until only what is damaged is missing.
    fn by_port<T>(
        &mut self,
        connection: &Connection,
        host: i64,
        table: &str,
        columns: &str,
        decode: fn(&Row<'_>) -> Result<T, Trouble>,
    ) -> Vec<T> {
        let sql = format!("SELECT {columns} FROM {table} WHERE host = ? AND port BETWEEN ? AND ?");
        let mut found = Vec::new();
        // A table that is gone is gone at every port.
        let Ok(mut statement) = connection.prepare_cached(&sql) else {
            self.is_complete = false;
            return found;
        };
        let mut left = vec![(u16::MIN, u16::MAX)];
        while let Some((first, last)) = left.pop() {
            match read(&mut statement, (host, first, last), decode) {
                Ok(rows) => found.extend(rows),
                Err(_) if first < last => {
                    let middle = first.midpoint(last);
                    left.extend([(middle + 1, last), (first, middle)]);
                }
                Err(_) => self.is_complete = false,
            }
        }
        found
    }

    /// All rows that a statement answers, or none.
    fn rows<T>(
        &mut self,
        connection: &Connection,
        sql: &str,
        parameters: impl Params,
        decode: impl Fn(&Row<'_>) -> Result<T, Trouble>,
    ) -> Vec<T> {
        let found = connection
            .prepare_cached(sql)
            .map_err(Trouble::from)
            .and_then(|mut statement| read(&mut statement, parameters, decode));
        found.unwrap_or_else(|_| {
            self.is_complete = false;
            Vec::new()
        })
    }
}

fn read<T>(
    statement: &mut Statement<'_>,
    parameters: impl Params,
    decode: impl Fn(&Row<'_>) -> Result<T, Trouble>,
) -> Result<Vec<T>, Trouble> {
    let mut found = statement.query(parameters)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(decode(row)?);
    }
    Ok(rows)
}

fn bytes(row: &Row<'_>) -> Result<Vec<u8>, Trouble> {
    Ok(row.get(0)?)
}

/// Who wins when a lease that comes contradicts one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Winner {
    Present,
    Coming,
}

/// What became of the leases that came.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) taken: Vec<Lease>,
    pub(crate) skipped: Vec<Lease>,
    pub(crate) replaced: Vec<Lease>,
}

/// Adds what is known of a host. To be called inside of a transaction.
pub(crate) fn merge(
    connection: &Connection,
    copy: &HostCopy,
    winner: Winner,
) -> Result<Merged, Trouble> {
    let mut loaded = Loaded::default();
    let present = loaded.cover(connection, &copy.host, &Scope::Everything)?;
    let is_new = present.row.is_none();
    let leases = &mut present.leases;
    let mut last_generation = leases.last_generation().max(copy.last_generation);
    let host = loaded::host_row(connection, &copy.host, last_generation)?;
    let mut merged = Merged::default();
    for lease in &copy.leases {
        let rivals = rivals(leases, lease);
        if rivals.iter().any(|rival| rival == lease) {
            continue;
        }
        if !rivals.is_empty() && winner == Winner::Present {
            merged.skipped.push(lease.clone());
            continue;
        }
        let mut lease = lease.clone();
        let has_its_number =
            |rival: &Lease| rival.key == lease.key && rival.generation == lease.generation;
        if rivals.iter().any(has_its_number) {
            // The owner of the replaced lease would be taken for the owner of this one.
            last_generation = last_generation.next();
            lease.generation = last_generation;
        }
        changes::make(
            connection,
            host,
            leases,
            &in_place_of(leases, &rivals, &lease),
        )?;
        merged.replaced.extend(rivals);
        merged.taken.push(lease);
    }
    raise(connection, host, last_generation)?;
    for memory in &copy.memories {
        // A memory is a preference; whoever has the port or another memory keeps it.
        let is_in_the_way = leases.at(memory.port).is_some()
            || leases.memory_at(memory.port).is_some()
            || leases.memory(&memory.key).is_some();
        if !is_in_the_way {
            changes::make(
                connection,
                host,
                leases,
                &[Change::Remember(memory.clone())],
            )?;
        }
    }
    if is_new {
        write_history(connection, host, copy)?;
    }
    Ok(merged)
}

/// The leases that cannot be there together with this one.
fn rivals(leases: &Leases, lease: &Lease) -> Vec<Lease> {
    let followers = lease.followers.iter();
    let keys = followers.map(|follower| lease.key.sibling(follower.service.clone()));
    let mut rivals: Vec<&Lease> = core::iter::once(lease.key.clone())
        .chain(keys)
        .filter_map(|key| leases.get(&key))
        .chain(leases.at(lease.port))
        .collect();
    rivals.sort_by_key(|rival| rival.port);
    rivals.dedup_by_key(|rival| rival.port);
    rivals.into_iter().cloned().collect()
}

fn in_place_of(leases: &Leases, rivals: &[Lease], lease: &Lease) -> Vec<Change> {
    let ends = rivals.iter().map(|rival| Change::End(rival.key.clone()));
    // A leased port is remembered by nobody.
    let memory = leases.memory_at(lease.port);
    let forget = memory.map(|memory| Change::Forget(memory.key.clone()));
    ends.chain(forget)
        .chain([Change::Update(lease.clone())])
        .collect()
}

fn raise(connection: &Connection, host: i64, last_generation: Generation) -> Result<(), Trouble> {
    connection.execute(
        "UPDATE host SET last_generation = max(last_generation, ?) WHERE id = ?",
        (rows::signed(last_generation.get()), host),
    )?;
    Ok(())
}

/// The past of a host that the registry did not know. Two pasts of one host cannot be added up.
fn write_history(connection: &Connection, host: i64, copy: &HostCopy) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO usage VALUES (?, ?, ?)")?;
    for usage in &copy.usage {
        statement.execute((host, usage.port.get(), rows::signed(usage.grants)))?;
    }
    let mut nothing = Leases::default();
    let swept = copy.last_swept.map(|at| Change::Swept { at });
    let changes: Vec<Change> = swept
        .into_iter()
        .chain([Change::Count(copy.counters)])
        .collect();
    changes::make(connection, host, &mut nothing, &changes)
}
