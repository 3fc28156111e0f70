//! A registry as one JSON document: to look at, to keep, and to take elsewhere.

use std::collections::BTreeMap;

use portlease_core::{Host, Lease, Leases, Scope, StoreError, StoreErrorKind};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::copies::{self, HostCopy, Winner};
use crate::explain::{Trouble, unsuitable};
use crate::loaded::{Loaded, hosts};
use crate::rows::MAX_COUNT;
use crate::transaction::{Mode, Transaction};

/// Everything that a registry knows.
///
/// As JSON it is `{"format": 1, "hosts": {"laptop": {"leases": […], …}}}`. Reading it checks what a
/// registry promises: of two leases with one port it is an error.
///
/// ```
/// use portlease_sqlite::Export;
///
/// let export: Export = serde_json::from_str(r#"{"format": 1, "hosts": {"laptop": {}}}"#)?;
/// assert_eq!(export.hosts.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// The version of the format.
    pub format: u32,
    /// What is known of each host.
    pub hosts: BTreeMap<Host, Leases>,
}

impl Export {
    /// The version of the format that this version of Portlease writes, and the newest it reads.
    pub const FORMAT: u32 = 1;
}

/// What to do about an imported lease that has the port or the name of one that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// The lease that is there stays, and the report names the other.
    #[default]
    Keep,
    /// The imported lease takes its place, and the report names the one that ended.
    Replace,
    /// Nothing at all is imported, and the report names each imported lease that meets another.
    Refuse,
}

/// What became of the leases of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// The leases that are there now and were not before.
    pub added: Vec<HostLease>,
    /// The imported leases that were left out, because others have their ports or their names.
    pub skipped: Vec<HostLease>,
    /// The leases that ended in favour of imported ones.
    pub replaced: Vec<HostLease>,
}

/// A lease of one of several hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostLease {
    /// The host.
    pub host: Host,
    /// The lease.
    #[serde(flatten)]
    pub lease: Lease,
}

impl Export {
    /// Reads everything, at one moment.
    pub(crate) fn read(connection: &Connection) -> Result<Self, Trouble> {
        let transaction = Transaction::begin(connection, Mode::Read)?;
        let mut loaded = Loaded::default();
        let mut read = BTreeMap::new();
        for host in hosts(connection)? {
            let known = loaded.cover(connection, &host, &Scope::Everything)?;
            read.insert(host, known.leases.clone());
        }
        transaction.commit()?;
        Ok(Self {
            format: Self::FORMAT,
            hosts: read,
        })
    }

    /// Adds everything, or nothing at all when the registry breaks.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        on_conflict: OnConflict,
    ) -> Result<Imported, Trouble> {
        let transaction = Transaction::begin(connection, Mode::Write)?;
        let winner = match on_conflict {
            OnConflict::Keep | OnConflict::Refuse => Winner::Present,
            OnConflict::Replace => Winner::Coming,
        };
        let mut imported = Imported::default();
        for (host, leases) in &self.hosts {
            let merged = copies::merge(connection, &HostCopy::of(host, leases), winner)?;
            let of_host = |lease| HostLease {
                host: host.clone(),
                lease,
            };
            imported.added.extend(merged.taken.into_iter().map(of_host));
            imported
                .skipped
                .extend(merged.skipped.into_iter().map(of_host));
            imported
                .replaced
                .extend(merged.replaced.into_iter().map(of_host));
        }
        if on_conflict == OnConflict::Refuse && !imported.skipped.is_empty() {
            imported.added.clear();
            return Ok(imported);
        }
        transaction.commit()?;
        Ok(imported)
    }

    /// Whether this version can read the format, and go on counting from its numbers.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.format <= Self::FORMAT {
            return self.check_numbers();
        }
        Err(StoreError {
            kind: StoreErrorKind::NewerVersion,
            problem: format!(
                "The export has format {}, and this version of Portlease reads up to {}.",
                self.format,
                Self::FORMAT
            ),
            remedy: "Update Portlease, or export again with this version.".to_owned(),
        })
    }

    /// A registry that counts beyond what JSON can hold could not be exported again.
    fn check_numbers(&self) -> Result<(), StoreError> {
        let is_too_large = |leases: &Leases| {
            let counters = leases.counters();
            let usage = leases.usage().into_iter().map(|usage| usage.grants);
            [
                leases.last_generation().get(),
                counters.grants,
                counters.reuses,
                counters.conflicts,
                counters.moves,
                counters.refusals,
                counters.releases,
                counters.swept,
            ]
            .into_iter()
            .chain(usage)
            .any(|number| number > MAX_COUNT)
        };
        match self.hosts.iter().find(|(_, leases)| is_too_large(leases)) {
            None => Ok(()),
            Some((host, _)) => Err(unsuitable(
                format!("The export has a number of {host} that no registry counts to."),
                "Export again, and import that.",
            )),
        }
    }
}
