//! What can be configured. These types are the only definition: TOML, JSON and the schema follow from them.

use indexmap::IndexMap;
use portlease_core::{Capability, IfRunning, Name, Port, Strategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{self, Excluded, Range, VariableName};

/// Configuration of Portlease: portlease.toml, or the key "portlease" of package.json.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The name of the project. Without it, it is the path of the project's root.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub project: Option<Name>,
    /// Where the leases are kept: `sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `memory:`. A path is relative to the file that names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The name of this machine in a registry that many share. Without it, it is the machine's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub host: Option<Name>,
    /// The environment whose presets and whose part of `profiles` hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub profile: Option<Name>,
    /// Whether containers of the project itself that are on its ports are stopped and removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaim: Option<bool>,
    /// What happens when a wanted port belongs to another service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "values::choice::<Strategy>")]
    pub strategy: Option<Strategy>,
    /// Whether other services may be moved at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_reassign: Option<bool>,
    /// How often another port is tried after a race for a granted one was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u16>,
    /// What `run` does when another process runs the project already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "values::choice::<IfRunning>")]
    pub if_running: Option<IfRunning>,
    /// How long a server may take to listen, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// How long a command may take to end before it is killed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<u32>,
    /// The pool whose ports are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub pool: Option<Name>,
    /// Ports that are not to be used: numbers and ranges such as "4000-4010".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<Excluded>>,
    /// The services of the project, by name. The first one is the one that the command of `run` serves.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<String, ServiceSettings>")]
    pub services: IndexMap<Name, ServiceSettings>,
    /// Frameworks of one's own, and other ports for known ones, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<String, FrameworkSettings>")]
    pub frameworks: IndexMap<Name, FrameworkSettings>,
    /// Named ranges that share no port, for one team each. Their ports are only for those who ask for the pool.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<String, Range>")]
    pub pools: IndexMap<Name, Range>,
    /// The ranges of kinds of services, by profile and kind.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<String, IndexMap<String, Range>>")]
    pub presets: IndexMap<Name, IndexMap<Name, Range>>,
    /// What holds instead of the above when a profile is chosen, by its name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<String, Settings>")]
    pub profiles: IndexMap<Name, Settings>,
}

/// A service of the project. Its ports are in the range of its framework, unless one of `range`, `basePort` with or without
/// `maxPort`, and `preset` says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// The framework that serves it. Without it, it is found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub framework: Option<Name>,
    /// Ports to try first, in this order. They may lie outside the range.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "values::ports")]
    pub preferred: Vec<Port>,
    /// The range, such as "4000-4100".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The first port of the range. Without `maxPort` it has 101 ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "values::port")]
    pub base_port: Option<Port>,
    /// The last port of the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "values::port")]
    pub max_port: Option<Port>,
    /// The kind of service whose range it has in the profile, such as "apiServer".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub preset: Option<Name>,
    /// Ranges to go on with when the own one is full, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spillover: Vec<Range>,
    /// The range for the case that all others are full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Range>,
    /// Services of higher priority are served first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// What the service speaks: it chooses the URL's scheme and the health check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "values::choice_list::<Capability>")]
    pub requires: Vec<Capability>,
    /// Services of the project that must not share its port.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub conflicts: Vec<Name>,
    /// The service of the project whose port this one takes, instead of one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub inherit_from: Option<Name>,
    /// The environment variable that tells `run`'s command the port: `PORT` for the first service, `API_PORT` for a further one named `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<VariableName>,
}

/// A framework: its ports and its other names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FrameworkSettings {
    /// The range that its projects share. Without it, it is the default port and the 100 after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The port that is tried first. Without it, it is the first one of the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "values::port")]
    pub default: Option<Port>,
    /// Other names by which it can be asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub aliases: Vec<Name>,
}
