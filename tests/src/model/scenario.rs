//! What takes part in an exploration, and how much of it: the bounds that make it finite.

use portlease_core::{Port, PortRange};

/// The first port of every model.
pub(super) const FIRST_PORT: u16 = 3000;

/// Who takes part, and how often things may happen to them.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What it is about.
    pub name: &'static str,
    /// How many ports the requested range has.
    pub ports: u16,
    /// How many ports the machine has after the range.
    pub ports_outside: u16,
    /// The callers: each asks for the port of one service.
    pub callers: &'static [Role],
    /// How often each caller is started.
    pub lives: u8,
    /// How many sweepers race each other.
    pub sweepers: u8,
    /// How often each sweeper sweeps.
    pub rounds: u8,
    /// How often foreign programs take a port.
    pub foreign_moves: u8,
    /// How often the clock moves on. A lease without a holder is abandoned after one move.
    pub ticks: u8,
    /// Whether an ended process's pid may be given to another.
    pub reuses_pids: bool,
    /// Whether a process may be unable to tell when it started.
    pub unknown_starts: bool,
    /// Whether a look may be unable to tell who listens.
    pub unknown_listeners: bool,
}

/// How a caller behaves.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// The service, by its number. Callers may share one.
    pub service: u8,
    /// What is wanted.
    pub wish: Wish,
    /// Who listens in the end.
    pub server: Server,
}

/// What a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A port, or to hear that the service runs already.
    Attach,
    /// A port, as a further instance when the service runs already.
    Another,
    /// A port, and the lease of whoever runs the service.
    Takeover,
    /// The first port of the range and no other.
    Insist,
}

/// Who listens on a caller's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The process that asked and holds the lease.
    Caller,
    /// A child of it, which may live longer.
    Child,
    /// A process that the lease does not name, because it was taken on behalf of others.
    Unnamed,
}

impl Scenario {
    /// The range in which every port is requested.
    #[must_use]
    pub fn range(&self) -> PortRange {
        PortRange::starting_at(Port::literal(FIRST_PORT), self.ports)
    }
}
