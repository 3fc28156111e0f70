//! Where a planner elsewhere seated the services of a request.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Generation, LeaseKey, Leases, Name, Port, Reserved};

/// Where the services of a request are to sit, as somebody decided who does not see the machine.
///
/// A [`Request`](crate::Request) that carries it is granted these seats or none: nobody else is moved,
/// and no lease is touched that came or changed since the plan was made.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// The instance of the project.
    pub instance: u32,
    /// A seat for every service.
    pub seats: Vec<Seat>,
    /// The leases of others that make way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Displacement>>", optional))]
    pub displaced: Vec<Displacement>,
}

/// The port that a planner chose for a service.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// The service.
    pub service: Name,
    /// Its port.
    pub port: Port,
    /// The lease that the service had as far as the planner knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Generation>,
}

/// A lease that makes way by plan.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Displacement {
    /// Which lease.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// Its generation as far as the planner knew.
    pub generation: Generation,
    /// Where it goes; absent when it has nowhere to go and ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Port>,
}

impl Planned {
    /// The seats that were decided on these leases.
    pub(crate) fn of(reserved: &Reserved, leases: &Leases) -> Self {
        let seat = |granted: &crate::Granted| {
            let key = LeaseKey {
                project: granted.lease.key.project.clone(),
                service: granted.service.clone(),
                instance: reserved.instance,
            };
            Seat {
                service: granted.service.clone(),
                port: granted.port(),
                replaces: leases
                    .get(&key)
                    .filter(|lease| lease.key == key)
                    .map(|lease| lease.generation),
            }
        };
        let displacement = |it: &crate::Move| {
            // A service that shared the port of a lease moves with it.
            let lease = leases.get(&it.key).filter(|lease| lease.key == it.key)?;
            Some(Displacement {
                key: it.key.clone(),
                generation: lease.generation,
                to: it.to,
            })
        };
        Self {
            instance: reserved.instance,
            seats: reserved.services.iter().map(seat).collect(),
            displaced: reserved.moves.iter().filter_map(displacement).collect(),
        }
    }

    pub(crate) fn seat(&self, service: &Name) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.service == *service)
    }

    pub(crate) fn displacement(&self, key: &LeaseKey) -> Option<&Displacement> {
        self.displaced.iter().find(|it| it.key == *key)
    }

    /// All ports that are planned for somebody.
    pub(crate) fn ports(&self) -> impl Iterator<Item = Port> {
        let seats = self.seats.iter().map(|seat| seat.port);
        seats.chain(self.displaced.iter().filter_map(|it| it.to))
    }
}
