//! Which service's port each service of a request has in the end.

use alloc::vec::Vec;

use crate::{Lease, LeaseKey, Leases, Name, Refusal, Request, Service};

/// Where the port of a service that inherits comes from.
#[derive(Clone, Copy)]
pub(super) enum Root<'a> {
    /// The service of the request at this index.
    Service(usize),
    /// A lease of the project that is not part of the request.
    Lease(&'a Lease),
}

/// For each service of the request the root of its inheritance; `None` for those with a port of
/// their own.
pub(super) fn roots<'a>(
    leases: &'a Leases,
    request: &Request,
    instance: u32,
) -> Result<Vec<Option<Root<'a>>>, Refusal> {
    let root = |service: &Service| match &service.inherit_from {
        Some(parent) => root(leases, request, instance, service, parent).map(Some),
        None => Ok(None),
    };
    request.services.iter().map(root).collect()
}

fn root<'a>(
    leases: &'a Leases,
    request: &Request,
    instance: u32,
    service: &Service,
    parent: &Name,
) -> Result<Root<'a>, Refusal> {
    let mut path = alloc::vec![service.name.clone()];
    let mut name = parent.clone();
    loop {
        if let Some(start) = path.iter().position(|visited| *visited == name) {
            return Err(Refusal::DependencyCycle {
                services: path.split_off(start),
            });
        }
        let in_request = request
            .services
            .iter()
            .position(|service| service.name == name);
        let next = match in_request {
            Some(index) => match &request.services[index].inherit_from {
                Some(next) => next.clone(),
                None => return Ok(Root::Service(index)),
            },
            None => {
                let key = LeaseKey {
                    project: request.project.clone(),
                    service: name.clone(),
                    instance,
                };
                let lease = leases
                    .get(&key)
                    .ok_or_else(|| unknown(leases, request, &path, &name))?;
                if !request
                    .services
                    .iter()
                    .any(|service| service.name == lease.key.service)
                {
                    return Ok(Root::Lease(lease));
                }
                lease.key.service.clone()
            }
        };
        path.push(name);
        name = next;
    }
}

fn unknown(leases: &Leases, request: &Request, path: &[Name], unknown: &Name) -> Refusal {
    let service = path.last().cloned().unwrap_or_else(|| unknown.clone());
    let requested = request.services.iter().map(|service| service.name.clone());
    let leased = leases
        .of_project(&request.project)
        .map(|lease| lease.key.service.clone());
    let mut known: Vec<Name> = requested
        .chain(leased)
        .filter(|name| *name != service)
        .collect();
    known.sort_unstable();
    known.dedup();
    Refusal::UnknownService {
        service,
        unknown: unknown.clone(),
        known,
    }
}

/// Refuses when services that must not share a port would share one. `lease_of` answers the lease
/// that the service at an index has in the end.
pub(super) fn check_conflicts<'a>(
    request: &Request,
    lease_of: impl Fn(usize) -> Option<&'a Lease>,
) -> Result<(), Refusal> {
    for (index, service) in request.services.iter().enumerate() {
        let Some(lease) = lease_of(index) else {
            continue;
        };
        let shares = |name: &&Name| {
            **name == lease.key.service
                || lease
                    .followers
                    .iter()
                    .any(|follower| follower.service == **name)
        };
        let others = service
            .conflicts
            .iter()
            .filter(|name| **name != service.name);
        if let Some(with) = others.clone().find(shares) {
            return Err(Refusal::ConflictUnresolved {
                service: service.name.clone(),
                with: with.clone(),
                port: lease.port,
            });
        }
    }
    Ok(())
}
