//! Opening a registry file: making sure that it is one, of this version, and ready for many.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use portlease_core::{StoreError, StoreErrorKind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::explain::{Trouble, in_folder, read_only, unsuitable};
use crate::loaded::Loaded;
use crate::place::{self, Place, id_at, restless};
use crate::recovery::beyond_every_generation;
use crate::schema::{self, Kind, MIGRATIONS};
use crate::system::{self, FileId};

/// An open registry file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// Which file it is, as long as it is open.
    pub(crate) id: FileId,
    /// Which files `SQLite` keeps beside it.
    companions: [Option<FileId>; 2],
    pub(crate) loaded: Loaded,
}

/// How a registry is to be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) place: &'a Place,
    /// How long to wait for a program that writes without asking for the lock.
    pub(crate) patience: Duration,
    /// Whether there was a registry at this place before, as far as the lock or this process knows.
    pub(crate) was_registry: bool,
}

const PAGE_BYTES: u32 = 2048;
/// So often the file may be another one before and after it was opened.
const ATTEMPTS: usize = 5;

/// More than there are different statements in this crate.
const STATEMENTS: usize = 64;

/// So many pages of the log are collected before they are moved into the database.
const LOG_PAGES: i32 = 8192;

impl Opening<'_> {
    /// Opens the registry, which is made when it is missing. To be called under the lock.
    pub(crate) fn open(&self) -> Result<Opened, Trouble> {
        let place = self.place;
        for _ in 0..ATTEMPTS {
            place.check()?;
            let found = match place.registry_id()? {
                None => self.create()?,
                found => {
                    self.check_not_emptied()?;
                    found
                }
            };
            let Some(id) = found else { continue };
            let outcome = check_log(place).and_then(|()| self.connect());
            let companions = place.companions().map(|path| id_at(&path).unwrap_or(None));
            if place.registry_id()? == Some(id) {
                return Ok(Opened {
                    connection: outcome?,
                    id,
                    companions,
                    loaded: Loaded::default(),
                });
            }
        }
        Err(restless(&place.registry).into())
    }

    /// `SQLite` takes an empty file for a new database, and removes the log that belonged to it.
    fn check_not_emptied(&self) -> Result<(), Trouble> {
        let is_empty = || {
            let metadata = self.place.registry.symlink_metadata();
            metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
        };
        if self.was_registry && is_empty() {
            return Err(Trouble::Unreadable("the file is empty".to_owned()));
        }
        Ok(())
    }

    /// Makes an empty file, for nobody but its owner; `SQLite` keeps to that for the others. Answers
    /// nothing when somebody else was faster.
    fn create(&self) -> Result<Option<FileId>, Trouble> {
        let place = self.place;
        for leftover in place.companions() {
            // They belong to a registry that is gone, and would be taken for parts of the new one.
            place::remove(&leftover)?;
        }
        // Never an existing file: closing one that SQLite has open in this process would drop the
        // locks that SQLite has on it.
        let made = system::create_new(&place.registry).and_then(|file| file.metadata());
        match made {
            Ok(metadata) => Ok(Some(FileId::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => {
                Err(in_folder(&place.registry, "The registry cannot be made", &error).into())
            }
        }
    }

    fn connect(&self) -> Result<Connection, Trouble> {
        let place = self.place;
        let had_log = place.companions()[0].symlink_metadata().is_ok();
        // Without a mutex of its own: a connection is never used by two threads at once.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(&place.registry, flags)?;
        connection.busy_timeout(self.patience)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // What turns out not to be ours is left as it is.
        leave_log_on_close(&connection)?;
        if connection.is_readonly("main")? {
            return Err(read_only(&place.registry, "the file is read-only").into());
        }
        match schema::kind(&connection)? {
            Kind::Fresh => self.prepare(&connection)?,
            Kind::Registry(version) if version <= MIGRATIONS.len() => self.prepare(&connection)?,
            unfit => {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, had_log)?;
                return Err(refuse(place, unfit).into());
            }
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(connection)
    }

    fn prepare(&self, connection: &Connection) -> Result<(), Trouble> {
        // A transaction writes each page that it changes as a whole, so small pages make it fast; a lease has to fit into one all
        // the same. It has an effect only on a registry that is made.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        // A registry has to survive the end of every process, not the end of the power: after
        // that no process lives that could hold a lease.
        connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = ON;")?;
        // Who moves the log into the database waits for the disk, and everybody else for the lock
        // meanwhile. So it is done seldom: when the log has 16 MB, or when nobody has it open.
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        // Otherwise a row that makes way for another one goes without its trigger.
        connection.pragma_update(None, "recursive_triggers", true)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(unsuitable(
                format!(
                    "The file system of {} cannot hold a registry: SQLite answers with the journal mode {mode}.",
                    self.place.folder.display()
                ),
                "Put the registry on a disk of this machine.",
            )
            .into());
        }
        if schema::version(connection)? < MIGRATIONS.len() {
            // Owners of leases of a former registry may still be there, and name their grants.
            let first_generation = self.was_registry.then(beyond_every_generation);
            schema::migrate(connection, MIGRATIONS, first_generation)?;
        }
        Ok(())
    }
}

impl Opened {
    /// Removes what `SQLite` kept at the place for this file, which is not the registry any more: it
    /// would be taken for parts of the next one. Whoever has it open can still read it.
    pub(crate) fn remove_companions(&self, place: &Place) -> Result<(), Trouble> {
        for (path, own) in place.companions().iter().zip(self.companions) {
            if own.is_some() && id_at(path)? == own {
                place::remove(path)?;
            }
        }
        Ok(())
    }
}

/// Lets the connection end without moving anything from the log into the database.
pub(crate) fn leave_log_on_close(connection: &Connection) -> Result<(), Trouble> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// `SQLite` takes a log that does not begin as one does for an empty one, so that its transactions
/// would be lost without a word.
fn check_log(place: &Place) -> Result<(), Trouble> {
    const MAGIC: [[u8; 4]; 2] = [[0x37, 0x7F, 0x06, 0x82], [0x37, 0x7F, 0x06, 0x83]];
    let [log, _] = place.companions();
    let mut beginning = Vec::new();
    let read = File::open(&log).and_then(|file| file.take(4).read_to_end(&mut beginning));
    let is_damaged =
        read.is_ok() && !beginning.is_empty() && !MAGIC.iter().any(|magic| beginning == magic);
    if is_damaged {
        return Err(Trouble::Unreadable(format!(
            "{} is not a write-ahead log",
            log.display()
        )));
    }
    Ok(())
}

fn refuse(place: &Place, kind: Kind) -> StoreError {
    let path = place.registry.display();
    match kind {
        Kind::Registry(version) => StoreError {
            kind: StoreErrorKind::NewerVersion,
            problem: format!(
                "{path} was made by a newer version of Portlease: it has format {version}, and this version knows {}.",
                MIGRATIONS.len()
            ),
            remedy: "Update Portlease, or name another registry for this version.".to_owned(),
        },
        Kind::Fresh | Kind::Foreign => unsuitable(
            format!("{path} is the database of another program."),
            "Name another file as the registry.",
        ),
    }
}
