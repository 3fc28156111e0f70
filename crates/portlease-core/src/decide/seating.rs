//! How the services of a request come to their ports, one after the other.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::instance::runners;
use super::reserve::{Displaced, Seating};
use super::search::{Place, Seeker};
use super::world::World;
use super::{conflict, grant};
use crate::{Explicit, IfRunning, Lease, Port, Refusal, Service, Stays, Strategy, Tier, Verdict};

impl<'a> Seating<'a, '_> {
    /// Ports that were asked for by name come before everything else. Whoever asks for the port of
    /// a service that asks for another one itself waits until that one is seated.
    pub(super) fn seat_explicit(&mut self) -> Result<(), Refusal> {
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
    pub(super) fn keep_leases(&mut self) {
        for position in 0..self.order.len() {
            let index = self.order[position];
            let seeker = &self.seekers[index];
            let stays = seeker.keeps && seeker.place.is_none();
            if let Some(lease) = seeker.existing.filter(|_| stays) {
                self.keep(index, lease);
            }
        }
    }

    pub(super) fn keep(&mut self, index: usize, lease: &Lease) {
        let place = Place {
            port: lease.port,
            tier: lease.tier,
            is_fixed: true,
        };
        self.seekers[index].keep_step(self.log, lease);
        self.seat(index, place);
    }

    pub(super) fn seat_others(&mut self) -> Result<(), Refusal> {
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
    pub(super) fn seat_displaced(&mut self) -> Result<(), Refusal> {
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
            let tier = self
                .tier_at(index, place.port)
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

    /// By which way the seeker comes to the port, if any leads there.
    pub(super) fn tier_at(&self, index: usize, port: Port) -> Option<Tier> {
        let seeker = &self.seekers[index];
        let tier = seeker.tier_of(port)?;
        let memory = self.world.leases.memory(&seeker.key);
        let is_remembered = memory.is_some_and(|memory| memory.port == port);
        Some(if is_remembered && tier != Tier::Preferred {
            Tier::Remembered
        } else {
            tier
        })
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
    pub(super) fn obtain(
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

    pub(super) fn give_up_lease(&mut self, index: usize) {
        let seeker = &mut self.seekers[index];
        if let Some(lease) = seeker.existing.filter(|_| seeker.keeps) {
            seeker.keeps = false;
            self.world.vacate(lease.port);
        }
    }

    pub(super) fn seat(&mut self, index: usize, place: Place) {
        let seeker = &mut self.seekers[index];
        let is_own = |lease: &Lease| lease.port == place.port;
        seeker.keeps = seeker.fits && seeker.existing.is_some_and(is_own);
        seeker.place = Some(place);
        self.world
            .claim(place.port, self.seekers[index].key.clone());
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
