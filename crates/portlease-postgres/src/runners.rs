//! What runners tell of their hosts, and what becomes of hosts that tell nothing. All time is that of the database.
//!
//! A host that could not be heard was not silent. The database may have been away, for all hosts at once: its clock went on, and whoever
//! comes back first would find everybody else silent. So it is written down when somebody last looked for silent hosts, which runners do
//! all the time while they can; where nobody did for a while, silence counts from the next look on. That covers a server that was
//! down, a network that was broken in front of it, a machine that was suspended, a standby whose clock is another one, and a backup that
//! was restored.

use std::time::{Duration, Instant};

use portlease_core::{
    Command, Decision, Facts, Host, HostSettings, Leases, Reply, Scope, StoreError, Suspect, Sweep,
    Swept, decide,
};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;

use crate::changes::Difference;
use crate::connection::Connection;
use crate::limit::Limit;
use crate::rows::{self, signed};
use crate::store::PostgresStore;
use crate::transaction::Work;
use crate::trouble::Trouble;

/// What the runner of a host tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What is observed there.
    pub facts: Facts,
    /// What its configuration says for everybody.
    #[serde(default)]
    pub settings: HostSettings,
    /// After such a silence the host has let go of all its ports, and others may count on that. Without it, they wait for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_up_after: Option<Duration>,
}

/// A report, and how old it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// What was told.
    pub report: Report,
    /// How long ago.
    pub silent_for: Duration,
    /// How often the host was silent for so long that its leases were ended.
    pub given_up: u64,
}

/// What a runner learns when it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How often its host was given up so far: whoever knew a smaller number has lost its leases since.
    pub given_up: u64,
    /// How long ago somebody last looked for silent hosts.
    pub looked_ago: Duration,
}

/// What is known of a host without looking at its leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOverview {
    /// The host.
    pub host: Host,
    /// How many leases it has.
    pub leases: u64,
    /// How long ago its runner reported; none when it never had one.
    pub silent_for: Option<Duration>,
    /// The silence that its runner agreed to.
    pub gives_up_after: Option<Duration>,
}

impl PostgresStore {
    /// The hosts that have leases or had them, and those that have a runner, by name. However many there are, it is asked once.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn overview(&self) -> Result<Vec<HostOverview>, StoreError> {
        self.run(async |connection, _| {
            let found = connection.client.query(OVERVIEW, &[]).await?;
            let overview = |row| {
                let time = |millis: Option<i64>| {
                    millis.map(|it| Duration::from_millis(it.cast_unsigned()))
                };
                Ok(HostOverview {
                    host: Host::new(rows::name(row, 0)?),
                    leases: rows::count(row, 1)?,
                    silent_for: time(rows::get(row, 2)?),
                    gives_up_after: time(rows::get(row, 3)?),
                })
            };
            found.iter().map(overview).collect()
        })
    }

    /// Tells of a host.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn report(&self, host: &Host, report: &Report) -> Result<Told, StoreError> {
        // The time goes into a row of its own: it is the part that always changes.
        let mut lasting = report.clone();
        let now = signed(std::mem::take(&mut lasting.facts.now).as_millis());
        let text = serde_json::to_string(&lasting).unwrap_or_default();
        let millis = report.gives_up_after.map(millis);
        let name = host.name().as_str();
        loop {
            let told = self.run(async |connection, _| {
                let values: [&(dyn ToSql + Sync); 4] = [&name, &text, &millis, &now];
                let statement = connection.prepared(REPORT).await?;
                let row = connection.client.query_opt(&statement, &values).await?;
                row.map(|row| {
                    Ok(Told {
                        given_up: rows::count(&row, 0)?,
                        looked_ago: Duration::from_millis(rows::count(&row, 1)?),
                    })
                })
                .transpose()
            })?;
            match told {
                Some(told) => return Ok(told),
                None => self.run(async |connection, _| {
                    connection.add(host).await?;
                    connection.client.execute(ADD, &[&name]).await?;
                    Ok(())
                })?,
            }
        }
    }

    /// What was last told of a host; none when it never had a runner.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn reported(&self, host: &Host) -> Result<Option<Reported>, StoreError> {
        self.run(async |connection, _| {
            let name = host.name().as_str();
            let row = connection.client.query_opt(REPORTED, &[&name]).await?;
            row.map(|row| {
                let text: &str = rows::get(&row, 0)?;
                let mut report: Report = serde_json::from_str(text)
                    .map_err(|error| Trouble::Unreadable(format!("a report: {error}")))?;
                report.facts.now = rows::moment(rows::get(&row, 3)?);
                Ok(Reported {
                    report,
                    silent_for: Duration::from_millis(rows::count(&row, 1)?),
                    given_up: rows::count(&row, 2)?,
                })
            })
            .transpose()
        })
    }

    /// Ends the leases of the hosts that were silent for longer than they agreed to hold on to them, unless somebody looked for them
    /// within the last time. Each is looked at in a transaction of its own, which a report of that host comes before or after.
    ///
    /// After some seconds it is enough: the next one who looks goes on.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn give_up_silent_hosts(
        &self,
        unless_within: Duration,
    ) -> Result<Vec<(Host, Swept)>, StoreError> {
        let begun = Instant::now();
        let within = millis(unless_within);
        let silent = self.run(async |connection, _| {
            if connection.client.execute(LOOK, &[&within]).await? == 0 {
                return Ok(Vec::new());
            }
            let found = connection.client.query(SILENT, &[]).await?;
            found
                .iter()
                .map(|row| Ok(Host::new(rows::name(row, 0)?)))
                .collect::<Result<Vec<Host>, Trouble>>()
        })?;
        let mut ended = Vec::new();
        for host in silent {
            if begun.elapsed() > ENOUGH {
                break;
            }
            let swept =
                self.run(async |connection, limit| connection.give_up(limit, &host).await)?;
            ended.extend(swept.map(|swept| (host, swept)));
        }
        Ok(ended)
    }
}

