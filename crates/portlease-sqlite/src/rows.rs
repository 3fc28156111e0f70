//! Leases and memories as rows, and rows as leases and memories.

use std::collections::HashMap;
use std::fmt::{self, Display};

use portlease_core::{
    Follower, Generation, Holder, Lease, LeaseKey, MAX_COUNT, Memory, Name, Port, PortRange,
    Timestamp,
};
use rusqlite::{Connection, Row};
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as WordError;
use serde::{Deserialize, Serialize};

use crate::explain::Trouble;

/// The columns that [`Reader::lease`] reads, in its order.
pub(crate) const LEASE: &str = "lease.port, project, service, instance, framework, generation, state, \
     holder, listener, range_first, range_last, tier, priority, requires, followers, granted_at, \
     renewed_at";

/// The columns that [`Reader::memory`] reads, in its order.
pub(crate) const MEMORY: &str = "memory.port, project, service, instance, released_at";

/// So many holders are remembered by what the registry says of them.
const MAX_HOLDERS: usize = 256;

/// Reads rows, one after the other.
///
/// They have much in common: a name that is the one of the row before costs nothing, and neither
/// does a holder that was read before.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    project: Option<Name>,
    service: Option<Name>,
    framework: Option<Name>,
    holders: HashMap<Box<str>, Holder>,
}

impl Reader {
    /// Reads a lease from a row of [`LEASE`].
    pub(crate) fn lease(&mut self, row: &Row<'_>) -> Result<Lease, Trouble> {
        let lease = Lease {
            port: port(row, 0)?,
            key: self.key(row)?,
            framework: same_or_next(&mut self.framework, row, 4)?,
            generation: Generation::new(count(row, 5)?),
            state: word(row, 6)?,
            holder: self.holder(row, 7)?,
            listener: self.holder(row, 8)?,
            range: PortRange::new(port(row, 9)?, port(row, 10)?)
                .ok_or_else(|| unreadable("a range of ports runs downward"))?,
            tier: word(row, 11)?,
            priority: row.get(12)?,
            requires: structured(row, 13)?.unwrap_or_default(),
            followers: structured::<Vec<Follower>>(row, 14)?.unwrap_or_default(),
            granted_at: Timestamp::from_millis(number(row, 15)?),
            renewed_at: Timestamp::from_millis(number(row, 16)?),
        };
        if shares_twice(&lease) {
            return Err(unreadable("a service shares one port twice"));
        }
        Ok(lease)
    }

    fn holder(&mut self, row: &Row<'_>, column: usize) -> Result<Option<Holder>, Trouble> {
        let Some(text) = text_or_null(row, column)? else {
            return Ok(None);
        };
        if let Some(known) = self.holders.get(text) {
            return Ok(Some(known.clone()));
        }
        let holder: Holder = serde_json::from_str(text).map_err(unreadable)?;
        if self.holders.len() >= MAX_HOLDERS {
            self.holders.clear();
        }
        self.holders.insert(text.into(), holder.clone());
        Ok(Some(holder))
    }

    /// Reads a memory from a row of [`MEMORY`].
    pub(crate) fn memory(&mut self, row: &Row<'_>) -> Result<Memory, Trouble> {
        Ok(Memory {
            port: port(row, 0)?,
            key: self.key(row)?,
            released_at: Timestamp::from_millis(number(row, 4)?),
        })
    }

    fn key(&mut self, row: &Row<'_>) -> Result<LeaseKey, Trouble> {
        Ok(LeaseKey {
            project: same_or_next(&mut self.project, row, 1)?,
            service: same_or_next(&mut self.service, row, 2)?,
            instance: row.get(3)?,
        })
    }
}

fn shares_twice(lease: &Lease) -> bool {
    let followers = lease.followers.iter().enumerate();
    followers.into_iter().any(|(position, follower)| {
        let earlier = &lease.followers[..position];
        follower.service == lease.key.service
            || earlier
                .iter()
                .any(|other| other.service == follower.service)
    })
}

fn same_or_next(last: &mut Option<Name>, row: &Row<'_>, column: usize) -> Result<Name, Trouble> {
    let text = text(row, column)?;
    match last {
        Some(name) if name.as_str() == text => Ok(name.clone()),
        _ => Ok(last.insert(text.parse().map_err(unreadable)?).clone()),
    }
}

