//! The way of a request: lease, then hold, and lease again when a port turns out to be occupied.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use portlease_containers::Look;
use portlease_core::{
    Command, Decision, Explained, Facts, Generation, Granted, Holder, Lease, LeaseKey, Leases,
    Outcome, Port, PortSet, Refusal, Release, Reply, Request, Reserved, Scope, Tier, Trace,
};
use portlease_probe::{Attempts, BindError, Hold};

use crate::Error;
use crate::allocator::Inner;
use crate::containers;
use crate::grant::Grants;
use crate::observe::Observer;
use crate::reclaim::{Reclaimed, reclaim};

/// For how long another request for the same lease may have its port.
const PATIENCE: Duration = Duration::from_millis(250);
const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// Leases and holds a port for every service of the request, or for none.
///
/// Each turn that does not end adds an occupied port to the facts, so there are at most as many
/// turns as candidates.
pub(crate) fn reserve(inner: &Arc<Inner>, request: &Request) -> Result<Grants, Error> {
    let reclaimed = if request.reclaim && !request.skip_port_check {
        reclaim(inner, request)?
    } else {
        Reclaimed::default()
    };
    let mut turn = Turn::new(inner, request);
    let candidates = request.candidates();
    if !request.skip_port_check {
        turn.meet_containers(&candidates)?;
    }
    // Leasing a port that turns out to be occupied costs more than a look. Where nobody was met the
    // last time, the first candidate is likely to be free, and no look is needed.
    let mut has_looked = !request.skip_port_check
        && (request.planned.is_some() || inner.observer.met_somebody_on(&candidates));
    if has_looked {
        inner.observer.look(&mut turn.facts, &candidates)?;
    }
    if request.planned.is_some() || request.may_move_others() {
        turn.hold_first()?;
    }
    let mut has_looked_closely = false;
    let mut has_swept = false;
    loop {
        let (reserved, mut trace) = match turn.lease() {
            Ok(leased) => leased,
            Err(Error::Refused(refusal @ Refusal::RangeExhausted(_))) if !has_swept => {
                has_swept = true;
                if inner.sweep(None)?.removed.is_empty() {
                    return Err(turn.refused(refusal));
                }
                continue;
            }
            Err(Error::Refused(refusal)) => return Err(turn.refused(refusal)),
            Err(error) => return Err(turn.given_up(error)),
        };
        match turn.hold_all(&reserved) {
            Ok(None) => {
                if turn.is_sweep_due() && !has_swept {
                    inner.sweep(None)?;
                }
                trace.steps.splice(0..0, reclaimed.steps);
                let mut warnings = turn.warnings();
                warnings.extend(reclaimed.warnings);
                let holds = turn.holds.by_port;
                return Ok(Grants::new(inner, reserved, trace, warnings, holds));
            }
            Ok(Some(_)) if !has_looked && !request.skip_port_check => {
                // The first candidate was not free: from here on a look at all of them is worth it.
                has_looked = true;
                inner.observer.look(&mut turn.facts, &candidates)?;
            }
            Ok(Some(_)) if !has_looked_closely && !request.skip_port_check => {
                // Somebody is there who does not listen. There may be more of them.
                has_looked_closely = true;
                // The holds of this request are nobody else's.
                let mut others = candidates.clone();
                others -= &turn.holds.by_port.keys().copied().collect();
                inner.observer.look_closely(&mut turn.facts, &others)?;
            }
            // Connections linger on it, or the system keeps it: nobody was faster.
            Ok(Some(port)) if inner.observer.probe().sockets(port)?.is_empty() => {}
            Ok(Some(_)) if turn.lost < request.max_retries => turn.lost += 1,
            Ok(Some(_)) => {
                let lost = turn.lost;
                return Err(turn.given_up(Error::LostRaces { lost }));
            }
            Err(error) => return Err(turn.given_up(error)),
        }
    }
}

/// One request, while it goes on.
struct Turn<'a> {
    inner: &'a Arc<Inner>,
    request: &'a Request,
    /// The project's leases when the request came; none before the first look at the registry.
    before: Option<Leases>,
    containers: Arc<Look>,
    facts: Facts,
    holds: Holds,
    /// The leases that the project has by this request alone.
    granted: Vec<(LeaseKey, Generation)>,
    lost: u16,
}

