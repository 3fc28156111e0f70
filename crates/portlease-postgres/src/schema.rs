//! The tables, and how a registry of an older version becomes one of this version.

use portlease_core::{StoreError, StoreErrorKind};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::trouble::{Trouble, explained};

/// What makes each version out of the one before it. The version of a registry is how many of these it went through. A step that
/// was once released is never changed: add one.
pub(crate) const MIGRATIONS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3];

// One word for one thing: the columns are called as the fields are in Rust. Every table begins with the host, so that it can be
// split by hosts. Names are compared byte by byte ("C"): an index in the order of a language breaks when the system's libraries
// change their mind about that order. The structured fields are JSON that is only read as a whole.
//
// Rows of hosts and leases are updated in place as long as there is room in their page, without touching an index.
const VERSION_1: &str = r#"
CREATE TABLE portlease.registry (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    version integer NOT NULL
);
INSERT INTO portlease.registry (version) VALUES (0);

CREATE TABLE portlease.host (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    last_generation bigint NOT NULL DEFAULT 0,
    last_swept bigint,
    grants bigint NOT NULL DEFAULT 0,
    reuses bigint NOT NULL DEFAULT 0,
    conflicts bigint NOT NULL DEFAULT 0,
    moves bigint NOT NULL DEFAULT 0,
    refusals bigint NOT NULL DEFAULT 0,
    releases bigint NOT NULL DEFAULT 0,
    swept bigint NOT NULL DEFAULT 0,
    -- How many transactions changed something of the host.
    changes bigint NOT NULL DEFAULT 0,
    -- Until when somebody wants to be told of changes.
    watched_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

CREATE TABLE portlease.lease (
    host bigint NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    project text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    instance bigint NOT NULL,
    framework text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    holder text COLLATE "C",
    listener text COLLATE "C",
    range_first integer NOT NULL,
    range_last integer NOT NULL,
    tier text COLLATE "C" NOT NULL,
    priority integer NOT NULL,
    requires text COLLATE "C",
    followers text COLLATE "C",
    granted_at bigint NOT NULL,
    renewed_at bigint NOT NULL,
    PRIMARY KEY (host, port),
    CONSTRAINT lease_by_key UNIQUE (host, project, service, instance)
) WITH (fillfactor = 80);

CREATE TABLE portlease.memory (
    host bigint NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    project text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    instance bigint NOT NULL,
    released_at bigint NOT NULL,
    PRIMARY KEY (host, port),
    CONSTRAINT memory_by_key UNIQUE (host, project, service, instance)
);

CREATE TABLE portlease.usage (
    host bigint NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    grants bigint NOT NULL,
    PRIMARY KEY (host, port)
) WITH (fillfactor = 80);

-- The number of the last transaction of each connection, from which somebody whose connection broke while it committed learns
-- whether it did. Rows of former days mean nothing any more.
CREATE TABLE portlease.writer (
    id uuid PRIMARY KEY,
    transactions bigint NOT NULL,
    day date NOT NULL DEFAULT CURRENT_DATE
) WITH (fillfactor = 50);
CREATE INDEX writer_by_day ON portlease.writer (day);
"#;

// Hosts that others cannot see: what their runners tell of them, and what they are asked.
const VERSION_2: &str = "
CREATE TABLE portlease.runner (
    host bigint PRIMARY KEY,
    report text NOT NULL,
    reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- After so many milliseconds of silence the host has let go of its ports. Without a number, never.
    gives_up_after bigint,
    -- How often its leases were ended because of that.
    given_up bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE portlease.question (
    id uuid PRIMARY KEY,
    host bigint NOT NULL,
    question text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When nobody waits for the answer any more.
    ends_at timestamptz NOT NULL,
    taken_at timestamptz,
    answer text
);
CREATE INDEX question_by_host ON portlease.question (host, asked_at) WHERE answer IS NULL;
";

// A runner mostly tells the same again and again. When it does, only a short row changes, and what it told stays as it is; the time of
// the host is always another one. And silence is only silence where somebody would have been heard.
const VERSION_3: &str = "
CREATE TABLE portlease.report (
    host bigint PRIMARY KEY,
    report text NOT NULL
);
INSERT INTO portlease.report SELECT host, report FROM portlease.runner;
ALTER TABLE portlease.runner ADD COLUMN host_time bigint NOT NULL DEFAULT 0;
UPDATE portlease.runner SET host_time = coalesce((report::json -> 'facts' ->> 'now')::bigint, 0);
ALTER TABLE portlease.runner DROP COLUMN report;

CREATE TABLE portlease.attention (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- When somebody last looked for silent hosts.
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Since when somebody has looked all the time.
    since timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
INSERT INTO portlease.attention DEFAULT VALUES;
";

/// The lock that those who migrate take: `Portlease` in ASCII, without its last letter.
const LOCK: i64 = 0x506F_7274_6C65_6173;

/// Brings a registry from the version that it has to the newest, or does nothing at all. Several may do it at once.
pub(crate) async fn migrate(client: &Client, migrations: &[&str]) -> Result<(), Trouble> {
    client
        .batch_execute(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({LOCK})"
        ))
        .await?;
    let version = version(client).await?;
    let mut steps = String::new();
    if version.is_none() {
        // It is asked first, because even an owner of the schema may have no right to make one.
        let exists = "SELECT FROM pg_namespace WHERE nspname = 'portlease'";
        if rows(&client.simple_query(exists).await?) == 0 {
            steps.push_str("CREATE SCHEMA portlease;");
        }
    }
    let done = version.unwrap_or(0);
    for step in migrations.iter().skip(done) {
        steps.push_str(step);
    }
    if done < migrations.len() {
        let number = migrations.len();
        let update = format!("UPDATE portlease.registry SET version = {number};");
        steps.push_str(&update);
    }
    steps.push_str("COMMIT");
    client.batch_execute(&steps).await?;
    Ok(())
}

/// The version of the registry; none where there is no registry.
async fn version(client: &Client) -> Result<Option<usize>, Trouble> {
    let exists = "SELECT to_regclass('portlease.registry') IS NOT NULL AS it WHERE to_regclass('portlease.registry') IS NOT NULL";
    if rows(&client.simple_query(exists).await?) == 0 {
        return Ok(None);
    }
    let found = client.simple_query(VERSION).await?;
    Ok(Some(read_version(&found)?.version))
}

fn rows(messages: &[SimpleQueryMessage]) -> usize {
    let is_row = |message: &&SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(_));
    messages.iter().filter(is_row).count()
}

/// What a connection asks first: the version of the registry, and a name of its own.
pub(crate) const VERSION: &str = "SELECT version, gen_random_uuid() FROM portlease.registry";

pub(crate) struct Greeting {
    pub(crate) version: usize,
    pub(crate) writer: String,
}

/// Reads the answer to [`VERSION`].
pub(crate) fn read_version(messages: &[SimpleQueryMessage]) -> Result<Greeting, Trouble> {
    let unreadable = || Trouble::Unreadable("it does not say its version".to_owned());
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.ok_or_else(unreadable)?;
    let version = row.get(0).and_then(|version| version.parse().ok());
    let writer = row.get(1).map(str::to_owned);
    Ok(Greeting {
        version: version.ok_or_else(unreadable)?,
        writer: writer.ok_or_else(unreadable)?,
    })
}

/// What a registry of another version is.
pub(crate) fn check(version: usize) -> Result<(), Trouble> {
    if version <= MIGRATIONS.len() {
        return Ok(());
    }
    Err(explained(StoreError {
        kind: StoreErrorKind::NewerVersion,
        problem: format!(
            "A newer version of Portlease made the registry: it has format {version}, and this version knows {}.",
            MIGRATIONS.len()
        ),
        remedy: "Update Portlease on this machine.".to_owned(),
    }))
}
