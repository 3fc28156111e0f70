//! What the calls take, apart from wishes.

use portlease::core::{Generation, Name};
use portlease::{PortNumber, PortsWish};
use serde::Deserialize;

/// A port, and an address on which it has to be free, too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Availability {
    #[serde(default = "nothing")]
    pub(crate) port: PortNumber,
    #[serde(default)]
    pub(crate) host: Option<String>,
}

/// A project, and a port for it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProjectPort {
    pub(crate) project_id: String,
    #[serde(default = "nothing")]
    pub(crate) port: PortNumber,
}

/// A project.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfProject {
    pub(crate) project_id: String,
}

/// An application that runs in a container.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Application {
    pub(crate) app_id: String,
    #[serde(default)]
    pub(crate) force_new: Option<bool>,
}

/// A project, or all of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Selection {
    pub(crate) project_id: Option<String>,
}

/// A port.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfPort {
    #[serde(default = "nothing")]
    pub(crate) port: PortNumber,
}

/// A lease whose server listens.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Confirmation {
    pub(crate) project: Name,
    pub(crate) service: Name,
    #[serde(default)]
    pub(crate) instance: Option<u32>,
    pub(crate) generation: Generation,
    #[serde(default)]
    pub(crate) pid: Option<u32>,
    #[serde(default)]
    pub(crate) port: Option<PortNumber>,
}

/// Leases to give back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Releasing {
    pub(crate) project: Name,
    #[serde(default)]
    pub(crate) service: Option<Name>,
    #[serde(default)]
    pub(crate) instance: Option<u32>,
    #[serde(default)]
    pub(crate) generation: Option<Generation>,
    #[serde(default)]
    pub(crate) force: Option<bool>,
}

/// For how many days nobody may have used a lease of nobody.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Abandoned {
    pub(crate) days: Option<f64>,
}

/// Which ranges to count in, and how many ports to name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) ranges: Option<Vec<PortsWish>>,
    pub(crate) top: Option<u32>,
}

/// What is said when there is nothing to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Which servers to ask, and what.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct Checkup {
    pub(crate) ports: Option<Vec<PortNumber>>,
    pub(crate) project_id: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) timeout: Option<u32>,
}

/// What stands where a port should be said.
fn nothing() -> PortNumber {
    PortNumber::missing()
}