#[derive(Default)]
struct Holds {
    attempts: Attempts,
    by_port: BTreeMap<Port, Hold>,
}

impl<'a> Turn<'a> {
    fn new(inner: &'a Arc<Inner>, request: &'a Request) -> Self {
        Self {
            inner,
            request,
            before: None,
            containers: Arc::default(),
            facts: inner.observer.facts(),
            holds: Holds::default(),
            granted: Vec::new(),
            lost: 0,
        }
    }

    /// What containers claim becomes a fact, and a container that was made for a port that the project has becomes the
    /// holder of its lease.
    fn meet_containers(&mut self, candidates: &PortSet) -> Result<(), Error> {
        self.containers = self.inner.observer.containers();
        let mut claimed = self.containers.ports().clone();
        claimed &= candidates;
        if !claimed.is_empty() {
            let own = self.inner.load(&self.own_rows())?;
            containers::adopt(self.inner, &self.containers, &own.within(&self.own_rows()))?;
            let project = &self.request.project;
            containers::claim(&mut self.facts, &self.containers, candidates, project);
        }
        Ok(())
    }

    /// What is wrong beside the request.
    fn warnings(&self) -> Vec<String> {
        let faults = self.containers.faults().iter();
        faults.map(ToString::to_string).collect()
    }

    fn own_rows(&self) -> Scope {
        Scope::Rows {
            projects: vec![self.request.project.clone()],
            ports: PortSet::new(),
        }
    }

    fn lease(&mut self) -> Result<(Reserved, Trace), Error> {
        let decision = self.decide(&Command::Reserve(self.request.clone()))?;
        self.inner.steps.tell_trace(&decision.trace);
        let Reply::Reserved(mut reserved) = decision.reply else {
            unreachable!("a reserve is not answered with {:?}", decision.reply)
        };
        let before = self.before.as_ref();
        let is_new = |granted: &&mut Granted| {
            let had = before.and_then(|before| before.get(&granted.lease.key));
            had.is_none()
        };
        self.granted.clear();
        for granted in reserved
            .services
            .iter_mut()
            .filter(is_new)
            .filter(|granted| granted.outcome != Outcome::Inherited)
        {
            self.granted
                .push((granted.lease.key.clone(), granted.lease.generation));
            // What an earlier turn of this request was granted is nothing that the service had.
            granted.outcome = Outcome::New;
            granted.previous_port = None;
        }
        Ok((reserved, decision.trace))
    }

    /// Decides about the request; the first time with a look at whether the holders of the project's leases have ended.
    fn decide(&mut self, command: &Command) -> Result<Decision, Error> {
        if self.before.is_some() {
            return self.inner.transact(command, &self.facts);
        }
        let project = self.own_rows();
        let Self {
            inner,
            request,
            before,
            containers,
            ..
        } = self;
        inner.transact_observing(command, &mut self.facts, |leases, facts| {
            let own = before.insert(leases.within(&project));
            Observer::sight(facts, containers, own);
            inner
                .observer
                .look_at_refuges(facts, request, leases, containers);
        })
    }

