//! Errors as sentences: what happened, where, and what to do about it.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::time::Duration;

use portlease_core::{StoreError, StoreErrorKind};
use rusqlite::{ErrorCode, ffi};

use crate::place::Place;
use crate::system::{self, FileId};

/// Why a piece of work on an open registry came to nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// `SQLite` reported it.
    Sqlite(rusqlite::Error),
    /// A row does not say what a registry says.
    Unreadable(String),
    /// It is explained already.
    Explained(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Explained(error)
    }
}

impl Trouble {
    /// The damage, in a sentence without its full stop, when it is that the registry is damaged.
    pub(crate) fn damage(&self) -> Option<String> {
        match self {
            Self::Unreadable(what) => Some(what.clone()),
            Self::Explained(_) => None,
            Self::Sqlite(error) => {
                let is_damage = match error {
                    rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
                        // What is written was decided on what was read, so that an index and its
                        // table contradict each other where a constraint is in the way.
                        ErrorCode::DatabaseCorrupt
                        | ErrorCode::NotADatabase
                        | ErrorCode::ConstraintViolation => true,
                        ErrorCode::Unknown => message
                            .as_ref()
                            .is_some_and(|message| says_another_schema(message)),
                        _ => false,
                    },
                    rusqlite::Error::SqlInputError { .. }
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::QueryReturnedNoRows
                    | rusqlite::Error::Utf8Error(..) => true,
                    _ => false,
                };
                is_damage.then(|| error.to_string())
            }
        }
    }

    /// The error as callers see it.
    pub(crate) fn explain(self, place: &Place) -> StoreError {
        if let Some(damage) = self.damage() {
            return corrupt(place, &damage);
        }
        match self {
            Self::Explained(error) => error,
            Self::Unreadable(what) => corrupt(place, &what),
            Self::Sqlite(error) => of_sqlite(&error, place),
        }
    }
}

/// Whether `SQLite` met a schema that is not the one of the version that the file names: the
/// statements fit that one. Its own format it has not changed for as long as there is Portlease.
fn says_another_schema(message: &str) -> bool {
    let signs = [
        "no such",
        "duplicate column name",
        "already exists",
        "unsupported file format",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

fn of_sqlite(error: &rusqlite::Error, place: &Place) -> StoreError {
    let path = place.registry.display();
    match error.sqlite_error_code() {
        _ if is_full(error, place) => full(&place.registry),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            read_only(&place.registry, error)
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError {
            kind: StoreErrorKind::Busy,
            problem: format!("Another program keeps {path} locked."),
            remedy: "End what uses the registry without Portlease, such as a database browser."
                .to_owned(),
        },
        _ if is_unshared(error) => unsuitable(
            format!("The file system of {path} does not let processes share memory: {error}."),
            "Put the registry on a disk of this machine.",
        ),
        Some(ErrorCode::CannotOpen) => failed(format!("{path} cannot be opened: {error}.")),
        _ => failed(format!("The registry {path} failed: {error}.")),
    }
}

/// `SQLite` has a code for a full disk, but not where it maps files into memory or makes them.
fn is_full(error: &rusqlite::Error, place: &Place) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => true,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => system::is_full(&place.folder),
        _ => false,
    }
}

/// Some file systems keep a write-ahead log, but not the memory that its readers share.
fn is_unshared(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    matches!(
        failure.extended_code,
        ffi::SQLITE_IOERR_SHMOPEN
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMLOCK
            | ffi::SQLITE_IOERR_SHMMAP
    )
}

/// The error for a place where a registry cannot be.
pub(crate) fn unsuitable(problem: String, remedy: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Unsuitable,
        problem,
        remedy: remedy.to_owned(),
    }
}

/// The error for something that the operating system refused at this path.
pub(crate) fn in_folder(path: &Path, what: &str, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            read_only(path, error)
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(path),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            unsuitable(
                format!("{what}: {}: {error}.", path.display()),
                "Name a registry in a folder that exists, or that can be made.",
            )
        }
        _ => failed(format!("{what}: {}: {error}.", path.display())),
    }
}

/// The error for a registry that may not be written.
pub(crate) fn read_only(path: &Path, why: impl Display) -> StoreError {
    StoreError {
        kind: StoreErrorKind::ReadOnly,
        problem: format!("{} cannot be written: {why}.", path.display()),
        remedy: "Make the registry and its folder writable for you, or name another place for it."
            .to_owned(),
    }
}

fn full(path: &Path) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Full,
        problem: format!("There is no room left on the disk of {}.", path.display()),
        remedy: "Make room there, or put the registry on another disk.".to_owned(),
    }
}

fn failed(problem: String) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Failed,
        problem,
        remedy:
            "Try again; when it stays so, look at the disk and at the permissions of the folder."
                .to_owned(),
    }
}

pub(crate) fn corrupt(place: &Place, damage: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Corrupt,
        problem: format!(
            "The registry {} is damaged: {damage}.",
            place.registry.display()
        ),
        remedy: "Move its files away; the next command makes a new one.".to_owned(),
    }
}

/// The error for a registry that others did not let go of.
pub(crate) fn busy(place: &Place, waited: Duration, lock: FileId) -> StoreError {
    let path = place.registry.display();
    let (who, remedy) = match system::lock_holder(lock) {
        Some(pid) => (
            format!("process {pid}"),
            format!("If that process is stopped, let it go on (kill -CONT {pid}) or end it."),
        ),
        None => (
            "another process".to_owned(),
            "Look for a stopped process that uses Portlease, and let it go on or end it."
                .to_owned(),
        ),
    };
    StoreError {
        kind: StoreErrorKind::Busy,
        problem: format!("The registry {path} was locked by {who} for {waited:?}."),
        remedy,
    }
}
