//! A transaction that is undone unless it was committed.

use rusqlite::Connection;

use crate::explain::Trouble;

/// Whether a transaction may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It sees one state, and may change nothing.
    Read,
    /// It is the only one that changes something.
    Write,
}

/// Like the transactions of `rusqlite`, but its own statements are compiled once.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    is_open: bool,
}

impl<'a> Transaction<'a> {
    pub(crate) fn begin(connection: &'a Connection, mode: Mode) -> Result<Self, Trouble> {
        run(
            connection,
            match mode {
                Mode::Read => "BEGIN DEFERRED",
                Mode::Write => "BEGIN IMMEDIATE",
            },
        )?;
        Ok(Self {
            connection,
            is_open: true,
        })
    }

    pub(crate) fn commit(mut self) -> Result<(), Trouble> {
        run(self.connection, "COMMIT")?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // After some errors SQLite has rolled back by itself.
        if self.is_open && !self.connection.is_autocommit() {
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

fn run(connection: &Connection, sql: &str) -> Result<(), Trouble> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
