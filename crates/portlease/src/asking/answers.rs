//! What is answered, where the allocator itself has no type for it.

use std::collections::BTreeMap;

use portlease_core::{Explained, Granted, Name, Port, Trace};
use serde::Serialize;

/// A number, and what its user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberedPort {
    /// The port.
    pub port: Port,
    /// What the user should know, such as a variable that is no port.
    pub warnings: Vec<String>,
}

/// The ports of several services.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedPorts {
    /// The ports, by the names of the services.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, Port>"))]
    pub ports: BTreeMap<Name, Port>,
    /// What the user should know, such as a variable that is no port.
    pub warnings: Vec<String>,
}

/// What a wish would get, and why.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What it would get, or why nothing.
    #[serde(flatten)]
    pub explained: Explained,
    /// The reasons, port by port.
    pub trace: Trace,
}

/// The seats of a plan, taken.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfirmedPlan {
    /// One entry for each service, in the order of the plan.
    pub granted: Vec<Granted>,
}