    /// Holds the ports before any of them is leased: a lease that made way for a port that then cannot be held would have done
    /// so for nothing, and a plan that fails takes nothing.
    fn hold_first(&mut self) -> Result<(), Error> {
        let command = Command::Explain(self.request.clone());
        // Each turn but the last takes a port out of the candidates.
        while let Reply::Explained(Explained {
            reserved: Some(reserved),
            ..
        }) = self.decide(&command)?.reply
        {
            if self.hold_all(&reserved)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn is_sweep_due(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|before| before.is_sweep_due(self.facts.now))
    }

    /// Who had the port when the request came.
    fn former(&self, port: Port) -> Option<&Lease> {
        self.before.as_ref()?.at(port)
    }

    /// Holds every granted port. Answers one that could not be held, which is a fact for the next
    /// turn.
    fn hold_all(&mut self, reserved: &Reserved) -> Result<Option<Port>, Error> {
        if self.request.skip_port_check {
            return Ok(None);
        }
        let ports: PortSet = reserved.services.iter().map(Granted::port).collect();
        self.holds.by_port.retain(|port, _| ports.contains(*port));
        for granted in &reserved.services {
            let port = granted.port();
            let runs_elsewhere = matches!(granted.outcome, Outcome::Attached | Outcome::Inherited);
            if runs_elsewhere || self.holds.by_port.contains_key(&port) {
                continue;
            }
            match self.hold(granted) {
                Ok(hold) => {
                    self.inner
                        .steps
                        .tell(format_args!("{}: {port} held", granted.service));
                    self.holds.by_port.insert(port, hold);
                }
                Err(error) if error.is_about_the_port() => {
                    if !self.is_own(granted, &error) {
                        self.inner
                            .steps
                            .tell(format_args!("{}: {error}", granted.service));
                        return Ok(Some(port));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Holds a port, when another request for the same lease has let go of it.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody is told when another process closes a socket"
    )]
    fn hold(&mut self, granted: &Granted) -> Result<Hold, BindError> {
        let begun = Instant::now();
        let insists = self.insists(granted);
        loop {
            match self.holds.take(granted, insists) {
                Err(BindError::InUse { .. })
                    if begun.elapsed() < PATIENCE && self.is_asked_for_twice(granted) =>
                {
                    thread::sleep(RETRY_INTERVAL);
                }
                result => return result,
            }
        }
    }

    /// Whether the service was to get this port or none.
    fn insists(&self, granted: &Granted) -> bool {
        let services = &self.request.services;
        let service = services.iter().find(|it| it.name == granted.service);
        let explicit = service.and_then(|it| it.explicit.as_ref());
        explicit.is_some_and(|it| it.strict && it.port == granted.port())
    }

    /// Whether another request may have the port of a lease that belongs to nobody: such requests let
    /// go of it before they answer.
    fn is_asked_for_twice(&self, granted: &Granted) -> bool {
        let port = granted.port();
        let is_nobodys =
            |lease: &Lease| lease.key == granted.lease.key && lease.parties().next().is_none();
        let sockets = || self.inner.observer.probe().sockets(port);
        self.former(port).is_some_and(is_nobodys)
            && sockets().is_ok_and(|sockets| sockets.iter().all(|socket| !socket.listens))
    }

    /// Whether the port is occupied by the service's own process, which is as good as a hold. If
    /// not, why it could not be held becomes a fact.
    fn is_own(&mut self, granted: &Granted, error: &BindError) -> bool {
        let port = granted.port();
        if !matches!(error, BindError::InUse { .. } | BindError::Lingering { .. }) {
            self.facts.system_reserved.insert(port);
            return false;
        }
        let mut own: Vec<Holder> = granted.taken_from.clone();
        let former = self.former(port);
        own.extend(former.into_iter().flat_map(Lease::parties).cloned());
        own.extend(self.request.holder.clone());
        let had_it = former.is_some();
        let occupant = if had_it {
            self.inner.observer.occupant(port, &own)
        } else {
            None
        };
        let is_own = occupant
            .as_ref()
            .is_some_and(|occupant| own.iter().any(|party| occupant.belongs_to(party)));
        self.facts.occupied.insert(port, occupant);
        is_own
    }

    /// The error after which nothing of the request stays: leases that it was granted on the way
    /// are given back.
    fn given_up(&self, error: Error) -> Error {
        for (key, generation) in &self.granted {
            let release = Command::Release(Release::granted(key.clone(), *generation));
            // What cannot be given back now is swept later.
            let _ = self.inner.transact(&release, &self.facts);
        }
        error
    }

    fn refused(&self, mut refusal: Refusal) -> Error {
        self.inner.observer.name_strangers(&mut refusal);
        self.inner.steps.tell(format_args!("{refusal}"));
        self.given_up(Error::Refused(refusal))
    }
}

impl Holds {
    /// Takes the port; one that the service had before, or that it gets or nothing, also while the last connections of somebody who is
    /// gone linger on it.
    fn take(&mut self, granted: &Granted, insists: bool) -> Result<Hold, BindError> {
        let port = granted.port();
        let had_it = granted.outcome != Outcome::New || granted.lease.tier == Tier::Remembered;
        match self.attempts.take(port) {
            Err(BindError::InUse { .. } | BindError::Lingering { .. }) if had_it || insists => {
                self.attempts.take_lingering(port)
            }
            result => result,
        }
    }
}
