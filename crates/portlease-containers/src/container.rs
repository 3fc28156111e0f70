//! A container, and the ports of the machine that are its.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use portlease_core::{Container, Holder, Name, Occupant, Port, PortRange, PortSet, Timestamp};

/// A container, whatever it does at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerDetails {
    /// Its identity.
    pub identity: Container,
    /// What people call it, such as `web-1`.
    pub name: Name,
    /// What it does, in the words of its engine: `running`, `paused`, `created`, `exited`.
    pub state: Name,
    /// When it was made, to the second.
    pub created_at: Option<Timestamp>,
    /// What its owner wrote on it.
    pub labels: BTreeMap<String, String>,
    /// Whether it has no network of its own: what its processes listen on are ports of the machine.
    pub is_on_host_network: bool,
    /// Whether all that it publishes is known. Its engine does not tell while it starts the container.
    pub is_clear: bool,
    /// The ports of the machine that it has or will get when it is started.
    pub publishes: Vec<Published>,
}

/// Ports of the machine that a container publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The ports. Several, when the engine is to choose one of them.
    pub ports: PortRange,
    /// The protocol: ports of UDP are none of TCP.
    pub protocol: Protocol,
    /// The only address that they are published on; all of them when absent.
    pub address: Option<IpAddr>,
}

/// What is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Single packets.
    Udp,
    /// Anything else, such as SCTP.
    Other,
}

impl ContainerDetails {
    /// Whether its processes run, or would if they were not paused.
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused" | "restarting")
    }

    /// The ports of TCP that are its.
    pub fn ports(&self) -> PortSet {
        self.publishes
            .iter()
            .filter(|published| published.protocol == Protocol::Tcp)
            .map(|published| published.ports)
            .collect()
    }

    /// What a decision needs to know.
    pub fn occupant(&self) -> Occupant {
        Occupant {
            holder: Some(Holder::Container(self.identity.clone())),
            name: Some(self.name.clone()),
            state: Some(self.state.clone()),
            ..Occupant::default()
        }
    }
}

impl Published {
    /// From the words of an inspection: `80/tcp` bound to port `8000` or to `8000-8010` of the
    /// machine. Nothing, when the engine is free to choose any port.
    pub(crate) fn bound(inside: &str, address: &str, ports: &str) -> Option<Self> {
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let protocol = inside
            .split_once('/')
            .map_or("tcp", |(_, protocol)| protocol);
        Some(Self {
            ports: PortRange::new(first.parse().ok()?, last.parse().ok()?)?,
            protocol: Protocol::named(protocol),
            address: single(address),
        })
    }

    /// From the words of a list.
    pub(crate) fn listed(port: u16, protocol: &str, address: &str) -> Option<Self> {
        Some(Self {
            ports: PortRange::only(Port::new(port)?),
            protocol: Protocol::named(protocol),
            address: single(address),
        })
    }
}

impl Protocol {
    fn named(name: &str) -> Self {
        match name {
            "tcp" => Self::Tcp,
            "udp" => Self::Udp,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for ContainerDetails {
    /// `container web-1 (docker, exited)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.occupant().fmt(formatter)
    }
}

/// The address, unless it stands for all.
fn single(address: &str) -> Option<IpAddr> {
    let address: IpAddr = address.parse().ok()?;
    (!address.is_unspecified()).then_some(address)
}
