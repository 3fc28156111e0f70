//! What was observed of the world. The decision sees nothing else.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Holder, Name, Port, PortSet, Timestamp};

/// Every observation of the world that a decision may use.
///
/// ```
/// use portlease_core::{Facts, Port, Timestamp};
///
/// let mut facts = Facts::at(Timestamp::from_millis(1_000));
/// facts.occupied.insert(Port::literal(3000), None);
/// assert!(facts.occupied.ports().contains(Port::literal(3000)));
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The moment of the observation.
    pub now: Timestamp,
    /// The ports that could not be bound at that moment, and by whom they are occupied.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<OccupiedPort>>", optional))]
    pub occupied: Occupancy,
    /// The ports that the operating system keeps for itself.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<PortSet>", optional))]
    pub system_reserved: PortSet,
    /// The lowest port that the caller may bind; every port when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unprivileged_start: Option<Port>,
    /// The holders that were seen to have ended. Whoever is not named counts as alive.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Holder>>", optional))]
    pub dead: BTreeSet<Holder>,
    /// Whether the host as a whole is gone: it agreed to give everything up when it cannot report for some time, and did not
    /// report for longer.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub host_is_gone: bool,
}

impl Facts {
    /// Nothing was observed but the time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }
}

/// The occupied ports of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<OccupiedPort>", into = "Vec<OccupiedPort>")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "Vec<OccupiedPort>")
)]
pub struct Occupancy {
    ports: PortSet,
    occupants: BTreeMap<Port, Occupant>,
}

impl Occupancy {
    /// Adds a port, and who is on it when that is known.
    pub fn insert(&mut self, port: Port, occupant: Option<Occupant>) {
        self.ports.insert(port);
        if let Some(occupant) = occupant {
            self.occupants.insert(port, occupant);
        }
    }

    /// The occupied ports.
    #[must_use]
    pub fn ports(&self) -> &PortSet {
        &self.ports
    }

    /// Who is on the port, when that is known.
    #[must_use]
    pub fn occupant(&self, port: Port) -> Option<&Occupant> {
        self.occupants.get(&port)
    }
}

/// A port that cannot be bound.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccupiedPort {
    /// The port.
    pub port: Port,
    /// Who is on it, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupant: Option<Occupant>,
}

impl From<Vec<OccupiedPort>> for Occupancy {
    fn from(entries: Vec<OccupiedPort>) -> Self {
        let mut occupancy = Self::default();
        for entry in entries {
            occupancy.insert(entry.port, entry.occupant);
        }
        occupancy
    }
}

impl From<Occupancy> for Vec<OccupiedPort> {
    fn from(mut occupancy: Occupancy) -> Self {
        let entry = |port| OccupiedPort {
            port,
            occupant: occupancy.occupants.remove(&port),
        };
        occupancy.ports.iter().map(entry).collect()
    }
}

/// Whoever is on a port at the operating system, as far as it could be told.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Occupant {
    /// The process or container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// The processes that started it, the nearest first: a dev server belongs to the lease of the
    /// command that started it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Holder>>", optional))]
    pub ancestors: Vec<Holder>,
    /// What people call it, such as `node` or the name of a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What a container does, in the words of its engine, such as `exited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Name>,
}

impl Occupant {
    /// Whether the occupant is this holder or was started by it.
    #[must_use]
    pub fn belongs_to(&self, holder: &Holder) -> bool {
        self.holder.as_ref() == Some(holder) || self.ancestors.contains(holder)
    }
}

impl fmt::Display for Occupant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.holder) {
            (Some(name), Some(Holder::Container(container))) => {
                write!(formatter, "container {name} ({}", container.engine)?;
                if let Some(state) = &self.state {
                    write!(formatter, ", {state}")?;
                }
                formatter.write_str(")")
            }
            (Some(name), Some(holder)) => write!(formatter, "{name} ({holder})"),
            (Some(name), None) => write!(formatter, "{name}"),
            (None, Some(holder)) => write!(formatter, "{holder}"),
            (None, None) => formatter.write_str("another program"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Container, Process};
    use alloc::string::ToString;

    fn check(holder: Option<Holder>, name: Option<&str>, state: Option<&str>, expected: &str) {
        let occupant = Occupant {
            holder,
            ancestors: Vec::new(),
            name: name.map(Name::literal),
            state: state.map(Name::literal),
        };
        assert_eq!(occupant.to_string(), expected);
    }

    #[test]
    fn an_occupant_is_told_as_what_it_is() {
        let container = Holder::Container(Container {
            engine: Name::literal("docker"),
            id: Name::literal("0123456789abcdef"),
        });
        let process = Holder::Process(Process {
            pid: 7,
            started: None,
            boot: None,
            namespace: None,
        });
        let (web, exited) = (Some("web-1"), Some("exited"));
        check(
            Some(container.clone()),
            web,
            exited,
            "container web-1 (docker, exited)",
        );
        check(
            Some(container.clone()),
            web,
            None,
            "container web-1 (docker)",
        );
        check(
            Some(container),
            None,
            exited,
            "docker container 0123456789ab",
        );
        check(Some(process), Some("node"), None, "node (pid 7)");
        check(None, None, None, "another program");
    }
}
