//! Leases and memories as rows, and rows as leases and memories.

use std::fmt::Display;

use portlease_core::{
    Counters, Follower, Generation, Lease, LeaseKey, Leases, MAX_COUNT, Memory, Name, Port,
    PortRange, PortUsage, Snapshot, Timestamp,
};
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as WordError;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::trouble::Trouble;

/// What the registry says of a host besides its leases.
#[derive(Debug, Clone)]
pub(crate) struct HostRow {
    pub(crate) id: i64,
    /// Whether something was ever changed.
    pub(crate) is_known: bool,
    /// Whether somebody wants to be told of changes.
    pub(crate) is_watched: bool,
    pub(crate) last_generation: Generation,
    pub(crate) last_swept: Option<Timestamp>,
    pub(crate) counters: Counters,
    /// The version of the registry, beside which the row stood.
    pub(crate) version: usize,
    /// The process of the server that read it.
    pub(crate) backend: i32,
}

impl HostRow {
    pub(crate) fn read(row: &Row) -> Result<Self, Trouble> {
        let version: i32 = get(row, 11)?;
        Ok(Self {
            id: get(row, 0)?,
            is_known: get(row, 12)?,
            is_watched: get(row, 1)?,
            last_generation: Generation::new(count(row, 2)?),
            last_swept: get::<Option<i64>>(row, 3)?.map(moment),
            counters: Counters {
                grants: count(row, 4)?,
                reuses: count(row, 5)?,
                conflicts: count(row, 6)?,
                moves: count(row, 7)?,
                refusals: count(row, 8)?,
                releases: count(row, 9)?,
                swept: count(row, 10)?,
            },
            version: usize::try_from(version).unwrap_or(0),
            backend: get(row, 13)?,
        })
    }
}

/// What a host has, as far as it was asked for.
pub(crate) fn leases(
    host: &HostRow,
    leases: &[Row],
    memories: &[Row],
    usage: &[Row],
) -> Result<Leases, Trouble> {
    let head = Snapshot {
        last_generation: host.last_generation,
        last_swept: host.last_swept,
        counters: host.counters,
        usage: usage.iter().map(port_usage).collect::<Result<_, _>>()?,
        ..Snapshot::default()
    };
    let mut loaded = Leases::try_from(head).map_err(unreadable)?;
    for row in leases {
        let lease = lease(row)?;
        if lease.generation > host.last_generation {
            // The next grant could get its number, and its owner be taken for the next one's.
            let problem = format!("the lease of {} is newer than the last grant", lease.key);
            return Err(unreadable(problem));
        }
        loaded.put(lease);
    }
    for row in memories {
        let memory = memory(row)?;
        if loaded.at(memory.port).is_some() {
            return Err(unreadable(format!(
                "port {} is leased and remembered",
                memory.port
            )));
        }
        loaded.put_memory(memory);
    }
    Ok(loaded)
}

fn port_usage(row: &Row) -> Result<PortUsage, Trouble> {
    Ok(PortUsage {
        port: port(row, 0)?,
        grants: count(row, 1)?,
    })
}

fn lease(row: &Row) -> Result<Lease, Trouble> {
    Ok(Lease {
        port: port(row, 0)?,
        key: key(row)?,
        framework: name(row, 4)?,
        generation: Generation::new(count(row, 5)?),
        state: word(row, 6)?,
        holder: structured(row, 7)?,
        listener: structured(row, 8)?,
        range: PortRange::new(port(row, 9)?, port(row, 10)?)
            .ok_or_else(|| unreadable("a range of ports runs downward"))?,
        tier: word(row, 11)?,
        priority: get(row, 12)?,
        requires: structured(row, 13)?.unwrap_or_default(),
        followers: structured::<Vec<Follower>>(row, 14)?.unwrap_or_default(),
        granted_at: moment(get(row, 15)?),
        renewed_at: moment(get(row, 16)?),
    })
}

fn memory(row: &Row) -> Result<Memory, Trouble> {
    Ok(Memory {
        port: port(row, 0)?,
        key: key(row)?,
        released_at: moment(get(row, 4)?),
    })
}

fn key(row: &Row) -> Result<LeaseKey, Trouble> {
    Ok(LeaseKey {
        project: name(row, 1)?,
        service: name(row, 2)?,
        instance: u32::try_from(get::<i64>(row, 3)?).map_err(unreadable)?,
    })
}

