//! The floor: the statements of a reserve, written by hand, without anything that makes it right.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use portlease::core::PortRange;
use rusqlite::Connection;

use crate::Result;

/// A transaction by hand, on the tables of a registry.
pub(crate) struct Floor {
    lock: File,
    connection: Connection,
}

impl Floor {
    /// Opens a registry that Portlease made.
    pub(crate) fn open(registry: &Path) -> Result<Self> {
        let connection = Connection::open(registry)?;
        Self::on(connection, registry)
    }

    /// Makes a registry of the same tables.
    pub(crate) fn create(registry: &Path, schema: &str) -> Result<Self> {
        let connection = Connection::open(registry)?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT"))?;
        Self::on(connection, registry)
    }

    fn on(connection: Connection, registry: &Path) -> Result<Self> {
        connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        connection.busy_timeout(Duration::from_mins(1))?;
        connection.set_prepared_statement_cache_capacity(32);
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let lock = options.open(registry.with_extension("floor.lock"))?;
        Ok(Self { lock, connection })
    }

    /// What makes the same tables again, with one host.
    pub(crate) fn schema(&self) -> Result<String> {
        let sql = "SELECT group_concat(sql, ';') FROM sqlite_schema WHERE sql IS NOT NULL";
        let tables: String = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(format!(
            "{tables}; INSERT INTO host (id, name, last_generation) VALUES (1, 'laptop', 0);"
        ))
    }

    /// Leases the port after the highest leased one of the range.
    pub(crate) fn reserve(&self, project: &str, range: PortRange) -> Result<u16> {
        self.lock.lock()?;
        let port = self.transact(project, range)?;
        self.lock.unlock()?;
        Ok(port)
    }

    fn transact(&self, project: &str, range: PortRange) -> Result<u16> {
        let (first, last) = (range.first().get(), range.last().get());
        self.run("BEGIN IMMEDIATE", ())?;
        let (port, generation): (u16, i64) = self
            .connection
            .prepare_cached(
                "SELECT coalesce(max(port), ?1 - 1) + 1, (SELECT last_generation + 1 FROM host WHERE id = 1) \
                 FROM lease WHERE host = 1 AND port BETWEEN ?1 AND ?2",
            )?
            .query_row((first, last), |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.run(
            "DELETE FROM memory WHERE host = 1 AND project = ? AND service = 'web' AND instance = 1",
            (project,),
        )?;
        self.run(
            "INSERT OR ROLLBACK INTO lease VALUES (1, ?, ?, 'web', 1, 'default', ?, 'reserved', NULL, NULL, \
             ?, ?, 'scan', 0, NULL, NULL, 1763000000000, 1763000000000)",
            (port, project, generation, first, last),
        )?;
        self.run(
            "INSERT INTO usage VALUES (1, ?, 1) ON CONFLICT DO UPDATE SET grants = grants + 1",
            (port,),
        )?;
        self.run(
            "UPDATE host SET last_generation = ?, grants = grants + 1 WHERE id = 1",
            (generation,),
        )?;
        self.run("COMMIT", ())?;
        Ok(port)
    }

    pub(crate) fn release(&self, port: u16) -> Result<()> {
        self.run("DELETE FROM lease WHERE host = 1 AND port = ?", (port,))
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}
