//! Everything that can differ between two moments of the model.

use portlease_core::{Generation, LeaseKey, Port, Process, Timestamp};

use super::kernel::Kernel;
use super::registry::Registry;
use super::sight::Sight;

/// One moment of the machine and of everybody on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// What the registry knows.
    pub registry: Registry,
    /// What is true.
    pub kernel: Kernel,
    /// Those who ask for ports.
    pub callers: Vec<Caller>,
    /// Those who remove leases.
    pub sweepers: Vec<Sweeper>,
    /// How often foreign programs may still take a port.
    pub foreign_moves_left: u8,
    /// How often the clock may still move on.
    pub ticks_left: u8,
}

/// Somebody who starts processes, one after the other, that each ask for the port of a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// How often it may still be started.
    pub lives_left: u8,
    /// How far it has come.
    pub phase: Phase,
    /// A release that is on its way to the registry, perhaps longer than its sender lives.
    pub release: Option<Grant>,
    /// A server that it started and left behind when it was killed.
    pub orphan: Option<Orphan>,
}

/// How far a caller has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No process: not started yet, stopped or killed.
    Gone,
    /// No process: the request was refused.
    Refused,
    /// No process: another runs the service, and it said so.
    Attached,
    /// It is about to lease.
    Asking(Asking),
    /// It is about to bind what it was granted, after it ended those whose lease it took over.
    Granted {
        /// The request.
        asking: Asking,
        /// What was granted.
        grant: Grant,
        /// Those who have to be ended first.
        victims: Vec<Process>,
    },
    /// Its server listens, which the registry does not know yet.
    Listening(Serving),
    /// Its server listens, which the registry knows.
    Live(Serving),
    /// It listens without having asked, by mistake.
    Unleased(Process, Port),
}

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asking {
    /// Who asks: the identity that the registry is told, and that may lack the start.
    pub process: Process,
    /// What it knows of the world.
    pub sight: Sight,
    /// What it was granted and could not bind.
    pub unbound: Option<Grant>,
    /// How often it asked the registry.
    pub turns: u8,
    /// The registry as it was at the look. Only a mistaken store decides on it.
    pub earlier: Option<Registry>,
}

/// A server and the process that asked for its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Serving {
    /// Who asked.
    pub process: Process,
    /// Who listens, when that is another.
    pub child: Option<Process>,
    /// Whether the registry knows who listens.
    pub is_known: bool,
    /// On which port.
    pub port: Port,
    /// What was granted.
    pub grant: Grant,
}

/// A lease as its owner remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// Which lease.
    pub key: LeaseKey,
    /// Of which port.
    pub port: Port,
    /// Which grant.
    pub generation: Generation,
    /// Whether the registry owes it to keep the lease: from the answer on, until the owner gives
    /// it back or somebody takes it over who may. The owner itself cannot know the latter.
    pub is_owed: bool,
}

/// A server whose parent was killed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Orphan {
    /// Who listens.
    pub process: Process,
    /// The lease under which it began.
    pub grant: Grant,
    /// Whether the registry knows who listens.
    pub is_known: bool,
}

/// Somebody who removes the leases of ended processes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sweeper {
    /// How often it may still sweep.
    pub rounds_left: u8,
    /// How far it has come.
    pub step: SweeperStep,
}

/// How far a sweeper has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SweeperStep {
    /// It does nothing.
    Resting,
    /// It has read the leases. What it sees already now it sees too early.
    Read(Registry, Sight),
    /// It has seen which of their processes have ended.
    Observed(Evidence),
    /// It has seen who listens: it knows all it needs.
    Looked(Evidence),
    /// It removed something.
    Removed,
}

/// What a sweeper has gathered about the leases that it read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// The leases that may go, as they were.
    pub suspects: Vec<(LeaseKey, Generation)>,
    /// The processes that have ended, and the ports on which somebody listens.
    pub sight: Sight,
    /// When the ports were looked at.
    pub at: Timestamp,
}

impl Grant {
    /// Whether this registry has the lease as it was granted.
    #[must_use]
    pub fn is_in(&self, registry: &Registry) -> bool {
        let lease = registry.leases().at(self.port);
        lease.is_some_and(|lease| lease.key == self.key && lease.generation == self.generation)
    }
}

impl Phase {
    /// The process, while it runs.
    #[must_use]
    pub fn process(&self) -> Option<&Process> {
        match self {
            Self::Gone | Self::Refused | Self::Attached => None,
            Self::Unleased(process, _) => Some(process),
            Self::Asking(asking) | Self::Granted { asking, .. } => Some(&asking.process),
            Self::Listening(serving) | Self::Live(serving) => Some(&serving.process),
        }
    }

    /// What the process was granted, while it relies on it.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Asking(asking) => asking.unbound.as_ref(),
            Self::Granted { grant, .. } => Some(grant),
            Self::Listening(serving) | Self::Live(serving) => Some(&serving.grant),
            _ => None,
        }
    }

    fn grant_mut(&mut self) -> Option<&mut Grant> {
        match self {
            Self::Asking(asking) => asking.unbound.as_mut(),
            Self::Granted { grant, .. } => Some(grant),
            Self::Listening(serving) | Self::Live(serving) => Some(&mut serving.grant),
            _ => None,
        }
    }
}

impl Caller {
    /// The grants that it and what it left behind rely on.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        let orphan = self.orphan.as_ref().map(|orphan| &orphan.grant);
        self.phase.grant().into_iter().chain(orphan)
    }

    /// The same, to write down that the registry does not owe one of them any more.
    pub fn grants_mut(&mut self) -> impl Iterator<Item = &mut Grant> {
        let orphan = self.orphan.as_mut().map(|orphan| &mut orphan.grant);
        self.phase.grant_mut().into_iter().chain(orphan)
    }
}

impl State {
    /// All grants that somebody relies on.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.callers.iter().flat_map(Caller::grants)
    }
}
