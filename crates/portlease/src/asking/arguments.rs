//! What is asked with, apart from wishes and plans.

use portlease_core::{Generation, Host, Name, PortNumber, PortsWish};
use serde::Deserialize;

/// A port, and an address on which it has to be free, too.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Availability {
    /// The port.
    #[serde(default = "nothing")]
    pub port: PortNumber,
    /// The address.
    #[serde(default)]
    pub host: Option<String>,
}

/// A project, and a port for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectPort {
    /// The project.
    pub project_id: String,
    /// The port.
    #[serde(default = "nothing")]
    pub port: PortNumber,
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfProject {
    /// Its name.
    pub project_id: String,
}

/// An application that runs in a container.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// Its name.
    pub app_id: String,
    /// Whether it gives up its port and takes another.
    #[serde(default)]
    pub force_new: Option<bool>,
}

/// A project, or all of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selection {
    /// The project.
    pub project_id: Option<String>,
}

/// A host.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfHost {
    /// Its name, as the list of hosts has it.
    pub host: Host,
}

/// A host, and how long its runner may take.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnHost {
    /// Its name, as the list of hosts has it.
    pub host: Host,
    /// How long its runner may take, in milliseconds; 20,000 when nothing is said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "u32", range(max = 20_000)))]
    pub timeout: Option<u32>,
}

/// How long a runner may take.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Patience {
    /// How long it may take, in milliseconds; 20,000 when nothing is said.
    #[cfg_attr(feature = "schema", schemars(with = "u32", range(max = 20_000)))]
    pub timeout: Option<u32>,
}

/// A project on a host, or all of either.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Everywhere {
    /// The host.
    pub host: Option<Host>,
    /// The project.
    pub project_id: Option<String>,
}

/// A port.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfPort {
    /// Its number.
    #[serde(default = "nothing")]
    pub port: PortNumber,
}

/// A lease whose server listens.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirmation {
    /// The project.
    pub project: Name,
    /// The service of the project.
    pub service: Name,
    /// The instance; the first when nothing is said.
    #[serde(default)]
    pub instance: Option<u32>,
    /// The generation of the lease.
    pub generation: Generation,
    /// The process that listens, when it is not the holder.
    #[serde(default)]
    pub pid: Option<u32>,
    /// The port on which it listens, when it is not the leased one.
    #[serde(default)]
    pub port: Option<PortNumber>,
}

/// A lease that is still in use.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Renewal {
    /// The project.
    pub project: Name,
    /// The service of the project.
    pub service: Name,
    /// The instance; the first when nothing is said.
    #[serde(default)]
    pub instance: Option<u32>,
    /// The generation of the lease.
    pub generation: Generation,
    /// The process that it passes on to.
    #[serde(default)]
    pub pid: Option<u32>,
}

/// Leases to give back.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Releasing {
    /// The project.
    pub project: Name,
    /// The service; all of the project when nothing is said.
    #[serde(default)]
    pub service: Option<Name>,
    /// The instance; all of them when nothing is said.
    #[serde(default)]
    pub instance: Option<u32>,
    /// The generation of the lease. It proves that the caller knows which lease it gives back.
    #[serde(default)]
    pub generation: Option<Generation>,
    /// Also what belongs to another process that runs.
    #[serde(default)]
    pub force: Option<bool>,
}

/// For how many days nobody may have used a lease of nobody.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Abandoned {
    /// The days; only leases whose owners are gone end when nothing is said.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub days: Option<f64>,
}

/// Which ranges to count in, and how many ports to name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Counting {
    /// The ranges; those of the frameworks when nothing is said.
    pub ranges: Option<Vec<PortsWish>>,
    /// How many of the busiest and least used ports.
    pub top: Option<u32>,
}

/// What is said when there is nothing to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which servers to ask, and what.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Checkup {
    /// Their ports; all that are leased when nothing is said.
    pub ports: Option<Vec<PortNumber>>,
    /// The project whose leases are meant.
    pub project_id: Option<String>,
    /// The path to ask for by HTTP.
    pub path: Option<String>,
    /// How long a server may take, in milliseconds.
    pub timeout: Option<u32>,
}

/// What stands where a port should be said.
fn nothing() -> PortNumber {
    PortNumber::missing()
}
