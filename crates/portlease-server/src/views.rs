//! What is answered where no other face has a type for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use portlease::core::{
    Capability, Generation, Holder, Host, HostSnapshot, Lease, LeaseKey, Name, Port, PortRange,
    PortSet, ValidatedLease, browser_blocked,
};
use portlease::engines::ContainerDetails;
use portlease::{ContainerOnPort, LeaseHealth, PortPresence, WatchedLease};
use schemars::JsonSchema;
use serde::Serialize;

use crate::PORTS;

/// Which service has which port.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ports {
    /// Always true: what fails has another status.
    success: bool,
    /// The ports by service: `web` when a project was named, `shop/web` otherwise.
    data: BTreeMap<String, Port>,
    /// The environment whose presets hold.
    environment: String,
    /// The addresses by service.
    urls: BTreeMap<String, Urls>,
}

/// The addresses of a service.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Urls {
    /// For pages.
    http: String,
    /// For WebSockets.
    ws: String,
}

impl Ports {
    pub(crate) fn of(leases: &[Lease], is_of_project: bool, environment: &str) -> Self {
        let (mut data, mut urls) = (BTreeMap::new(), BTreeMap::new());
        for lease in leases {
            let own = (&lease.key.service, &lease.requires);
            let followers = lease.followers.iter().map(|it| (&it.service, &it.requires));
            for (service, requires) in followers.chain([own]) {
                let name = shown(&lease.key.sibling(service.clone()), is_of_project);
                data.insert(name.clone(), lease.port);
                urls.insert(name, Urls::of(lease.port, requires));
            }
        }
        Self {
            success: true,
            data,
            environment: environment.to_owned(),
            urls,
        }
    }
}

fn shown(key: &LeaseKey, is_of_project: bool) -> String {
    let LeaseKey {
        project,
        service,
        instance,
    } = key;
    let project = if is_of_project {
        String::new()
    } else {
        format!("{project}/")
    };
    match instance {
        1 => format!("{project}{service}"),
        more => format!("{project}{service}#{more}"),
    }
}

impl Urls {
    fn of(port: Port, requires: &[Capability]) -> Self {
        let s = if requires.contains(&Capability::Https) {
            "s"
        } else {
            ""
        };
        Self {
            http: format!("http{s}://localhost:{port}"),
            ws: format!("ws{s}://localhost:{port}"),
        }
    }
}

/// A lease with all that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeaseView {
    /// The lease, whether it is true, and who is on its port.
    #[serde(flatten)]
    validated: ValidatedLease,
    /// Whether its server is well; absent until that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<LeaseHealth>,
    /// The process on its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessView>,
    /// The container on its port, or to which it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<ContainerOnPort>,
}

/// A process.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProcessView {
    /// Its number.
    pid: u32,
    /// The name of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
}

impl LeaseView {
    pub(crate) fn of(
        validated: ValidatedLease,
        health: Option<LeaseHealth>,
        look: &portlease::engines::Look,
    ) -> Self {
        let occupant = validated.occupant.as_ref();
        let process = occupant.and_then(|occupant| match &occupant.holder {
            Some(Holder::Process(process)) => Some(ProcessView {
                pid: process.pid,
                name: occupant.name.clone(),
            }),
            _ => None,
        });
        let lease = &validated.lease;
        let of_holder = lease.parties().find_map(|holder| match holder {
            Holder::Container(container) => look.with_id(&container.id),
            Holder::Process(_) => None,
        });
        let container = of_holder.or_else(|| look.on(lease.port).first());
        let container = container.map(|container| ContainerOnPort::from(&**container));
        Self {
            validated,
            health,
            process,
            container,
        }
    }
}

/// Leases.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Leases {
    /// One entry for each, by port.
    pub(crate) leases: Vec<LeaseView>,
}

/// A port, when there is one.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PortOrNone {
    /// The port; `null` when all are taken.
    pub(crate) port: Option<Port>,
}

