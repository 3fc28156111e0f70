//! What is true of each lease.

use super::grant::is_own;
use super::lifecycle::untraced;
use super::sweep::is_dead;
use alloc::vec::Vec;

use crate::{
    Decision, Facts, Lease, LeaseStatus, Leases, Reply, Validate, Validated, ValidatedLease,
};

pub(super) fn validate(leases: &Leases, validate: &Validate, facts: &Facts) -> Decision {
    let asked = leases.iter().filter(|lease| match &validate.project {
        Some(project) => lease.key.project == *project,
        None => true,
    });
    let validated = asked.map(|lease| ValidatedLease {
        lease: lease.clone(),
        status: status(lease, facts),
        occupant: facts.occupied.occupant(lease.port).cloned(),
    });
    untraced(
        Vec::new(),
        Reply::Validated(Validated {
            leases: validated.collect(),
        }),
    )
}

fn status(lease: &Lease, facts: &Facts) -> LeaseStatus {
    let is_dead = is_dead(lease, facts);
    if !facts.occupied.ports().contains(lease.port) {
        return if is_dead {
            LeaseStatus::Stale
        } else {
            LeaseStatus::Idle
        };
    }
    let occupant = facts
        .occupied
        .occupant(lease.port)
        .filter(|occupant| occupant.holder.is_some());
    let is_nobodys = lease.parties().next().is_none();
    let is_own = match occupant {
        // A lease on behalf of others does not say who will listen, so whoever does is welcome.
        Some(occupant) => is_nobodys || is_own(lease, Some(occupant)),
        None => !is_dead,
    };
    if is_own {
        LeaseStatus::Live
    } else {
        LeaseStatus::Hijacked
    }
}
