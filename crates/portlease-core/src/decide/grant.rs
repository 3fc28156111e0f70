//! What a finished seating changes: new leases, renewed ones, shared ones, and what becomes of
//! memories.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::inherit::{self, Root};
use super::instance::runners;
use super::reserve::Seating;
use super::search::{Place, Seeker};
use crate::{
    Change, Counters, Facts, Follower, Generation, Granted, Holder, IfRunning, Lease, LeaseKey,
    LeaseState, Leases, Move, Occupant, Outcome, Port, Refusal, Request, Reserved, Service,
    Strategy, Tier,
};

/// Whether whoever is on the port is the lease's own process, or was started by it.
pub(super) fn is_own(lease: &Lease, occupant: Option<&Occupant>) -> bool {
    occupant.is_some_and(|occupant| lease.parties().any(|party| occupant.belongs_to(party)))
}

/// What is forgotten when `key` comes to `port`. A port that was asked for by name, perhaps once,
/// does not replace what the key remembers.
pub(super) fn forget(
    leases: &Leases,
    key: &LeaseKey,
    port: Port,
    tier: Tier,
) -> impl Iterator<Item = Change> {
    let others = leases.memory_at(port).map(|memory| memory.key.clone());
    let own = leases
        .memory(key)
        .filter(|memory| tier != Tier::Preferred && memory.port != port);
    others
        .into_iter()
        .chain(own.map(|memory| memory.key.clone()))
        .map(Change::Forget)
}

/// Answers the request and says what to change, now that every service has its place.
pub(super) fn settle(
    seating: &Seating<'_, '_>,
    roots: &[Option<Root<'_>>],
    instance: u32,
) -> Result<(Reserved, Vec<Change>), Refusal> {
    let settlement = Settlement::new(seating, roots);
    inherit::check_conflicts(seating.world.request, |index| settlement.lease_of(index))?;
    let moves = settlement.moves();
    let changes = settlement.changes(moves.len() as u64);
    Ok((
        Reserved {
            instance,
            services: settlement.granted()?,
            moves,
        },
        changes,
    ))
}

/// All leases that a seating touches, as they will be.
struct Settlement<'p, 'a> {
    seating: &'p Seating<'a, 'p>,
    roots: &'p [Option<Root<'a>>],
    /// By the index of the seeker; `None` for those without a port of their own.
    settled: Vec<Option<Settled>>,
    /// Leases of the project that are not part of the request, but whose ports its services begin
    /// or cease to share.
    bystanders: BTreeMap<Port, Lease>,
}

/// A lease as it will be, and how it comes about.
struct Settled {
    lease: Lease,
    outcome: Outcome,
    taken_from: Vec<Holder>,
    is_new: bool,
}

