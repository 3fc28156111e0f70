//! What a caller asks for: ports for one service or several.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Framework, Holder, Name, Planned, Pools, Port, PortRange, PortSet};

/// A request for ports: of one service, or of several that get theirs together or not at all.
///
/// ```
/// use portlease_core::{Catalog, Name, Request, Service};
///
/// let catalog = Catalog::builtin();
/// let web = Service::new(Name::literal("web"), catalog.or_default("next"));
/// let request = Request::new(Name::literal("shop"), vec![web]);
/// assert_eq!(request.services[0].default.unwrap().get(), 3000);
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each can be wished for without the others"
)]
pub struct Request {
    /// The project that asks.
    pub project: Name,
    /// The services that want ports, in the order of the declaration.
    pub services: Vec<Service>,
    /// The process or container that will listen; absent when the caller asks on behalf of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// What to do when an instance of the project runs already.
    #[serde(default)]
    pub if_running: IfRunning,
    /// Give up the current ports and take others.
    #[serde(default)]
    pub force_new: bool,
    /// Decide from the registry alone, for a machine that cannot be observed.
    #[serde(default)]
    pub skip_port_check: bool,
    /// Stop and remove containers of the project itself that are on its ports. The caller does it before it asks for the
    /// decision.
    #[serde(default)]
    pub reclaim: bool,
    /// What happens when a wanted port belongs to another service.
    #[serde(default)]
    pub strategy: Strategy,
    /// Whether other services may be moved at all.
    #[serde(default = "yes")]
    pub auto_reassign: bool,
    /// How often the caller tries again after it lost a race for a granted port.
    #[serde(default = "default_retries")]
    pub max_retries: u16,
    /// Ports that are not to be used.
    #[serde(default, skip_serializing_if = "PortSet::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<PortSet>", optional))]
    pub exclude: PortSet,
    /// The pools of the machine.
    #[serde(default, skip_serializing_if = "Pools::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<crate::Pool>>", optional))]
    pub pools: Pools,
    /// The pool whose ports are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
    /// Where the services are to sit by a plan that was made elsewhere: these seats or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Box<Planned>>,
}

impl Request {
    /// A request with nothing special about it.
    #[must_use]
    pub fn new(project: Name, services: Vec<Service>) -> Self {
        Self {
            project,
            services,
            holder: None,
            if_running: IfRunning::default(),
            force_new: false,
            skip_port_check: false,
            reclaim: false,
            strategy: Strategy::default(),
            auto_reassign: true,
            max_retries: default_retries(),
            exclude: PortSet::new(),
            pools: Pools::default(),
            pool: None,
            planned: None,
        }
    }
}

impl Request {
    /// The ports that its services may be granted, remembered ones aside.
    #[must_use]
    pub fn candidates(&self) -> PortSet {
        if let Some(planned) = &self.planned {
            return planned.ports().collect();
        }
        let mut ports = PortSet::new();
        for service in &self.services {
            ports.extend(service.wanted());
            for range in service.ranges() {
                ports.insert_range(range);
            }
        }
        ports
    }
}

fn yes() -> bool {
    true
}

fn default_retries() -> u16 {
    10
}

/// One service of a request.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its name inside the project.
    pub name: Name,
    /// The framework that serves it.
    pub framework: Name,
    /// A port that was asked for by name, before all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit: Option<Explicit>,
    /// Ports to try first, in this order. They may lie outside the range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Port>>", optional))]
    pub preferred: Vec<Port>,
    /// The service's own range.
    pub range: PortRange,
    /// The port of the range that is tried first; its low end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Port>,
    /// Where the search of the range starts, when not at a remembered port or the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Port>,
    /// Ranges to go on with when the own range is full, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<PortRange>>", optional))]
    pub spillover: Vec<PortRange>,
    /// The range for the case that all others are full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<PortRange>,
    /// Services of higher priority are served first.
    #[serde(default)]
    pub priority: i32,
    /// What the service speaks: it chooses the URL's scheme and the health check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Capability>>", optional))]
    pub requires: Vec<Capability>,
    /// Services of the project that must not share its port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Name>>", optional))]
    pub conflicts: Vec<Name>,
    /// The service of the project whose port this one takes, instead of one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherit_from: Option<Name>,
}

