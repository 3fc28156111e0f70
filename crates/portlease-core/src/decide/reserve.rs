//! Who of a request gets which port: all of its services or none.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::conflict;
use super::grant;
use super::inherit::{self, Root};
use super::instance::{self, runners};
use super::search::{Log, Place, Seeker};
use super::world::World;
use crate::{
    Change, Decision, Exhausted, Explained, Explicit, Facts, IfRunning, Lease, LeaseKey, Leases,
    Party, Port, PortSet, Refusal, Reply, Request, Reserved, Service, Stays, Strategy, Taken, Tier,
    Trace, Unavailable, Verdict,
};

/// How many owners a refusal names for each reason.
const MAX_NAMED: usize = 10;

pub(super) fn reserve(
    leases: &Leases,
    request: &Request,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let mut log = Log {
        trace: Trace::default(),
        port_by_port: false,
    };
    match plan(leases, request, facts, &mut log) {
        Ok((reserved, changes)) => Ok(Decision {
            changes,
            reply: Reply::Reserved(reserved),
            trace: log.trace,
        }),
        Err(refusal) => Err(refusal.with_trace(log.trace)),
    }
}

pub(super) fn explain(leases: &Leases, request: &Request, facts: &Facts) -> Decision {
    let mut log = Log {
        trace: Trace::default(),
        port_by_port: true,
    };
    let (reserved, refusal) = match plan(leases, request, facts, &mut log) {
        Ok((reserved, _)) => (Some(reserved), None),
        Err(refusal) => (None, Some(refusal)),
    };
    Decision {
        changes: Vec::new(),
        reply: Reply::Explained(Explained { reserved, refusal }),
        trace: log.trace,
    }
}

fn plan(
    leases: &Leases,
    request: &Request,
    facts: &Facts,
    log: &mut Log,
) -> Result<(Reserved, Vec<Change>), Refusal> {
    check_services(&request.services)?;
    let instance = instance::choose(leases, request, facts);
    let roots = inherit::roots(leases, request, instance)?;
    let mut plan = Plan::new(leases, request, facts, instance, &roots, log)?;
    plan.seat_explicit()?;
    plan.keep_leases();
    plan.seat_others()?;
    plan.seat_displaced()?;
    grant::settle(&plan, &roots, instance)
}

fn check_services(services: &[Service]) -> Result<(), Refusal> {
    if services.is_empty() {
        return Err(Refusal::NoServices);
    }
    for (index, service) in services.iter().enumerate() {
        if services[..index]
            .iter()
            .any(|earlier| earlier.name == service.name)
        {
            return Err(Refusal::DuplicateService {
                service: service.name.clone(),
            });
        }
    }
    Ok(())
}

/// A request while its services look for their ports.
pub(super) struct Plan<'a, 'log> {
    pub(super) world: World<'a>,
    /// The services of the request by their index, and after them those that have to make way.
    pub(super) seekers: Vec<Seeker<'a>>,
    /// Who has to make way, and for whom.
    pub(super) displaced: Vec<Displaced>,
    /// How often a wanted port belonged to another service.
    pub(super) conflicts: u64,
    /// The services that look for a port of their own, in the order in which they are served.
    order: Vec<usize>,
    log: &'log mut Log,
}

/// A seeker that has to make way for another.
#[derive(Clone, Copy)]
pub(super) struct Displaced {
    pub(super) seeker: usize,
    pub(super) from: Port,
    pub(super) by: usize,
}