impl<'p, 'a> Settlement<'p, 'a> {
    fn new(seating: &'p Seating<'a, 'p>, roots: &'p [Option<Root<'a>>]) -> Self {
        let mut settlement = Self {
            seating,
            roots,
            settled: Vec::new(),
            bystanders: BTreeMap::new(),
        };
        let mut generation = seating.world.leases.last_generation();
        for (index, seeker) in seating.seekers.iter().enumerate() {
            let settled = seeker.place.map(|place| {
                let mut settled = settle_seeker(seating, index, seeker, place);
                settled.lease.followers =
                    settlement.followers(seeker.existing, &seeker.key, Some(index));
                if settled.is_new {
                    generation = generation.next();
                    settled.lease.generation = generation;
                }
                settled
            });
            settlement.settled.push(settled);
        }
        settlement.bystanders = settlement.bystanders();
        settlement
    }

    /// The lease that the service of the request at this index has in the end.
    fn lease_of(&self, index: usize) -> Option<&Lease> {
        let own = |index: usize| self.settled[index].as_ref().map(|settled| &settled.lease);
        match self.roots[index] {
            None => own(index),
            Some(Root::Service(root)) => own(root),
            Some(Root::Lease(lease)) => match self.seeker_of(lease) {
                Some(displaced) => own(displaced),
                None => self.bystanders.get(&lease.port),
            },
        }
    }

    fn seeker_of(&self, lease: &Lease) -> Option<usize> {
        self.seating
            .seekers
            .iter()
            .position(|seeker| seeker.key == lease.key)
    }

    /// Who shares a port in the end: those who did and are not part of the request, and those of
    /// the request that inherit it, together with the ones that shared a port with them before.
    fn followers(
        &self,
        existing: Option<&Lease>,
        key: &LeaseKey,
        index: Option<usize>,
    ) -> Vec<Follower> {
        let services = &self.seating.world.request.services;
        let of = |lease: Option<&Lease>| -> Vec<Follower> {
            let followers = lease.into_iter().flat_map(|lease| self.bystanding(lease));
            followers.cloned().collect()
        };
        let mut followers = of(existing);
        for ((service, seeker), root) in services.iter().zip(&self.seating.seekers).zip(self.roots)
        {
            let joins = match root {
                Some(Root::Service(root)) => Some(*root) == index,
                Some(Root::Lease(root)) => root.key == *key,
                None => false,
            };
            if joins {
                followers.push(Follower {
                    service: service.name.clone(),
                    requires: service.requires.clone(),
                });
                followers.extend(of(seeker.existing));
            }
        }
        followers
    }

    /// The services that share the port of a lease and are not part of the request.
    fn bystanding<'l>(&self, lease: &'l Lease) -> impl Iterator<Item = &'l Follower> {
        let requested = &self.seating.seekers[..self.seating.world.request.services.len()];
        lease.followers.iter().filter(move |follower| {
            let key = lease.key.sibling(follower.service.clone());
            requested.iter().all(|seeker| seeker.key != key)
        })
    }

    fn bystanders(&self) -> BTreeMap<Port, Lease> {
        let left = self
            .seating
            .seekers
            .iter()
            .filter_map(|seeker| self.seating.world.leases.get(&seeker.key));
        let joined = self.roots.iter().filter_map(|root| match root {
            Some(Root::Lease(lease)) => Some(*lease),
            _ => None,
        });
        let bystanders = left
            .chain(joined)
            .filter(|lease| self.seeker_of(lease).is_none());
        let update = |lease: &Lease| {
            let followers = self.followers(Some(lease), &lease.key, None);
            (
                lease.port,
                Lease {
                    followers,
                    ..lease.clone()
                },
            )
        };
        bystanders.map(update).collect()
    }

    /// The leases that end come first, so that their keys are free for those who share a port
    /// from now on.
    fn changes(&self, moves: u64) -> Vec<Change> {
        let leases = self.seating.world.leases;
        let mut changes = Vec::new();
        let mut counters = Counters {
            conflicts: self.seating.conflicts,
            moves,
            ..Counters::default()
        };
        for (seeker, settled) in self.seating.seekers.iter().zip(&self.settled) {
            if let (Some(existing), None) = (seeker.existing, settled) {
                changes.push(Change::End(existing.key.clone()));
            }
        }
        for lease in self
            .bystanders
            .values()
            .filter(|lease| leases.at(lease.port) != Some(lease))
        {
            changes.push(Change::Update(lease.clone()));
        }
        for (seeker, settled) in self.seating.seekers.iter().zip(&self.settled) {
            let Some(Settled { lease, is_new, .. }) = settled else {
                continue;
            };
            if seeker.keeps {
                counters.reuses += 1;
            }
            if *is_new {
                changes.extend(forget(leases, &seeker.key, lease.port, lease.tier));
                changes.push(Change::Grant(lease.clone()));
            } else if seeker.existing != Some(lease) {
                changes.push(Change::Update(lease.clone()));
            }
        }
        if counters != Counters::default() {
            changes.push(Change::Count(counters));
        }
        changes
    }

    fn granted(&self) -> Result<Vec<Granted>, Refusal> {
        let services = &self.seating.world.request.services;
        let granted = |(index, service): (usize, &Service)| {
            let lease = self
                .lease_of(index)
                .ok_or_else(|| evicted(service))?
                .clone();
            let own = self.settled[index].as_ref();
            let seeker = &self.seating.seekers[index];
            let previous_port = self
                .seating
                .world
                .leases
                .get(&seeker.key)
                .map(|before| before.port);
            Ok(Granted {
                service: service.name.clone(),
                outcome: own.map_or(Outcome::Inherited, |settled| settled.outcome),
                previous_port: previous_port.filter(|before| *before != lease.port),
                taken_from: own
                    .map(|settled| settled.taken_from.clone())
                    .unwrap_or_default(),
                looks: seeker.looks(),
                lease,
            })
        };
        services.iter().enumerate().map(granted).collect()
    }

    fn moves(&self) -> Vec<Move> {
        let why = match self.seating.world.request.strategy {
            Strategy::Aggressive => "the aggressive strategy gives it to whoever wants it",
            _ => "it insists on it, and nobody runs there",
        };
        let mut moves = Vec::new();
        for displaced in &self.seating.displaced {
            let seeker = &self.seating.seekers[displaced.seeker];
            let by = &self.seating.seekers[displaced.by].key;
            let reason = alloc::format!("{by} wants port {}: {why}", displaced.from);
            let to = self.settled[displaced.seeker]
                .as_ref()
                .map(|settled| settled.lease.port);
            let existing = seeker.existing.into_iter();
            let followers = existing
                .flat_map(|lease| self.bystanding(lease))
                .map(|follower| seeker.key.sibling(follower.service.clone()));
            for key in core::iter::once(seeker.key.clone()).chain(followers) {
                moves.push(Move {
                    key,
                    from: displaced.from,
                    to,
                    reason: reason.clone(),
                });
            }
        }
        moves
    }
}

