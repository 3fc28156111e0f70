//! What a process has loaded of the registry, and still knows to be so.
//!
//! A process that decides again loads only what it has not loaded before, and nothing at all when
//! nobody else wrote meanwhile: `PRAGMA data_version` tells that at the cost of a microsecond.

use std::collections::{HashMap, HashSet};

use portlease_core::{
    Change, Counters, Generation, Host, Leases, Name, PortRange, PortSet, PortUsage, Scope,
    Timestamp,
};
use rusqlite::{Connection, Params, Row};
use serde_json::json;

use crate::explain::Trouble;
use crate::rows::{self, Reader};

/// From so many pieces on, a scope is loaded as a whole: a question about each piece would cost
/// more than the rows that nobody asked for.
const MAX_PIECES: usize = 32;

/// So many projects of one host are kept apart at most.
const MAX_PROJECTS: usize = 1024;

/// The hosts of a registry as they were at one of its versions.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    data_version: Option<i64>,
    hosts: HashMap<Host, LoadedHost>,
}

/// What is loaded of one host.
#[derive(Debug)]
pub(crate) struct LoadedHost {
    /// Its row; none while the registry does not know it.
    pub(crate) row: Option<i64>,
    pub(crate) leases: Leases,
    cover: Cover,
}

/// Which rows of a host are among the loaded ones.
#[derive(Debug)]
enum Cover {
    Everything,
    Rows {
        ports: PortSet,
        projects: HashSet<Name>,
    },
}

impl Loaded {
    /// Forgets everything if somebody else wrote since. Answers whether that was so.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> Result<bool, Trouble> {
        let mut statement = connection.prepare_cached("PRAGMA data_version")?;
        let version: i64 = statement.query_row([], |row| row.get(0))?;
        let is_outdated = self.data_version != Some(version);
        if is_outdated {
            self.hosts.clear();
            self.data_version = Some(version);
        }
        Ok(is_outdated)
    }

    /// The host with at least the rows of the scope, of which those that are missing are loaded.
    pub(crate) fn cover(
        &mut self,
        connection: &Connection,
        host: &Host,
        scope: &Scope,
    ) -> Result<&mut LoadedHost, Trouble> {
        if !self.hosts.contains_key(host) {
            let opened = LoadedHost::new(connection, host)?;
            self.hosts.insert(host.clone(), opened);
        }
        let loaded = self.hosts.get_mut(host).expect("it was put there");
        loaded.cover(connection, host, scope)?;
        Ok(loaded)
    }
}

impl LoadedHost {
    fn new(connection: &Connection, host: &Host) -> Result<Self, Trouble> {
        let head = Head::read(connection, host)?;
        let is_known = head.row.is_some();
        let mut loaded = Self {
            row: head.row,
            leases: head.leases(false, &[])?,
            cover: Cover::Rows {
                ports: PortSet::new(),
                projects: HashSet::new(),
            },
        };
        if !is_known {
            loaded.cover = Cover::Everything;
        }
        Ok(loaded)
    }

    fn cover(
        &mut self,
        connection: &Connection,
        host: &Host,
        scope: &Scope,
    ) -> Result<(), Trouble> {
        let (Some(row), Cover::Rows { ports, projects }) = (self.row, &mut self.cover) else {
            return Ok(());
        };
        let Scope::Rows {
            projects: wanted_projects,
            ports: wanted_ports,
        } = scope
        else {
            return self.load_everything(connection, host);
        };
        let mut new_projects = wanted_projects.clone();
        new_projects.retain(|project| !projects.contains(project));
        if new_projects.len() > MAX_PIECES || projects.len() > MAX_PROJECTS {
            return self.load_everything(connection, host);
        }
        let mut new_ports = wanted_ports.clone();
        new_ports -= ports;
        let leases = &mut self.leases;
        for range in pieces(&new_ports) {
            let limits = (row, range.first().get(), range.last().get());
            load_rows(connection, leases, Part::Ports, limits)?;
            ports.insert_range(range);
        }
        for project in new_projects {
            let limits = (row, project.as_str());
            load_rows(connection, leases, Part::Project, limits)?;
            projects.insert(project);
        }
        Ok(())
    }

    fn load_everything(&mut self, connection: &Connection, host: &Host) -> Result<(), Trouble> {
        let head = Head::read(connection, host)?;
        let row = head
            .row
            .ok_or_else(|| Trouble::Unreadable(format!("{host} is gone")))?;
        let usage = usage(connection, row)?;
        let mut leases = head.leases(true, &usage)?;
        load_rows(connection, &mut leases, Part::All, (row,))?;
        self.leases = leases;
        self.cover = Cover::Everything;
        Ok(())
    }
}

/// The fewest ranges in which the ports can be loaded at reasonable cost.
fn pieces(ports: &PortSet) -> Vec<PortRange> {
    let pieces: Vec<PortRange> = ports.ranges().take(MAX_PIECES + 1).collect();
    if pieces.len() <= MAX_PIECES {
        return pieces;
    }
    let ends = ports.first().zip(ports.ranges().last());
    let span = ends.and_then(|(first, last)| PortRange::new(first, last.last()));
    span.into_iter().collect()
}

