//! What becomes of a lease after it was granted: renewed, confirmed, released.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::grant::forget;
use crate::{
    Change, Confirm, Counters, Decision, Facts, Lease, LeaseKey, LeaseState, Leases, Memory,
    NotOwner, Party, Port, Refusal, Release, Released, Renew, Reply, Tier, Timestamp, Trace,
    Unavailable, Verdict,
};

pub(super) fn renew(leases: &Leases, renew: &Renew, facts: &Facts) -> Result<Decision, Refusal> {
    let mut lease = owned(leases, &renew.key, renew.generation)?.clone();
    lease.renewed_at = facts.now;
    if renew.holder.is_some() {
        lease.holder.clone_from(&renew.holder);
    }
    Ok(untraced(
        alloc::vec![Change::Update(lease.clone())],
        Reply::Renewed(Box::new(lease)),
    ))
}

pub(super) fn confirm(
    leases: &Leases,
    confirm: &Confirm,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let mut lease = owned(leases, &confirm.key, confirm.generation)?.clone();
    let mut changes = Vec::new();
    if let Some(port) = confirm.port.filter(|port| *port != lease.port) {
        if let Some(other) = leases.at(port) {
            return Err(leased_to_another(&lease, other));
        }
        changes.extend(forget(leases, &lease.key, port, Tier::Preferred));
        lease.port = port;
    }
    lease.state = LeaseState::Live;
    lease.listener = confirm
        .listener
        .clone()
        .filter(|listener| lease.holder.as_ref() != Some(listener));
    lease.renewed_at = facts.now;
    changes.push(Change::Update(lease.clone()));
    Ok(untraced(changes, Reply::Confirmed(Box::new(lease))))
}

pub(super) fn release(
    leases: &Leases,
    release: &Release,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let mut released = Released::default();
    let mut changes = Vec::new();
    for lease in leases.of_project(&release.project) {
        if release
            .instance
            .is_some_and(|instance| instance != lease.key.instance)
        {
            continue;
        }
        let service = release
            .service
            .as_ref()
            .filter(|service| **service != lease.key.service);
        let follower = service.map(|service| {
            lease
                .followers
                .iter()
                .position(|follower| follower.service == *service)
        });
        if follower == Some(None) {
            continue;
        }
        check_owner(lease, release, facts)?;
        if let Some(Some(index)) = follower {
            let mut rest = lease.clone();
            let follower = rest.followers.remove(index);
            released.followers.push(lease.key.sibling(follower.service));
            changes.push(Change::Update(rest));
        } else {
            changes.extend(end(leases, lease, facts.now));
            released.leases.push(lease.clone());
        }
    }
    if !released.leases.is_empty() {
        let releases = released.leases.len() as u64;
        changes.push(Change::Count(Counters {
            releases,
            ..Counters::default()
        }));
    }
    Ok(untraced(changes, Reply::Released(released)))
}

/// The changes that end a lease and keep its port in mind. A port that was asked for by name,
/// perhaps once, does not replace what is remembered.
pub(super) fn end(
    leases: &Leases,
    lease: &Lease,
    last_used: Timestamp,
) -> impl Iterator<Item = Change> {
    let memory = Memory {
        key: lease.key.clone(),
        port: lease.port,
        released_at: last_used,
    };
    let is_remembered = lease.tier != Tier::Preferred || leases.memory(&lease.key).is_none();
    let remember = is_remembered.then_some(Change::Remember(memory));
    core::iter::once(Change::End(lease.key.clone())).chain(remember)
}

pub(super) fn untraced(changes: Vec<Change>, reply: Reply) -> Decision {
    Decision {
        changes,
        reply,
        trace: Trace::default(),
    }
}

/// The lease, if the generation proves that the caller is its owner.
fn owned<'a>(
    leases: &'a Leases,
    key: &LeaseKey,
    generation: crate::Generation,
) -> Result<&'a Lease, Refusal> {
    let lease = leases
        .get(key)
        .ok_or_else(|| Refusal::LeaseNotFound { key: key.clone() })?;
    if lease.generation == generation {
        Ok(lease)
    } else {
        Err(not_owner(lease, None))
    }
}

fn check_owner(lease: &Lease, release: &Release, facts: &Facts) -> Result<(), Refusal> {
    if release.force {
        return Ok(());
    }
    match release.generation {
        Some(generation) if generation == lease.generation => Ok(()),
        Some(_) => Err(not_owner(lease, None)),
        None => {
            let is_foreign = |party: &&crate::Holder| {
                release.holder.as_ref() != Some(party) && !facts.dead.contains(*party)
            };
            match lease.parties().find(is_foreign) {
                Some(runner) => Err(not_owner(lease, Some(runner.clone()))),
                None => Ok(()),
            }
        }
    }
}

fn not_owner(lease: &Lease, holder: Option<crate::Holder>) -> Refusal {
    let (key, port, generation) = (lease.key.clone(), lease.port, lease.generation);
    Refusal::NotOwner(Box::new(NotOwner {
        key,
        port,
        generation,
        holder,
    }))
}

fn leased_to_another(lease: &Lease, other: &Lease) -> Refusal {
    let holder = other.parties().last().cloned();
    let port: Port = other.port;
    Refusal::PortUnavailable(Box::new(Unavailable {
        service: lease.key.service.clone(),
        port,
        verdict: Verdict::Leased,
        by: Some(Party::Service {
            key: other.key.clone(),
            holder,
        }),
        stays: None,
        trace: Trace::default(),
    }))
}
