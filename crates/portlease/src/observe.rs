//! Gathering facts about the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use portlease_core::{Facts, Holder, Leases, Occupant, Port, PortSet, Timestamp};
use portlease_probe::identity::{self, HostIdentity};
use portlease_probe::{OccupantDetails, Probe, ProbeError, settings};

/// How many strangers a refusal names.
const MAX_NAMED: usize = 3;

/// What is observed of the machine that this process runs on.
#[derive(Debug)]
pub(crate) struct Observer {
    probe: Probe,
    system_reserved: PortSet,
    unprivileged_start: Option<Port>,
}

impl Observer {
    /// Reads what does not change while a process runs.
    pub(crate) fn new() -> Result<(Self, HostIdentity), ProbeError> {
        let observer = Self {
            probe: Probe::new(),
            system_reserved: settings::system_reserved()?,
            unprivileged_start: settings::unprivileged_start()?,
        };
        Ok((observer, identity::this_host()?))
    }

    pub(crate) fn probe(&self) -> &Probe {
        &self.probe
    }

    /// What can be told without looking at any port.
    pub(crate) fn facts(&self) -> Facts {
        let mut facts = Facts::at(now());
        facts.system_reserved = self.system_reserved.clone();
        facts.unprivileged_start = self.unprivileged_start;
        facts
    }

    /// Adds who of these holders has ended.
    pub(crate) fn sight<'a>(facts: &mut Facts, holders: impl Iterator<Item = &'a Holder>) {
        for holder in holders {
            let has_ended = match holder {
                Holder::Process(process) => process.has_ended(&identity::sight(process)),
                // Only its engine knows about a container.
                Holder::Container(_) => false,
            };
            if has_ended {
                facts.dead.insert(holder.clone());
            }
        }
    }

    /// Adds on which of the ports somebody listens, in one quick look that touches none. Whoever is
    /// only bound is met by the bind, which has the last word.
    pub(crate) fn look(&self, facts: &mut Facts, ports: &PortSet) -> Result<(), ProbeError> {
        add(facts, &self.probe.listening(ports)?);
        Ok(())
    }

    /// Adds which of the ports are occupied, by listeners or others, for answers that no bind
    /// follows.
    pub(crate) fn look_closely(
        &self,
        facts: &mut Facts,
        ports: &PortSet,
    ) -> Result<(), ProbeError> {
        add(facts, &self.probe.occupied(ports)?);
        Ok(())
    }

    /// Everybody who is on the port; of several the first that belongs to one of the suspects, or
    /// else the first of all.
    pub(crate) fn occupant(&self, port: Port, suspects: &[Holder]) -> Option<Occupant> {
        let suspected = suspects.iter().find_map(|holder| match holder {
            Holder::Process(process) => Some(process),
            Holder::Container(_) => None,
        });
        let own = identity::this_process();
        let occupants = self
            .probe
            .who(port, suspected.or(Some(&own)))
            .unwrap_or_default();
        let occupants: Vec<Occupant> = occupants.into_iter().map(OccupantDetails::into).collect();
        let is_suspect =
            |occupant: &&Occupant| suspects.iter().any(|suspect| occupant.belongs_to(suspect));
        occupants
            .iter()
            .find(is_suspect)
            .or(occupants.first())
            .cloned()
    }

    /// Names those whom a refusal counts without knowing them.
    pub(crate) fn name_strangers(&self, refusal: &mut portlease_core::Refusal) {
        use portlease_core::{Party, Refusal, Verdict};
        match refusal {
            Refusal::PortUnavailable(taken)
                if taken.verdict == Verdict::Occupied && taken.by.is_none() =>
            {
                taken.by = self.occupant(taken.port, &[]).map(Party::Occupant);
            }
            Refusal::RangeExhausted(exhausted) => {
                for taken in exhausted.occupied_by.iter_mut().take(MAX_NAMED) {
                    if let Some(occupant) = self.occupant(taken.port, &[]) {
                        taken.by = Party::Occupant(occupant);
                    }
                }
            }
            _ => {}
        }
    }
}

fn add(facts: &mut Facts, occupied: &PortSet) {
    for port in occupied {
        if facts.occupied.occupant(port).is_none() {
            facts.occupied.insert(port, None);
        }
    }
}

/// The holders of the leases.
pub(crate) fn holders(leases: &Leases) -> impl Iterator<Item = &Holder> {
    leases.iter().flat_map(portlease_core::Lease::parties)
}

/// The clock, as a fact.
pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