/// What the registry says of a host besides its leases.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) row: Option<i64>,
    pub(crate) last_generation: Generation,
    pub(crate) last_swept: Option<Timestamp>,
    pub(crate) counters: Counters,
}

impl Head {
    /// The columns that [`Head::decode`] reads, in its order.
    pub(crate) const COLUMNS: &str = "id, last_generation, last_swept, grants, reuses, conflicts, \
         moves, refusals, releases, swept";

    pub(crate) fn decode(row: &Row<'_>) -> Result<Self, Trouble> {
        Ok(Self {
            row: Some(row.get(0)?),
            last_generation: Generation::new(rows::number(row, 1)?),
            last_swept: rows::moment(row, 2)?,
            counters: Counters {
                grants: rows::number(row, 3)?,
                reuses: rows::number(row, 4)?,
                conflicts: rows::number(row, 5)?,
                moves: rows::number(row, 6)?,
                refusals: rows::number(row, 7)?,
                releases: rows::number(row, 8)?,
                swept: rows::number(row, 9)?,
            },
        })
    }

    fn read(connection: &Connection, host: &Host) -> Result<Self, Trouble> {
        let sql = format!("SELECT {} FROM host WHERE name = ?", Self::COLUMNS);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut found = statement.query([host.name().as_str()])?;
        if let Some(row) = found.next()? {
            return Self::decode(row);
        }
        let mut statement = connection.prepare_cached("SELECT first_generation FROM registry")?;
        let first: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(Self {
            last_generation: Generation::new(first.cast_unsigned()),
            ..Self::default()
        })
    }

    /// Leases without a lease, with the counts or without. The core makes these only from a
    /// snapshot.
    fn leases(&self, with_counts: bool, usage: &[PortUsage]) -> Result<Leases, Trouble> {
        let counters = if with_counts {
            self.counters
        } else {
            Counters::default()
        };
        let snapshot = json!({
            "lastGeneration": self.last_generation,
            "lastSwept": self.last_swept,
            "counters": counters,
            "usage": usage,
        });
        serde_json::from_value(snapshot).map_err(|error| Trouble::Unreadable(error.to_string()))
    }
}

/// Makes sure that the registry knows the host.
pub(crate) fn host_row(
    connection: &Connection,
    host: &Host,
    last_generation: Generation,
) -> Result<i64, Trouble> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO host (name, last_generation) VALUES (?, ?) \
         ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id",
    )?;
    let values = (host.name().as_str(), rows::signed(last_generation.get()));
    Ok(statement.query_row(values, |row| row.get(0))?)
}

/// The hosts that the registry knows, by name.
pub(crate) fn hosts(connection: &Connection) -> Result<Vec<Host>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT name FROM host ORDER BY name")?;
    let mut found = statement.query([])?;
    let mut hosts = Vec::new();
    while let Some(row) = found.next()? {
        hosts.push(Host::new(rows::name(row, 0)?));
    }
    Ok(hosts)
}

fn usage(connection: &Connection, host: i64) -> Result<Vec<PortUsage>, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT port, grants FROM usage WHERE host = ?")?;
    let mut found = statement.query((host,))?;
    let mut usage = Vec::new();
    while let Some(row) = found.next()? {
        usage.push(PortUsage {
            port: rows::port(row, 0)?,
            grants: rows::number(row, 1)?,
        });
    }
    Ok(usage)
}

/// The rows of a host to be loaded: all, or those that meet a further condition.
#[derive(Debug, Clone, Copy)]
enum Part {
    All,
    Ports,
    Project,
}

/// Adds the leases and the memories of a part.
fn load_rows(
    connection: &Connection,
    leases: &mut Leases,
    part: Part,
    limits: impl Params + Copy,
) -> Result<(), Trouble> {
    let mut reader = Reader::default();
    let mut statement = connection.prepare_cached(&part.select("lease", rows::LEASE))?;
    let mut found = statement.query(limits)?;
    while let Some(row) = found.next()? {
        leases.apply(&Change::Update(reader.lease(row)?));
    }
    let mut statement = connection.prepare_cached(&part.select("memory", rows::MEMORY))?;
    let mut found = statement.query(limits)?;
    while let Some(row) = found.next()? {
        leases.apply(&Change::Remember(reader.memory(row)?));
    }
    Ok(())
}

impl Part {
    fn select(self, table: &str, columns: &str) -> String {
        let rest = match self {
            Self::All => "WHERE host = ?".to_owned(),
            Self::Ports => "WHERE host = ? AND port BETWEEN ? AND ?".to_owned(),
            // Left alone, SQLite would rather walk through all rows of the host.
            Self::Project => format!("INDEXED BY {table}_by_key WHERE host = ? AND project = ?"),
        };
        format!("SELECT {columns} FROM {table} {rest}")
    }
}