impl<'a, 'log> Plan<'a, 'log> {
    fn new(
        leases: &'a Leases,
        request: &'a Request,
        facts: &'a Facts,
        instance: u32,
        roots: &[Option<Root<'a>>],
        log: &'log mut Log,
    ) -> Result<Self, Refusal> {
        let mut world = World::new(leases, request, facts)?;
        let seeker = |service: &'a Service| {
            let key = LeaseKey {
                project: request.project.clone(),
                service: service.name.clone(),
                instance,
            };
            // A service that inherited finds the lease of another under its name.
            let existing = leases.get(&key).filter(|lease| lease.key == key);
            Seeker::new(key, Cow::Borrowed(service), existing)
        };
        let mut seekers: Vec<Seeker<'a>> = request.services.iter().map(seeker).collect();
        for (seeker, root) in seekers.iter_mut().zip(roots) {
            seeker.fits = root.is_none() && !request.force_new && can_keep(&world, seeker);
            seeker.keeps = seeker.fits;
        }
        // With `forceNew` the old port stays closed to this request: another one was asked for,
        // unless the service has no port of its own from now on.
        for (seeker, root) in seekers.iter().zip(roots) {
            let is_given_up = !seeker.keeps && (root.is_some() || !request.force_new);
            if let Some(lease) = seeker.existing.filter(|_| is_given_up) {
                world.vacate(lease.port);
            }
        }
        let insists = |service: &Service| service.explicit.is_some_and(|explicit| explicit.strict);
        let mut order: Vec<usize> = (0..seekers.len())
            .filter(|index| roots[*index].is_none())
            .collect();
        order.sort_by_key(|&index| {
            let service = &request.services[index];
            (Reverse(insists(service)), Reverse(service.priority))
        });
        Ok(Self {
            world,
            seekers,
            displaced: Vec::new(),
            conflicts: 0,
            order,
            log,
        })
    }

    /// Ports that were asked for by name come before everything else. Whoever asks for the port of
    /// a service that asks for another one itself waits until that one is seated.
    fn seat_explicit(&mut self) -> Result<(), Refusal> {
        let asks = |index: &usize| self.seekers[*index].service.explicit.is_some();
        let mut waiting: Vec<usize> = self.order.iter().copied().filter(asks).collect();
        while !waiting.is_empty() {
            let (mut later, mut now): (Vec<usize>, Vec<usize>) = waiting
                .iter()
                .partition(|index| self.waits_for_another(**index, &waiting));
            if now.is_empty() {
                core::mem::swap(&mut later, &mut now);
            }
            for index in now {
                self.seat_at_explicit(index)?;
            }
            waiting = later;
        }
        Ok(())
    }

    fn waits_for_another(&self, index: usize, waiting: &[usize]) -> bool {
        let asks_for = |index: usize| self.seekers[index].service.explicit.map(|it| it.port);
        waiting.iter().any(|&other| {
            let seeker = &self.seekers[other];
            let kept = seeker.existing.filter(|_| seeker.keeps);
            let kept = kept.map(|lease| lease.port);
            kept.is_some() && kept == asks_for(index) && kept != asks_for(other)
        })
    }

    fn seat_at_explicit(&mut self, index: usize) -> Result<(), Refusal> {
        let seeker = &self.seekers[index];
        let Some(Explicit { port, strict }) = seeker.service.explicit else {
            return Ok(());
        };
        if seeker.keeps
            && let Some(lease) = seeker.existing
            && (lease.port == port || self.is_attached(lease))
        {
            self.keep(index, lease);
            return Ok(());
        }
        match self.obtain(index, port, strict) {
            Ok(()) => {
                let place = Place {
                    port,
                    tier: Tier::Preferred,
                    is_fixed: strict,
                };
                self.give_up_lease(index);
                self.seat(index, place);
                self.seekers[index].grant_step(self.log, port, Tier::Preferred);
                Ok(())
            }
            Err((verdict, stays)) if strict => Err(self.unavailable(index, port, verdict, stays)),
            Err(_) => Ok(()),
        }
    }

    /// Whether another process runs the service, and the request only wants to know where.
    fn is_attached(&self, lease: &Lease) -> bool {
        let World { request, facts, .. } = self.world;
        let is_run = runners(lease, request, facts).next().is_some();
        is_run && request.if_running != IfRunning::Takeover
    }

    /// Leases that still fit stay.
    fn keep_leases(&mut self) {
        for position in 0..self.order.len() {
            let index = self.order[position];
            let seeker = &self.seekers[index];
            let stays = seeker.keeps && seeker.place.is_none();
            if let Some(lease) = seeker.existing.filter(|_| stays) {
                self.keep(index, lease);
            }
        }
    }

    fn keep(&mut self, index: usize, lease: &Lease) {
        let place = Place {
            port: lease.port,
            tier: lease.tier,
            is_fixed: true,
        };
        self.seekers[index].keep_step(self.log, lease);
        self.seat(index, place);
    }

    fn seat_others(&mut self) -> Result<(), Refusal> {
        for position in 0..self.order.len() {
            let index = self.order[position];
            if self.seekers[index].place.is_none() && !self.find_seat(index, &mut Vec::new()) {
                return Err(self.exhausted(index));
            }
        }
        Ok(())
    }

