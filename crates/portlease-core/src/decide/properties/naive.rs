//! What a request may get, told naively: port by port, without bitmaps, and without looking at how
//! the decision is made.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::situations::Situation;
use crate::{
    Capability, Change, Command, Decision, Granted, Holder, Lease, LeaseKey, Leases, Occupant,
    Port, PortRange, Refusal, Reply, Reserved, Service, browser_blocked, decide,
};

/// A granted request, and what became of the leases.
#[derive(Debug)]
pub(super) struct Success {
    pub(super) reserved: Reserved,
    pub(super) changes: Vec<Change>,
    pub(super) after: Leases,
}

impl Situation {
    pub(super) fn decide(&self) -> Result<Decision, Refusal> {
        let command = Command::Reserve(self.request.clone());
        decide(&self.leases, &command, &self.facts)
    }

    pub(super) fn success(&self) -> Option<Success> {
        self.decide().ok().map(|decision| {
            let mut after = self.leases.clone();
            after.apply_all(&decision.changes);
            let Reply::Reserved(reserved) = decision.reply else {
                panic!("a reserve is answered otherwise");
            };
            Success {
                reserved,
                changes: decision.changes,
                after,
            }
        })
    }

    /// Whether the port is closed to the service whoever has it: by A6, A8, or the system.
    pub(super) fn is_barred(&self, service: &Service, port: Port) -> bool {
        let (request, facts) = (&self.request, &self.facts);
        let owner = request.pools.owner(port).map(|pool| &pool.name);
        let by_system = facts.system_reserved.contains(port)
            || facts.unprivileged_start.is_some_and(|first| port < first);
        request.exclude.contains(port)
            || owner != request.pool.as_ref()
            || (opens_in_browsers(service) && browser_blocked().contains(port))
            || (by_system && !request.skip_port_check)
    }

    pub(super) fn is_occupied(&self, port: Port) -> bool {
        self.facts.occupied.ports().contains(port) && !self.request.skip_port_check
    }

    /// Whether the port is occupied, and by nobody that the requester or this lease accounts for.
    pub(super) fn is_occupied_by_others(&self, port: Port, lease: Option<&Lease>) -> bool {
        let occupant = self.facts.occupied.occupant(port);
        let parties = lease.into_iter().flat_map(Lease::parties);
        let mut known = parties.chain(&self.request.holder);
        self.is_occupied(port)
            && !known.any(|holder| occupant.is_some_and(|occupant| is_behind(holder, occupant)))
    }

    /// The lease that the service brings along.
    pub(super) fn lease_before(&self, service: &Service, instance: u32) -> Option<&Lease> {
        let key = self.key(service, instance);
        self.leases.get(&key).filter(|lease| lease.key == key)
    }

    pub(super) fn key(&self, service: &Service, instance: u32) -> LeaseKey {
        LeaseKey {
            instance,
            ..LeaseKey::new(self.request.project.clone(), service.name.clone())
        }
    }

    /// Whether the key belongs to a service of the request.
    pub(super) fn is_requested(&self, key: &LeaseKey, instance: u32) -> bool {
        let mut services = self.request.services.iter();
        services.any(|service| self.key(service, instance) == *key)
    }

    /// Whether the service may stay where it is, by B1.
    pub(super) fn may_stay(&self, service: &Service, lease: &Lease) -> bool {
        let insists_on_other = service
            .explicit
            .is_some_and(|explicit| explicit.strict && explicit.port != lease.port);
        !self.request.force_new
            && !insists_on_other
            && lease.framework == service.framework
            && candidates(service).contains(&lease.port)
            && !self.is_barred(service, lease.port)
            && (!self.is_occupied_by_others(lease.port, Some(lease))
                || self.is_run_by_others(lease))
    }

    /// Whether a process or container other than the requester has the lease and may still run.
    pub(super) fn is_run_by_others(&self, lease: &Lease) -> bool {
        let is_other = |party: &Holder| self.request.holder.as_ref() != Some(party);
        lease
            .parties()
            .any(|party| is_other(party) && !self.facts.dead.contains(party))
    }
}

impl Success {
    /// The services with a port of their own.
    pub(super) fn own<'a>(
        &'a self,
        situation: &'a Situation,
    ) -> impl Iterator<Item = (&'a Service, &'a Granted)> {
        let services = situation.request.services.iter();
        services
            .zip(&self.reserved.services)
            .filter(|(service, _)| service.inherit_from.is_none())
    }
}

fn is_behind(holder: &Holder, occupant: &Occupant) -> bool {
    occupant
        .holder
        .iter()
        .chain(&occupant.ancestors)
        .any(|who| who == holder)
}

pub(super) fn opens_in_browsers(service: &Service) -> bool {
    service.requires.is_empty() || service.requires.iter().any(|it| *it != Capability::Tcp)
}

/// The ranges of the service in the order in which they may be used.
pub(super) fn ranges(service: &Service) -> Vec<PortRange> {
    let mut ranges = alloc::vec![service.range];
    ranges.extend(&service.spillover);
    ranges.extend(service.emergency);
    ranges
}

/// Every port that the service could possibly get.
pub(super) fn candidates(service: &Service) -> BTreeSet<Port> {
    let mut candidates: BTreeSet<Port> = service.preferred.iter().copied().collect();
    candidates.extend(service.explicit.map(|named| named.port));
    for range in ranges(service) {
        candidates.extend(range.iter());
    }
    candidates
}
