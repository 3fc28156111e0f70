//! What happens when the registry is damaged, deleted or replaced: as much as can be is carried
//! over, and nothing is deleted.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portlease_core::{Lease, OnConflict, StoreError};
use rusqlite::{Connection, OpenFlags};

use crate::copies::{self, Copy};
use crate::explain::{Trouble, in_folder, unsuitable};
use crate::opening::{Opened, Opening, leave_log_on_close};
use crate::place::{self, Place, companions};
use crate::transaction::{Mode, Transaction};

/// What was done about a registry that was damaged, deleted or replaced.
///
/// [`SqliteStore::recoveries`](crate::SqliteStore::recoveries) answers those that a store has been
/// through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// What had happened.
    pub cause: Cause,
    /// The leases that were carried over into the registry of now.
    pub saved: Vec<Lease>,
    /// The leases that were not, because others have their ports or their names now.
    pub contradicted: Vec<Lease>,
    /// Whether everything of the former registry could be read.
    pub is_complete: bool,
}

/// What had happened to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It was damaged, and a new one took its place.
    Damaged {
        /// The damage, as `SQLite` tells it.
        problem: String,
        /// Where the damaged file is kept.
        kept: PathBuf,
    },
    /// It was deleted, or another file put in its place, while this process had it open.
    Replaced,
}

/// A sentence or two for people.
///
/// ```
/// use portlease_sqlite::SqliteStore;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("registry.db");
/// # drop(SqliteStore::open(&path)?);
/// std::fs::write(&path, "an accident")?;
/// let store = SqliteStore::open(&path)?;
/// let told = store.recoveries()[0].to_string();
/// assert!(told.starts_with("The registry was damaged (file is not a database)."));
/// assert!(told.contains("registry.db.corrupt-1") && told.contains("0 leases were saved"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl fmt::Display for Recovery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Damaged { problem, kept } => {
                let kept = kept.display();
                write!(
                    formatter,
                    "The registry was damaged ({problem}). It is kept as {kept}. "
                )?;
            }
            Cause::Replaced => formatter.write_str("The registry was deleted or replaced. ")?,
        }
        let saved = self.saved.len();
        let lease = if saved == 1 {
            "lease was"
        } else {
            "leases were"
        };
        write!(formatter, "{saved} {lease} saved")?;
        if !self.contradicted.is_empty() {
            let lost = self.contradicted.len();
            write!(
                formatter,
                ", and {lost} could not, because others have their ports now"
            )?;
        }
        formatter.write_str(if self.is_complete {
            "."
        } else {
            "; not everything could be read."
        })
    }
}

impl Opening<'_> {
    /// Opens the registry, or a new one in the place of a damaged one. To be called under the lock.
    pub(crate) fn open_or_recover(&self) -> Result<(Opened, Option<Recovery>), Trouble> {
        if self.place.registry_id()?.is_none() && self.place.rebuilt().registry_id()?.is_some() {
            return self.finish_interrupted();
        }
        match self.open() {
            Ok(opened) => Ok((opened, None)),
            Err(trouble) => match trouble.damage() {
                Some(damage) => self.recover(&damage),
                None => Err(trouble),
            },
        }
    }

    /// Puts a new registry in the place of a damaged one, with whatever can be read of that.
    ///
    /// Wherever this is interrupted, the next who opens the registry goes on: the damaged one is
    /// at its place until the new one is complete, and the new one is taken when nothing is there.
    pub(crate) fn recover(&self, damage: &str) -> Result<(Opened, Option<Recovery>), Trouble> {
        let place = self.place;
        if !self.was_registry {
            return Err(never_was(place, damage).into());
        }
        let copy = read_damaged(&place.registry);
        let (saved, contradicted) = self.rebuild(&copy)?;
        let kept = place.aside();
        rename(&place.registry, &kept)?;
        self.put_rebuilt(&kept)?;
        let recovery = Recovery {
            cause: Cause::Damaged {
                problem: damage.to_owned(),
                kept,
            },
            saved,
            contradicted,
            is_complete: copy.is_complete,
        };
        Ok((self.open()?, Some(recovery)))
    }

    /// Goes on where somebody was interrupted who replaced a damaged registry.
    fn finish_interrupted(&self) -> Result<(Opened, Option<Recovery>), Trouble> {
        let kept = self.place.set_aside().last();
        let kept = kept.unwrap_or_else(|| self.place.aside());
        self.put_rebuilt(&kept)?;
        let opened = self.open()?;
        let copy = Copy::read(&opened.connection);
        let recovery = Recovery {
            cause: Cause::Damaged {
                problem: "whoever found out how was interrupted".to_owned(),
                kept,
            },
            saved: copy
                .hosts
                .into_iter()
                .flat_map(|host| host.known.leases)
                .collect(),
            contradicted: Vec::new(),
            is_complete: false,
        };
        Ok((opened, Some(recovery)))
    }

    /// Puts the new registry at the place that the damaged one has left, and the companions of that
    /// beside it. They leave after it: as long as it was there, it needed them.
    fn put_rebuilt(&self, kept: &Path) -> Result<(), Trouble> {
        let place = self.place;
        for (from, to) in place.companions().iter().zip(companions(kept)) {
            rename(from, &to)?;
        }
        rename(&place.rebuilt().registry, &place.registry)
    }

    /// Builds the new registry beside the damaged one.
    fn rebuild(&self, copy: &Copy) -> Result<(Vec<Lease>, Vec<Lease>), Trouble> {
        let place = self.place.rebuilt();
        remove_rebuilt(&place)?;
        let building = Opening {
            place: &place,
            was_registry: true,
            ..*self
        };
        let opened = building.open()?;
        adopt(&opened.connection, copy)
    }
}

