//! What callers of other languages wish for, as JSON: the same through Node.js and HTTP.

use serde::Deserialize;

use portlease_core::{Capability, IfRunning, Strategy};

use crate::arguments::read_with;
use crate::config::ConfigError;
use crate::config::tree::{Node, Table, Value};
use crate::config::typed::typed;
use crate::{Error, PortVariable};

mod apply;
mod keys;
#[cfg(test)]
mod tests;
mod values;

pub use values::{HolderWish, PortNumber, PortsWish};

/// What a caller wishes: something about the request, something about its service or its services.
///
/// In JSON all of it stands side by side, in one object:
///
/// ```
/// use portlease::Wish;
///
/// let wish = Wish::read(r#"{"projectId": "shop", "service": "api", "framework": "node", "preferred": [4000]}"#)?;
/// let request = wish.reservation(None)?.build()?;
/// assert_eq!(&*request.project, "shop");
/// assert_eq!(request.services[0].preferred[0].get(), 4000);
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// What is said about the request as a whole.
    pub request: RequestWish,
    /// What is said about its only service.
    pub service: ServiceWish,
    /// What is said about each of its services, when there are several. They get their ports together or not at all.
    pub services: Option<Vec<ServiceWish>>,
}

/// What can be said about a request as a whole.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestWish {
    /// The project. Without it, it is the one that `cwd` belongs to.
    pub project_id: Option<String>,
    /// A folder of the project: its configuration holds, and shows the framework. Without it, it is the current folder,
    /// which is looked at only when there is no `projectId`.
    #[cfg_attr(feature = "typescript", ts(optional, type = "string | URL"))]
    pub cwd: Option<String>,
    /// The environment whose presets hold: `development` when nothing is said.
    pub profile: Option<String>,
    /// What happens when a wanted port belongs to another service.
    pub strategy: Option<Strategy>,
    /// Whether other services may be moved at all.
    pub auto_reassign: Option<bool>,
    /// How often another port is tried after a race for a granted one was lost.
    pub max_retries: Option<u16>,
    /// Ports that are not to be used: numbers, and ranges such as `"4000-4010"` or `[4000, 4010]`.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Iterable<PortsWish>"))]
    pub exclude: Option<Vec<PortsWish>>,
    /// The pool whose ports are wanted.
    pub pool: Option<String>,
    /// Give up the current ports and take others.
    pub force_new: Option<bool>,
    /// Decide from the registry alone, for another machine.
    pub skip_port_check: Option<bool>,
    /// What to do when another process runs the services.
    pub if_running: Option<IfRunning>,
    /// Who will listen: this process, another one, or nobody in particular.
    pub holder: Option<HolderWish>,
}

/// What can be said about one service.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceWish {
    /// The name of the service; `web` when nothing is said.
    #[serde(alias = "serviceName")]
    pub service: Option<String>,
    /// The framework, by a name that is known.
    pub framework: Option<String>,
    /// The framework that the caller thinks it is. A name that nobody knows says nothing.
    pub detected_framework: Option<String>,
    /// The kind of project as its tools call it, such as `nextjs`. A name that nobody knows says nothing.
    pub project_type: Option<String>,
    /// The command that starts the dev server. Scripts are looked up in the folder of the project.
    pub run_command: Option<String>,
    /// This port or none.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Port"))]
    pub port: Option<PortNumber>,
    /// Ports to try first, in this order. They may lie outside the range.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Iterable<Port>"))]
    pub preferred: Option<Vec<PortNumber>>,
    /// The first port of the range, in place of the framework's. Without `maxPort` it has 101 ports.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Port"))]
    pub base_port: Option<PortNumber>,
    /// The last port of the range.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Port"))]
    pub max_port: Option<PortNumber>,
    /// Where the search of the range starts, when not at a remembered port or the default.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Port"))]
    pub start_port: Option<PortNumber>,
    /// The kind of service whose range it has in the profile, such as `apiServer`.
    pub preset: Option<String>,
    /// Ranges to go on with when the own one is full, in this order, such as `"4000-4999"` or `[4000, 4999]`.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Iterable<PortsWish>"))]
    pub spillover: Option<Vec<PortsWish>>,
    /// The range for the case that all others are full.
    pub emergency: Option<PortsWish>,
    /// Services of higher priority are served first. Without it, it is 0.
    pub priority: Option<i32>,
    /// What the service speaks: it chooses the URL's scheme and the health check.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Iterable<Capability>"))]
    pub requires: Option<Vec<Capability>>,
    /// Services of the project that must not share its port.
    #[cfg_attr(feature = "typescript", ts(optional, type = "Iterable<string>"))]
    pub conflicts: Option<Vec<String>>,
    /// The service of the project whose port this one takes, instead of one of its own.
    pub inherit_from: Option<String>,
    /// The environment variable whose port comes before all others, if it is free. A value that is no port is a warning.
    #[cfg_attr(
        feature = "typescript",
        ts(optional, type = "string | { name: string; value?: string }")
    )]
    pub env_var: Option<VariableWish>,
}

/// An environment variable, with the value that the caller has for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariableWish {
    /// Its name.
    pub name: String,
    /// Its value, when it is set.
    #[serde(default)]
    pub value: Option<String>,
}

/// The key under which several services stand.
const SERVICES: &str = "services";

impl Wish {
    /// Reads a wish. What is wrong with it is told with its place.
    pub fn read(json: &str) -> Result<Self, Error> {
        read_with(json, Self::of)
    }

    /// The keys are of two types, which a caller need not know: each type gets its own.
    fn of(node: &Node) -> Result<Self, ConfigError> {
        let Some(table) = node.table() else {
            return Ok(Self {
                request: typed(node)?,
                ..Self::default()
            });
        };
        let of_request = keys::of::<RequestWish>();
        let of_service = keys::of::<ServiceWish>();
        let known = || of_request.iter().chain(of_service).chain([&SERVICES]);
        if let Some((key, entry)) = table
            .iter()
            .find(|(key, _)| !known().any(|known| known == key))
        {
            let error = ConfigError::unknown("key", key, known().copied());
            return Err(error.at(&entry.key));
        }
        let services = table.get(SERVICES);
        Ok(Self {
            request: typed(&part(node, table, of_request))?,
            service: typed(&part(node, table, of_service))?,
            services: services.map(|entry| typed(&entry.node)).transpose()?,
        })
    }
}

fn part(node: &Node, table: &Table, keys: &[&str]) -> Node {
    let own = table
        .iter()
        .filter(|(key, _)| keys.contains(&key.as_str()))
        .map(|(key, entry)| (key.clone(), entry.clone()));
    Node {
        value: Value::Table(own.collect()),
        origin: node.origin.clone(),
    }
}

impl From<&VariableWish> for PortVariable {
    fn from(wish: &VariableWish) -> Self {
        Self::new(&wish.name, wish.value.clone())
    }
}