impl Connection {
    /// Ends all leases of a host, if it is still silent. When it cannot be told whether that was committed, the next time tells.
    async fn give_up(&mut self, limit: Limit, host: &Host) -> Result<Option<Swept>, Trouble> {
        let Some((row, leases)) = self.lock(limit, host, &Scope::Everything).await? else {
            self.roll_back().await?;
            return Ok(None);
        };
        let is_silent = self.client.execute(GIVE_UP, &[&row.id]).await? == 1;
        let work = swept(leases);
        let Some(difference) = work.difference.filter(|_| is_silent) else {
            self.roll_back().await?;
            return Ok(None);
        };
        self.transactions += 1;
        limit.within_most(self.commit(&row, &difference)).await?;
        Ok(Some(work.answer))
    }
}

/// All leases end. That is no change where there are none.
fn swept(mut leases: Leases) -> Work<Swept> {
    let suspect = |lease: &portlease_core::Lease| Suspect {
        key: lease.key.clone(),
        generation: lease.generation,
    };
    let sweep = Command::Sweep(Sweep {
        suspects: leases.iter().map(suspect).collect(),
        abandoned_after_millis: None,
    });
    // What a lease leaves is remembered since its owner used it, whatever the time is here.
    let facts = Facts {
        now: leases.last_swept().unwrap_or_default(),
        host_is_gone: true,
        ..Facts::default()
    };
    match decide(&leases, &sweep, &facts) {
        Ok(Decision {
            changes,
            reply: Reply::Swept(swept),
            ..
        }) if !swept.removed.is_empty() => Work {
            difference: Some(Difference::make(&mut leases, &changes)),
            answer: swept,
        },
        _ => Work {
            difference: None,
            answer: Swept::default(),
        },
    }
}

pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Whoever ends the leases of others has a host of its own to report.
const ENOUGH: Duration = Duration::from_secs(3);

/// When nobody looked for so long, nobody could: some of many runners look every few seconds, and a single one does so, too.
macro_rules! DEAF_AFTER {
    () => {
        "interval '20 seconds'"
    };
}

const REPORT: &str = "WITH told AS (UPDATE portlease.report SET report = $2 FROM portlease.host \
     WHERE host.id = report.host AND host.name = $1 AND report.report <> $2) \
     UPDATE portlease.runner SET reported_at = clock_timestamp(), gives_up_after = $3, host_time = $4 FROM portlease.host \
     WHERE host.id = runner.host AND host.name = $1 \
     RETURNING given_up, (SELECT (abs(extract(epoch FROM clock_timestamp() - looked_at)) * 1000)::bigint FROM portlease.attention)";

/// What is told replaces it at once.
const ADD: &str = "WITH added AS (INSERT INTO portlease.report (host, report) \
     SELECT id, '' FROM portlease.host WHERE name = $1 ON CONFLICT DO NOTHING) \
     INSERT INTO portlease.runner (host) SELECT id FROM portlease.host WHERE name = $1 ON CONFLICT DO NOTHING";

/// In milliseconds.
macro_rules! silent_for {
    () => {
        "(greatest(extract(epoch FROM clock_timestamp() - reported_at), 0) * 1000)::bigint"
    };
}

const OVERVIEW: &str = concat!(
    "SELECT name, (SELECT count(*) FROM portlease.lease WHERE lease.host = host.id), \
     CASE WHEN runner.host IS NOT NULL THEN ",
    silent_for!(),
    " END, gives_up_after FROM portlease.host LEFT JOIN portlease.runner ON runner.host = host.id \
     WHERE changes > 0 OR runner.host IS NOT NULL ORDER BY name"
);

const REPORTED: &str = concat!(
    "SELECT report, ",
    silent_for!(),
    ", given_up, \
     host_time FROM portlease.runner JOIN portlease.report USING (host) JOIN portlease.host ON host.id = runner.host \
     WHERE host.name = $1 AND report <> ''"
);

const LOOK: &str = concat!(
    "UPDATE portlease.attention SET looked_at = clock_timestamp(), \
     since = CASE WHEN clock_timestamp() BETWEEN looked_at AND looked_at + ",
    DEAF_AFTER!(),
    " THEN since ELSE clock_timestamp() END \
     WHERE clock_timestamp() NOT BETWEEN looked_at AND looked_at + $1::bigint * interval '1 millisecond'"
);

/// A silence of more milliseconds than a bigint of microseconds has is never over. Whoever looked and was held up for long before it
/// comes to this does not know whether anybody could be heard meanwhile.
macro_rules! is_silent {
    () => {
        concat!(
            "extract(epoch FROM clock_timestamp() - greatest(reported_at, since)) * 1000 > gives_up_after \
             AND clock_timestamp() < looked_at + ",
            DEAF_AFTER!()
        )
    };
}

const SILENT: &str = concat!(
    "SELECT host.name FROM portlease.attention, portlease.runner JOIN portlease.host ON host.id = runner.host WHERE ",
    is_silent!(),
    " AND EXISTS (SELECT FROM portlease.lease WHERE lease.host = runner.host)"
);

const GIVE_UP: &str = concat!(
    "UPDATE portlease.runner SET given_up = given_up + 1 FROM portlease.attention WHERE host = $1 AND ",
    is_silent!()
);
