//! Why a decision came out as it did, in a form that stays small when thousands of ports are full.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Holder, LeaseKey, Name, Occupant, PortRange};

/// The way by which a port was found, in the order in which the ways are tried.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    /// It was asked for by name.
    Preferred,
    /// The service had it before.
    Remembered,
    /// It is the default of the range.
    Default,
    /// The search of the range met it.
    Scan,
    /// The range was full; it comes from one of the ranges to go on with.
    Spillover,
    /// All ranges were full; it comes from the emergency range.
    Emergency,
}

/// What was looked at and what was found, in order.
///
/// Neighbouring ports with the same verdict are one step, so that a full range of 7,000 ports
/// is a handful of steps. [`Command::Explain`](crate::Command::Explain) gives each port its own.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "Step[]"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trace {
    /// The steps, in the order in which they were taken.
    pub steps: Vec<Step>,
}

/// Some neighbouring ports that one service looked at, with one verdict.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The service that looked.
    pub service: Name,
    /// In which way it looked.
    pub tier: Tier,
    /// The ports.
    pub ports: PortRange,
    /// What became of them.
    pub verdict: Verdict,
    /// Whose they are: the first few, when there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Party>>", optional))]
    pub by: Vec<Party>,
}

/// What became of a candidate. Where several apply, the first of this list is told.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The caller's or the configuration's exclusions name it.
    Excluded,
    /// It lies outside the pool that was asked for, or in the pool of others.
    Pooled,
    /// Browsers refuse to open it.
    BrowserBlocked,
    /// The operating system keeps it for itself.
    SystemReserved,
    /// Binding it needs privileges that the caller does not have.
    Privileged,
    /// Another service of the same request gets it.
    Claimed,
    /// It is leased.
    Leased,
    /// Somebody else is on it at the operating system.
    Occupied,
    /// Somebody else had it before, and there are others to take.
    Remembered,
    /// A container of the project itself was on it, and was stopped and removed for the request.
    Reclaimed,
    /// It was granted.
    Granted,
    /// It was given back to make room for another service of the same request.
    Yielded,
    /// These ports are taken for several reasons, too many to list one by one.
    Various,
}

/// Whoever has a port.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Party {
    /// A service, by its lease, its memory or its place in the same request.
    Service {
        /// Which service.
        #[serde(flatten)]
        key: LeaseKey,
        /// The process or container behind it, when it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        holder: Option<Holder>,
    },
    /// Somebody at the operating system.
    Occupant(Occupant),
    /// A pool.
    Pool {
        /// Its name.
        name: Name,
    },
}

impl Verdict {
    /// The verdict in the middle of a sentence about one port or several.
    fn phrase(self) -> &'static str {
        match self {
            Self::Excluded => "excluded by configuration",
            Self::Pooled => "outside the pool",
            Self::BrowserBlocked => "refused by browsers",
            Self::SystemReserved => "reserved by the operating system",
            Self::Privileged => "not permitted without privileges",
            Self::Claimed => "given to another service of this request",
            Self::Leased => "leased",
            Self::Occupied => "in use",
            Self::Remembered => "remembered by another service, taken last",
            Self::Reclaimed => "freed by removing the project's own",
            Self::Granted => "granted",
            Self::Yielded => "given back to make room",
            Self::Various => "taken, for several reasons",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { key, holder: None } => write!(formatter, "{key}"),
            Self::Service {
                key,
                holder: Some(holder),
            } => write!(formatter, "{key} ({holder})"),
            Self::Occupant(occupant) => write!(formatter, "{occupant}"),
            Self::Pool { name } => write!(formatter, "pool {name}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.phrase())
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Preferred => "preferred",
            Self::Remembered => "remembered",
            Self::Default => "default",
            Self::Scan => "scan",
            Self::Spillover => "spillover",
            Self::Emergency => "emergency",
        })
    }
}

impl fmt::Display for Step {
    /// `web: 3000–3057 leased: shop/web, shop/api and 56 more (scan)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} {}",
            self.service, self.ports, self.verdict
        )?;
        if !self.by.is_empty() {
            write!(
                formatter,
                ": {}",
                Listed {
                    items: &self.by,
                    total: self.ports.len()
                }
            )?;
        }
        write!(formatter, " ({})", self.tier)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{step}")?;
        }
        Ok(())
    }
}

/// The first few of many, for people: `a, b and 5 more`.
pub(crate) struct Listed<'a, T> {
    pub(crate) items: &'a [T],
    pub(crate) total: u32,
}

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            write!(formatter, "{item}")?;
        }
        match usize::try_from(self.total)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.items.len())
        {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}
