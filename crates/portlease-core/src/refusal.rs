//! Why a command cannot be granted, and what to do about it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

mod sentences;

use crate::{
    Generation, Holder, InvalidName, InvalidPools, InvalidPort, InvalidRange, LeaseKey, Name,
    Party, Port, PortRange, Trace, Verdict,
};

/// Why a command cannot be granted. Nothing was changed.
///
/// The code and the details are stable; the sentence, which `Display` writes, is for people.
///
/// ```
/// use portlease_core::{Catalog, Command, Explicit, Facts, Leases, Name, Port, Refusal, Request, Service, decide};
///
/// let mut web = Service::new(Name::literal("web"), Catalog::builtin().or_default("next"));
/// web.explicit = Some(Explicit { port: Port::literal(3000), strict: true });
/// let mut facts = Facts::default();
/// facts.occupied.insert(Port::literal(3000), None);
///
/// let command = Command::Reserve(Request::new(Name::literal("shop"), vec![web]));
/// let refusal = decide(&Leases::default(), &command, &facts).unwrap_err();
/// assert_eq!(refusal.code(), "PORT_UNAVAILABLE");
/// assert!(refusal.to_string().starts_with("Port 3000 is in use. Stop it"));
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", content = "details", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refusal {
    /// A value is not a port.
    InvalidPort {
        /// The value as it was given.
        value: String,
    },
    /// A value is not a range of ports.
    InvalidRange {
        /// The value as it was given.
        value: String,
    },
    /// A value is not a name.
    InvalidName {
        /// The beginning of the value.
        value: String,
    },
    /// The pools do not fit together.
    InvalidPools {
        /// What is wrong with them, in a sentence.
        problem: String,
    },
    /// The request names no service.
    NoServices,
    /// The request names a service twice.
    DuplicateService {
        /// The service.
        service: Name,
    },
    /// A service inherits from one that does not exist.
    UnknownService {
        /// The service that inherits.
        service: Name,
        /// The name that it gives.
        unknown: Name,
        /// The services that there are.
        known: Vec<Name>,
    },
    /// Services inherit from each other in a circle.
    DependencyCycle {
        /// The circle: each inherits from the next, the last from the first.
        services: Vec<Name>,
    },
    /// The request names a pool that does not exist.
    UnknownPool {
        /// The name that it gives.
        unknown: Name,
        /// The pools that there are.
        known: Vec<Name>,
    },
    /// Services that must not share a port would share one.
    ConflictUnresolved {
        /// The service that declares the conflict.
        service: Name,
        /// The one with which it must not share.
        with: Name,
        /// The port that both would have.
        port: Port,
    },
    /// The port that was insisted on cannot be had.
    PortUnavailable(Box<Unavailable>),
    /// No port of the ranges can be had.
    RangeExhausted(Box<Exhausted>),
    /// There is no such lease.
    LeaseNotFound {
        /// The lease that was named.
        #[serde(flatten)]
        key: LeaseKey,
    },
    /// The lease belongs to somebody else now.
    NotOwner(Box<NotOwner>),
    /// A plan that was made elsewhere does not fit any more.
    PlanOutdated(Box<Outdated>),
}

/// The details of [`Refusal::PortUnavailable`].
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unavailable {
    /// The service that wants the port.
    pub service: Name,
    /// The port.
    pub port: Port,
    /// Why it cannot be had.
    pub verdict: Verdict,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Party>,
    /// Why the one that has it does not make way, when it is a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays: Option<Stays>,
    /// Everything that was looked at.
    #[serde(default)]
    pub trace: Trace,
}

/// Why a lease does not make way.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stays {
    /// The strategy moves nobody.
    Conservative,
    /// The request switched moves off.
    NoReassign,
    /// Another port would do as well.
    NotInsisted,
    /// Its server runs.
    Live,
    /// It has a higher priority.
    HigherPriority,
    /// Its own range is full.
    NowhereToGo,
}

/// The details of [`Refusal::RangeExhausted`].
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exhausted {
    /// The service that wants a port.
    pub service: Name,
    /// The ranges that were searched, in order.
    pub ranges: Vec<PortRange>,
    /// How many ports are taken for which reason.
    pub tally: Tally,
    /// To whom the first of them are leased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Taken>>", optional))]
    pub leased_to: Vec<Taken>,
    /// By whom the first of them are occupied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Taken>>", optional))]
    pub occupied_by: Vec<Taken>,
    /// Everything that was looked at.
    #[serde(default)]
    pub trace: Trace,
}

/// A port and who has it.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// The port.
    pub port: Port,
    /// Who has it.
    pub by: Party,
}

