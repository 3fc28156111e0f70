//! Leases row by row, and what is wrong with rows that cannot be those of a host.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::index::{Index, Row};
use super::{Counters, Leases};
use crate::{Generation, Lease, LeaseKey, Memory, Port, PortUsage, Timestamp};

/// [`Leases`] row by row: as a store reads them, as an export holds them, and as they travel to a
/// planner that cannot see the machine.
///
/// ```
/// use portlease_core::{Generation, Leases, Snapshot};
///
/// let snapshot = Snapshot { last_generation: Generation::new(7), ..Snapshot::default() };
/// let leases = Leases::try_from(snapshot)?;
/// assert_eq!(leases.last_generation().get(), 7);
/// # Ok::<(), portlease_core::InvalidSnapshot>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Snapshot {
    /// All leases.
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Lease>>", optional))]
    pub leases: Vec<Lease>,
    /// All memories.
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Memory>>", optional))]
    pub memories: Vec<Memory>,
    /// The generation of the last grant.
    #[cfg_attr(feature = "typescript", ts(as = "Option<Generation>", optional))]
    pub last_generation: Generation,
    /// How often each port was granted.
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<PortUsage>>", optional))]
    pub usage: Vec<PortUsage>,
    /// What happened since the registry was made.
    #[cfg_attr(feature = "typescript", ts(as = "Option<Counters>", optional))]
    pub counters: Counters,
    /// When the leases were last swept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_swept: Option<Timestamp>,
}

/// The largest whole number that every reader of JSON can hold. No registry counts so far.
const MAX_NUMBER: u64 = (1 << 53) - 1;

impl From<Leases> for Snapshot {
    fn from(leases: Leases) -> Self {
        Self {
            leases: leases.iter().cloned().collect(),
            memories: leases.memories().cloned().collect(),
            last_generation: leases.last_generation,
            usage: leases.usage(),
            counters: leases.counters,
            last_swept: leases.last_swept,
        }
    }
}

/// Why a snapshot is not the state of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSnapshot {
    /// Two leases, or two memories, have one port.
    #[error("port {0} stands twice: a port has one lease")]
    PortTwice(Port),
    /// Two leases, or two memories, have one key.
    #[error("{0} stands twice: a service has one lease")]
    KeyTwice(LeaseKey),
    /// A port is leased to one and remembered by another.
    #[error("port {0} is leased and remembered: a leased port is remembered by nobody")]
    LeasedAndRemembered(Port),
    /// A number is larger than any registry can have counted.
    #[error("a generation or counter is above 2^53 - 1: no registry counts so far")]
    NumberTooLarge,
    /// A lease is newer than the last grant.
    #[error("the lease of {0} has a generation after the last one")]
    FutureGeneration(LeaseKey),
}

impl Leases {
    /// What of the registry's own rules these leases break.
    ///
    /// # Errors
    ///
    /// The first broken rule. Decisions on valid leases keep them valid.
    pub fn check(&self) -> Result<(), InvalidSnapshot> {
        if let Some(port) = self
            .ports()
            .iter()
            .find(|port| self.remembered_ports().contains(*port))
        {
            return Err(InvalidSnapshot::LeasedAndRemembered(port));
        }
        let Counters {
            grants,
            reuses,
            conflicts,
            moves,
            refusals,
            releases,
            swept,
        } = self.counters;
        let numbers = [grants, reuses, conflicts, moves, refusals, releases, swept];
        let numbers = numbers.iter().chain(self.grants.values());
        if self.last_generation.get() > MAX_NUMBER
            || numbers.copied().any(|number| number > MAX_NUMBER)
        {
            return Err(InvalidSnapshot::NumberTooLarge);
        }
        match self
            .iter()
            .find(|lease| lease.generation > self.last_generation)
        {
            Some(lease) => Err(InvalidSnapshot::FutureGeneration(lease.key.clone())),
            None => Ok(()),
        }
    }
}

impl TryFrom<Snapshot> for Leases {
    type Error = InvalidSnapshot;