/// Writes a lease. Where its key is in use at another port, the transaction fails.
pub(crate) fn write_lease(
    connection: &Connection,
    verb: Verb,
    host: i64,
    lease: &Lease,
) -> Result<(), Trouble> {
    let sql = match verb {
        Verb::Insert => INSERT_LEASE,
        Verb::Replace => REPLACE_LEASE,
    };
    connection.prepare_cached(sql)?.execute(rusqlite::params![
        host,
        lease.port.get(),
        lease.key.project.as_str(),
        lease.key.service.as_str(),
        lease.key.instance,
        lease.framework.as_str(),
        signed(lease.generation.get()),
        Word(&lease.state).to_string(),
        lease.holder.as_ref().map(json),
        lease.listener.as_ref().map(json),
        lease.range.first().get(),
        lease.range.last().get(),
        Word(&lease.tier).to_string(),
        lease.priority,
        (!lease.requires.is_empty()).then(|| json(&lease.requires)),
        (!lease.followers.is_empty()).then(|| json(&lease.followers)),
        signed(lease.granted_at.as_millis()),
        signed(lease.renewed_at.as_millis()),
    ])?;
    Ok(())
}

/// Writes a memory in place of those that have its port or its key.
pub(crate) fn write_memory(
    connection: &Connection,
    host: i64,
    memory: &Memory,
) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?, ?, ?)")?;
    statement.execute(rusqlite::params![
        host,
        memory.port.get(),
        memory.key.project.as_str(),
        memory.key.service.as_str(),
        memory.key.instance,
        signed(memory.released_at.as_millis()),
    ])?;
    Ok(())
}

/// What becomes of a lease that has the port already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// There is none, or the transaction fails.
    Insert,
    /// It makes way.
    Replace,
}

const INSERT_LEASE: &str = "INSERT OR ROLLBACK INTO lease \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const REPLACE_LEASE: &str = "INSERT OR ROLLBACK INTO lease \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (host, port) DO UPDATE SET project = excluded.project, \
     service = excluded.service, instance = excluded.instance, framework = excluded.framework, \
     generation = excluded.generation, state = excluded.state, holder = excluded.holder, \
     listener = excluded.listener, range_first = excluded.range_first, \
     range_last = excluded.range_last, tier = excluded.tier, priority = excluded.priority, \
     requires = excluded.requires, followers = excluded.followers, \
     granted_at = excluded.granted_at, renewed_at = excluded.renewed_at";

/// Numbers of 64 bits keep their bits: `SQLite`'s have a sign, and none of them is compared there.
pub(crate) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// The reverse of [`signed`].
pub(crate) fn number(row: &Row<'_>, column: usize) -> Result<u64, Trouble> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

/// A number that a registry counts up by itself.
pub(crate) fn count(row: &Row<'_>, column: usize) -> Result<u64, Trouble> {
    match number(row, column)? {
        count @ 0..=MAX_COUNT => Ok(count),
        _ => Err(unreadable("a number is larger than any registry counts")),
    }
}

/// A moment that may be missing.
pub(crate) fn moment(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Trouble> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(|millis| Timestamp::from_millis(millis.cast_unsigned())))
}

pub(crate) fn name(row: &Row<'_>, column: usize) -> Result<Name, Trouble> {
    text(row, column)?.parse().map_err(unreadable)
}

pub(crate) fn port(row: &Row<'_>, column: usize) -> Result<Port, Trouble> {
    let number: u16 = row.get(column)?;
    Port::new(number).ok_or_else(|| unreadable("port 0 is leased"))
}

/// A value that the core writes as one word.
fn word<'de, T: Deserialize<'de>>(row: &Row<'_>, column: usize) -> Result<T, Trouble> {
    T::deserialize(text(row, column)?.into_deserializer())
        .map_err(|error: WordError| unreadable(error))
}

struct Word<'a, T>(&'a T);

impl<T: Serialize> Display for Word<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(formatter)
    }
}

fn structured<T: for<'de> Deserialize<'de>>(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<T>, Trouble> {
    text_or_null(row, column)?
        .map(|text| serde_json::from_str(text).map_err(unreadable))
        .transpose()
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the core's values have keys that are text")
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Trouble> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(unreadable)
}

fn text_or_null<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>, Trouble> {
    let text = row.get_ref(column)?.as_str_or_null();
    Ok(text.map_err(rusqlite::Error::from)?)
}

fn unreadable(what: impl Display) -> Trouble {
    Trouble::Unreadable(what.to_string())
}
