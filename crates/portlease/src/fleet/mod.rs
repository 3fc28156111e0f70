//! Hosts that share a database and cannot see each other.
//!
//! Each host that others plan for has a [`Runner`]: it reports what is observed there, and confirms plans or says what is wrong with
//! them. Everything goes through the database, by which nobody needs a way to anybody else.

mod answer;
mod rhythm;
mod runner;

use std::sync::Arc;
use std::time::{Duration, Instant};

use portlease_core::{
    Granted, Host, HostSettings, HostSnapshot, Plan, Planner, Request, Scope, Swept,
};
use portlease_postgres::{Answered, PostgresStore, Reported};

use self::answer::Answer;
pub use self::rhythm::Rhythm;
pub use self::runner::{Runner, RunnerEvent, RunnerOptions};
use crate::{Allocator, Error};

/// The hosts of a registry that is a database.
///
/// ```no_run
/// use std::time::Duration;
/// use portlease::{Allocator, Options, Registry, Wish};
///
/// let registry = Registry::from_url("postgres://portlease@db.example/fleet")?;
/// let allocator = Allocator::open(Options { registry, ..Options::default() })?;
/// for status in allocator.host_statuses()? {
///     println!("{}: {} leases", status.host, status.leases);
/// }
/// let fleet = allocator.fleet()?;
/// let host = "worker-7".parse()?;
/// let wish = Wish::read(r#"{"projectId": "shop", "framework": "vite"}"#)?;
/// let request = wish.request(&fleet.settings_of(&host)?)?;
/// let granted = fleet.reserve_on(&host, &request, Duration::from_secs(10))?;
/// println!("the dev server on worker-7 goes to {}", granted[0].port());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fleet {
    allocator: Allocator,
    database: Arc<PostgresStore>,
}

impl Allocator {
    /// The hosts that share the registry, for registries that are databases.
    ///
    /// # Errors
    ///
    /// [`Error::NoFleet`] when the registry is no database.
    pub fn fleet(&self) -> Result<Fleet, Error> {
        let database = self.inner.database.clone().ok_or(Error::NoFleet)?;
        Ok(Fleet {
            allocator: self.clone(),
            database,
        })
    }
}

impl Fleet {
    /// How long the runner of another host is waited for by those who do not say how long.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    /// A host as its runner saw it last: what is leased there now, and what was occupied when it reported.
    ///
    /// # Errors
    ///
    /// [`Error::NoRunner`] when it never had one.
    pub fn snapshot_of(&self, host: &Host) -> Result<HostSnapshot, Error> {
        let Reported { report, .. } = self.reported(host)?;
        let leases = self.allocator.inner.store.load(host, &Scope::Everything)?;
        Ok(HostSnapshot {
            registry: leases.into(),
            facts: report.facts,
            settings: report.settings,
            ..HostSnapshot::of(host.clone())
        })
    }

    /// What the configuration of a host says for everybody, as its runner told it.
    ///
    /// # Errors
    ///
    /// [`Error::NoRunner`] when it never had one.
    pub fn settings_of(&self, host: &Host) -> Result<HostSettings, Error> {
        Ok(self.reported(host)?.report.settings)
    }

    fn reported(&self, host: &Host) -> Result<Reported, Error> {
        let no_runner = || Error::NoRunner {
            host: host.clone(),
            silent_for: None,
        };
        self.database.reported(host)?.ok_or_else(no_runner)
    }

    /// Leases ports on a host that cannot be seen: plans, has its runner confirm the plan, and plans again on what the runner says
    /// until it fits. No port is planned twice, so that ends.
    ///
    /// Unless the request says otherwise, the leases belong to nobody: whoever starts the servers there has no number here.
    ///
    /// # Errors
    ///
    /// The refusal, when the host has no port for the request; [`Error::NoRunner`] when nobody answers there.
    pub fn reserve_on(
        &self,
        host: &Host,
        request: &Request,
        at_most: Duration,
    ) -> Result<Vec<Granted>, Error> {
        // As long as a question may wait; it is short enough for every clock.
        let deadline = Instant::now() + at_most.min(Duration::from_hours(24));
        let mut snapshot = self.snapshot_of(host)?;
        loop {
            let planner = Planner::new(snapshot).map_err(|error| Error::RunnerFailed {
                host: host.clone(),
                message: format!("What it tells of its host makes no sense: {error}."),
            })?;
            let plan = planner.plan(request.clone())?;
            let left = deadline.saturating_duration_since(Instant::now());
            match self.ask(&plan, left) {
                Err(Error::PlanOutdated(outdated)) => snapshot = outdated.snapshot,
                confirmed => return confirmed,
            }
        }
    }

    /// Has a plan confirmed by the runner of its host.
    ///
    /// # Errors
    ///
    /// [`Error::PlanOutdated`] with the snapshot to plan on, when it does not fit; [`Error::NoRunner`] when nobody answers there.
    pub fn confirm_on(&self, plan: &Plan, at_most: Duration) -> Result<Vec<Granted>, Error> {
        // For a host that nobody has ever heard of, nobody need be waited for.
        self.reported(&plan.host)?;
        self.ask(plan, at_most)
    }

    fn ask(&self, plan: &Plan, at_most: Duration) -> Result<Vec<Granted>, Error> {
        let host = &plan.host;
        // A plan is data; it can always be written.
        let question = serde_json::to_string(plan).unwrap_or_default();
        match self.database.ask_runner(host, &question, at_most)? {
            Answered::With(answer) => Answer::read(&answer, host)?.into_result(host),
            Answered::NotTaken => {
                let reported = self.database.reported(host)?;
                Err(Error::NoRunner {
                    host: host.clone(),
                    silent_for: reported.map(|it| it.silent_for),
                })
            }
            Answered::NotYet => Err(Error::RunnerInDoubt { host: host.clone() }),
        }
    }

    /// Ends the leases of hosts that were silent for longer than their runners agreed to hold on to them. Some runner does so every few
    /// seconds. Where there is none, it has to be done more often than every 20 seconds: nobody was silent while nobody looked.
    pub fn give_up_silent_hosts(&self) -> Result<Vec<(Host, Swept)>, Error> {
        Ok(self.database.give_up_silent_hosts(Duration::ZERO)?)
    }
}