/// The ports that somebody is on or that are leased.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Scan {
    /// One entry for each, in their order.
    pub(crate) ports: Vec<PortPresence>,
}

/// The containers of the machine.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Containers {
    /// One entry for each.
    pub(crate) containers: Vec<ContainerView>,
}

/// A container and its ports.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerView {
    /// The container.
    #[serde(flatten)]
    container: ContainerOnPort,
    /// The ports of the machine that it has, or will have when it is started.
    ports: PortSet,
    /// Whether its processes run.
    is_running: bool,
}

impl From<&Arc<ContainerDetails>> for ContainerView {
    fn from(details: &Arc<ContainerDetails>) -> Self {
        Self {
            container: ContainerOnPort::from(&**details),
            ports: details.ports(),
            is_running: details.is_running(),
        }
    }
}

/// Whether a container runs, and on which port.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerInfo {
    /// Whether its processes run.
    pub(crate) is_running: bool,
    /// The lowest port of the machine that it has.
    pub(crate) port: Option<Port>,
}

/// All ports of the machine in one look, for those who draw them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PortMap {
    /// The machine.
    pub(crate) host: Host,
    /// The ranges that have names.
    pub(crate) ranges: Vec<NamedRange>,
    /// The leased ports with the generations of their leases.
    pub(crate) leased: Vec<(Port, Generation)>,
    /// The ports that cannot be bound.
    pub(crate) occupied: PortSet,
    /// The ports that are remembered for somebody.
    pub(crate) remembered: PortSet,
    /// The ports that nobody gets: refused by browsers, kept by the system, excluded by the configuration.
    pub(crate) excluded: PortSet,
}

/// A range with a name.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NamedRange {
    /// The framework, kind of service or pool; `portlease` for the ports of the service itself.
    name: Name,
    /// Its first port.
    first: Port,
    /// Its last port.
    last: Port,
    /// The port that is tried first.
    default: Port,
}

impl PortMap {
    pub(crate) fn of(snapshot: HostSnapshot) -> Self {
        let HostSnapshot {
            host,
            registry,
            facts,
            settings,
            ..
        } = snapshot;
        let frameworks = settings.catalog.iter();
        let frameworks = frameworks.map(|it| NamedRange::new(&it.name, it.range, it.default));
        let presets = settings.presets.iter();
        let presets = presets.map(|it| NamedRange::new(&it.service, it.range, it.range.first()));
        let pools = settings.pools.iter();
        let pools = pools.map(|it| NamedRange::new(&it.name, it.range, it.range.first()));
        let own = NamedRange::new(&Name::literal("portlease"), PORTS, PORTS.first());
        let mut excluded = settings.exclude.clone();
        excluded |= &browser_blocked();
        excluded |= &facts.system_reserved;
        let leased = registry.leases.iter();
        Self {
            ranges: frameworks
                .chain(presets)
                .chain(pools)
                .chain([own])
                .collect(),
            leased: leased.map(|it| (it.port, it.generation)).collect(),
            occupied: facts.occupied.ports().clone(),
            remembered: registry.memories.iter().map(|it| it.port).collect(),
            excluded,
            host,
        }
    }
}

impl NamedRange {
    fn new(name: &Name, range: PortRange, default: Port) -> Self {
        Self {
            name: name.clone(),
            first: range.first(),
            last: range.last(),
            default,
        }
    }
}

/// Whether the servers of the leases are well.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HealthReport {
    /// One entry for each lease.
    pub(crate) health: Vec<HealthView>,
}

/// Whether the server of a lease is well.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HealthView {
    /// The lease.
    #[serde(flatten)]
    key: LeaseKey,
    /// Its port.
    port: Port,
    /// How its server is; absent until that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<LeaseHealth>,
}

impl From<&WatchedLease> for HealthView {
    fn from(watched: &WatchedLease) -> Self {
        let lease = &watched.validated.lease;
        Self {
            key: lease.key.clone(),
            port: lease.port,
            health: watched.health.clone(),
        }
    }
}