/// Carries the leases of a file that this process has open over into the one that is in its place
/// now. Of all who had it open, one does that.
pub(crate) fn carry_over(from: &Connection, to: &Connection) -> Result<Option<Recovery>, Trouble> {
    let copy = Copy::read(from);
    let Some(id) = copy.ancestors.first() else {
        return Ok(None);
    };
    let is_done: bool = to.query_row(
        "SELECT EXISTS (SELECT * FROM predecessor WHERE id = ?)",
        [id],
        |row| row.get(0),
    )?;
    if is_done {
        return Ok(None);
    }
    let (saved, contradicted) = adopt(to, &copy)?;
    Ok(Some(Recovery {
        cause: Cause::Replaced,
        saved,
        contradicted,
        is_complete: copy.is_complete,
    }))
}

/// Takes over what is known of another registry, all of it or nothing.
fn adopt(connection: &Connection, copy: &Copy) -> Result<(Vec<Lease>, Vec<Lease>), Trouble> {
    let transaction = Transaction::begin(connection, Mode::Write)?;
    let (mut saved, mut contradicted) = (Vec::new(), Vec::new());
    for host in &copy.hosts {
        let merged = copies::merge(connection, &host.host, &host.known, OnConflict::Keep)?;
        saved.extend(merged.taken);
        contradicted.extend(merged.skipped);
    }
    for ancestor in &copy.ancestors {
        connection.execute("INSERT OR IGNORE INTO predecessor VALUES (?)", [ancestor])?;
    }
    transaction.commit()?;
    Ok((saved, contradicted))
}

fn read_damaged(registry: &Path) -> Copy {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let opened = Connection::open_with_flags(registry, flags);
    match opened {
        Ok(connection) if leave_log_on_close(&connection).is_ok() => Copy::read(&connection),
        _ => Copy::default(),
    }
}

fn remove_rebuilt(rebuilt: &Place) -> Result<(), Trouble> {
    for path in rebuilt.companions() {
        place::remove(&path)?;
    }
    place::remove(&rebuilt.registry)?;
    Ok(())
}

/// A file that is no database and was never known as a registry may be anybody's.
fn never_was(place: &Place, damage: &str) -> StoreError {
    unsuitable(
        format!(
            "{} is not a registry, and no registry was at its place before: {damage}.",
            place.registry.display()
        ),
        "Name another file as the registry, or move this one away.",
    )
}

/// Renames a file, if it is there.
fn rename(from: &Path, to: &Path) -> Result<(), Trouble> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(in_folder(from, "It cannot be moved aside", &error).into())
        }
        _ => Ok(()),
    }
}

/// A number that no grant can have had, whatever was lost: each takes longer than a microsecond,
/// so there were fewer of them than microseconds since 1970. It stays exact in JSON until 2255.
///
/// Only a clock that is set back by more than it ran between two such losses could deceive it;
/// what can be read of the former registry guards against that.
pub(crate) fn beyond_every_generation() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or(Duration::ZERO).as_micros()).unwrap_or(i64::MAX)
}
