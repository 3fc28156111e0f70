//! Gathering facts about the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use portlease_containers::{ContainerDetails, Containers, Environment, Fault, Look};
use portlease_core::{
    Facts, Holder, Leases, Occupant, Party, Port, PortRange, PortSet, Process, Refusal, Request,
    Service, Timestamp, Verdict,
};
use portlease_probe::identity::{self, HostIdentity};
use portlease_probe::{OccupantDetails, Probe, ProbeError, settings};

use crate::containers;

/// What is observed of the machine that this process runs on.
#[derive(Debug)]
pub(crate) struct Observer {
    probe: Probe,
    system_reserved: PortSet,
    unprivileged_start: Option<Port>,
    /// Where somebody listened at the last look.
    met: Mutex<PortSet>,
    containers: Containers,
    /// Who is told of what is wrong beside a request.
    on_warning: Option<fn(&str)>,
    /// What they were told.
    warned: Mutex<BTreeSet<String>>,
}

impl Observer {
    /// Reads what does not change while a process runs.
    pub(crate) fn new(
        engines: &Environment,
        on_warning: Option<fn(&str)>,
    ) -> Result<(Self, HostIdentity), ProbeError> {
        let observer = Self {
            probe: Probe::new(),
            system_reserved: settings::system_reserved()?,
            unprivileged_start: settings::unprivileged_start()?,
            met: Mutex::default(),
            containers: Containers::new(engines),
            on_warning,
            warned: Mutex::default(),
        };
        if let Some(warning) = engines.warning() {
            observer.tell(&warning);
        }
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

    /// The containers, as they are or were a moment ago. Whoever has no engine is not kept waiting.
    pub(crate) fn containers(&self) -> Arc<Look> {
        let look = self.containers.look();
        self.warn(&look);
        look
    }

    /// The containers as they are now.
    pub(crate) fn containers_now(&self) -> Arc<Look> {
        let look = self.containers.look_closely();
        self.warn(&look);
        look
    }

    /// The containers without a network of their own whose processes listen on the port.
    pub(crate) fn listening_inside(&self, look: &Look, port: Port) -> Vec<Arc<ContainerDetails>> {
        if !look.containers().iter().any(|it| it.is_on_host_network) {
            return Vec::new();
        }
        // Without a name, nobody is taken for a container.
        let found = self.probe.who(port, iter::empty()).unwrap_or_default();
        let containers = found
            .iter()
            .filter_map(|details| containers::running(look, details));
        containers.cloned().collect()
    }

    /// Stops the container and removes it.
    pub(crate) fn remove(&self, container: &ContainerDetails) -> Result<(), Fault> {
        self.containers.remove(container)
    }

    /// Tells of each engine once that it could not answer.
    fn warn(&self, look: &Look) {
        for fault in look.faults() {
            let text = fault.to_string();
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            if warned.insert(text.clone()) {
                drop(warned);
                self.tell(&text);
            }
        }
    }

    /// Tells of something that is wrong beside a request.
    pub(crate) fn tell(&self, text: &str) {
        tracing::warn!("{text}");
        if let Some(tell) = self.on_warning {
            tell(text);
        }
    }

    /// Adds who of the holders of these leases has ended.
    pub(crate) fn sight(facts: &mut Facts, look: &Look, leases: &Leases) {
        for process in processes(holders(leases)) {
            if process.has_ended(&identity::sight(process)) {
                facts.dead.insert(Holder::Process(process.clone()));
            }
        }
        containers::sight(facts, look, leases);
    }

    /// Adds on which of the ports somebody listens, in one quick look that touches none. Whoever is
    /// only bound is met by the bind, which has the last word.
    pub(crate) fn look(&self, facts: &mut Facts, ports: &PortSet) -> Result<(), ProbeError> {
        let listening = self.probe.listening(ports)?;
        add(facts, &listening);
        let mut met = self.met();
        *met -= ports;
        *met |= &listening;
        Ok(())
    }

    /// Whether somebody listened on one of these ports at the last look.
    pub(crate) fn met_somebody_on(&self, ports: &PortSet) -> bool {
        let mut met = ports.clone();
        met &= &*self.met();
        !met.is_empty()
    }

    fn met(&self) -> MutexGuard<'_, PortSet> {
        // It is a hint, and a wrong one does no harm.
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Adds which of the ports are occupied to which leases may go that have to make way for the request. No
    /// bind follows for them: their owners are told to go there.
    pub(crate) fn look_at_refuges(
        &self,
        facts: &mut Facts,
        request: &Request,
        leases: &Leases,
        look: &Look,
    ) {
        if request.skip_port_check || !request.auto_reassign {
            return;
        }
        let mut refuges: PortSet = PortSet::new();
        for port in request.services.iter().flat_map(Service::wanted) {
            if let Some(lease) = leases.at(port) {
                refuges.insert_range(lease.range);
            }
        }
        // Where somebody has a lease, nobody finds refuge; whoever is there is its own server.
        refuges -= leases.ports();
        if !refuges.is_empty() {
            // Without the look, a lease may go to a port that is taken, which its server will notice.
            let _ = self.look_closely(facts, &refuges);
            containers::claim_by_anybody(facts, look, &refuges);
        }
    }

    /// Who is on the port; of several the first that belongs to one of the suspects, or else the
    /// first of all. Nobody, too, when it cannot be told.
    pub(crate) fn occupant(&self, port: Port, suspects: &[Holder]) -> Option<Occupant> {
        let found = self.occupants(&PortRange::only(port).into(), suspects.iter());
        foremost(found.get(&port)?, suspects)
    }

    /// Everybody who is on each of the ports, those that cannot be told left out.
    pub(crate) fn occupants<'a>(
        &self,
        ports: &PortSet,
        suspects: impl Iterator<Item = &'a Holder>,
    ) -> BTreeMap<Port, Vec<Occupant>> {
        let own = identity::this_process();
        let mut suspects: Vec<&Process> = processes(suspects).collect();
        suspects.push(&own);
        // Nobody decides by a name: without one, an answer says less, and no more.
        let found = self.probe.who_each(ports, suspects).unwrap_or_default();
        let look = self.containers();
        let known = |details: OccupantDetails| match containers::running(&look, &details) {
            Some(container) => container.occupant(),
            None => details.into(),
        };
        let known = |details: Vec<OccupantDetails>| details.into_iter().map(known).collect();
        let mut found: BTreeMap<Port, Vec<Occupant>> = found
            .into_iter()
            .map(|(port, details)| (port, known(details)))
            .collect();
        // A process of the engine stands for the container, or nobody does.
        let mut claimed = look.ports().clone();
        claimed &= ports;
        for port in &claimed {
            let running = look.on(port).iter().filter(|it| it.is_running());
            let running = running.map(|container| container.occupant());
            found.entry(port).or_default().splice(0..0, running);
        }
        found.retain(|_, occupants| !occupants.is_empty());
        found
    }

