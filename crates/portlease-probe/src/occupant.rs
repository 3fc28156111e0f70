//! Sockets, and the processes that they belong to.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use portlease_core::{Holder, Name, Occupant, Port, Process, Timestamp};

/// A TCP socket that listens on a port or is bound to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// The port.
    pub port: Port,
    /// The address. `::` may stand for IPv4 as well.
    pub address: IpAddr,
    /// Whether it listens. Otherwise it is only bound, which occupies the port all the same.
    pub listens: bool,
    /// The number of its file, where the system has such (Linux).
    pub inode: Option<u32>,
    /// The number of the user whom it belongs to, where sockets have one (Linux).
    pub user_id: Option<u32>,
}

/// Whoever is on a port, with all that can be told about them. What could not be read is absent:
/// the processes of other users show less of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OccupantDetails {
    /// The process. Absent when it belongs to somebody whose files cannot be read.
    pub process: Option<Process>,
    /// The processes that started it, the nearest first.
    pub ancestors: Vec<Process>,
    /// The name of its program, such as `node`.
    pub name: Option<String>,
    /// Its command line, word by word.
    pub command: Vec<String>,
    /// Its working directory.
    pub directory: Option<PathBuf>,
    /// The user under whom it runs: a name, or else a number.
    pub user: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// The id of the container in which it runs (Linux).
    pub container: Option<String>,
    /// Whether it listens on the port. Otherwise it is only bound to it, as a hold is.
    pub listens: bool,
}

/// Everybody who is on each of several ports.
pub type Occupants = BTreeMap<Port, Vec<OccupantDetails>>;

impl From<OccupantDetails> for Occupant {
    /// What a decision needs to know.
    ///
    /// ```
    /// use portlease_core::Occupant;
    /// use portlease_probe::OccupantDetails;
    ///
    /// let details = OccupantDetails { name: Some("node".to_owned()), ..OccupantDetails::default() };
    /// assert_eq!(Occupant::from(details).to_string(), "node");
    /// ```
    fn from(details: OccupantDetails) -> Self {
        Self {
            holder: details.process.map(Holder::Process),
            ancestors: details.ancestors.into_iter().map(Holder::Process).collect(),
            name: details.name.and_then(|name| name.parse::<Name>().ok()),
            state: None,
        }
    }
}
