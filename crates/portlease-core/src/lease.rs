//! A lease, and the memory that it leaves.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Capability, Holder, Name, Port, PortRange, Tier, Timestamp};

/// The exclusive right of one instance of a service to one port of one host.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Whose right it is.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// The port.
    pub port: Port,
    /// The framework for which it was granted.
    pub framework: Name,
    /// Which grant of the host this is. Whoever acts for the lease names it.
    pub generation: Generation,
    /// Whether somebody was seen listening.
    pub state: LeaseState,
    /// The process or container that the lease belongs to. A lease without one was taken on
    /// behalf of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// The process or container that was seen listening, when it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Holder>,
    /// The service's own range: where it may go when it has to move.
    pub range: PortRange,
    /// By which way the port was found.
    pub tier: Tier,
    /// Services of lower priority make way for those of higher priority, never the other way.
    #[serde(default)]
    pub priority: i32,
    /// What the service speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Capability>>", optional))]
    pub requires: Vec<Capability>,
    /// The services that share the port because they inherit it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Follower>>", optional))]
    pub followers: Vec<Follower>,
    /// When the port was granted.
    pub granted_at: Timestamp,
    /// When the lease was last used by its owner.
    pub renewed_at: Timestamp,
}

impl Lease {
    /// The holder and the listener, as far as they are known.
    pub fn parties(&self) -> impl Iterator<Item = &Holder> {
        self.holder.iter().chain(&self.listener)
    }

    /// The URL of its service under this host name.
    #[must_use]
    pub fn url(&self, host: &str) -> String {
        Capability::url(&self.requires, host, self.port)
    }
}

/// What identifies a lease on a host: there is one per instance of a service of a project.
///
/// ```
/// use portlease_core::{LeaseKey, Name};
///
/// let key = LeaseKey::new(Name::literal("shop"), Name::literal("web"));
/// assert_eq!(key.to_string(), "shop/web");
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseKey {
    /// The project.
    pub project: Name,
    /// The service of the project.
    pub service: Name,
    /// 1, or more for each further instance that ran at the same time.
    #[serde(default = "first_instance", skip_serializing_if = "is_first_instance")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<u32>", optional))]
    pub instance: u32,
}

impl LeaseKey {
    /// The key of the first instance.
    #[must_use]
    pub fn new(project: Name, service: Name) -> Self {
        Self {
            project,
            service,
            instance: 1,
        }
    }

    /// The key of another service of the same instance.
    #[must_use]
    pub fn sibling(&self, service: Name) -> Self {
        Self {
            project: self.project.clone(),
            service,
            instance: self.instance,
        }
    }
}

impl fmt::Display for LeaseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.project, self.service)?;
        if is_first_instance(&self.instance) {
            Ok(())
        } else {
            write!(formatter, " #{}", self.instance)
        }
    }
}

pub(crate) fn first_instance() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_first_instance(instance: &u32) -> bool {
    *instance == 1
}

/// The number of a grant. It only grows on a host, so an old owner can be told from a new one.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "number"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Generation(u64);

impl Generation {
    /// The generation with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The generation of the next grant.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// How far a lease has come.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaseState {
    /// Granted, and nobody was seen listening yet.
    Reserved,
    /// Its server was seen listening.
    Live,
}

/// A service that shares the port of the service from which it inherits.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Follower {
    /// The service.
    pub service: Name,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Capability>>", optional))]
    pub requires: Vec<Capability>,
}

/// What a released lease leaves: its port as a preference, not as a right.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Who had the port.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// The port.
    pub port: Port,
    /// When it was last used.
    pub released_at: Timestamp,
}
