//! What containers have to do with leases: they claim ports, and leases can belong to them.

use std::sync::Arc;

use portlease_containers::{ContainerDetails, Look};
use portlease_core::{Facts, Holder, Lease, Leases, Name, PortSet, Refusal, Renew};
use portlease_probe::OccupantDetails;

use crate::Error;
use crate::allocator::Inner;

/// The label by which a container says which project it belongs to.
pub const PROJECT_LABEL: &str = "portlease.project";
/// The label by which Docker Compose and Podman's say which folder a container was started from.
const COMPOSE_FOLDER_LABEL: &str = "com.docker.compose.project.working_dir";

/// Adds which of the ports containers claim. A stopped container of the project itself waits for its port, which is no reason
/// to give the project another one.
pub(crate) fn claim(facts: &mut Facts, look: &Look, ports: &PortSet, project: &Name) {
    add(facts, look, ports, |it| {
        it.is_running() || !is_of(it, project)
    });
}

/// Adds which of the ports containers of others claim.
pub(crate) fn claim_by_others(facts: &mut Facts, look: &Look, ports: &PortSet, project: &Name) {
    add(facts, look, ports, |it| !is_of(it, project));
}

/// Adds which of the ports any containers claim.
pub(crate) fn claim_by_anybody(facts: &mut Facts, look: &Look, ports: &PortSet) {
    add(facts, look, ports, |_| true);
}

/// Adds which of the ports running containers are on.
pub(crate) fn occupy(facts: &mut Facts, look: &Look, ports: &PortSet) {
    add(facts, look, ports, ContainerDetails::is_running);
}

fn add(
    facts: &mut Facts,
    look: &Look,
    ports: &PortSet,
    is_meant: impl Fn(&ContainerDetails) -> bool,
) {
    let mut claimed = look.ports().clone();
    claimed &= ports;
    for port in &claimed {
        let mut containers = look.on(port).iter();
        if let Some(container) = containers.find(|container| is_meant(container)) {
            facts.occupied.insert(port, Some(container.occupant()));
        }
    }
}

/// Adds which containers that leases belong to are gone. What the look cannot know of counts as alive: a lease that came to its
/// container since then.
pub(crate) fn sight(facts: &mut Facts, look: &Look, leases: &Leases) {
    for lease in leases.iter() {
        for holder in lease.parties() {
            if let Holder::Container(container) = holder
                && look.is_removed(container)
                && lease.renewed_at < look.began_at()
            {
                facts.dead.insert(holder.clone());
            }
        }
    }
}

/// Passes leases that were granted on behalf of others on to the containers that were made for their ports.
pub(crate) fn adopt(inner: &Inner, look: &Look, leases: &Leases) -> Result<(), Error> {
    let is_nobodys = |lease: &&Lease| lease.parties().next().is_none();
    for lease in leases.iter().filter(is_nobodys) {
        let inside = inner.observer.listening_inside(look, lease.port);
        let mut containers = look.on(lease.port).iter().chain(&inside);
        let Some(container) = containers.find(|container| is_made_after(container, lease)) else {
            continue;
        };
        let renewed = inner.renew(&Renew {
            key: lease.key.clone(),
            generation: lease.generation,
            holder: Some(Holder::Container(container.identity.clone())),
        });
        match renewed {
            Ok(_) => inner.steps.tell(format_args!(
                "{}: {container} has port {}",
                lease.key, lease.port
            )),
            // It changed hands since it was looked at.
            Err(Error::Refused(Refusal::NotOwner(_) | Refusal::LeaseNotFound { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The container in which whoever is on a port runs.
pub(crate) fn running<'a>(
    look: &'a Look,
    details: &OccupantDetails,
) -> Option<&'a Arc<ContainerDetails>> {
    look.with_id(details.container.as_deref()?)
}

/// The container that was made for the port of the lease, as far as anybody can tell.
pub(crate) fn made_for(inner: &Inner, look: &Look, lease: &Lease) -> Option<Arc<ContainerDetails>> {
    let is_meant =
        |it: &&Arc<ContainerDetails>| is_made_after(it, lease) || is_of(it, &lease.key.project);
    let published = look.on(lease.port).iter().find(is_meant).cloned();
    let inside = || {
        let found = inner.observer.listening_inside(look, lease.port);
        found.iter().find(is_meant).cloned()
    };
    published.or_else(inside)
}

/// Whether a container may yet turn out to be made for the port of the lease.
pub(crate) fn may_be_made_for(inner: &Inner, look: &Look, lease: &Lease) -> bool {
    let mut containers = look.containers().iter();
    made_for(inner, look, lease).is_some()
        || containers.any(|it| !it.is_clear && is_made_after(it, lease))
}

/// Whether the container says by its labels that it belongs to the project.
pub(crate) fn is_of(container: &ContainerDetails, project: &Name) -> bool {
    [PROJECT_LABEL, COMPOSE_FOLDER_LABEL]
        .iter()
        .any(|label| container.labels.get(*label).map(String::as_str) == Some(project.as_str()))
}

/// Whether the container was made when the port was leased already. Engines tell the time to the second.
fn is_made_after(container: &ContainerDetails, lease: &Lease) -> bool {
    let second = lease.granted_at.as_millis() / 1_000;
    container
        .created_at
        .is_some_and(|created| created.as_millis() / 1_000 >= second)
}
