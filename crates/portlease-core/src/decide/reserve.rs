//! Who of a request gets which port: all of its services or none.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::grant;
use super::inherit::{self, Root};
use super::instance::{self, runners};
use super::planned;
use super::search::{Log, Seeker};
use super::world::World;
use crate::{
    Change, Explained, Facts, LeaseKey, Leases, Port, Refusal, Request, Reserved, Service, Trace,
    Verdict,
};

/// What the services are granted, what that changes, and why.
pub(crate) fn reserve(
    leases: &Leases,
    request: &Request,
    facts: &Facts,
) -> Result<(Reserved, Vec<Change>, Trace), Refusal> {
    let mut log = Log {
        trace: Trace::default(),
        port_by_port: false,
    };
    match seat(leases, request, facts, &mut log) {
        Ok((reserved, changes)) => Ok((reserved, changes, log.trace)),
        Err(refusal) => Err(refusal.with_trace(log.trace)),
    }
}

/// What [`reserve`] would answer, and why, port by port.
pub(crate) fn explain(leases: &Leases, request: &Request, facts: &Facts) -> (Explained, Trace) {
    let mut log = Log {
        trace: Trace::default(),
        port_by_port: true,
    };
    let (reserved, refusal) = match seat(leases, request, facts, &mut log) {
        Ok((reserved, _)) => (Some(reserved), None),
        Err(refusal) => (None, Some(refusal)),
    };
    (Explained { reserved, refusal }, log.trace)
}

fn seat(
    leases: &Leases,
    request: &Request,
    facts: &Facts,
    log: &mut Log,
) -> Result<(Reserved, Vec<Change>), Refusal> {
    check_services(&request.services)?;
    let instance = instance::choose(leases, request, facts);
    let roots = inherit::roots(leases, request, instance)?;
    let mut seating = Seating::new(leases, request, facts, instance, &roots, log)?;
    if let Some(planned) = &request.planned {
        seating.seat_as_planned(planned)?;
        let settled = grant::settle(&seating, &roots, instance)?;
        planned::check(planned, &settled.0)?;
        return Ok(settled);
    }
    seating.seat_explicit()?;
    seating.keep_leases();
    seating.seat_others()?;
    seating.seat_displaced()?;
    grant::settle(&seating, &roots, instance)
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
pub(super) struct Seating<'a, 'log> {
    pub(super) world: World<'a>,
    /// The services of the request by their index, and after them those that have to make way.
    pub(super) seekers: Vec<Seeker<'a>>,
    /// Who has to make way, and for whom.
    pub(super) displaced: Vec<Displaced>,
    /// How often a wanted port belonged to another service.
    pub(super) conflicts: u64,
    /// The services that look for a port of their own, in the order in which they are served.
    pub(super) order: Vec<usize>,
    pub(super) log: &'log mut Log,
}

/// A seeker that has to make way for another.
#[derive(Clone, Copy)]
pub(super) struct Displaced {
    pub(super) seeker: usize,
    pub(super) from: Port,
    pub(super) by: usize,
}

impl<'a, 'log> Seating<'a, 'log> {
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
