//! What goes wrong: whether it is worth another try, and how it is told when it is not.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use portlease_core::{StoreError, StoreErrorKind};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::address::Address;
use crate::backend::POOL;

/// Why a piece of work came to nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// PostgreSQL, or the way to it, reported it.
    Postgres(Error),
    /// There was no answer in time.
    NoAnswer,
    /// All connections of this store were in use.
    NoConnection,
    /// A row does not say what a registry says.
    Unreadable(String),
    /// It is explained already.
    Explained(Box<StoreError>),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}

pub(crate) fn explained(error: StoreError) -> Trouble {
    Trouble::Explained(Box::new(error))
}

/// What to do about a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hope {
    /// Others were faster: the same again, soon.
    Soon,
    /// The server is away, or changes its mind: the same again, later.
    Later,
    /// It would be the same again.
    None,
}

impl Trouble {
    pub(crate) fn hope(&self) -> Hope {
        match self {
            Self::NoAnswer | Self::NoConnection => Hope::Later,
            Self::Unreadable(_) | Self::Explained(_) => Hope::None,
            Self::Postgres(error) => match error.as_db_error() {
                Some(error) => hope_of(error.code()),
                // A certificate that nobody trusts, or a password that is missing, stays so; a connection that broke does not.
                None if error.is_closed() || is_io(error) => Hope::Later,
                None => Hope::None,
            },
        }
    }

    /// Whether it says for sure that a transaction was not committed whose commit was sent.
    pub(crate) fn denies_commit(&self) -> bool {
        let Self::Postgres(error) = self else {
            return false;
        };
        // Where the server ends the connection, it may do so after the commit.
        let is_mere_error = |error: &DbError| error.parsed_severity() == Some(Severity::Error);
        error.as_db_error().is_some_and(is_mere_error)
    }

    /// Whether the tables are missing, or some of them.
    pub(crate) fn misses_tables(&self) -> bool {
        let missing = [
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::INVALID_SCHEMA_NAME,
        ];
        matches!(self, Self::Postgres(error) if error.code().is_some_and(|code| missing.contains(code)))
    }

    /// The error as callers see it, after so long.
    pub(crate) fn explain(self, address: &Address, waited: Duration) -> StoreError {
        match self {
            Self::Explained(error) => *error,
            Self::Unreadable(what) => StoreError {
                kind: StoreErrorKind::Corrupt,
                problem: format!("The registry in PostgreSQL at {address} is damaged: {what}."),
                remedy: "Restore it from a backup, or drop the schema `portlease` to begin anew."
                    .to_owned(),
            },
            Self::NoAnswer => unavailable(address, &format!("no answer within {waited:.1?}")),
            Self::NoConnection => StoreError {
                kind: StoreErrorKind::Busy,
                problem: format!(
                    "All connections of this process to PostgreSQL at {address} were in use for {waited:.1?}."
                ),
                remedy: "Let fewer threads ask at once, or allow more connections.".to_owned(),
            },
            Self::Postgres(error) => match error.as_db_error() {
                Some(said) => of_database(said, address),
                None if error.is_closed() || is_io(&error) => {
                    unavailable(address, &innermost(&error))
                }
                None => StoreError {
                    kind: StoreErrorKind::Unsuitable,
                    problem: format!("PostgreSQL at {address} cannot be used: {}.", chain(&error)),
                    remedy: "Correct the URL of the registry (PORTLEASE_REGISTRY), or the server."
                        .to_owned(),
                },
            },
        }
    }
}

fn hope_of(code: &SqlState) -> Hope {
    match *code {
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED => Hope::Soon,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        // The connection was not used for so long that the server ends it, just when it is used.
        | SqlState::IDLE_SESSION_TIMEOUT
        | SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::TOO_MANY_CONNECTIONS
        | SqlState::CONNECTION_EXCEPTION
        | SqlState::CONNECTION_FAILURE
        | SqlState::CONNECTION_DOES_NOT_EXIST
        | SqlState::PROTOCOL_VIOLATION
        // The former primary of a failover answers so until the client finds the new one.
        | SqlState::READ_ONLY_SQL_TRANSACTION => Hope::Later,
        _ => Hope::None,
    }
}

fn of_database(error: &DbError, address: &Address) -> StoreError {
    let says = format!(
        "PostgreSQL at {address} says: {}",
        sentence(error.message())
    );
    let (kind, remedy) = match *error.code() {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (
            StoreErrorKind::Unsuitable,
            "Correct the user and the password in the URL of the registry (PORTLEASE_REGISTRY) or in PGPASSWORD, or the server's pg_hba.conf.",
        ),
        SqlState::UNDEFINED_DATABASE => (
            StoreErrorKind::Unsuitable,
            "Create it (`createdb NAME`), or name another one in the URL of the registry.",
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => (
            StoreErrorKind::Unsuitable,
            "Grant this user what the registry needs, which docs/fleet.md lists, or let its owner open it once, which makes the tables.",
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => (
            StoreErrorKind::ReadOnly,
            "Name the primary in the URL of the registry; of several hosts the one that can be written is used.",
        ),
        SqlState::DISK_FULL | SqlState::OUT_OF_MEMORY => {
            (StoreErrorKind::Full, "Make room on the server.")
        }
        SqlState::DUPLICATE_PSTATEMENT | SqlState::INVALID_SQL_STATEMENT_NAME => {
            (StoreErrorKind::Unsuitable, POOL)
        }
        // That is how pools say whatever they have to say.
        SqlState::PROTOCOL_VIOLATION => (
            StoreErrorKind::Unavailable,
            "Look at the pool in front of it, whose word this is, and at its log.",
        ),
        SqlState::TOO_MANY_CONNECTIONS => (
            StoreErrorKind::Busy,
            "Raise max_connections, or put a pool such as pgbouncer in front of the server.",
        ),
        SqlState::QUERY_CANCELED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::T_R_SERIALIZATION_FAILURE => (
            StoreErrorKind::Busy,
            "Another transaction keeps the host locked: look for it in pg_stat_activity, and end it there.",
        ),
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::IDLE_SESSION_TIMEOUT
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            (StoreErrorKind::Unavailable, "Wait until it is up again.")
        }
        SqlState::UNIQUE_VIOLATION
        | SqlState::CHECK_VIOLATION
        | SqlState::NOT_NULL_VIOLATION
        | SqlState::UNDEFINED_TABLE
        | SqlState::UNDEFINED_COLUMN
        | SqlState::DATA_CORRUPTED
        | SqlState::INDEX_CORRUPTED => (
            StoreErrorKind::Corrupt,
            "Restore the schema `portlease` from a backup, or drop it to begin anew.",
        ),
        _ => (
            StoreErrorKind::Failed,
            "Try again; when it stays so, look into the server's log.",
        ),
    };
    StoreError {
        kind,
        problem: says,
        remedy: remedy.to_owned(),
    }
}

fn unavailable(address: &Address, why: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Unavailable,
        problem: format!("PostgreSQL at {address} cannot be reached: {why}."),
        remedy:
            "Start it, or correct the URL of the registry (PORTLEASE_REGISTRY) and the way there."
                .to_owned(),
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

fn is_io(error: &Error) -> bool {
    // A certificate that is not trusted comes as an `io::Error` as well.
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_refusal_to_trust = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
        )
    };
    match cause {
        Some(error) => !is_refusal_to_trust(error),
        None => error.to_string().contains("timeout"),
    }
}

fn innermost(error: &Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
