//! The agent of a host that others plan for.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use portlease_core::{
    Confirm, Explicit, Granted, Host, HostSnapshot, Lease, LeaseKey, Plan, Request, Service, Swept,
};
use portlease_postgres::{Inbox, Question, Report, Told};

use super::answer::Answer;
use super::{Fleet, Rhythm};
use crate::observe::processes;
use crate::{Allocator, Error};

/// How a [`Runner`] runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerOptions {
    /// How often it reports what is observed. Where few others do, it is every few seconds: somebody has to look for hosts that are
    /// silent.
    pub report_every: Duration,
    /// After such a silence the host has let go of all its ports: others may count on that. Without it, its leases wait for it for
    /// ever. Time in which the database could not be reached by anybody is no silence, once it is more than 20 seconds; so a minute is
    /// little.
    pub gives_up_after: Option<Duration>,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            report_every: Duration::from_secs(10),
            gives_up_after: None,
        }
    }
}

/// What happened to a [`Runner`].
#[derive(Debug)]
#[non_exhaustive]
pub enum RunnerEvent {
    /// A plan was confirmed: these ports are leased now.
    Confirmed(Vec<Granted>),
    /// A plan was answered with the reason why it cannot be.
    Declined(Error),
    /// This host was silent for too long, and its leases had ended when it came back. These are its own again.
    Returned(Vec<Lease>),
    /// And these are not: somebody else has the port, or the service.
    Lost(Box<Lease>, Error),
    /// Another host was silent for so long that its leases ended.
    GaveUp(Host, Swept),
    /// The database cannot be asked. That is told once, and tried again every few seconds.
    Unreachable(Error),
    /// It can be asked again.
    Reachable,
}

/// The agent of a host that others plan for: it reports what is observed there, confirms plans, and answers those that do not fit with
/// what is true.
///
/// ```no_run
/// use std::sync::mpsc::channel;
/// use portlease::{Allocator, Options, Registry, Runner, RunnerOptions};
///
/// let registry = Registry::from_url("postgres://portlease@db.example/fleet")?;
/// let allocator = Allocator::open(Options { registry, ..Options::default() })?;
/// // It ends when the other end of the channel is dropped.
/// let (_stop, stopped) = channel();
/// Runner::new(&allocator, RunnerOptions::default())?.run(&stopped, |event| println!("{event:?}"));
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug)]
pub struct Runner {
    allocator: Allocator,
    fleet: Fleet,
    options: RunnerOptions,
    /// How often this host was given up, as far as is known.
    given_up: Option<u64>,
    rhythm: Rhythm,
    next_report: Instant,
    /// None until the database can be asked.
    inbox: Option<Inbox>,
    /// The leases at the last report.
    leases: BTreeMap<LeaseKey, Lease>,
}

/// So long questions are waited for before it is looked whether to stop.
const TURN: Duration = Duration::from_millis(500);

impl Runner {
    /// The runner of the allocator's host.
    ///
    /// # Errors
    ///
    /// [`Error::NoFleet`] when the registry is no database.
    pub fn new(allocator: &Allocator, options: RunnerOptions) -> Result<Self, Error> {
        Ok(Self {
            fleet: allocator.fleet()?,
            allocator: allocator.clone(),
            rhythm: Rhythm::new(options.report_every),
            options,
            given_up: None,
            next_report: Instant::now(),
            inbox: None,
            leases: BTreeMap::new(),
        })
    }

