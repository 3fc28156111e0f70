//! Which leases end because their owners are gone: by evidence, and only if they are still what
//! they were when the evidence was gathered.

use alloc::vec::Vec;
use core::time::Duration;

use super::lifecycle::{end, untraced};
use crate::{
    Change, Counters, Decision, Evidence, Facts, Lease, Leases, Reply, Suspect, Sweep, Swept,
    SweptLease,
};

pub(super) fn sweep(leases: &Leases, sweep: &Sweep, facts: &Facts) -> Decision {
    let mut swept = Swept::default();
    let mut changes = Vec::new();
    for Suspect { key, generation } in &sweep.suspects {
        let unchanged = leases
            .get(key)
            .filter(|lease| lease.key == *key && lease.generation == *generation);
        let is_new = |lease: &&Lease| {
            swept
                .removed
                .iter()
                .all(|swept: &SweptLease| swept.lease.key != lease.key)
        };
        let Some(lease) = unchanged.filter(is_new) else {
            continue;
        };
        if let Some(evidence) = evidence(lease, sweep, facts) {
            changes.extend(end(leases, lease, lease.renewed_at));
            swept.removed.push(SweptLease {
                lease: lease.clone(),
                evidence,
            });
        }
    }
    if !swept.removed.is_empty() {
        let count = swept.removed.len() as u64;
        changes.push(Change::Count(Counters {
            swept: count,
            ..Counters::default()
        }));
    }
    changes.push(Change::Swept { at: facts.now });
    untraced(changes, Reply::Swept(swept))
}

/// Why the lease may be removed, if it may. Whoever is on the port could be its server, started
/// by an owner that has ended: then it stays, unless the host agreed to let go of all of them.
fn evidence(lease: &Lease, sweep: &Sweep, facts: &Facts) -> Option<Evidence> {
    if facts.host_is_gone {
        return Some(Evidence::HostGone);
    }
    if facts.occupied.ports().contains(lease.port) {
        return None;
    }
    if is_dead(lease, facts) {
        return Some(Evidence::Dead);
    }
    let is_nobodys = lease.parties().next().is_none();
    let unused = facts.now.since(lease.renewed_at);
    let is_old = sweep
        .abandoned_after_millis
        .is_some_and(|millis| unused >= Duration::from_millis(millis));
    (is_nobodys && is_old).then_some(Evidence::Abandoned)
}

/// Whether the lease belonged to somebody, and everybody it belonged to was seen to have ended.
pub(super) fn is_dead(lease: &Lease, facts: &Facts) -> bool {
    let mut parties = lease.parties().peekable();
    parties.peek().is_some() && parties.all(|party| facts.dead.contains(party))
}
