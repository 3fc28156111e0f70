//! How one service looks for a port: the ways in their order, each candidate at most once.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::world::{Asker, World};
use crate::{
    Lease, LeaseKey, Party, Port, PortRange, PortSet, Service, Step, Tier, Trace, Verdict,
};

/// How many steps of a search are told one by one before the rest is summed up.
const MAX_STEPS: usize = 32;
/// How many owners a step names.
const MAX_NAMED: usize = 3;

/// Somebody who looks for a port: a service of the request, or one that has to make way for it.
pub(super) struct Seeker<'a> {
    pub(super) key: LeaseKey,
    pub(super) service: Cow<'a, Service>,
    /// The lease that the service had when the request came.
    pub(super) existing: Option<&'a Lease>,
    /// Whether that lease still is what the service asks for, and its port usable.
    pub(super) fits: bool,
    /// Whether the service stays with that lease.
    pub(super) keeps: bool,
    pub(super) place: Option<Place>,
    /// The candidates that were looked at. Each turn of a search adds to them and never looks at
    /// them again, which is why every search ends.
    seen: PortSet,
}

/// The port that a seeker found.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) port: Port,
    pub(super) tier: Tier,
    /// Whether others of the request may ask for it back, because the seeker can go elsewhere.
    pub(super) is_fixed: bool,
}

/// What is told of a search.
pub(super) struct Log {
    pub(super) trace: Trace,
    /// Whether each port gets a step of its own.
    pub(super) port_by_port: bool,
}

impl<'a> Seeker<'a> {
    pub(super) fn new(
        key: LeaseKey,
        service: Cow<'a, Service>,
        existing: Option<&'a Lease>,
    ) -> Self {
        Self {
            key,
            service,
            existing,
            fits: false,
            keeps: false,
            place: None,
            seen: PortSet::new(),
        }
    }

    pub(super) fn asker(&self) -> Asker {
        Asker {
            for_browsers: self.service.is_for_browsers(),
        }
    }

    /// How many candidates were looked at.
    pub(super) fn looks(&self) -> u32 {
        self.seen.len()
    }

    /// The way by which the service would come to this port.
    pub(super) fn tier_of(&self, port: Port) -> Option<Tier> {
        let service = &self.service;
        let is_named = service
            .explicit
            .is_some_and(|explicit| explicit.port == port);
        if is_named || service.preferred.contains(&port) {
            Some(Tier::Preferred)
        } else if service.range.contains(port) {
            Some(if service.default == Some(port) {
                Tier::Default
            } else {
                Tier::Scan
            })
        } else if service.spillover.iter().any(|range| range.contains(port)) {
            Some(Tier::Spillover)
        } else if service.emergency.is_some_and(|range| range.contains(port)) {
            Some(Tier::Emergency)
        } else {
            None
        }
    }

    /// Whether the port was looked at before.
    pub(super) fn has_seen(&self, port: Port) -> bool {
        self.seen.contains(port)
    }

    /// Looks at one port: answers why it is closed, if it is.
    pub(super) fn look(
        &mut self,
        world: &World<'_>,
        log: &mut Log,
        tier: Tier,
        port: Port,
    ) -> Option<Verdict> {
        self.seen.insert(port);
        let verdict = world.verdict(self.asker(), port);
        if let Some(verdict) = verdict {
            self.tell(world, log, tier, PortRange::only(port), verdict);
        }
        verdict
    }

    /// Looks for a port that was not asked for by name, and goes on where an earlier search of this
    /// seeker ended.
    pub(super) fn search(&mut self, world: &World<'_>, log: &mut Log) -> Option<Place> {
        let remembered = self.remembered_port(world);
        if let Some(port) = remembered.filter(|port| !self.has_seen(*port))
            && self.look(world, log, Tier::Remembered, port).is_none()
        {
            return Some(self.found(log, port, Tier::Remembered));
        }
        let service = self.service.clone();
        let start = [service.start, remembered, service.default]
            .into_iter()
            .flatten()
            .find(|port| service.range.contains(*port))
            .unwrap_or(service.range.first());
        if let Some(port) = self.scan(world, log, service.range, start, Tier::Scan) {
            let tier = if service.default == Some(port) {
                Tier::Default
            } else {
                Tier::Scan
            };
            return Some(self.found(log, port, tier));
        }
        let further = service
            .spillover
            .iter()
            .map(|range| (*range, Tier::Spillover));
        for (range, tier) in further.chain(service.emergency.map(|range| (range, Tier::Emergency)))
        {
            if let Some(port) = self.scan(world, log, range, range.first(), tier) {
                return Some(self.found(log, port, tier));
            }
        }
        None
    }

    /// Searches a range upward from `start`, a port of it, then from its low end. Ports that others
    /// remember come last, the longest-unused first.
    fn scan(
        &mut self,
        world: &World<'_>,
        log: &mut Log,
        range: PortRange,
        start: Port,
        tier: Tier,
    ) -> Option<Port> {
        let mut free = world.free(self.asker(), range);
        free -= &self.seen;
        let mut unremembered = free.clone();
        unremembered -= world.leases.remembered_ports();
        let found = unremembered.next_wrapping(start);
        self.pass(world, log, range, start, found, tier, &free);
        let port = found.or_else(|| longest_unused(world, &free))?;
        self.seen.insert(port);
        Some(port)
    }