/// How many ports are taken for which reason.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tally {
    /// Leased to others.
    pub leased: u32,
    /// Not leased, and in use by other programs.
    pub occupied: u32,
    /// Given to other services of the same request.
    pub claimed: u32,
    /// Excluded by the caller or the configuration.
    pub excluded: u32,
    /// Outside the pool that was asked for, or in the pools of others.
    pub pooled: u32,
    /// Refused by browsers.
    pub browser_blocked: u32,
    /// Kept by the operating system.
    pub system_reserved: u32,
    /// Not permitted without privileges.
    pub privileged: u32,
}

/// The details of [`Refusal::NotOwner`].
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotOwner {
    /// The lease that was named.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// Its port.
    pub port: Port,
    /// Its generation. The caller named an older one, or none.
    pub generation: Generation,
    /// To whom it belongs, when it belongs to somebody who runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

/// See [`Refusal::PlanOutdated`].
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outdated {
    /// The planned ports that cannot be had, and the leases that are not what the planner knew.
    pub wrong: Vec<Unavailable>,
    /// How it came to that.
    #[serde(default)]
    pub trace: Trace,
}

impl Refusal {
    /// The stable code, as JSON has it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidPort { .. } => "INVALID_PORT",
            Self::InvalidRange { .. } => "INVALID_RANGE",
            Self::InvalidName { .. } => "INVALID_NAME",
            Self::InvalidPools { .. } => "INVALID_POOLS",
            Self::NoServices => "NO_SERVICES",
            Self::DuplicateService { .. } => "DUPLICATE_SERVICE",
            Self::UnknownService { .. } => "UNKNOWN_SERVICE",
            Self::DependencyCycle { .. } => "DEPENDENCY_CYCLE",
            Self::UnknownPool { .. } => "UNKNOWN_POOL",
            Self::ConflictUnresolved { .. } => "CONFLICT_UNRESOLVED",
            Self::PortUnavailable(_) => "PORT_UNAVAILABLE",
            Self::RangeExhausted(_) => "RANGE_EXHAUSTED",
            Self::LeaseNotFound { .. } => "LEASE_NOT_FOUND",
            Self::NotOwner(_) => "NOT_OWNER",
            Self::PlanOutdated(_) => "PLAN_OUTDATED",
        }
    }

    /// What the code is about, as data: what it names is as stable as the code.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn details(&self) -> serde_json::Value {
        // It is written as its code and its details; those without any have none.
        // By way of the text, because a second writer would be compiled for each type, for those who download it.
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut written: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        match written.get_mut("details") {
            Some(details) => details.take(),
            None => serde_json::json!({}),
        }
    }

    /// The same refusal with the account of what was looked at.
    pub(crate) fn with_trace(mut self, trace: Trace) -> Self {
        match &mut self {
            Self::PortUnavailable(unavailable) => unavailable.trace = trace,
            Self::RangeExhausted(exhausted) => exhausted.trace = trace,
            Self::PlanOutdated(outdated) => outdated.trace = trace,
            _ => {}
        }
        self
    }

    /// What was looked at before the request was refused.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        match self {
            Self::PortUnavailable(unavailable) => Some(&unavailable.trace),
            Self::RangeExhausted(exhausted) => Some(&exhausted.trace),
            Self::PlanOutdated(outdated) => Some(&outdated.trace),
            _ => None,
        }
    }
}

impl core::error::Error for Refusal {}

impl Tally {
    /// How many ports are taken for this reason.
    pub(crate) fn of(&mut self, verdict: Verdict) -> Option<&mut u32> {
        Some(match verdict {
            Verdict::Leased => &mut self.leased,
            Verdict::Occupied => &mut self.occupied,
            Verdict::Claimed => &mut self.claimed,
            Verdict::Excluded => &mut self.excluded,
            Verdict::Pooled => &mut self.pooled,
            Verdict::BrowserBlocked => &mut self.browser_blocked,
            Verdict::SystemReserved => &mut self.system_reserved,
            Verdict::Privileged => &mut self.privileged,
            Verdict::Remembered
            | Verdict::Reclaimed
            | Verdict::Granted
            | Verdict::Yielded
            | Verdict::Various => return None,
        })
    }
}

impl From<InvalidPort> for Refusal {
    fn from(error: InvalidPort) -> Self {
        Self::InvalidPort { value: error.value }
    }
}

impl From<InvalidRange> for Refusal {
    fn from(error: InvalidRange) -> Self {
        Self::InvalidRange { value: error.value }
    }
}

impl From<InvalidName> for Refusal {
    fn from(error: InvalidName) -> Self {
        Self::InvalidName { value: error.value }
    }
}

impl From<InvalidPools> for Refusal {
    fn from(error: InvalidPools) -> Self {
        Self::InvalidPools {
            problem: alloc::format!("{error}"),
        }
    }
}
