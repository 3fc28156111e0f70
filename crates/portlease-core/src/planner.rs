//! Deciding about ports of a machine that the planner cannot see.
//!
//! The machine's runner takes a [`HostSnapshot`]; a [`Planner`] elsewhere makes a [`Plan`] of it, by the same
//! [`decide`](crate::decide()); the runner confirms the plan, or answers with what is not as the planner
//! thought and a snapshot on which planning again goes on.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::decide::{explain, reserve, stats};
use crate::{
    Change, Explained, Facts, Host, HostSettings, InvalidSnapshot, Leases, Planned, PortSet,
    Refusal, Request, Reserved, Snapshot, Stats, StatsQuery, Trace,
};

#[cfg(feature = "json")]
mod json;

#[cfg(feature = "json")]
pub use json::answer;

/// A host as somebody sees it who cannot look at it.
///
/// Everything but its name may be left out: nothing is leased or occupied then, and the settings are the built-in ones.
///
/// ```
/// use portlease_core::HostSnapshot;
///
/// let snapshot: HostSnapshot = serde_json::from_str(r#"{"host": "runner-7", "facts": {"now": 0, "occupied": [{"port": 3000}]}}"#)?;
/// assert_eq!(snapshot.host.to_string(), "runner-7");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostSnapshot {
    /// The host.
    pub host: Host,
    /// What is leased and remembered there.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Snapshot>", optional))]
    pub registry: Snapshot,
    /// What was observed there.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Facts>", optional))]
    pub facts: Facts,
    /// Its frameworks, presets and pools, and the ports that are not to be used there.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<HostSettings>", optional))]
    pub settings: HostSettings,
    /// Ports that the machine refused in this exchange when it was to confirm a plan. They stay closed until the exchange is
    /// over, which is why it ends.
    #[serde(default, skip_serializing_if = "PortSet::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<PortSet>", optional))]
    pub refuted: PortSet,
}

impl HostSnapshot {
    /// A host of which nothing is known.
    #[must_use]
    pub fn of(host: Host) -> Self {
        Self {
            host,
            registry: Snapshot::default(),
            facts: Facts::default(),
            settings: HostSettings::default(),
            refuted: PortSet::new(),
        }
    }
}

/// Which ports the services of a request would get, by what was known of their host.
///
/// It is nobody's lease yet: the host's runner confirms it, or not.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The host.
    pub host: Host,
    /// What was asked.
    pub request: Request,
    /// Where each service is to sit.
    pub planned: Planned,
    /// What the services would get.
    pub reserved: Reserved,
    /// What that would change, for planning on before it is confirmed.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The reasons.
    #[serde(default)]
    pub trace: Trace,
    /// See [`HostSnapshot::refuted`].
    #[serde(default, skip_serializing_if = "PortSet::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<PortSet>", optional))]
    pub refuted: PortSet,
}

/// Plans for one host, from a snapshot of it.
///
/// ```
/// use portlease_core::{Host, HostSnapshot, Name, Planner, Request, Service, HostSettings};
///
/// let mut planner = Planner::new(HostSnapshot::of(Host::new(Name::literal("runner-7"))))?;
/// let service = Service::new(Name::literal("web"), HostSettings::default().catalog.or_default("vite"));
///
/// let shop = planner.plan(Request::new(Name::literal("shop"), vec![service.clone()]))?;
/// assert_eq!(shop.reserved.services[0].port().get(), 5173);
///
/// // What is planned for one is taken into account for the next.
/// planner.apply(&shop.changes)?;
/// let blog = planner.plan(Request::new(Name::literal("blog"), vec![service]))?;
/// assert_eq!(blog.reserved.services[0].port().get(), 5174);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Planner {
    host: Host,
    leases: Leases,
    facts: Facts,
    settings: HostSettings,
    refuted: PortSet,
}

impl Planner {
    /// A planner for the host of a snapshot.
    ///
    /// # Errors
    ///
    /// When the snapshot breaks the rules of every registry, such as a port that is leased twice.
    pub fn new(snapshot: HostSnapshot) -> Result<Self, InvalidSnapshot> {
        let mut facts = snapshot.facts;
        for port in &snapshot.refuted {
            if !facts.occupied.ports().contains(port) {
                facts.occupied.insert(port, None);
            }
        }
        Ok(Self {
            host: snapshot.host,
            leases: snapshot.registry.try_into()?,
            facts,
            settings: snapshot.settings,
            refuted: snapshot.refuted,
        })
    }

    /// The settings of the host, by which wishes become requests.
    #[must_use]
    pub fn settings(&self) -> &HostSettings {
        &self.settings
    }

    /// Plans where the services of a request are to sit.
    ///
    /// # Errors
    ///
    /// When the request cannot be granted on the host of the snapshot.
    pub fn plan(&self, request: Request) -> Result<Plan, Refusal> {
        let request = self.seen(request);
        let (reserved, changes, trace) = reserve(&self.leases, &request, &self.facts)?;
        Ok(Plan {
            host: self.host.clone(),
            request,
            planned: Planned::of(&reserved, &self.leases),
            reserved,
            changes,
            trace,
            refuted: self.refuted.clone(),
        })
    }

    /// What [`plan`](Self::plan) would answer and why, port by port.
    #[must_use]
    pub fn explain(&self, request: Request) -> (Explained, Trace) {
        explain(&self.leases, &self.seen(request), &self.facts)
    }

    /// How the ports of the host are used.
    #[must_use]
    pub fn stats(&self, query: &StatsQuery) -> Stats {
        stats(&self.leases, query, &self.facts)
    }

    /// Takes changes into account that were planned, or that the host made since the snapshot.
    ///
    /// # Errors
    ///
    /// When they were not made on these leases; then nothing was applied.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), InvalidSnapshot> {
        let mut leases = self.leases.clone();
        leases.apply_all(changes);
        leases.check()?;
        self.leases = leases;
        Ok(())
    }

    /// The host as this planner sees it by now.
    #[must_use]
    pub fn snapshot(&self) -> HostSnapshot {
        HostSnapshot {
            host: self.host.clone(),
            registry: self.leases.clone().into(),
            facts: self.facts.clone(),
            settings: self.settings.clone(),
            refuted: self.refuted.clone(),
        }
    }

    /// The request as this planner decides about it. A machine that answered once is not planned for blindly any more.
    fn seen(&self, mut request: Request) -> Request {
        request.planned = None;
        request.skip_port_check &= self.refuted.is_empty();
        request
    }
}
