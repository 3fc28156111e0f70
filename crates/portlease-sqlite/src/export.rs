//! A registry as one JSON document, which the core defines.

use std::collections::BTreeMap;

use portlease_core::{Export, Imported, OnConflict, Scope, Snapshot};
use rusqlite::Connection;

use crate::copies;
use crate::explain::Trouble;
use crate::loaded::{Loaded, hosts};
use crate::transaction::{Mode, Transaction};

/// Reads everything, at one moment.
pub(crate) fn read(connection: &Connection) -> Result<Export, Trouble> {
    let transaction = Transaction::begin(connection, Mode::Read)?;
    let mut loaded = Loaded::default();
    let mut read = BTreeMap::new();
    for host in hosts(connection)? {
        let known = loaded.cover(connection, &host, &Scope::Everything)?;
        read.insert(host, known.leases.clone());
    }
    transaction.commit()?;
    Ok(Export::of(read))
}

/// Adds everything, or nothing at all when the registry breaks.
pub(crate) fn write(
    connection: &Connection,
    export: &Export,
    on_conflict: OnConflict,
) -> Result<Imported, Trouble> {
    let transaction = Transaction::begin(connection, Mode::Write)?;
    let mut imported = Imported::default();
    for (host, leases) in &export.hosts {
        let known = Snapshot::from(leases.clone());
        imported.add(host, copies::merge(connection, host, &known, on_conflict)?);
    }
    if !imported.is_refused(on_conflict) {
        transaction.commit()?;
    }
    Ok(imported)
}
