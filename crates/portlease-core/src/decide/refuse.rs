//! What a request is told when it cannot be granted: who has the ports, and how many.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::reserve::Seating;
use super::world::World;
use crate::{
    Exhausted, Occupant, Party, Port, PortSet, Refusal, Stays, Taken, Trace, Unavailable, Verdict,
};

/// How many owners a refusal names for each reason.
const MAX_NAMED: usize = 10;

impl Seating<'_, '_> {
    /// The port that was insisted on cannot be had.
    pub(super) fn unavailable(
        &self,
        index: usize,
        port: Port,
        verdict: Verdict,
        stays: Option<Stays>,
    ) -> Refusal {
        let mut unavailable = self.unavailable_at(index, port, verdict);
        unavailable.stays = stays;
        Refusal::PortUnavailable(unavailable)
    }

    /// The port that is meant for a seeker is closed.
    pub(super) fn unavailable_at(
        &self,
        index: usize,
        port: Port,
        verdict: Verdict,
    ) -> Box<Unavailable> {
        Box::new(Unavailable {
            service: self.seekers[index].service.name.clone(),
            port,
            verdict,
            by: self.world.party(verdict, port),
            stays: None,
            trace: Trace::default(),
        })
    }

    /// No port of the service's ranges can be had.
    pub(super) fn exhausted(&self, index: usize) -> Refusal {
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
                let unknown = || Party::Occupant(Occupant::default());
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
