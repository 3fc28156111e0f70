//! A plan that was made elsewhere: everybody sits where it was planned, or the answer says what is
//! not as the planner thought.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::reserve::Seating;
use super::search::Place;
use crate::{
    Lease, LeaseKey, Outdated, Party, Planned, Port, Refusal, Reserved, Trace, Unavailable, Verdict,
};

impl Seating<'_, '_> {
    pub(super) fn seat_as_planned(&mut self, planned: &Planned) -> Result<(), Refusal> {
        let services = 0..self.world.request.services.len();
        let changed = services
            .filter_map(|index| self.check_lease(index, planned).err())
            .map(|wrong| *wrong);
        outdated(changed.collect())?;
        let mut wrong = Vec::new();
        // Whoever displaces somebody comes first: a service of the request may sit down on a port
        // that another of them has to leave.
        let displaces = |seating: &Self, index: &usize| {
            let seat = planned.seat(&seating.seekers[*index].service.name);
            seat.and_then(|seat| seating.world.leases.at(seat.port))
                .is_some_and(|lease| planned.displacement(&lease.key).is_some())
        };
        let (first, then): (Vec<usize>, Vec<usize>) =
            self.order.iter().partition(|index| displaces(self, index));
        for index in then.iter().chain(&first) {
            self.leave_unless_displaced(*index, planned);
        }
        for index in first.into_iter().chain(then) {
            wrong.extend(self.sit_down(index, planned).err().map(|wrong| *wrong));
        }
        for position in 0..self.displaced.len() {
            let seeker = self.displaced[position].seeker;
            if self.seekers[seeker].place.is_none() {
                wrong.extend(self.make_way(seeker, planned).err().map(|wrong| *wrong));
            }
        }
        outdated(wrong)
    }

    /// The lease of a service has to be the one that the planner knew, if it is still there.
    fn check_lease(&self, index: usize, planned: &Planned) -> Result<(), Box<Unavailable>> {
        let seeker = &self.seekers[index];
        let Some(seat) = planned.seat(&seeker.service.name) else {
            return self.refuse(index, seeker.service.range.first(), Verdict::Excluded);
        };
        let key = LeaseKey {
            instance: planned.instance,
            ..seeker.key.clone()
        };
        let is_of_instance = key == seeker.key;
        let lease = self.world.leases.get(&key);
        match lease.filter(|lease| lease.key == key) {
            Some(lease) if !is_of_instance || Some(lease.generation) != seat.replaces => {
                Err(self.is_leased(index, lease))
            }
            None if !is_of_instance => self.refuse(index, seat.port, Verdict::Leased),
            _ => Ok(()),
        }
    }

    /// A service that is planned elsewhere leaves its port at once, so that others of the request can have it.
    fn leave_unless_displaced(&mut self, index: usize, planned: &Planned) {
        let seeker = &self.seekers[index];
        let goes = |lease: &Lease| {
            let seat = planned.seat(&seeker.service.name);
            seat.is_some_and(|seat| seat.port != lease.port)
                && planned.displacement(&lease.key).is_none()
        };
        if seeker.existing.is_some_and(goes) {
            self.give_up_lease(index);
        }
    }

    fn sit_down(&mut self, index: usize, planned: &Planned) -> Result<(), Box<Unavailable>> {
        let seeker = &self.seekers[index];
        // A plan without a seat for the service was refused before.
        let Some(seat) = planned.seat(&seeker.service.name) else {
            return Ok(());
        };
        if seeker.keeps
            && let Some(lease) = seeker.existing.filter(|lease| lease.port == seat.port)
        {
            self.keep(index, lease);
            return Ok(());
        }
        let Some(tier) = self.tier_at(index, seat.port) else {
            return self.refuse(index, seat.port, Verdict::Excluded);
        };
        let in_the_way = self.world.leases.at(seat.port);
        let may_displace = in_the_way.is_none_or(|lease| {
            let displacement = planned.displacement(&lease.key);
            displacement.is_some_and(|it| it.generation == lease.generation)
        });
        let explicit = seeker.service.explicit;
        let insists = explicit.is_some_and(|it| it.strict && it.port == seat.port);
        let closed = self.world.verdict(seeker.asker(), seat.port);
        if let Some(verdict) = closed.filter(|_| !may_displace) {
            return self.refuse(index, seat.port, verdict);
        }
        if let Err((verdict, stays)) = self.obtain(index, seat.port, insists) {
            let mut wrong = self.unavailable_at(index, seat.port, verdict);
            wrong.stays = stays;
            return Err(wrong);
        }
        self.give_up_lease(index);
        self.seekers[index].grant_step(self.log, seat.port, tier);
        self.seat(
            index,
            Place {
                port: seat.port,
                tier,
                is_fixed: true,
            },
        );
        Ok(())
    }

    /// Seats a lease that makes way where it was planned to go.
    fn make_way(&mut self, index: usize, planned: &Planned) -> Result<(), Box<Unavailable>> {
        let displacement = planned.displacement(&self.seekers[index].key);
        let Some(port) = displacement.and_then(|it| it.to) else {
            return Ok(());
        };
        let seeker = &self.seekers[index];
        let verdict = self.world.verdict(seeker.asker(), port);
        match (verdict, seeker.tier_of(port)) {
            (None, Some(tier)) => {
                let place = self.seekers[index].found(self.log, port, tier);
                self.seat(index, place);
                Ok(())
            }
            (verdict, _) => self.refuse(index, port, verdict.unwrap_or(Verdict::Excluded)),
        }
    }

    fn refuse(&self, index: usize, port: Port, verdict: Verdict) -> Result<(), Box<Unavailable>> {
        Err(self.unavailable_at(index, port, verdict))
    }

    fn is_leased(&self, index: usize, lease: &Lease) -> Box<Unavailable> {
        let mut wrong = self.unavailable_at(index, lease.port, Verdict::Leased);
        wrong.by = Some(Party::Service {
            key: lease.key.clone(),
            holder: lease.parties().next().cloned(),
        });
        wrong
    }
}

/// A service that inherits sits where its parent does, which may be elsewhere by now.
pub(super) fn check(planned: &Planned, reserved: &Reserved) -> Result<(), Refusal> {
    let elsewhere = reserved.services.iter().filter(|granted| {
        let seat = planned.seat(&granted.service);
        seat.is_none_or(|seat| seat.port != granted.port())
    });
    let wrong = elsewhere.map(|granted| Unavailable {
        service: granted.service.clone(),
        port: granted.port(),
        verdict: Verdict::Leased,
        by: Some(Party::Service {
            key: granted.lease.key.clone(),
            holder: None,
        }),
        stays: None,
        trace: Trace::default(),
    });
    outdated(wrong.collect())
}

fn outdated(wrong: Vec<Unavailable>) -> Result<(), Refusal> {
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Refusal::PlanOutdated(Box::new(Outdated {
            wrong,
            trace: Trace::default(),
        })))
    }
}