    /// Those that have to make way look for another port, when all services of the request have
    /// theirs.
    fn seat_displaced(&mut self) -> Result<(), Refusal> {
        for position in 0..self.displaced.len() {
            let Displaced {
                seeker: index,
                from,
                by,
            } = self.displaced[position];
            let is_evictable = self.world.request.strategy == Strategy::Aggressive;
            if self.seekers[index].place.is_some()
                || self.find_seat(index, &mut Vec::new())
                || is_evictable
            {
                continue;
            }
            return Err(self.unavailable(by, from, Verdict::Leased, Some(Stays::NowhereToGo)));
        }
        Ok(())
    }

    /// Finds a port for a seeker. When all that it could take went to others of this request, one
    /// of them goes elsewhere if it can: so the request is refused only if its services cannot
    /// all be seated at once. Whoever has to make way asks nobody for a port that was asked for by
    /// name. `asked` are those that were asked already, the one who began first.
    fn find_seat(&mut self, index: usize, asked: &mut Vec<usize>) -> bool {
        asked.push(index);
        let for_outsider = asked[0] >= self.world.request.services.len();
        if let Some(place) = self.search(index) {
            self.seat(index, place);
            return true;
        }
        for other in 0..self.seekers.len() {
            let stays =
                |place: &Place| place.is_fixed || (for_outsider && place.tier == Tier::Preferred);
            let Some(place) = self.seekers[other].place.filter(|place| !stays(place)) else {
                continue;
            };
            let seeker = &self.seekers[index];
            let tier = seeker
                .tier_of(place.port)
                .filter(|_| self.world.is_candidate(seeker.asker(), place.port));
            // A port that somebody had to leave stays with those who asked for it by name.
            let was_left = self.displaced.iter().any(|it| it.from == place.port);
            if let Some(tier) = tier
                && (tier == Tier::Preferred || !was_left)
                && !asked.contains(&other)
                && self.find_seat(other, asked)
            {
                self.seekers[other].yield_step(self.log, place, &self.seekers[index].key);
                self.seat_after_another(index, place.port, tier);
                return true;
            }
        }
        false
    }

    /// Seats a seeker on the port that another of the request gave back.
    fn seat_after_another(&mut self, index: usize, port: Port, tier: Tier) {
        for displaced in self.displaced.iter_mut().filter(|it| it.from == port) {
            displaced.by = index;
        }
        let place = Place {
            port,
            tier,
            is_fixed: false,
        };
        self.seekers[index].grant_step(self.log, port, tier);
        self.seat(index, place);
    }

    fn search(&mut self, index: usize) -> Option<Place> {
        for position in 0..self.seekers[index].service.preferred.len() {
            let port = self.seekers[index].service.preferred[position];
            if !self.seekers[index].has_seen(port) && self.obtain(index, port, false).is_ok() {
                return Some(self.seekers[index].found(self.log, port, Tier::Preferred));
            }
        }
        self.seekers[index].search(&self.world, self.log)
    }

    /// Makes sure that a port that was asked for by name can be given to the seeker: it is free,
    /// or the one that has it makes way.
    fn obtain(
        &mut self,
        index: usize,
        port: Port,
        insists: bool,
    ) -> Result<(), (Verdict, Option<Stays>)> {
        let Some(verdict) = self.seekers[index].look(&self.world, self.log, Tier::Preferred, port)
        else {
            return Ok(());
        };
        let leases = self.world.leases;
        let lease = leases
            .at(port)
            .filter(|_| verdict == Verdict::Leased)
            .ok_or((verdict, None))?;
        if lease.key == self.seekers[index].key {
            return Err((verdict, None));
        }
        self.conflicts += 1;
        // Among services of one request a wish is no reason to move.
        let siblings = &self.seekers[..self.world.request.services.len()];
        if !insists && siblings.iter().any(|seeker| seeker.key == lease.key) {
            return Err((verdict, Some(Stays::NotInsisted)));
        }
        let is_occupied = self.world.is_occupied(port);
        if is_occupied && !grant::is_own(lease, self.world.occupant(port)) {
            return Err((Verdict::Occupied, None));
        }
        let service = &self.seekers[index].service;
        match conflict::stays(
            self.world.request,
            service,
            insists,
            lease,
            is_occupied,
            self.world.facts,
            self.seekers[index].key.instance,
        ) {
            Some(stays) => Err((verdict, Some(stays))),
            None => {
                self.displace(lease, index);
                Ok(())
            }
        }
    }