/// The request itself evicted the service from which this one inherits.
fn evicted(service: &Service) -> Refusal {
    let unknown = service
        .inherit_from
        .clone()
        .unwrap_or_else(|| service.name.clone());
    Refusal::UnknownService {
        service: service.name.clone(),
        unknown,
        known: Vec::new(),
    }
}

fn settle_seeker(
    seating: &Seating<'_, '_>,
    index: usize,
    seeker: &Seeker<'_>,
    place: Place,
) -> Settled {
    let (request, facts) = (seating.world.request, seating.world.facts);
    if let Some(existing) = seeker.existing.filter(|_| seeker.keeps) {
        return settle_kept(existing, &seeker.service, request, facts);
    }
    let is_requested = index < request.services.len();
    let holder = if is_requested {
        request.holder.as_ref()
    } else {
        seeker.existing.and_then(|lease| lease.holder.as_ref())
    };
    let service = &seeker.service;
    let lease = Lease {
        key: seeker.key.clone(),
        port: place.port,
        framework: service.framework.clone(),
        generation: Generation::default(),
        state: LeaseState::Reserved,
        holder: holder.cloned(),
        listener: None,
        range: service.range,
        tier: place.tier,
        priority: service.priority,
        requires: service.requires.clone(),
        followers: Vec::new(),
        granted_at: facts.now,
        renewed_at: facts.now,
    };
    let outcome = if seeker.existing.is_some() {
        Outcome::Reallocated
    } else {
        Outcome::New
    };
    let given_up = seeker.existing.filter(|_| is_requested).into_iter();
    let taken_from = given_up
        .flat_map(|lease| runners(lease, request, facts))
        .cloned()
        .collect();
    Settled {
        lease,
        outcome,
        taken_from,
        is_new: true,
    }
}

fn settle_kept(existing: &Lease, service: &Service, request: &Request, facts: &Facts) -> Settled {
    let mut lease = existing.clone();
    let runners: Vec<Holder> = runners(existing, request, facts).cloned().collect();
    if !runners.is_empty() && request.if_running != IfRunning::Takeover {
        return Settled {
            lease,
            outcome: Outcome::Attached,
            taken_from: Vec::new(),
            is_new: false,
        };
    }
    lease.range = service.range;
    lease.priority = service.priority;
    lease.requires.clone_from(&service.requires);
    lease.renewed_at = facts.now;
    let stays_with_holder = existing
        .parties()
        .all(|party| request.holder.as_ref() == Some(party) && is_unmistakable(party));
    let is_new = existing.holder != request.holder || !stays_with_holder;
    if is_new {
        lease.holder.clone_from(&request.holder);
        lease.listener = None;
        lease.state = LeaseState::Reserved;
    }
    let outcome = if runners.is_empty() {
        Outcome::Reused
    } else {
        Outcome::TookOver
    };
    Settled {
        lease,
        outcome,
        taken_from: runners,
        is_new,
    }
}

/// Whether nobody else can come to the same identity, as with a pid whose start is unknown.
fn is_unmistakable(holder: &Holder) -> bool {
    match holder {
        Holder::Process(process) => process.started.is_some(),
        Holder::Container(_) => true,
    }
}
