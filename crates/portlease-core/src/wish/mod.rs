//! What callers of other languages wish for, as JSON: the same through Node.js, HTTP and in a browser.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::slice;

use serde::de;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use crate::reading::{self, InvalidArgument, Problem, Step, Tree as _, View, read, read_keys};
use crate::{Capability, IfRunning, Refusal, Strategy};

mod apply;
mod draft;
mod error;
mod keys;
mod plan;
#[cfg(test)]
mod tests;
mod values;
mod variable;

pub use apply::check_framework;
pub use draft::{RequestDraft, ServiceDraft};
pub use error::{InvalidWish, UnknownPreset};
pub use values::{HolderWish, PortNumber, PortsWish};
pub use variable::{UnusableVariable, VariableWish};

/// What a caller wishes: something about the request, something about its service or its services.
///
/// In JSON all of it stands side by side, in one object:
///
/// ```
/// use portlease_core::{HostSettings, Wish};
///
/// let wish = Wish::read(r#"{"projectId": "shop", "service": "api", "framework": "node", "preferred": [4000]}"#)?;
/// let request = wish.request(&HostSettings::default())?;
/// assert_eq!(&*request.project, "shop");
/// assert_eq!(request.services[0].preferred[0].get(), 4000);
/// # Ok::<(), portlease_core::InvalidWish>(())
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestWish {
    /// The project. Without it, it is the one that `cwd` belongs to.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::Name>"))]
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
    /// Stop and remove containers of the project itself that are on its ports. Without it, it is what the configuration and
    /// `AUTO_KILL_PORT` say.
    pub reclaim: Option<bool>,
    /// What to do when another process runs the services.
    pub if_running: Option<IfRunning>,
    /// Who will listen: this process, another one, or nobody in particular.
    pub holder: Option<HolderWish>,
}

/// What can be said about one service.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// The key under which several services stand.
const SERVICES: &str = "services";

impl Wish {
    /// Reads a wish. What is wrong with it is told with its place.
    pub fn read(json: &str) -> Result<Self, InvalidArgument> {
        Self::of(&reading::json(json)?)
    }

    pub(crate) fn of(json: &Json) -> Result<Self, InvalidArgument> {
        let wish = match json.view() {
            View::Table(_) => Self::of_table(json),
            _ => read(json).map(|request| Self {
                request,
                ..Self::default()
            }),
        };
        wish.map_err(|problem| reading::place(&problem, json))
    }

    /// The keys are of two types, which a caller need not know: each type gets its own.
    fn of_table(json: &Json) -> Result<Self, Problem> {
        let of_request = keys::of::<RequestWish>();
        let of_service = keys::of::<ServiceWish>();
        let known = || of_request.iter().chain(of_service).chain([&SERVICES]);
        let mut keys = json.as_object().into_iter().flat_map(Map::keys);
        if let Some(key) = keys.find(|key| !known().any(|known| known == key)) {
            let problem = Problem::unknown("key", key, known().copied());
            return Err(problem.below(Step::Key(key.clone())));
        }
        let services = json.get(SERVICES).map(read).transpose();
        Ok(Self {
            request: read_keys(json, of_request)?,
            service: read_keys(json, of_service)?,
            services: services.map_err(|problem| problem.below(Step::Value(SERVICES.into())))?,
        })
    }

    /// The folder that tells what is not said; none when the caller names a project and no folder.
    #[must_use]
    pub fn folder(&self) -> Option<&str> {
        match (&self.request.cwd, &self.request.project_id) {
            (Some(folder), _) => Some(folder),
            (None, None) => Some("."),
            (None, Some(_)) => None,
        }
    }

    /// What is said about each service.
    pub fn each(&self) -> Result<&[ServiceWish], Refusal> {
        match self.services.as_deref() {
            Some([]) => Err(Refusal::NoServices),
            Some(services) => Ok(services),
            None => Ok(slice::from_ref(&self.service)),
        }
    }

    /// Where in the wish a service stands, as the beginning of a path.
    #[must_use]
    pub fn place(&self, index: usize) -> String {
        match self.services {
            Some(_) => format!("{SERVICES}[{index}]."),
            None => String::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Wish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::of(&json).map_err(de::Error::custom)
    }
}
