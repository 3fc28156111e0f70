//! Which ports are closed, and why: one table, from which the free ports, the verdict about one
//! port and the account of a whole range all follow.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::{
    Facts, LeaseKey, Leases, Occupant, Party, Port, PortRange, PortSet, Refusal, Request, Tally,
    Verdict, browser_blocked,
};

/// The ports of one request's world.
pub(super) struct World<'a> {
    pub(super) leases: &'a Leases,
    pub(super) request: &'a Request,
    pub(super) facts: &'a Facts,
    pooled: PortSet,
    blocked: PortSet,
    system_reserved: Cow<'a, PortSet>,
    privileged: PortSet,
    occupied: Cow<'a, PortSet>,
    leased: Cow<'a, PortSet>,
    /// The ports that services of this request have been given, and to whom.
    claims: Vec<(Port, LeaseKey)>,
    claimed: PortSet,
}

/// Who asks: what is closed differs a little from service to service.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) for_browsers: bool,
}

impl<'a> World<'a> {
    pub(super) fn new(
        leases: &'a Leases,
        request: &'a Request,
        facts: &'a Facts,
    ) -> Result<Self, Refusal> {
        let pool = match &request.pool {
            Some(name) => Some(
                request
                    .pools
                    .get(name)
                    .ok_or_else(|| Refusal::UnknownPool {
                        unknown: name.clone(),
                        known: request.pools.iter().map(|pool| pool.name.clone()).collect(),
                    })?,
            ),
            None => None,
        };
        let observed = |set: &'a PortSet| {
            if request.skip_port_check {
                Cow::Owned(PortSet::new())
            } else {
                Cow::Borrowed(set)
            }
        };
        let privileged = facts
            .unprivileged_start
            .filter(|_| !request.skip_port_check)
            .and_then(Port::previous);
        Ok(Self {
            leases,
            request,
            facts,
            pooled: request.pools.closed_to(pool),
            blocked: browser_blocked(),
            system_reserved: observed(&facts.system_reserved),
            privileged: privileged
                .and_then(|last| PortRange::new(Port::MIN, last))
                .map(PortSet::from)
                .unwrap_or_default(),
            occupied: observed(facts.occupied.ports()),
            leased: Cow::Borrowed(leases.ports()),
            claims: Vec::new(),
            claimed: PortSet::new(),
        })
    }

    /// Everything that closes ports, in the order in which it is told.
    fn closed(&self, asker: Asker) -> impl Iterator<Item = (Verdict, &PortSet)> {
        [
            (Verdict::Excluded, &self.request.exclude),
            (Verdict::Pooled, &self.pooled),
            (Verdict::BrowserBlocked, &self.blocked),
            (Verdict::SystemReserved, &self.system_reserved),
            (Verdict::Privileged, &self.privileged),
            (Verdict::Claimed, &self.claimed),
            (Verdict::Leased, &self.leased),
            (Verdict::Occupied, &self.occupied),
        ]
        .into_iter()
        .filter(move |(verdict, _)| *verdict != Verdict::BrowserBlocked || asker.for_browsers)
        .filter(|(_, ports)| !ports.is_empty())
    }

    /// Why the port is closed, unless it is free.
    pub(super) fn verdict(&self, asker: Asker, port: Port) -> Option<Verdict> {
        self.closed(asker)
            .find(|(_, ports)| ports.contains(port))
            .map(|(verdict, _)| verdict)
    }

    /// Why the owner of the port's lease cannot keep using it, unless it can.
    pub(super) fn verdict_for_owner(&self, asker: Asker, port: Port) -> Option<Verdict> {
        self.closed(asker)
            .filter(|(verdict, _)| *verdict != Verdict::Leased)
            .find(|(_, ports)| ports.contains(port))
            .map(|(verdict, _)| verdict)
    }

    /// The candidates: the range without everything that closes ports.
    pub(super) fn free(&self, asker: Asker, range: PortRange) -> PortSet {
        let mut free = PortSet::from(range);
        for (_, closed) in self.closed(asker) {
            free -= closed;
        }
        free
    }

    /// The candidates if no service of this request had been given a port yet.
    pub(super) fn is_candidate(&self, asker: Asker, port: Port) -> bool {
        let mut others = self
            .closed(asker)
            .filter(|(verdict, _)| *verdict != Verdict::Claimed);
        !others.any(|(_, ports)| ports.contains(port))
    }

    /// The closed ports among these, divided by the reason that is told.
    pub(super) fn survey(&self, asker: Asker, among: &PortSet) -> Vec<(Verdict, PortSet)> {
        let mut rest = among.clone();
        let divide = |(verdict, closed)| {
            let mut part = rest.clone();
            part &= closed;
            rest -= &part;
            (verdict, part)
        };
        self.closed(asker)
            .map(divide)
            .filter(|(_, part)| !part.is_empty())
            .collect()
    }

    /// How many ports of a survey are closed for which reason.
    pub(super) fn tally(survey: &[(Verdict, PortSet)]) -> Tally {
        let mut tally = Tally::default();
        for (verdict, part) in survey {
            if let Some(count) = tally.of(*verdict) {
                *count += part.len();
            }
        }
        tally
    }

    /// Who has the port, as far as the verdict is about somebody.
    pub(super) fn party(&self, verdict: Verdict, port: Port) -> Option<Party> {
        match verdict {
            Verdict::Pooled => {
                let owner = self.request.pools.owner(port)?;
                Some(Party::Pool {
                    name: owner.name.clone(),
                })
            }
            Verdict::Claimed => {
                let (_, key) = self.claims.iter().find(|(claimed, _)| *claimed == port)?;
                Some(Party::Service {
                    key: key.clone(),
                    holder: None,
                })
            }
            Verdict::Leased => {
                let lease = self.leases.at(port)?;
                let holder = lease.listener.as_ref().or(lease.holder.as_ref()).cloned();
                Some(Party::Service {
                    key: lease.key.clone(),
                    holder,
                })
            }
            Verdict::Remembered => {
                let memory = self.leases.memory_at(port)?;
                Some(Party::Service {
                    key: memory.key.clone(),
                    holder: None,
                })
            }
            Verdict::Occupied => Some(Party::Occupant(self.occupant(port)?.clone())),
            _ => None,
        }
    }

    /// Who is on the port at the operating system, when that is known and counts.
    pub(super) fn occupant(&self, port: Port) -> Option<&'a Occupant> {
        if self.request.skip_port_check {
            None
        } else {
            self.facts.occupied.occupant(port)
        }
    }

    pub(super) fn is_occupied(&self, port: Port) -> bool {
        self.occupied.contains(port)
    }

    /// From here on the leased port counts as free: its owner, a service of this request, gives
    /// it up or makes way.
    pub(super) fn vacate(&mut self, port: Port) {
        self.leased.to_mut().remove(port);
    }

    /// From here on the port belongs to this service of the request.
    pub(super) fn claim(&mut self, port: Port, key: LeaseKey) {
        match self.claims.iter_mut().find(|(claimed, _)| *claimed == port) {
            Some((_, owner)) => *owner = key,
            None => self.claims.push((port, key)),
        }
        self.claimed.insert(port);
    }
}
