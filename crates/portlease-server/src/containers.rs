//! Containers, as others ask about them.

use portlease::Error;
use portlease::core::{Holder, Lease, Port};

use crate::server::Service;
use crate::views::ContainerInfo;

/// Whether a container runs and which port it has. It is named by its id or the beginning of it, by its name, or by the project of
/// the lease that it has or waits for.
pub(crate) fn info(service: &Service, name: &str) -> Result<ContainerInfo, Error> {
    /// As much of an id as engines show.
    const SHORTEST_ID: usize = 12;
    let look = service.desk.allocator().containers();
    let leases = match name.parse() {
        Ok(project) => service.desk.allocator().list(Some(&project))?,
        Err(_) => Vec::new(),
    };
    let is_id = |id: &str| id == name || (name.len() >= SHORTEST_ID && id.starts_with(name));
    let is_named = |it: &&std::sync::Arc<portlease::engines::ContainerDetails>| {
        is_id(&it.identity.id) || it.name.as_str() == name
    };
    let of_lease = |lease: &Lease| {
        let held = lease.parties().find_map(|holder| match holder {
            Holder::Container(container) => look.with_id(&container.id),
            Holder::Process(_) => None,
        });
        held.or_else(|| look.on(lease.port).first()).cloned()
    };
    let named = look.containers().iter().find(is_named).cloned();
    let container = named.or_else(|| leases.iter().find_map(of_lease));
    let leased = || -> Option<Port> { leases.first().map(|lease| lease.port) };
    Ok(match container {
        Some(container) => ContainerInfo {
            is_running: container.is_running(),
            port: container.ports().iter().next().or_else(leased),
        },
        None => ContainerInfo {
            is_running: false,
            port: leased(),
        },
    })
}
