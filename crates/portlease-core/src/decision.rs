//! What was decided: effects as data, the answer, and the reasons.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    Capability, Counters, Holder, Lease, LeaseKey, Memory, Name, Occupant, Port, PortRange,
    Refusal, Timestamp, Trace,
};

/// What was decided about a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What to change, in this order, all or nothing.
    pub changes: Vec<Change>,
    /// The answer to the caller.
    pub reply: Reply,
    /// Why it came out so.
    #[serde(default)]
    pub trace: Trace,
}

/// One change of the registry. [`Leases::apply`](crate::Leases::apply) says what each does.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Change {
    /// A lease with a new generation, in place of the one that the key had.
    Grant(Lease),
    /// New values of a lease that keeps its generation.
    Update(Lease),
    /// The lease ends.
    End(LeaseKey),
    /// The port stays in mind, in place of the one that the key had in mind.
    Remember(Memory),
    /// The key has no port in mind any more.
    Forget(LeaseKey),
    /// Add to the counters.
    Count(Counters),
    /// The leases were swept.
    Swept {
        /// When.
        at: Timestamp,
    },
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Reply {
    /// To [`Command::Reserve`](crate::Command::Reserve).
    Reserved(Reserved),
    /// To [`Command::Explain`](crate::Command::Explain).
    Explained(Explained),
    /// To [`Command::Renew`](crate::Command::Renew): the lease as it is now.
    Renewed(Box<Lease>),
    /// To [`Command::Confirm`](crate::Command::Confirm): the lease as it is now.
    Confirmed(Box<Lease>),
    /// To [`Command::Release`](crate::Command::Release).
    Released(Released),
    /// To [`Command::Sweep`](crate::Command::Sweep).
    Swept(Swept),
    /// To [`Command::Validate`](crate::Command::Validate).
    Validated(Validated),
    /// To [`Command::Stats`](crate::Command::Stats).
    Stats(Stats),
}

/// The ports of all services of a request.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    /// Which instance of the project the services belong to.
    pub instance: u32,
    /// One entry for each service, in the order of the request.
    pub services: Vec<Granted>,
    /// Other services that had to make way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Move>>", optional))]
    pub moves: Vec<Move>,
}

/// The port of one service of a request.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    /// The service.
    pub service: Name,
    /// How the service came to the lease.
    pub outcome: Outcome,
    /// The lease; for a service that inherits, the lease of the service from which it does.
    pub lease: Lease,
    /// The port that the service had before, when it had another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_port: Option<Port>,
    /// Who still runs on the lease that the service took over or gave up. The caller ends them, or
    /// lives with them on the old port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Holder>>", optional))]
    pub taken_from: Vec<Holder>,
    /// How many candidates were looked at.
    pub looks: u32,
}

impl Granted {
    /// The granted port.
    #[must_use]
    pub fn port(&self) -> Port {
        self.lease.port
    }

    /// What the service speaks.
    #[must_use]
    pub fn requires(&self) -> &[Capability] {
        let follower = self
            .lease
            .followers
            .iter()
            .find(|follower| follower.service == self.service);
        follower.map_or(&self.lease.requires, |follower| &follower.requires)
    }

    /// The URL of the service under this host name.
    #[must_use]
    pub fn url(&self, host: &str) -> String {
        Capability::url(self.requires(), host, self.port())
    }
}

/// How a service came to its lease.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It had none.
    New,
    /// It had this one.
    Reused,
    /// It had one that did not fit any more, or that it gave up.
    Reallocated,
    /// Another process runs the service; the lease stays its.
    Attached,
    /// Another process ran the service; the lease was its.
    TookOver,
    /// It shares the port of the service from which it inherits.
    Inherited,
}

/// A service that had to make way for another.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// Who had to move.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// The port that it had.
    pub from: Port,
    /// The port that it has now; absent when it was evicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Port>,
    /// Why, in a sentence.
    pub reason: String,
}

/// What a request would get, and why.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// What would be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
    /// Why nothing would be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// The leases that were given back.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// The leases as they were. None when there was nothing to release, which is no error.
    pub leases: Vec<Lease>,
    /// Services that shared the port of another and do not any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<LeaseKey>>", optional))]
    pub followers: Vec<LeaseKey>,
}

/// The leases that were removed because their owners are gone.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Swept {
    /// The leases as they were, and the evidence.
    pub removed: Vec<SweptLease>,
}

/// A lease that was removed.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SweptLease {
    /// The lease as it was.
    pub lease: Lease,
    /// Why it was removed.
    pub evidence: Evidence,
}

/// Why a lease may be removed.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Evidence {
    /// Everybody it belonged to has ended, and nobody is on the port.
    Dead,
    /// It belongs to nobody, nobody is on the port, and nobody used it for long.
    Abandoned,
    /// Its host is gone.
    HostGone,
}

/// What is true of the leases.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validated {
    /// One entry for each lease, by port.
    pub leases: Vec<ValidatedLease>,
}

/// What is true of a lease.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatedLease {
    /// The lease.
    pub lease: Lease,
    /// What is true of it.
    pub status: LeaseStatus,
    /// Who is on its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupant: Option<Occupant>,
}

/// What is true of a lease.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaseStatus {
    /// Its own server listens.
    Live,
    /// Nobody listens, and nothing says that the owner is gone.
    Idle,
    /// Nobody listens, and the owner is gone.
    Stale,
    /// Somebody else listens on its port.
    Hijacked,
}

/// How the ports are used.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// One entry for each range that was asked about.
    pub ranges: Vec<RangeUsage>,
    /// The ports that were granted most often.
    pub busiest: Vec<PortUsage>,
    /// The ports that were granted at least once and least often.
    pub least_used: Vec<PortUsage>,
    /// What happened since the registry was made.
    pub counters: Counters,
}

/// How a range is used.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RangeUsage {
    /// The name it was asked about by.
    pub name: Name,
    /// The range.
    pub range: PortRange,
    /// Ports with a lease.
    pub leased: u32,
    /// Ports without a lease that somebody is on.
    pub occupied: u32,
    /// Ports that are neither.
    pub free: u32,
}

/// How often a port was granted.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortUsage {
    /// The port.
    pub port: Port,
    /// The grants since the registry was made.
    pub grants: u64,
}
