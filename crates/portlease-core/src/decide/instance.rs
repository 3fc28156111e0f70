//! Which instance of its project a request is about, and who runs it.

use crate::{Facts, Holder, IfRunning, Lease, LeaseKey, Leases, Request};

/// The first instance or, when a further one is wanted, the first of those that nobody runs.
pub(super) fn choose(leases: &Leases, request: &Request, facts: &Facts) -> u32 {
    let is_running = |instance: u32| {
        request.services.iter().any(|service| {
            let key = LeaseKey {
                project: request.project.clone(),
                service: service.name.clone(),
                instance,
            };
            // Whose port a service inherits does not matter: the other one was asked for.
            leases
                .get(&key)
                .filter(|lease| service.inherit_from.is_none() || lease.key == key)
                .is_some_and(|lease| runners(lease, request, facts).next().is_some())
        })
    };
    match request.if_running {
        IfRunning::Attach | IfRunning::Takeover => 1,
        // Only as many instances run as there are leases.
        IfRunning::Another => {
            let last =
                u32::try_from(leases.len()).map_or(u32::MAX, |count| count.saturating_add(1));
            (1..=last)
                .find(|instance| !is_running(*instance))
                .unwrap_or(last)
        }
    }
}

/// The processes and containers other than the requester that the lease belongs to and that
/// nobody saw end.
pub(super) fn runners<'a>(
    lease: &'a Lease,
    request: &'a Request,
    facts: &'a Facts,
) -> impl Iterator<Item = &'a Holder> {
    let is_requester = |party: &Holder| request.holder.as_ref() == Some(party);
    lease
        .parties()
        .filter(move |party| !is_requester(party) && !facts.dead.contains(*party))
}