    fn displace(&mut self, lease: &'a Lease, by: usize) {
        self.world.vacate(lease.port);
        let seeker = match self
            .seekers
            .iter()
            .position(|seeker| seeker.key == lease.key)
        {
            Some(sibling) => {
                self.seekers[sibling].keeps = false;
                sibling
            }
            None => {
                let service = Cow::Owned(service_of(lease));
                self.seekers
                    .push(Seeker::new(lease.key.clone(), service, Some(lease)));
                self.seekers.len() - 1
            }
        };
        self.displaced.push(Displaced {
            seeker,
            from: lease.port,
            by,
        });
    }

    fn give_up_lease(&mut self, index: usize) {
        let seeker = &mut self.seekers[index];
        if let Some(lease) = seeker.existing.filter(|_| seeker.keeps) {
            seeker.keeps = false;
            self.world.vacate(lease.port);
        }
    }

    fn seat(&mut self, index: usize, place: Place) {
        let seeker = &mut self.seekers[index];
        let is_own = |lease: &Lease| lease.port == place.port;
        seeker.keeps = seeker.fits && seeker.existing.is_some_and(is_own);
        seeker.place = Some(place);
        self.world
            .claim(place.port, self.seekers[index].key.clone());
    }

    fn unavailable(
        &self,
        index: usize,
        port: Port,
        verdict: Verdict,
        stays: Option<Stays>,
    ) -> Refusal {
        Refusal::PortUnavailable(Box::new(Unavailable {
            service: self.seekers[index].service.name.clone(),
            port,
            verdict,
            by: self.world.party(verdict, port),
            stays,
            trace: Trace::default(),
        }))
    }

    fn exhausted(&self, index: usize) -> Refusal {
        let seeker = &self.seekers[index];
        let ranges: Vec<_> = seeker.service.ranges().collect();
        let searched: PortSet = ranges.iter().copied().collect();
        let survey = self.world.survey(seeker.asker(), &searched);
        let named = |verdict| {
            let ports = survey
                .iter()
                .filter(|(reason, _)| *reason == verdict)
                .flat_map(|(_, ports)| ports);
            let taken = |port| {
                let unknown = || Party::Occupant(crate::Occupant::default());
                Taken {
                    port,
                    by: self.world.party(verdict, port).unwrap_or_else(unknown),
                }
            };
            ports.take(MAX_NAMED).map(taken).collect()
        };
        Refusal::RangeExhausted(Box::new(Exhausted {
            service: seeker.service.name.clone(),
            ranges,
            tally: World::tally(&survey),
            leased_to: named(Verdict::Leased),
            occupied_by: named(Verdict::Occupied),
            trace: Trace::default(),
        }))
    }
}

/// Whether the service's lease still is what the service asks for, and its port usable.
fn can_keep(world: &World<'_>, seeker: &Seeker<'_>) -> bool {
    let Some(lease) = seeker.existing else {
        return false;
    };
    let wants_other = seeker
        .service
        .explicit
        .is_some_and(|explicit| explicit.strict && explicit.port != lease.port);
    if wants_other
        || lease.framework != seeker.service.framework
        || seeker.tier_of(lease.port).is_none()
    {
        return false;
    }
    match world.verdict_for_owner(seeker.asker(), lease.port) {
        None => true,
        Some(Verdict::Occupied) => {
            let occupant = world.occupant(lease.port);
            let is_requester = occupant
                .zip(world.request.holder.as_ref())
                .is_some_and(|(who, holder)| who.belongs_to(holder));
            // Whoever else runs the service keeps its lease: its server may have come after the
            // look, or not be recognized.
            let is_run = || runners(lease, world.request, world.facts).next().is_some();
            is_requester || grant::is_own(lease, occupant) || is_run()
        }
        Some(_) => false,
    }
}

/// The service of a lease that looks for another port in its own range.
fn service_of(lease: &Lease) -> Service {
    let mut service = Service::in_range(lease.key.service.clone(), lease.range);
    service.framework = lease.framework.clone();
    service.start = Some(lease.port);
    service.priority = lease.priority;
    service.requires.clone_from(&lease.requires);
    service
}