    /// Names those whom a refusal counts without knowing them.
    pub(crate) fn name_strangers(&self, refusal: &mut Refusal) {
        match refusal {
            Refusal::PortUnavailable(taken)
                if taken.verdict == Verdict::Occupied && taken.by.is_none() =>
            {
                taken.by = self.occupant(taken.port, &[]).map(Party::Occupant);
            }
            Refusal::RangeExhausted(exhausted) => {
                let ports = exhausted.occupied_by.iter().map(|taken| taken.port);
                let found = self.occupants(&ports.collect(), iter::empty());
                for taken in &mut exhausted.occupied_by {
                    if let Some(occupant) = found.get(&taken.port).and_then(|on| on.first()) {
                        taken.by = Party::Occupant(occupant.clone());
                    }
                }
            }
            _ => {}
        }
    }
}

/// Of those who are on a port, the first that belongs to one of the suspects, or else the first.
pub(crate) fn foremost(occupants: &[Occupant], suspects: &[Holder]) -> Option<Occupant> {
    let is_suspect =
        |occupant: &&Occupant| suspects.iter().any(|suspect| occupant.belongs_to(suspect));
    occupants
        .iter()
        .find(is_suspect)
        .or(occupants.first())
        .cloned()
}

/// Those of the holders that are processes.
pub(crate) fn processes<'a>(
    holders: impl Iterator<Item = &'a Holder>,
) -> impl Iterator<Item = &'a Process> {
    holders.filter_map(|holder| match holder {
        Holder::Process(process) => Some(process),
        Holder::Container(_) => None,
    })
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
///
/// ```
/// assert!(portlease::now().as_millis() > 0);
/// ```
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