/// Leases as columns, so that one statement writes any number of them.
#[derive(Debug, Default)]
pub(crate) struct LeaseColumns<'a> {
    pub(crate) port: Vec<i32>,
    pub(crate) project: Vec<&'a str>,
    pub(crate) service: Vec<&'a str>,
    pub(crate) instance: Vec<i64>,
    pub(crate) framework: Vec<&'a str>,
    pub(crate) generation: Vec<i64>,
    pub(crate) state: Vec<String>,
    pub(crate) holder: Vec<Option<String>>,
    pub(crate) listener: Vec<Option<String>>,
    pub(crate) range_first: Vec<i32>,
    pub(crate) range_last: Vec<i32>,
    pub(crate) tier: Vec<String>,
    pub(crate) priority: Vec<i32>,
    pub(crate) requires: Vec<Option<String>>,
    pub(crate) followers: Vec<Option<String>>,
    pub(crate) granted_at: Vec<i64>,
    pub(crate) renewed_at: Vec<i64>,
}

impl<'a> LeaseColumns<'a> {
    pub(crate) fn push(&mut self, lease: &'a Lease) {
        self.port.push(lease.port.get().into());
        self.project.push(&lease.key.project);
        self.service.push(&lease.key.service);
        self.instance.push(lease.key.instance.into());
        self.framework.push(&lease.framework);
        self.generation.push(signed(lease.generation.get()));
        self.state.push(as_word(&lease.state));
        self.holder.push(lease.holder.as_ref().map(json));
        self.listener.push(lease.listener.as_ref().map(json));
        self.range_first.push(lease.range.first().get().into());
        self.range_last.push(lease.range.last().get().into());
        self.tier.push(as_word(&lease.tier));
        self.priority.push(lease.priority);
        self.requires.push(some(&lease.requires));
        self.followers.push(some(&lease.followers));
        self.granted_at.push(signed(lease.granted_at.as_millis()));
        self.renewed_at.push(signed(lease.renewed_at.as_millis()));
    }
}

/// Memories as columns.
#[derive(Debug, Default)]
pub(crate) struct MemoryColumns<'a> {
    pub(crate) port: Vec<i32>,
    pub(crate) project: Vec<&'a str>,
    pub(crate) service: Vec<&'a str>,
    pub(crate) instance: Vec<i64>,
    pub(crate) released_at: Vec<i64>,
}

impl<'a> MemoryColumns<'a> {
    pub(crate) fn push(&mut self, memory: &'a Memory) {
        self.port.push(memory.port.get().into());
        self.project.push(&memory.key.project);
        self.service.push(&memory.key.service);
        self.instance.push(memory.key.instance.into());
        self.released_at
            .push(signed(memory.released_at.as_millis()));
    }
}

fn some<T: Serialize>(values: &[T]) -> Option<String> {
    (!values.is_empty()).then(|| json(&values))
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the core's values have keys that are text")
}

/// A value that the core writes as one word.
fn as_word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("it is a word: {other:?}"),
    }
}

/// Numbers of 64 bits keep their bits: those of PostgreSQL have a sign, and none of these is compared there beyond its half.
pub(crate) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.cast_unsigned())
}

pub(crate) fn count(row: &Row, column: usize) -> Result<u64, Trouble> {
    match get::<i64>(row, column)?.cast_unsigned() {
        count @ 0..=MAX_COUNT => Ok(count),
        _ => Err(unreadable("a number is larger than any registry counts")),
    }
}

fn port(row: &Row, column: usize) -> Result<Port, Trouble> {
    let number = u16::try_from(get::<i32>(row, column)?).ok();
    number
        .and_then(Port::new)
        .ok_or_else(|| unreadable("a number is no port"))
}

pub(crate) fn name(row: &Row, column: usize) -> Result<Name, Trouble> {
    get::<&str>(row, column)?.parse().map_err(unreadable)
}

fn word<'de, T: Deserialize<'de>>(row: &'de Row, column: usize) -> Result<T, Trouble> {
    T::deserialize(get::<&str>(row, column)?.into_deserializer())
        .map_err(|error: WordError| unreadable(error))
}

fn structured<T: for<'de> Deserialize<'de>>(
    row: &Row,
    column: usize,
) -> Result<Option<T>, Trouble> {
    get::<Option<&str>>(row, column)?
        .map(|text| serde_json::from_str(text).map_err(unreadable))
        .transpose()
}

pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, Trouble> {
    row.try_get(column).map_err(unreadable)
}

fn unreadable(what: impl Display) -> Trouble {
    Trouble::Unreadable(what.to_string())
}
