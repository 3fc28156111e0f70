//! The run that this process is part of.

use std::collections::BTreeMap;

use portlease_core::{Name, Port, Process, Request};
use portlease_probe::identity;
use serde::{Deserialize, Serialize};

/// What a process that leases ports for others tells them in the variable [`VARIABLE`](Self::VARIABLE):
/// whoever is started by it and wants the same port for the same service of the same project has it
/// already, and leases none.
///
/// ```
/// use portlease::{OuterRun, Reservation};
/// use portlease::core::Port;
///
/// let run = OuterRun::of_this_process("shop".parse()?, [("web".parse()?, Port::literal(3000))]);
/// let told = run.to_string();
///
/// let run: OuterRun = serde_json::from_str(&told)?;
/// let request = Reservation::of("shop").service("web").build()?;
/// assert_eq!(run.ports_of(&request).unwrap()["web"].get(), 3000);
/// let request = Reservation::of("blog").service("web").build()?;
/// assert_eq!(run.ports_of(&request), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OuterRun {
    project: Name,
    ports: BTreeMap<Name, Port>,
    process: Process,
}

impl OuterRun {
    /// The name of the variable.
    pub const VARIABLE: &str = "PORTLEASE_RUN";

    /// The run that this process begins, with the ports of its services.
    pub fn of_this_process(project: Name, ports: impl IntoIterator<Item = (Name, Port)>) -> Self {
        Self {
            project,
            ports: ports.into_iter().collect(),
            process: identity::this_process(),
        }
    }

    /// The run that started this process.
    pub fn current() -> Option<Self> {
        Self::read(&std::env::var(Self::VARIABLE).ok()?)
    }

    /// The run that the variable tells of. One that has ended does not count: a terminal that was
    /// opened from it has the variable still.
    pub fn read(told: &str) -> Option<Self> {
        let run: Self = serde_json::from_str(told).ok()?;
        let has_ended = run.process.has_ended(&identity::sight(&run.process));
        (!has_ended).then_some(run)
    }

    /// The port of a service, if the run has one for it.
    pub fn port_of(&self, project: &Name, service: &Name) -> Option<Port> {
        let port = self.ports.get(service)?;
        (self.project == *project).then_some(*port)
    }

    /// The ports of the services that are requested, if the run has one for each of them.
    pub fn ports_of(&self, request: &Request) -> Option<BTreeMap<Name, Port>> {
        let port =
            |service: &Name| Some((service.clone(), self.port_of(&request.project, service)?));
        let services = request.services.iter();
        services.map(|service| port(&service.name)).collect()
    }
}

impl std::fmt::Display for OuterRun {
    /// As the variable has it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = serde_json::to_string(self).map_err(|_| std::fmt::Error)?;
        formatter.write_str(&told)
    }
}
