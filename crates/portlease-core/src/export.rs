//! A registry as one JSON document: to look at, to keep, and to take elsewhere.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Host, Lease, Leases, Merged, Store, StoreError, StoreErrorKind};

/// Everything that a registry knows.
///
/// As JSON it is `{"format": 1, "hosts": {"laptop": {"leases": […], …}}}`. Reading it checks what a
/// registry promises: of two leases with one port it is an error.
///
/// ```
/// use portlease_core::Export;
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

/// A store that can be exported and imported as a whole, so that registries move from one kind of store to another.
pub trait Exchange: Store {
    /// Everything that the registry knows, at one moment.
    ///
    /// # Errors
    ///
    /// When the store broke.
    fn export(&self) -> Result<Export, StoreError>;

    /// Adds what was exported, all of it or nothing. What was left out or replaced stands in the answer.
    ///
    /// # Errors
    ///
    /// When the format is a newer one, or the store broke.
    fn import(&self, export: &Export, on_conflict: OnConflict) -> Result<Imported, StoreError>;
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

/// More than any registry counts to, and half of what every reader of JSON can hold: whoever has a number below it can go on
/// counting.
pub const MAX_COUNT: u64 = 1 << 52;

impl Export {
    /// The version of the format that this version of Portlease writes, and the newest it reads.
    pub const FORMAT: u32 = 1;

    /// What is known of these hosts.
    #[must_use]
    pub fn of(hosts: BTreeMap<Host, Leases>) -> Self {
        Self {
            format: Self::FORMAT,
            hosts,
        }
    }

    /// Whether this version can read the format, and go on counting from its numbers.
    ///
    /// # Errors
    ///
    /// When a store must not import it.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.format > Self::FORMAT {
            return Err(StoreError {
                kind: StoreErrorKind::NewerVersion,
                problem: format!(
                    "The export has format {}, and this version of Portlease reads up to {}.",
                    self.format,
                    Self::FORMAT
                ),
                remedy: "Update Portlease, or export again with this version.".to_owned(),
            });
        }
        // A registry that counts beyond what JSON can hold could not be exported again.
        match self.hosts.iter().find(|(_, leases)| is_too_large(leases)) {
            None => Ok(()),
            Some((host, _)) => Err(StoreError {
                kind: StoreErrorKind::Unsuitable,
                problem: format!("The export has a number of {host} that no registry counts to."),
                remedy: String::from("Export again, and import that."),
            }),
        }
    }
}

fn is_too_large(leases: &Leases) -> bool {
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
}

impl Imported {
    /// Adds what became of a host.
    pub fn add(&mut self, host: &Host, merged: Merged) {
        let of_host = |lease| HostLease {
            host: host.clone(),
            lease,
        };
        self.added.extend(merged.taken.into_iter().map(of_host));
        self.skipped.extend(merged.skipped.into_iter().map(of_host));
        self.replaced
            .extend(merged.replaced.into_iter().map(of_host));
    }

    /// Whether the import must not happen, because something would be left out; then nothing is added by it.
    pub fn is_refused(&mut self, on_conflict: OnConflict) -> bool {
        let is_refused = on_conflict == OnConflict::Refuse && !self.skipped.is_empty();
        if is_refused {
            self.added.clear();
        }
        is_refused
    }
}
