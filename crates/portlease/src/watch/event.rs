//! What happened, as data.

use portlease_containers::ContainerDetails;
use portlease_core::{Lease, LeaseKey, Port, PortSet, Timestamp, ValidatedLease};
use serde::{Deserialize, Serialize};

use crate::ContainerOnPort;

/// Something that happened on this machine, as a [`Watch`](crate::Watch) tells it.
///
/// Everything that happens to a lease carries all that is known of it, so that whoever keeps a list only has to put it in its
/// place.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Event {
    /// A port was leased, perhaps to whom it belonged before.
    LeaseGranted(WatchedLease),
    /// Something else about a lease changed: its server listens, it has another holder, somebody else is on its port.
    LeaseChanged(WatchedLease),
    /// A service has another port than before.
    LeaseMoved {
        /// The port that it had.
        from: Port,
        /// What is true now.
        #[serde(flatten)]
        watched: WatchedLease,
    },
    /// A lease ended.
    LeaseEnded {
        /// The lease as it was.
        lease: Lease,
    },
    /// A server became well or unwell.
    HealthChanged {
        /// Its lease.
        key: LeaseKey,
        /// Its port.
        port: Port,
        /// How it is.
        health: LeaseHealth,
        /// How it was; absent the first time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<HealthState>,
    },
    /// There is a container that was not there before.
    ContainerAppeared(WatchedContainer),
    /// A container was started or stopped, or has other ports.
    ContainerChanged(WatchedContainer),
    /// A container was removed.
    ContainerGone(WatchedContainer),
    /// Among the ports that are watched, somebody came to some and left others.
    #[serde(rename_all = "camelCase")]
    OccupancyChanged {
        /// Where somebody is now.
        appeared: PortSet,
        /// Where nobody is any more.
        gone: PortSet,
    },
    /// Nothing can be seen at the moment.
    Blinded {
        /// The stable code of the error.
        code: String,
        /// What is wrong and what to do about it.
        message: String,
    },
    /// Everything can be seen again.
    Recovered,
}

/// All that is known of a lease.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedLease {
    /// The lease, whether it is true, and who is on its port.
    #[serde(flatten)]
    pub validated: ValidatedLease,
    /// Whether its server is well; absent until that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<LeaseHealth>,
}

/// A container and the ports of the machine that are its own.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedContainer {
    /// The container.
    pub container: ContainerOnPort,
    /// The ports of the machine that it has, or will have when it is started.
    pub ports: PortSet,
}

impl From<&ContainerDetails> for WatchedContainer {
    fn from(details: &ContainerDetails) -> Self {
        Self {
            container: ContainerOnPort::from(details),
            ports: details.ports(),
        }
    }
}

/// Whether the server of a lease is well.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseHealth {
    /// In a word.
    pub state: HealthState,
    /// How long its answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_micros: Option<u64>,
    /// The status of its HTTP answer, when it was asked for a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What is wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it was asked.
    pub checked_at: Timestamp,
}

/// Whether the server of a lease is well, in a word.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HealthState {
    /// It answers.
    Healthy,
    /// It listens, and does not answer as it should.
    Unreachable,
    /// Somebody else listens in its place.
    Hijacked,
    /// Nobody listens.
    Idle,
}
