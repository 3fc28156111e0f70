//! Whether a registry is well, for whoever wants to know before it matters.

use rusqlite::Connection;

use crate::explain::Trouble;
use crate::schema;
use crate::transaction::{Mode, Transaction};

/// What a registry is like that is whole and can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The version of its tables.
    pub version: usize,
    /// How many bytes it takes once its log is part of it.
    pub size: u64,
}

impl Inspection {
    pub(crate) fn of(connection: &Connection) -> Result<Self, Trouble> {
        // It begins only where something could be written, and ends without having done so.
        let _transaction = Transaction::begin(connection, Mode::Write)?;
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(Trouble::Unreadable(found));
        }
        let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, u32>(0));
        let pages = number("PRAGMA page_count")?;
        let page = number("PRAGMA page_size")?;
        Ok(Self {
            version: schema::version(connection)?,
            size: u64::from(pages) * u64::from(page),
        })
    }
}
