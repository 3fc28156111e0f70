//! The changes of a decision, made in the tables exactly as [`Leases::apply`] makes them in memory.

use portlease_core::{Change, Counters, Lease, LeaseKey, Leases, Port, Timestamp};
use rusqlite::Connection;

use crate::explain::Trouble;
use crate::rows::{self, Verb, signed};

/// Makes changes that were decided on these very leases, in the tables and in the leases.
pub(crate) fn make(
    connection: &Connection,
    host: i64,
    leases: &mut Leases,
    changes: &[Change],
) -> Result<(), Trouble> {
    let before = leases.counters();
    for change in changes {
        write(connection, host, leases, change)?;
        leases.apply(change);
    }
    write_host(connection, host, leases, &before)
}

fn write(
    connection: &Connection,
    host: i64,
    leases: &Leases,
    change: &Change,
) -> Result<(), Trouble> {
    match change {
        Change::Grant(lease) => {
            put(connection, host, leases, lease)?;
            count_grant(connection, host, lease.port)
        }
        Change::Update(lease) => put(connection, host, leases, lease),
        Change::End(key) => match leases.get(key) {
            Some(lease) => delete_lease(connection, host, lease.port),
            None => Ok(()),
        },
        Change::Remember(memory) => rows::write_memory(connection, host, memory),
        Change::Forget(key) => delete_memory(connection, host, key),
        // The counters are written once for all changes.
        Change::Count(_) => Ok(()),
        Change::Swept { at } => write_swept(connection, host, *at),
    }
}

/// A lease takes the place of those with its port, its key or the key of one of its followers.
/// Only what the decision saw may be replaced: if there is more, the constraint stops it.
fn put(connection: &Connection, host: i64, leases: &Leases, lease: &Lease) -> Result<(), Trouble> {
    let own = leases.get(&lease.key);
    let followers = lease
        .followers
        .iter()
        .filter_map(|follower| leases.get(&lease.key.sibling(follower.service.clone())));
    for other in own.into_iter().chain(followers) {
        if other.port != lease.port {
            delete_lease(connection, host, other.port)?;
        }
    }
    let verb = match leases.at(lease.port) {
        Some(_) => Verb::Replace,
        None => Verb::Insert,
    };
    rows::write_lease(connection, verb, host, lease)
}

fn delete_lease(connection: &Connection, host: i64, port: Port) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("DELETE FROM lease WHERE host = ? AND port = ?")?;
    statement.execute((host, port.get()))?;
    Ok(())
}

fn delete_memory(connection: &Connection, host: i64, key: &LeaseKey) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM memory WHERE host = ? AND project = ? AND service = ? AND instance = ?",
    )?;
    statement.execute((
        host,
        key.project.as_str(),
        key.service.as_str(),
        key.instance,
    ))?;
    Ok(())
}

fn count_grant(connection: &Connection, host: i64, port: Port) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO usage VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET grants = grants + 1",
    )?;
    statement.execute((host, port.get()))?;
    Ok(())
}

pub(crate) fn write_swept(
    connection: &Connection,
    host: i64,
    at: Timestamp,
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached("UPDATE host SET last_swept = ? WHERE id = ?")?;
    statement.execute((signed(at.as_millis()), host))?;
    Ok(())
}

/// The leases in memory may know only what they counted themselves, so the tables get the
/// difference.
fn write_host(
    connection: &Connection,
    host: i64,
    leases: &Leases,
    before: &Counters,
) -> Result<(), Trouble> {
    let after = leases.counters();
    if after == *before {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "UPDATE host SET last_generation = max(last_generation, ?), grants = grants + ?, reuses = reuses + ?, \
         conflicts = conflicts + ?, moves = moves + ?, refusals = refusals + ?, \
         releases = releases + ?, swept = swept + ? WHERE id = ?",
    )?;
    statement.execute(rusqlite::params![
        signed(leases.last_generation().get()),
        signed(after.grants - before.grants),
        signed(after.reuses - before.reuses),
        signed(after.conflicts - before.conflicts),
        signed(after.moves - before.moves),
        signed(after.refusals - before.refusals),
        signed(after.releases - before.releases),
        signed(after.swept - before.swept),
        host,
    ])?;
    Ok(())
}