impl Service {
    /// The ports that it asks for by name.
    pub fn wanted(&self) -> impl Iterator<Item = Port> {
        let explicit = self.explicit.map(|explicit| explicit.port);
        explicit.into_iter().chain(self.preferred.iter().copied())
    }

    /// A service in the range of its framework.
    #[must_use]
    pub fn new(name: Name, framework: &Framework) -> Self {
        let mut service = Self::in_range(name, framework.range);
        service.framework = framework.name.clone();
        service.default = Some(framework.default);
        service
    }

    /// A service in a range of its own, of no known framework.
    #[must_use]
    pub fn in_range(name: Name, range: PortRange) -> Self {
        Self {
            name,
            framework: Name::literal("default"),
            explicit: None,
            preferred: Vec::new(),
            range,
            default: None,
            start: None,
            spillover: Vec::new(),
            emergency: None,
            priority: 0,
            requires: Vec::new(),
            conflicts: Vec::new(),
            inherit_from: None,
        }
    }

    /// The own range and those that follow it, in the order of the search.
    pub fn ranges(&self) -> impl Iterator<Item = PortRange> {
        core::iter::once(self.range)
            .chain(self.spillover.iter().copied())
            .chain(self.emergency)
    }

    /// Whether browsers are meant to open the port. A service that says nothing serves pages.
    #[must_use]
    pub fn is_for_browsers(&self) -> bool {
        is_for_browsers(&self.requires)
    }
}

pub(crate) fn is_for_browsers(requires: &[Capability]) -> bool {
    requires.is_empty()
        || requires
            .iter()
            .any(|capability| *capability != Capability::Tcp)
}

/// A port that was asked for by name: on the command line, or in an environment variable.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explicit {
    /// The port.
    pub port: Port,
    /// That port or none: the request is refused when it cannot be had.
    #[serde(default)]
    pub strict: bool,
}

/// What to do when another process runs the same services of the same project.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IfRunning {
    /// Answer its ports and leave its leases alone.
    #[default]
    Attach,
    /// Become a further instance with ports of its own, the same ones each time.
    Another,
    /// Take its leases over. The caller ends the other process.
    Takeover,
}

/// What happens when a service wants a port that another service holds.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// Existing services never move.
    Conservative,
    /// The other one moves only if the requester insists on that port, the other is not live, has
    /// no higher priority and has somewhere to go.
    #[default]
    Minimal,
    /// The requester gets it; the other moves, or is evicted when it has nowhere to go.
    Aggressive,
}

/// What a service speaks on its port.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Capability {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// WebSocket.
    Websocket,
    /// Anything else on TCP, such as a database: no browser opens it.
    Tcp,
}

impl Capability {
    /// The scheme of the URL of a service that speaks these. It also says which health check fits.
    ///
    /// ```
    /// use portlease_core::Capability::{self, Http, Https, Tcp, Websocket};
    ///
    /// assert_eq!(Capability::scheme(&[]), "http");
    /// assert_eq!(Capability::scheme(&[Https, Websocket]), "https");
    /// assert_eq!(Capability::scheme(&[Websocket]), "ws");
    /// assert_eq!(Capability::scheme(&[Tcp]), "tcp");
    /// ```
    #[must_use]
    pub fn scheme(requires: &[Self]) -> &'static str {
        let speaks = |capability| requires.contains(&capability);
        if speaks(Self::Https) {
            "https"
        } else if speaks(Self::Http) || requires.is_empty() {
            "http"
        } else if speaks(Self::Websocket) {
            "ws"
        } else {
            "tcp"
        }
    }

    pub(crate) fn url(requires: &[Self], host: &str, port: Port) -> String {
        alloc::format!("{}://{host}:{port}", Self::scheme(requires))
    }
}