    /// Runs until the other end of the channel says so or is dropped. Then it takes back that the host would let go of its ports:
    /// its servers still run.
    pub fn run(mut self, stopped: &Receiver<()>, mut tell: impl FnMut(RunnerEvent)) {
        let mut is_reachable = true;
        let mut rest = Duration::ZERO;
        while stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
            let was_reachable = is_reachable;
            // A command tries again many times until its time is over; a fleet of runners that did so would be all that a database
            // hears that comes back.
            let knocked = if is_reachable {
                Ok(())
            } else {
                self.fleet.database.knock().map_err(Error::from)
            };
            rest = match knocked.and_then(|()| self.turn(&mut tell)) {
                Ok(()) => {
                    is_reachable = true;
                    if !was_reachable {
                        tell(RunnerEvent::Reachable);
                    }
                    Duration::ZERO
                }
                Err(error) => {
                    is_reachable = false;
                    if was_reachable {
                        tell(RunnerEvent::Unreachable(error));
                    }
                    // What is there when it comes back may be another one.
                    self.inbox = None;
                    self.next_report = Instant::now();
                    self.rhythm.after_failure(fastrand::f64())
                }
            };
        }
        self.options.gives_up_after = None;
        if let Err(error) = self.report(&mut tell) {
            tell(RunnerEvent::Unreachable(error));
        }
    }

    fn turn(&mut self, tell: &mut impl FnMut(RunnerEvent)) -> Result<(), Error> {
        if Instant::now() >= self.next_report {
            let looked_ago = self.report(tell)?.looked_ago;
            if looked_ago >= Rhythm::LOOK_EVERY {
                let database = &self.fleet.database;
                for (host, swept) in database.give_up_silent_hosts(Rhythm::LOOK_EVERY)? {
                    tell(RunnerEvent::GaveUp(host, swept));
                }
            }
            let rest = self.rhythm.after_report(looked_ago, fastrand::f64());
            self.next_report = Instant::now() + rest;
        }
        self.answer_questions(tell)
    }

    /// Tells what is observed here, and finds out whether the host was given up meanwhile.
    fn report(&mut self, tell: &mut impl FnMut(RunnerEvent)) -> Result<Told, Error> {
        let HostSnapshot {
            facts,
            settings,
            registry,
            ..
        } = self.allocator.snapshot()?;
        let report = Report {
            facts,
            settings,
            gives_up_after: self.options.gives_up_after,
        };
        let host = self.allocator.host();
        let told = self.fleet.database.report(host, &report)?;
        let leases = if self.given_up.is_some_and(|known| known < told.given_up) {
            self.come_back(tell)?;
            self.allocator.list(None)?
        } else {
            registry.leases
        };
        let by_key = leases.into_iter().map(|lease| (lease.key.clone(), lease));
        self.leases = by_key.collect();
        self.given_up = Some(told.given_up);
        Ok(told)
    }

    /// Leases again what servers of this host are still running on.
    fn come_back(&mut self, tell: &mut impl FnMut(RunnerEvent)) -> Result<(), Error> {
        let mut returned = Vec::new();
        for lease in self.leases.clone().into_values() {
            if self
                .allocator
                .find(&lease.key.project, &lease.key.service)?
                .is_some()
                || !self.is_in_use(&lease)
            {
                continue;
            }
            match self.lease_again(&lease) {
                Ok(lease) => returned.push(lease),
                Err(error @ Error::Store(_)) => return Err(error),
                Err(error) => tell(RunnerEvent::Lost(Box::new(lease), error)),
            }
        }
        tell(RunnerEvent::Returned(returned));
        Ok(())
    }

    /// Whether somebody to whom the lease belonged is still there, or anybody listens on its port.
    fn is_in_use(&self, lease: &Lease) -> bool {
        let is_there = processes(lease.parties())
            .any(|process| !process.has_ended(&portlease_probe::identity::sight(process)));
        let presence = || self.allocator.who(lease.port);
        is_there || presence().is_ok_and(|who| !who.occupants.is_empty())
    }

    fn lease_again(&self, former: &Lease) -> Result<Lease, Error> {
        let mut service = Service::in_range(former.key.service.clone(), former.range);
        service.framework = former.framework.clone();
        service.priority = former.priority;
        service.requires.clone_from(&former.requires);
        service.explicit = Some(Explicit {
            port: former.port,
            strict: true,
        });
        let mut request = Request::new(former.key.project.clone(), vec![service]);
        request.holder.clone_from(&former.holder);
        // Its server is on the port, which is the reason for all this.
        request.skip_port_check = true;
        request.auto_reassign = false;
        let lease = self.allocator.reserve(&request)?.lease().clone();
        if former.listener.is_none() && former.state == portlease_core::LeaseState::Reserved {
            return Ok(lease);
        }
        self.allocator.confirm(&Confirm {
            key: lease.key.clone(),
            generation: lease.generation,
            listener: former.listener.clone(),
            port: None,
        })
    }

    fn answer_questions(&mut self, tell: &mut impl FnMut(RunnerEvent)) -> Result<(), Error> {
        let host = self.allocator.host().clone();
        let inbox = match &mut self.inbox {
            Some(inbox) => inbox,
            none => none.insert(self.fleet.database.inbox(&host)?),
        };
        let questions = self.fleet.database.take_questions(inbox, TURN)?;
        for question in &questions {
            let confirmed = self.confirm(question);
            let told = match &confirmed {
                Ok(granted) => Some(RunnerEvent::Confirmed(granted.clone())),
                Err(_) => None,
            };
            let answer = Answer::of(confirmed);
            let json = serde_json::to_string(&answer).unwrap_or_default();
            self.fleet
                .database
                .answer_question(&host, question, &json)?;
            let declined = || Some(RunnerEvent::Declined(answer.into_result(&host).err()?));
            if let Some(event) = told.or_else(declined) {
                tell(event);
            }
        }
        Ok(())
    }

    /// Takes the ports of a plan, and lets go of them at once: they are for servers that others start.
    fn confirm(&self, question: &Question) -> Result<Vec<Granted>, Error> {
        let plan: Plan =
            serde_json::from_str(&question.text).map_err(|error| Error::RunnerFailed {
                host: self.allocator.host().clone(),
                message: format!("This is no plan: {error}."),
            })?;
        let grants = self.allocator.confirm_plan_for_others(&plan)?;
        Ok(grants.iter().map(|grant| grant.granted().clone()).collect())
    }
}