    fn try_from(snapshot: Snapshot) -> Result<Self, InvalidSnapshot> {
        let leases = Self {
            rows: index(snapshot.leases)?,
            memories: index(snapshot.memories)?,
            last_generation: snapshot.last_generation,
            grants: snapshot
                .usage
                .iter()
                .map(|usage| (usage.port, usage.grants))
                .collect(),
            counters: snapshot.counters,
            last_swept: snapshot.last_swept,
        };
        leases.check()?;
        Ok(leases)
    }
}

fn index<T: Row>(rows: Vec<T>) -> Result<Index<T>, InvalidSnapshot> {
    let mut index = Index::default();
    for row in rows {
        if index.at(row.port()).is_some() {
            return Err(InvalidSnapshot::PortTwice(row.port()));
        }
        let keys: Vec<LeaseKey> = row.keys().collect();
        for (position, key) in keys.iter().enumerate() {
            if index.port_of(key).is_some() || keys[..position].contains(key) {
                return Err(InvalidSnapshot::KeyTwice(key.clone()));
            }
        }
        index.put(row);
    }
    Ok(index)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Result<(), &str>) {
        let read = serde_json::from_str::<Leases>(json)
            .map(|_| ())
            .map_err(|error| alloc::format!("{error}"));
        match (&read, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            _ => panic!("{json}: {read:?} instead of {expected:?}"),
        }
    }

    fn snapshot(
        leases: &[(&str, u16, u64)],
        memories: &[(&str, u16)],
        last_generation: u64,
    ) -> String {
        let lease = |&(service, port, generation): &(&str, u16, u64)| {
            alloc::format!(
                r#"{{"project":"shop","service":"{service}","port":{port},"framework":"next","generation":{generation},
                "state":"reserved","range":[3000,3100],"tier":"scan","grantedAt":0,"renewedAt":0}}"#
            )
        };
        let memory = |&(service, port): &(&str, u16)| {
            alloc::format!(
                r#"{{"project":"shop","service":"{service}","port":{port},"releasedAt":0}}"#
            )
        };
        let leases: Vec<_> = leases.iter().map(lease).collect();
        let memories: Vec<_> = memories.iter().map(memory).collect();
        alloc::format!(
            r#"{{"leases":[{}],"memories":[{}],"lastGeneration":{last_generation}}}"#,
            leases.join(","),
            memories.join(",")
        )
    }

    #[test]
    fn a_service_shares_a_port_once() {
        let lease = snapshot(&[("web", 3000, 1)], &[], 1);
        let shared_by = |followers: &str| {
            let followers = alloc::format!(r#""followers":[{followers}],"grantedAt""#);
            lease.replace(r#""grantedAt""#, &followers)
        };
        check(&shared_by(r#"{"service":"hmr"},{"service":"api"}"#), Ok(()));
        check(
            &shared_by(r#"{"service":"hmr"},{"service":"hmr"}"#),
            Err("shop/hmr stands twice"),
        );
        check(
            &shared_by(r#"{"service":"web"}"#),
            Err("shop/web stands twice"),
        );
    }

    #[test]
    fn rows_of_a_host_or_an_error() {
        check("{}", Ok(()));
        check(
            &snapshot(&[("web", 3000, 1), ("api", 3001, 2)], &[("docs", 3002)], 2),
            Ok(()),
        );
        check(
            &snapshot(&[("web", 3000, 1), ("api", 3000, 2)], &[], 2),
            Err("port 3000 stands twice"),
        );
        check(
            &snapshot(&[("web", 3000, 1), ("web", 3001, 2)], &[], 2),
            Err("shop/web stands twice"),
        );
        check(
            &snapshot(&[("web", 3000, 1)], &[("api", 3000)], 1),
            Err("leased and remembered"),
        );
        check(
            &snapshot(&[("web", 3000, 2)], &[], 1),
            Err("generation after the last one"),
        );
        check(&snapshot(&[], &[], u64::MAX), Err("above 2^53"));
        check(
            r#"{"usage":[{"port":1,"grants":18446744073709551615}]}"#,
            Err("above 2^53"),
        );
        check(
            r#"{"counters":{"swept":9007199254740992}}"#,
            Err("above 2^53"),
        );
        check(r#"{"counters":{"swept":9007199254740991}}"#, Ok(()));
    }
}
