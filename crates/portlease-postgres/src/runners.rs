//! What runners tell of their hosts, and what becomes of hosts that tell nothing. All time is that of the database.

use std::time::Duration;

use portlease_core::{
    Command, Decision, Facts, Host, HostSettings, Leases, Reply, Scope, StoreError, Suspect, Sweep,
    Swept, decide,
};
use serde::{Deserialize, Serialize};

use crate::changes::Difference;
use crate::connection::Connection;
use crate::limit::Limit;
use crate::rows;
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

impl PostgresStore {
    /// Tells of a host, and answers how often it was given up so far: whoever knew a smaller number has lost its leases since.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn report(&self, host: &Host, report: &Report) -> Result<u64, StoreError> {
        let text = serde_json::to_string(report).unwrap_or_default();
        let millis = report.gives_up_after.map(millis);
        loop {
            let told = self.run(async |connection, _| {
                let name = host.name().as_str();
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                    [&name, &text, &millis];
                let row = connection.client.query_opt(REPORT, &values).await?;
                row.map(|row| rows::count(&row, 0)).transpose()
            })?;
            match told {
                Some(given_up) => return Ok(given_up),
                None => self.run(async |connection, _| connection.add(host).await)?,
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
                let report = serde_json::from_str(text)
                    .map_err(|error| Trouble::Unreadable(format!("a report: {error}")))?;
                Ok(Reported {
                    report,
                    silent_for: Duration::from_millis(rows::count(&row, 1)?),
                    given_up: rows::count(&row, 2)?,
                })
            })
            .transpose()
        })
    }

    /// Ends the leases of the hosts that were silent for longer than they agreed to hold on to them. Each is looked at in a
    /// transaction of its own, which a report of that host comes before or after.
    ///
    /// # Errors
    ///
    /// When the store broke.
    pub fn give_up_silent_hosts(&self) -> Result<Vec<(Host, Swept)>, StoreError> {
        let silent = self.run(async |connection, _| {
            let found = connection.client.query(SILENT, &[]).await?;
            found
                .iter()
                .map(|row| Ok(Host::new(rows::name(row, 0)?)))
                .collect::<Result<Vec<Host>, Trouble>>()
        })?;
        let mut ended = Vec::new();
        for host in silent {
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

const REPORT: &str = "INSERT INTO portlease.runner (host, report, gives_up_after) \
     SELECT id, $2, $3::bigint FROM portlease.host WHERE name = $1 \
     ON CONFLICT (host) DO UPDATE SET report = excluded.report, gives_up_after = excluded.gives_up_after, \
     reported_at = clock_timestamp() RETURNING given_up";

const REPORTED: &str = "SELECT report, (greatest(extract(epoch FROM clock_timestamp() - reported_at), 0) * 1000)::bigint, given_up \
     FROM portlease.runner JOIN portlease.host ON host.id = runner.host WHERE host.name = $1";

/// A silence of more milliseconds than a bigint of microseconds has is never over.
macro_rules! is_silent {
    () => {
        "extract(epoch FROM clock_timestamp() - reported_at) * 1000 > gives_up_after"
    };
}

const SILENT: &str = concat!(
    "SELECT host.name FROM portlease.runner JOIN portlease.host ON host.id = runner.host WHERE ",
    is_silent!(),
    " AND EXISTS (SELECT FROM portlease.lease WHERE lease.host = runner.host)"
);

const GIVE_UP: &str = concat!(
    "UPDATE portlease.runner SET given_up = given_up + 1 WHERE host = $1 AND ",
    is_silent!()
);
