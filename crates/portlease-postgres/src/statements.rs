//! What is asked of the database, prepared once for each connection.

use futures_util::future::join_all;
use tokio_postgres::{Client, Error, Statement};

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        /// The prepared statements of a connection.
        #[derive(Debug, Clone)]
        pub(crate) struct Statements {
            $($(#[$doc])* pub(crate) $name: Statement,)*
        }

        /// Each statement under its name, for whoever measures them.
        pub const SQL: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];

        impl Statements {
            fn of(prepared: Vec<Statement>) -> Self {
                let mut prepared = prepared.into_iter();
                Self { $($name: prepared.next().expect("each was prepared"),)* }
            }
        }
    };
}

impl Statements {
    /// Prepares all of them in one round trip.
    pub(crate) async fn prepare(client: &Client) -> Result<Self, Error> {
        let prepared = join_all(SQL.iter().map(|(_, sql)| client.prepare(sql))).await;
        Ok(Self::of(prepared.into_iter().collect::<Result<_, _>>()?))
    }
}

macro_rules! lease_columns {
    () => {
        "port, project, service, instance, framework, generation, state, holder, listener, range_first, range_last, tier, \
         priority, requires, followers, granted_at, renewed_at"
    };
}

macro_rules! memory_columns {
    () => {
        "port, project, service, instance, released_at"
    };
}

macro_rules! host_columns {
    () => {
        "id, watched_until > now(), last_generation, last_swept, grants, reuses, conflicts, moves, refusals, \
         releases, swept, (SELECT version FROM portlease.registry), changes > 0, pg_backend_pid()"
    };
}

/// The rows of a scope: those of some projects ($2), and those whose ports are in some ranges ($3 and $4). A row that is both
/// comes twice, which does no harm.
macro_rules! scoped {
    ($columns:expr, $table:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM portlease.",
            $table,
            " WHERE host = (SELECT id FROM portlease.host WHERE name = $1) AND project = ANY($2) UNION ALL SELECT ",
            $columns,
            " FROM unnest($3::integer[], $4::integer[]) AS piece (first, last), portlease.",
            $table,
            " WHERE host = (SELECT id FROM portlease.host WHERE name = $1) AND port BETWEEN first AND last"
        )
    };
}

macro_rules! all {
    ($columns:expr, $table:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM portlease.",
            $table,
            " WHERE host = (SELECT id FROM portlease.host WHERE name = $1)"
        )
    };
}

pub(crate) const LOCK_HOST: &str = concat!(
    "SELECT ",
    host_columns!(),
    " FROM portlease.host WHERE name = $1 FOR NO KEY UPDATE"
);

statements! {
    /// The row of a host, for this transaction alone. Others of the host wait here; what they changed is seen by the statements
    /// after this one.
    lock_host = LOCK_HOST;
    host = concat!("SELECT ", host_columns!(), " FROM portlease.host WHERE name = $1");
    leases = scoped!(lease_columns!(), "lease");
    memories = scoped!(memory_columns!(), "memory");
    all_leases = all!(lease_columns!(), "lease");
    all_memories = all!(memory_columns!(), "memory");
    usage = all!("port, grants", "usage");
    add_host = "INSERT INTO portlease.host (name) VALUES ($1) ON CONFLICT DO NOTHING";
    delete_leases = "DELETE FROM portlease.lease WHERE host = $1 AND port = ANY($2)";
    delete_memories = "DELETE FROM portlease.memory WHERE host = $1 AND port = ANY($2)";
    /// A row keeps its key, or the constraint on it fails: a port that is leased to one is not leased to another by writing over it.
    put_leases = concat!(
        "INSERT INTO portlease.lease (host, ", lease_columns!(), ") SELECT $1, * FROM unnest(\
         $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], \
         $11::integer[], $12::integer[], $13::text[], $14::integer[], $15::text[], $16::text[], $17::bigint[], $18::bigint[]) \
         ON CONFLICT (host, port) DO UPDATE SET \
         project = CASE WHEN (lease.project, lease.service, lease.instance) \
         = (excluded.project, excluded.service, excluded.instance) THEN lease.project END, \
         framework = excluded.framework, generation = excluded.generation, state = excluded.state, holder = excluded.holder, listener = excluded.listener, range_first = excluded.range_first, \
         range_last = excluded.range_last, tier = excluded.tier, priority = excluded.priority, requires = excluded.requires, \
         followers = excluded.followers, granted_at = excluded.granted_at, renewed_at = excluded.renewed_at"
    );
    put_memories = concat!(
        "INSERT INTO portlease.memory (host, ", memory_columns!(), ") SELECT $1, * FROM unnest(\
         $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) \
         ON CONFLICT (host, port) DO UPDATE SET project = excluded.project, service = excluded.service, \
         instance = excluded.instance, released_at = excluded.released_at"
    );
    count_grants = "INSERT INTO portlease.usage (host, port, grants) SELECT $1, * FROM unnest($2::integer[], $3::bigint[]) \
         ON CONFLICT (host, port) DO UPDATE SET grants = usage.grants + excluded.grants";
    change_host = "UPDATE portlease.host SET changes = changes + 1, last_generation = greatest(last_generation, $2), \
         last_swept = coalesce($3, last_swept), grants = grants + $4, reuses = reuses + $5, conflicts = conflicts + $6, \
         moves = moves + $7, refusals = refusals + $8, releases = releases + $9, swept = swept + $10 WHERE id = $1";
    /// A connection writes down the number of its transaction, as a part of it.
    sign = "INSERT INTO portlease.writer (id, transactions) VALUES ($1::text::uuid, $2) \
         ON CONFLICT (id) DO UPDATE SET transactions = excluded.transactions, day = excluded.day";
    signed = "SELECT transactions FROM portlease.writer WHERE id = $1::text::uuid";
    forget_writers = "DELETE FROM portlease.writer WHERE day < CURRENT_DATE - 1";
    /// Only once in a while is it written down that somebody wants to be told of changes.
    watch = "UPDATE portlease.host SET watched_until = now() + interval '3 minutes' \
         WHERE name = $1 AND watched_until < now() + interval '90 seconds'";
    mark = "SELECT host.id, host.changes, registry.id::text FROM portlease.host, portlease.registry WHERE host.name = $1";
    notify = "SELECT pg_notify($1, '')";
    hosts = "SELECT name FROM portlease.host WHERE changes > 0 \
         OR EXISTS (SELECT FROM portlease.runner WHERE runner.host = host.id) ORDER BY name";
}
