//! Who is on a port, as plain data.

use portlease_containers::ContainerDetails;
use portlease_core::{Container, Lease, Name, Port, Timestamp};
use portlease_probe::OccupantDetails;
use serde::{Deserialize, Serialize};

use crate::Who;

/// A port, who is on it and to whom it is leased, as it is written in JSON.
///
/// ```
/// # use portlease::{Allocator, Options, Registry};
/// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
/// use portlease::{PortPresence, core::Port};
///
/// let presence = PortPresence::from(allocator.who(Port::literal(3000))?);
/// assert_eq!(presence.port.get(), 3000);
/// # Ok::<(), portlease::Error>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortPresence {
    /// The port.
    pub port: Port,
    /// Everybody who is on it.
    pub occupants: Vec<ProgramOnPort>,
    /// The containers that publish it, that will when they are started, or in which somebody listens on it.
    #[serde(default)]
    pub containers: Vec<ContainerOnPort>,
    /// Its lease.
    pub lease: Option<Lease>,
}

/// A container that publishes a port.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerOnPort {
    /// Its identity.
    #[serde(flatten)]
    pub identity: Container,
    /// What people call it.
    pub name: Name,
    /// What it does, in the words of its engine: `running`, `paused`, `created`, `exited`.
    pub state: Name,
}

/// A program that is on a port. What could not be read is `null`: programs of other users show less of themselves.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgramOnPort {
    /// The number of its process.
    pub pid: Option<u32>,
    /// The name of the program, such as `node`.
    pub name: Option<String>,
    /// Its command line, word by word.
    pub command: Vec<String>,
    /// Its working directory.
    pub directory: Option<String>,
    /// The user under whom it runs: a name, or else a number.
    pub user: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Whether it listens on the port. Otherwise it is only bound to it, as a hold is.
    pub listens: bool,
}

impl From<Who> for PortPresence {
    fn from(who: Who) -> Self {
        Self {
            port: who.port,
            occupants: who.occupants.into_iter().map(Into::into).collect(),
            containers: who.containers.iter().map(|it| (&**it).into()).collect(),
            lease: who.lease,
        }
    }
}

impl From<&ContainerDetails> for ContainerOnPort {
    fn from(details: &ContainerDetails) -> Self {
        Self {
            identity: details.identity.clone(),
            name: details.name.clone(),
            state: details.state.clone(),
        }
    }
}

impl From<OccupantDetails> for ProgramOnPort {
    fn from(details: OccupantDetails) -> Self {
        let directory = details
            .directory
            .map(|path| path.to_string_lossy().into_owned());
        Self {
            pid: details.process.map(|process| process.pid),
            name: details.name,
            command: details.command,
            directory,
            user: details.user,
            started_at: details.started_at,
            listens: details.listens,
        }
    }
}