    /// Takes note of everything that a search passed on its way from `start` to `found`.
    #[expect(
        clippy::too_many_arguments,
        reason = "the course of a search is one thing with many sides"
    )]
    fn pass(
        &mut self,
        world: &World<'_>,
        log: &mut Log,
        range: PortRange,
        start: Port,
        found: Option<Port>,
        tier: Tier,
        free: &PortSet,
    ) {
        if found == Some(start) {
            return;
        }
        let (upper, lower) = range.wrapped_at(start);
        let mut steps_left = MAX_STEPS;
        for part in [Some(upper), lower].into_iter().flatten() {
            let end = found.filter(|port| part.contains(*port));
            let passed = match end {
                Some(found) => found
                    .previous()
                    .and_then(|last| PortRange::new(part.first(), last)),
                None => Some(part),
            };
            if let Some(passed) = passed {
                self.pass_part(world, log, passed, tier, free, &mut steps_left);
            }
            if end.is_some() {
                return;
            }
        }
    }

    fn pass_part(
        &mut self,
        world: &World<'_>,
        log: &mut Log,
        passed: PortRange,
        tier: Tier,
        free: &PortSet,
        steps_left: &mut usize,
    ) {
        let mut looked = PortSet::from(passed);
        looked -= &self.seen;
        let mut survey = world.survey(self.asker(), &looked);
        // What was free and yet passed over is remembered by others: it is put off, not refused,
        // and has not been looked at.
        let mut put_off = looked.clone();
        put_off &= free;
        looked -= &put_off;
        self.seen |= &looked;
        survey.push((Verdict::Remembered, put_off));

        let mut runs: Vec<(PortRange, Verdict)> = Vec::new();
        for (verdict, ports) in &survey {
            runs.extend(ports.ranges().map(|range| (range, *verdict)));
        }
        runs.sort_unstable();
        for (index, (range, verdict)) in runs.iter().enumerate() {
            if log.port_by_port {
                for port in range.iter() {
                    self.tell(world, log, tier, PortRange::only(port), *verdict);
                }
            } else if *steps_left > 0 {
                *steps_left -= 1;
                self.tell(world, log, tier, *range, *verdict);
            } else {
                let rest = runs
                    .last()
                    .and_then(|(last, _)| PortRange::new(range.first(), last.last()));
                let verdict = if index + 1 == runs.len() {
                    *verdict
                } else {
                    Verdict::Various
                };
                self.tell(world, log, tier, rest.unwrap_or(*range), verdict);
                return;
            }
        }
    }

    /// The port that the service had before, if its ranges still allow it.
    fn remembered_port(&self, world: &World<'_>) -> Option<Port> {
        let port = world.leases.memory(&self.key)?.port;
        self.tier_of(port).map(|_| port)
    }

    pub(super) fn found(&self, log: &mut Log, port: Port, tier: Tier) -> Place {
        self.grant_step(log, port, tier);
        Place {
            port,
            tier,
            is_fixed: false,
        }
    }

    /// Takes note that the seeker stays where it is.
    pub(super) fn keep_step(&mut self, log: &mut Log, lease: &Lease) {
        self.seen.insert(lease.port);
        self.grant_step(log, lease.port, lease.tier);
    }

    /// Takes note that the seeker got the port.
    pub(super) fn grant_step(&self, log: &mut Log, port: Port, tier: Tier) {
        self.step(
            log,
            tier,
            PortRange::only(port),
            Verdict::Granted,
            Vec::new(),
        );
    }

    /// Takes note that the seeker gave the port to another of the request.
    pub(super) fn yield_step(&self, log: &mut Log, place: Place, to: &LeaseKey) {
        let by = alloc::vec![Party::Service {
            key: to.clone(),
            holder: None
        }];
        self.step(
            log,
            place.tier,
            PortRange::only(place.port),
            Verdict::Yielded,
            by,
        );
    }

    fn tell(
        &self,
        world: &World<'_>,
        log: &mut Log,
        tier: Tier,
        ports: PortRange,
        verdict: Verdict,
    ) {
        let first = ports.iter().take(MAX_NAMED);
        let by = first
            .filter_map(|port| world.party(verdict, port))
            .collect();
        self.step(log, tier, ports, verdict, by);
    }

    fn step(&self, log: &mut Log, tier: Tier, ports: PortRange, verdict: Verdict, by: Vec<Party>) {
        log.trace.steps.push(Step {
            service: self.service.name.clone(),
            tier,
            ports,
            verdict,
            by,
        });
    }
}

/// Of the ports that others remember, the one that was released first.
fn longest_unused(world: &World<'_>, free: &PortSet) -> Option<Port> {
    let mut remembered = free.clone();
    remembered &= world.leases.remembered_ports();
    let memories = remembered
        .iter()
        .filter_map(|port| world.leases.memory_at(port));
    memories
        .min_by_key(|memory| (memory.released_at, memory.port))
        .map(|memory| memory.port)
}
