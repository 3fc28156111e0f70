//! What a process has loaded of the registry, and still knows to be so.
//!
//! A process that decides again loads only what it has not loaded before. `PRAGMA data_version` tells
//! at the cost of a microsecond whether somebody else wrote meanwhile, and the row of the host then
//! tells which ports are not as they were.

use std::collections::{HashMap, HashSet};

use portlease_core::{
    Change, Counters, Generation, Host, Lease, LeaseKey, Leases, Name, Port, PortRange, PortSet,
    PortUsage, Scope, Snapshot, Timestamp,
};
use rusqlite::{Connection, Params, Row};

use crate::explain::Trouble;
use crate::rows::{self, Reader};
use crate::schema::{CHANGE_DIGITS, CHANGES_KEPT};

/// From so many pieces on, a scope is loaded as a whole: a question about each piece would cost
/// more than the rows that nobody asked for.
const MAX_PIECES: usize = 32;

/// So many projects of one host are kept apart at most.
const MAX_PROJECTS: usize = 1024;

/// The hosts of a registry, each as it was at one of its versions.
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
    /// The version of the registry at which all of this is so, apart from what was done here.
    data_version: Option<i64>,
    /// The number of the last change of this host that is among it.
    changes: i64,
    reader: Reader,
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
    /// Looks whether somebody else wrote since, and answers that.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> Result<bool, Trouble> {
        let mut statement = connection.prepare_cached("PRAGMA data_version")?;
        let version: i64 = statement.query_row([], |row| row.get(0))?;
        let former = self.data_version.replace(version);
        Ok(former != self.data_version)
    }

    /// The host as it is now, with at least the rows of the scope, of which those that are missing
    /// are loaded.
    pub(crate) fn cover(
        &mut self,
        connection: &Connection,
        host: &Host,
        scope: &Scope,
    ) -> Result<&mut LoadedHost, Trouble> {
        let is_current = match self.hosts.get_mut(host) {
            Some(known) => known.data_version == self.data_version || known.catch_up(connection)?,
            None => false,
        };
        if !is_current {
            let opened = LoadedHost::new(connection, host)?;
            self.hosts.insert(host.clone(), opened);
        }
        let loaded = self.hosts.get_mut(host).expect("it was put there");
        loaded.data_version = self.data_version;
        loaded.cover(connection, host, scope)?;
        Ok(loaded)
    }
}

impl LoadedHost {
    fn new(connection: &Connection, host: &Host) -> Result<Self, Trouble> {
        let head = Head::read(connection, host)?;
        let changes = match head.row {
            Some(row) => Progress::read(connection, row)?.map_or(0, |progress| progress.changes),
            None => 0,
        };
        let cover = match head.row {
            Some(_) => Cover::Rows {
                ports: PortSet::new(),
                projects: HashSet::new(),
            },
            None => Cover::Everything,
        };
        Ok(Self {
            row: head.row,
            leases: head.leases(false, Vec::new())?,
            cover,
            data_version: None,
            changes,
            reader: Reader::default(),
        })
    }

