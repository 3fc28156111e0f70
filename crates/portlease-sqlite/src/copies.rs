//! What a registry knows, copied out of one file and into another: when a damaged one is replaced,
//! when one disappears under a running process, and when one is imported.

use portlease_core::{Generation, Host, Merged, Name, OnConflict, PortUsage, Scope, Snapshot};
use rusqlite::{Connection, Params, Row, Statement};

use crate::changes;
use crate::explain::Trouble;
use crate::loaded::{self, Head, Loaded};
use crate::rows::{self, Reader};

/// Everything that is known of one host, whether or not it contradicts itself.
#[derive(Debug)]
pub(crate) struct HostCopy {
    pub(crate) host: Host,
    pub(crate) known: Snapshot,
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
            known: Snapshot {
                last_generation: generations.fold(head.last_generation, Generation::max),
                last_swept: head.last_swept,
                counters: head.counters,
                leases,
                memories,
                usage,
            },
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

/// Adds what is known of a host. To be called inside of a transaction.
pub(crate) fn merge(
    connection: &Connection,
    host: &Host,
    known: &Snapshot,
    on_conflict: OnConflict,
) -> Result<Merged, Trouble> {
    let mut loaded = Loaded::default();
    let present = loaded.cover(connection, host, &Scope::Everything)?;
    let leases = &mut present.leases;
    let merged = Merged::of(leases, present.row.is_some(), known, on_conflict);
    let row = loaded::host_row(connection, host, merged.last_generation)?;
    changes::make(connection, row, leases, &merged.changes)?;
    raise(connection, row, merged.last_generation)?;
    write_usage(connection, row, &merged.usage)?;
    Ok(merged)
}

fn raise(connection: &Connection, host: i64, last_generation: Generation) -> Result<(), Trouble> {
    connection.execute(
        "UPDATE host SET last_generation = max(last_generation, ?) WHERE id = ?",
        (rows::signed(last_generation.get()), host),
    )?;
    Ok(())
}

fn write_usage(connection: &Connection, host: i64, usage: &[PortUsage]) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO usage VALUES (?, ?, ?)")?;
    for usage in usage {
        statement.execute((host, usage.port.get(), rows::signed(usage.grants)))?;
    }
    Ok(())
}
