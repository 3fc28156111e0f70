//! What a look at all engines saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portlease_core::{Container, Name, Port, PortSet, Timestamp};

use crate::container::ContainerDetails;
use crate::fault::Fault;

/// All containers of the machine, as far as its engines told.
#[derive(Debug, Clone, Default)]
pub struct Look {
    containers: Vec<Arc<ContainerDetails>>,
    ports: PortSet,
    by_port: BTreeMap<Port, Vec<Arc<ContainerDetails>>>,
    answered: BTreeSet<Name>,
    faults: Vec<Fault>,
    began_at: Timestamp,
}

impl Look {
    pub(crate) fn new(
        containers: Vec<Arc<ContainerDetails>>,
        answered: BTreeSet<Name>,
        faults: Vec<Fault>,
        began_at: Timestamp,
    ) -> Self {
        let mut look = Self {
            containers,
            answered,
            faults,
            began_at,
            ..Self::default()
        };
        for container in &look.containers {
            let ports = container.ports();
            for port in &ports {
                let claims = look.by_port.entry(port).or_default();
                claims.push(Arc::clone(container));
            }
            look.ports |= &ports;
        }
        // Of several, the one that runs is the one to tell of.
        for claims in look.by_port.values_mut() {
            claims.sort_by_key(|container| !container.is_running());
        }
        look
    }

    /// All containers.
    pub fn containers(&self) -> &[Arc<ContainerDetails>] {
        &self.containers
    }

    /// The ports of TCP that containers have or will get when they are started.
    pub fn ports(&self) -> &PortSet {
        &self.ports
    }

    /// The containers that publish the port, those that run before the others.
    pub fn on(&self, port: Port) -> &[Arc<ContainerDetails>] {
        self.by_port.get(&port).map_or(&[], Vec::as_slice)
    }

    /// The container with this id, of whichever engine.
    pub fn with_id(&self, id: &str) -> Option<&Arc<ContainerDetails>> {
        self.containers
            .iter()
            .find(|container| &*container.identity.id == id)
    }

    /// Whether the container was removed: its engine answered, and did not name it.
    pub fn is_removed(&self, container: &Container) -> bool {
        self.answered.contains(&container.engine)
            && !self
                .containers
                .iter()
                .any(|known| known.identity == *container)
    }

    /// Whether this engine answered.
    pub fn answered(&self, engine: &str) -> bool {
        self.answered.contains(engine)
    }

    /// When it began: it says nothing about what was made since then.
    pub fn began_at(&self) -> Timestamp {
        self.began_at
    }

    /// Whether no engine answered.
    pub fn knows_nobody(&self) -> bool {
        self.answered.is_empty()
    }

    /// Engines that could not tell.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}