    /// Loads what others changed since. Answers whether that was possible: who knows everything
    /// knows counts as well, which nobody writes down one by one.
    fn catch_up(&mut self, connection: &Connection) -> Result<bool, Trouble> {
        let (Some(row), Cover::Rows { .. }) = (self.row, &self.cover) else {
            return Ok(false);
        };
        let Some(progress) = Progress::read(connection, row)? else {
            return Ok(false);
        };
        let Some(changed) = progress.since(self.changes)? else {
            return Ok(false);
        };
        self.leases.advance(progress.last_generation);
        // What changed is loaded whether it was asked for or not: a row that moved may have been.
        let ranges = pieces(&changed);
        for range in &ranges {
            for port in &PortSet::from(*range) {
                self.leases.clear(port);
            }
        }
        let (reader, leases) = (&mut self.reader, &mut self.leases);
        for range in ranges {
            let limits = (row, range.first().get(), range.last().get());
            load_rows(connection, reader, leases, Part::Ports, limits)?;
        }
        if let Some(at) = progress.last_swept {
            self.leases.apply(&Change::Swept { at });
        }
        self.changes = progress.changes;
        Ok(true)
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
        let (reader, leases) = (&mut self.reader, &mut self.leases);
        for range in pieces(&new_ports) {
            let limits = (row, range.first().get(), range.last().get());
            load_rows(connection, reader, leases, Part::Ports, limits)?;
            ports.insert_range(range);
        }
        for project in new_projects {
            let limits = (row, project.as_str());
            load_rows(connection, reader, leases, Part::Project, limits)?;
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
        let mut leases = head.leases(true, usage)?;
        load_rows(connection, &mut self.reader, &mut leases, Part::All, (row,))?;
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

/// How far a host has come.
struct Progress {
    changes: i64,
    changed: Vec<u8>,
    last_generation: Generation,
    last_swept: Option<Timestamp>,
}

impl Progress {
    /// None when the host is gone.
    fn read(connection: &Connection, host: i64) -> Result<Option<Self>, Trouble> {
        let mut statement = connection.prepare_cached(
            "SELECT changes, changed, last_generation, last_swept FROM host WHERE id = ?",
        )?;
        let mut found = statement.query((host,))?;
        let Some(row) = found.next()? else {
            return Ok(None);
        };
        Ok(Some(Self {
            changes: row.get(0)?,
            changed: row.get(1)?,
            last_generation: Generation::new(rows::count(row, 2)?),
            last_swept: rows::moment(row, 3)?,
        }))
    }

    /// The ports that changed after so many changes; none when that is longer ago than is written down.
    fn since(&self, known: i64) -> Result<Option<PortSet>, Trouble> {
        let count = self.changes - known;
        if !(0..=CHANGES_KEPT).contains(&count) {
            return Ok(None);
        }
        let unreadable = || Trouble::Unreadable("its last changes are no ports".to_owned());
        let last = self.changed.rchunks(CHANGE_DIGITS);
        let mut ports = PortSet::new();
        for digits in last.take(usize::try_from(count).map_err(|_| unreadable())?) {
            let digits = str::from_utf8(digits).ok();
            let number = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
            ports.insert(number.and_then(Port::new).ok_or_else(unreadable)?);
        }
        Ok(Some(ports))
    }
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
            last_generation: Generation::new(rows::count(row, 1)?),
            last_swept: rows::moment(row, 2)?,
            counters: Counters {
                grants: rows::count(row, 3)?,
                reuses: rows::count(row, 4)?,
                conflicts: rows::count(row, 5)?,
                moves: rows::count(row, 6)?,
                refusals: rows::count(row, 7)?,
                releases: rows::count(row, 8)?,
                swept: rows::count(row, 9)?,
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
        let mut found = statement.query([])?;
        let row = found.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Self {
            last_generation: Generation::new(rows::count(row, 0)?),
            ..Self::default()
        })
    }

    /// Leases without a lease, with the counts or without.
    fn leases(&self, with_counts: bool, usage: Vec<PortUsage>) -> Result<Leases, Trouble> {
        let counters = if with_counts {
            self.counters
        } else {
            Counters::default()
        };
        let snapshot = Snapshot {
            last_generation: self.last_generation,
            last_swept: self.last_swept,
            counters,
            usage,
            ..Snapshot::default()
        };
        Leases::try_from(snapshot).map_err(|error| Trouble::Unreadable(error.to_string()))
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
            grants: rows::count(row, 1)?,
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
    reader: &mut Reader,
    leases: &mut Leases,
    part: Part,
    limits: impl Params + Copy,
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(&part.select("lease", rows::LEASE))?;
    let mut found = statement.query(limits)?;
    while let Some(row) = found.next()? {
        let lease = reader.lease(row)?;
        if let Some(problem) = contradiction(leases, &lease) {
            return Err(Trouble::Unreadable(problem));
        }
        leases.put(lease);
    }
    let mut statement = connection.prepare_cached(&part.select("memory", rows::MEMORY))?;
    let mut found = statement.query(limits)?;
    while let Some(row) = found.next()? {
        let memory = reader.memory(row)?;
        if leases.at(memory.port).is_some() {
            return Err(Trouble::Unreadable(remembered_too(memory.port)));
        }
        leases.put_memory(memory);
    }
    Ok(())
}

/// Why a lease cannot be there together with what is loaded already.
fn contradiction(leases: &Leases, lease: &Lease) -> Option<String> {
    let key = &lease.key;
    if lease.generation > leases.last_generation() {
        // The next grant could get its number, and its owner be taken for the next one's.
        return Some(format!("the lease of {key} is newer than the last grant"));
    }
    if leases.memory_at(lease.port).is_some() {
        return Some(remembered_too(lease.port));
    }
    let is_elsewhere = |key: &LeaseKey| {
        leases
            .get(key)
            .is_some_and(|other| other.port != lease.port)
    };
    let mut followers = lease.followers.iter();
    let has_two = is_elsewhere(key)
        || followers.any(|follower| is_elsewhere(&key.sibling(follower.service.clone())));
    has_two.then(|| format!("a service of {key} has two leases"))
}

fn remembered_too(port: Port) -> String {
    format!("port {port} is leased and remembered")
}

impl Part {
    fn select(self, table: &str, columns: &str) -> String {
        let rest = match self {
            Self::All => format!("{table} WHERE host = ?"),
            Self::Ports => format!("{table} WHERE host = ? AND port BETWEEN ? AND ?"),
            // Left alone, SQLite would rather walk through all rows of the host.
            Self::Project => {
                format!("{table} INDEXED BY {table}_by_key WHERE host = ? AND project = ?")
            }
        };
        format!("SELECT {columns} FROM {rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{changes, schema};

    fn check(changes: i64, changed: &str, known: i64, expected: Option<&[u16]>) {
        let progress = Progress {
            changes,
            changed: changed.as_bytes().to_vec(),
            last_generation: Generation::default(),
            last_swept: None,
        };
        let since = progress.since(known).unwrap();
        let ports = since.map(|ports| ports.iter().map(Port::get).collect::<Vec<_>>());
        assert_eq!(ports.as_deref(), expected, "{known}..={changes}");
    }

    #[test]
    fn the_ports_that_changed_since_are_the_last_ones() {
        check(0, "", 0, Some(&[]));
        check(3, "0bb80bb90bb8", 3, Some(&[]));
        check(3, "0bb80bb90bb8", 2, Some(&[3000]));
        check(3, "0bb80bb90bb8", 0, Some(&[3000, 3001]));
        let all = "0bb9".repeat(256);
        check(300, &all, 44, Some(&[3001]));
        check(300, &all, 43, None);
        check(300, &all, 301, None);
    }

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "recursive_triggers", true)
            .unwrap();
        schema::migrate(&connection, schema::MIGRATIONS, None).unwrap();
        connection
    }

    /// Leases a port to a service as another process does.
    fn lease(connection: &Connection, host: &Host, project: &str) -> Lease {
        let range = PortRange::literal(3000, 3009);
        let service = portlease_core::Service::in_range(Name::literal("web"), range);
        let request = portlease_core::Request::new(Name::literal(project), vec![service]);
        let command = portlease_core::Command::Reserve(request);
        let mut loaded = Loaded::default();
        let known = loaded.cover(connection, host, &command.scope()).unwrap();
        let facts = portlease_core::Facts::default();
        let decision = portlease_core::decide(&known.leases, &command, &facts).unwrap();
        changes::make(
            connection,
            known.row.unwrap(),
            &mut known.leases,
            &decision.changes,
        )
        .unwrap();
        known
            .leases
            .get(&LeaseKey::new(Name::literal(project), Name::literal("web")))
            .unwrap()
            .clone()
    }

    #[test]
    fn what_others_changed_is_caught_up_with() {
        let (connection, host) = (connection(), Host::new(Name::literal("laptop")));
        host_row(&connection, &host, Generation::default()).unwrap();
        let mut known = LoadedHost::new(&connection, &host).unwrap();
        let ports = PortSet::from(PortRange::literal(3000, 3009));
        let scope = Scope::Rows {
            projects: Vec::new(),
            ports,
        };
        known.cover(&connection, &host, &scope).unwrap();
        for project in ["shop", "blog"] {
            let lease = lease(&connection, &host, project);
            assert!(known.catch_up(&connection).unwrap());
            assert_eq!(known.leases.at(lease.port), Some(&lease));
        }
        connection
            .execute("DELETE FROM lease WHERE project = 'shop'", ())
            .unwrap();
        assert!(known.catch_up(&connection).unwrap());
        assert_eq!(known.leases.len(), 1);
    }

    #[test]
    fn what_is_no_list_of_ports_is_damaged() {
        for changed in ["wxyz", "0000", "é"] {
            let progress = Progress {
                changes: 1,
                changed: changed.as_bytes().to_vec(),
                last_generation: Generation::default(),
                last_swept: None,
            };
            assert!(progress.since(0).is_err(), "{changed}");
        }
    }
}
