//! The tables, and how a registry of an older version becomes one of this version.

use rusqlite::Connection;

use crate::explain::Trouble;
use crate::transaction::{Mode, Transaction};

/// What tells a registry from the database of another program: `Port` in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x506F_7274;

/// What makes each version out of the one before it. The version of a registry is how many of
/// these it went through. A step that was once released is never changed: add one.
pub(crate) const MIGRATIONS: &[&str] = &[VERSION_1, VERSION_2];

// One word for one thing: the columns are called as the fields are in Rust. The structured fields
// are JSON and mostly absent, so that reading a row stays cheap.
const VERSION_1: &str = "
CREATE TABLE registry (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id BLOB NOT NULL,
    -- Where the generations of a host begin that is not known yet.
    first_generation INTEGER NOT NULL
) STRICT;
INSERT INTO registry VALUES (1, randomblob(16), 0);

-- The registries whose leases were taken over into this one.
CREATE TABLE predecessor (
    id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE host (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_generation INTEGER NOT NULL,
    last_swept INTEGER,
    grants INTEGER NOT NULL DEFAULT 0,
    reuses INTEGER NOT NULL DEFAULT 0,
    conflicts INTEGER NOT NULL DEFAULT 0,
    moves INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    releases INTEGER NOT NULL DEFAULT 0,
    swept INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE lease (
    host INTEGER NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    instance INTEGER NOT NULL,
    framework TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    holder TEXT,
    listener TEXT,
    range_first INTEGER NOT NULL,
    range_last INTEGER NOT NULL,
    tier TEXT NOT NULL,
    priority INTEGER NOT NULL,
    requires TEXT,
    followers TEXT,
    granted_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lease_by_key ON lease (host, project, service, instance);

CREATE TABLE memory (
    host INTEGER NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    instance INTEGER NOT NULL,
    released_at INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memory_by_key ON memory (host, project, service, instance);

CREATE TABLE usage (
    host INTEGER NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    grants INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;
";

/// So many of the last changes of a host are kept.
pub(crate) const CHANGES_KEPT: i64 = 256;
/// The digits of each.
pub(crate) const CHANGE_DIGITS: usize = 4;

// A process that knows how a host was a moment ago asks which ports changed since, in place of
// reading its rows again. Triggers write it down, so that nobody who changes a row can forget to; in
// the row of the host, whose page almost every transaction writes anyway.
//
// A failure ends the transaction, here and where leases are written: to undo a single statement,
// SQLite would first copy every page that it is about to change.
const VERSION_2: &str = "
ALTER TABLE host ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
-- The ports of the last changes, up to 256, as four hexadecimal digits each; the newest is the last. Bytes, because SQLite
-- counts the letters of a text one by one, and never none, because a part of nothing is NULL.
ALTER TABLE host ADD COLUMN changed BLOB NOT NULL DEFAULT x'30303030';

CREATE TRIGGER lease_inserted AFTER INSERT ON lease BEGIN
    UPDATE OR ROLLBACK host SET changes = changes + 1,
        changed = CAST(substr(changed, -1020) || printf('%04x', NEW.port) AS BLOB) WHERE id = NEW.host;
END;
CREATE TRIGGER lease_updated AFTER UPDATE ON lease BEGIN
    UPDATE OR ROLLBACK host SET changes = changes + 1,
        changed = CAST(substr(changed, -1020) || printf('%04x', NEW.port) AS BLOB) WHERE id = NEW.host;
END;
CREATE TRIGGER lease_deleted AFTER DELETE ON lease BEGIN
    UPDATE OR ROLLBACK host SET changes = changes + 1,
        changed = CAST(substr(changed, -1020) || printf('%04x', OLD.port) AS BLOB) WHERE id = OLD.host;
END;
CREATE TRIGGER memory_inserted AFTER INSERT ON memory BEGIN
    UPDATE OR ROLLBACK host SET changes = changes + 1,
        changed = CAST(substr(changed, -1020) || printf('%04x', NEW.port) AS BLOB) WHERE id = NEW.host;
END;
CREATE TRIGGER memory_deleted AFTER DELETE ON memory BEGIN
    UPDATE OR ROLLBACK host SET changes = changes + 1,
        changed = CAST(substr(changed, -1020) || printf('%04x', OLD.port) AS BLOB) WHERE id = OLD.host;
END;
";

/// What the head of a database says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is nothing in it yet.
    Fresh,
    /// A registry of this version.
    Registry(usize),
    /// The database of another program.
    Foreign,
}

/// Reads what a database is, and changes nothing.
pub(crate) fn kind(connection: &Connection) -> Result<Kind, Trouble> {
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i32>(0));
    let application_id = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if application_id == APPLICATION_ID {
        // A registry gets its mark and its first version in one step.
        return match usize::try_from(version) {
            Ok(version @ 1..) => Ok(Kind::Registry(version)),
            _ => Err(Trouble::Unreadable(format!("it has format {version}"))),
        };
    }
    let is_empty = connection.query_row(
        "SELECT NOT EXISTS (SELECT * FROM sqlite_schema)",
        [],
        |row| row.get(0),
    )?;
    let is_unclaimed = application_id == 0 && version == 0 && is_empty;
    Ok(if is_unclaimed {
        Kind::Fresh
    } else {
        Kind::Foreign
    })
}

/// The version, read at small cost.
pub(crate) fn version(connection: &Connection) -> Result<usize, Trouble> {
    let mut statement = connection.prepare_cached("PRAGMA user_version")?;
    let version: i32 = statement.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(0))
}

/// Brings a registry from the version that it has to the newest, or does nothing at all. In one
/// that is made, the generations begin after the given one.
pub(crate) fn migrate(
    connection: &Connection,
    migrations: &[&str],
    first_generation: Option<i64>,
) -> Result<(), Trouble> {
    let transaction = Transaction::begin(connection, Mode::Write)?;
    let version = version(connection)?;
    for step in migrations.iter().skip(version) {
        connection.execute_batch(step)?;
    }
    if let Some(first_generation) = first_generation
        && version == 0
    {
        let sql = "UPDATE registry SET first_generation = ?";
        connection.execute(sql, [first_generation])?;
    }
    if version < migrations.len() {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", migrations.len().cast_signed())?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Barrier;
    use std::time::Duration;

    use super::*;

    const STEPS: &[&str] = &[
        "CREATE TABLE note (text TEXT NOT NULL) STRICT; INSERT INTO note VALUES ('first');",
        "ALTER TABLE note ADD COLUMN author TEXT; UPDATE note SET author = 'ada';",
        "INSERT INTO note VALUES ('third', 'bob');",
    ];

    fn connect(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }

    fn notes(connection: &Connection) -> Vec<(String, Option<String>)> {
        let mut statement = connection.prepare("SELECT * FROM note").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Brings a file of one version to the newest, and so does everybody who does it at once.
    fn check(from: usize) {
        const AT_ONCE: usize = 6;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        if from > 0 {
            migrate(&connect(&path), &STEPS[..from], None).unwrap();
        }
        let start = Barrier::new(AT_ONCE);
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    let connection = connect(&path);
                    start.wait();
                    migrate(&connection, STEPS, None).unwrap();
                    assert_eq!(kind(&connection).unwrap(), Kind::Registry(STEPS.len()));
                });
            }
        });
        let [first, third] = [("first", "ada"), ("third", "bob")]
            .map(|(text, author)| (text.to_owned(), Some(author.to_owned())));
        assert_eq!(
            notes(&connect(&path)),
            [first, third],
            "each step was taken once"
        );
    }

    #[test]
    fn every_version_becomes_the_newest() {
        for version in 0..=STEPS.len() {
            check(version);
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_that_was() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &STEPS[..1], None).unwrap();
        let broken = [STEPS[0], STEPS[1], "INSERT INTO nowhere VALUES (1)"];
        assert!(migrate(&connection, &broken, None).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert!(
            connection.prepare("SELECT author FROM note").is_err(),
            "no step was taken"
        );
        migrate(&connection, STEPS, None).unwrap();
        assert_eq!(notes(&connection).len(), 2);
    }

    #[test]
    fn a_newer_version_is_not_touched() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, STEPS, None).unwrap();
        migrate(&connection, &STEPS[..1], None).unwrap();
        assert_eq!(version(&connection).unwrap(), STEPS.len());
    }
}
