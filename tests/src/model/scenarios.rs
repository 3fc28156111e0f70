//! The scenarios that are explored. Each is about one thing, because everything at once would
//! have more states than anybody can wait for.

use super::mutant::Mutant;
use super::scenario::{Role, Scenario, Server, Wish};

/// The scenarios of the whole exploration.
pub const FULL: &[Scenario] = &[
    Scenario {
        name: "two services begin again, a sweeper",
        callers: TWO_SERVICES,
        lives: 2,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "two services begin again, foreign programs, pids used again",
        callers: TWO_SERVICES,
        lives: 2,
        foreign_moves: 1,
        reuses_pids: true,
        ..QUIET
    },
    Scenario {
        name: "two services race two sweepers and a foreign program",
        callers: TWO_SERVICES,
        sweepers: 2,
        foreign_moves: 1,
        ..QUIET
    },
    Scenario {
        name: "three services on two ports, a sweeper",
        callers: THREE_SERVICES,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "two services on three ports, a sweeper, a foreign program",
        ports: 3,
        callers: TWO_SERVICES,
        sweepers: 1,
        foreign_moves: 1,
        ..QUIET
    },
    Scenario {
        name: "unknown starts, pids used again, two sweepers",
        callers: ONE_SERVICE,
        lives: 3,
        sweepers: 2,
        reuses_pids: true,
        unknown_starts: true,
        ..QUIET
    },
    Scenario {
        name: "two processes of one service attach",
        callers: ATTACHING,
        lives: 2,
        sweepers: 1,
        foreign_moves: 1,
        unknown_listeners: true,
        ..QUIET
    },
    Scenario {
        name: "two instances of one service",
        callers: INSTANCES,
        lives: 2,
        sweepers: 1,
        unknown_listeners: false,
        ..QUIET
    },
    Scenario {
        name: "one takes the service of another over",
        callers: TAKEOVER,
        lives: 2,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "one insists on the port of another",
        callers: INSISTING,
        lives: 2,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "servers outlive their starters, next to another service",
        callers: PARENT_AND_OTHER,
        sweepers: 2,
        foreign_moves: 1,
        ..QUIET
    },
    Scenario {
        name: "servers outlive their starters, and the service begins again",
        callers: PARENTS,
        lives: 2,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "a port taken on behalf of others, a clock",
        callers: UNNAMED_AND_OTHER,
        sweepers: 1,
        ticks: 3,
        ..QUIET
    },
];

/// The scenarios of the gate: together they reach the same states of interest.
pub const SMALL: &[Scenario] = &[
    Scenario {
        name: "two services, a sweeper, a foreign program",
        callers: TWO_SERVICES,
        sweepers: 1,
        foreign_moves: 1,
        ..QUIET
    },
    Scenario {
        name: "unknown starts, pids used again, two sweepers",
        callers: ONE_SERVICE,
        lives: 2,
        sweepers: 2,
        reuses_pids: true,
        unknown_starts: true,
        ..QUIET
    },
    Scenario {
        name: "two processes of one service attach",
        callers: ATTACHING,
        foreign_moves: 1,
        unknown_listeners: true,
        ..QUIET
    },
    Scenario {
        name: "two instances of one service",
        callers: INSTANCES,
        sweepers: 1,
        foreign_moves: 1,
        ..QUIET
    },
    Scenario {
        name: "one takes the service of another over",
        callers: TAKEOVER,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "one insists on the port of another",
        callers: INSISTING,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "servers outlive their starters, next to another service",
        callers: PARENT_AND_OTHER,
        sweepers: 1,
        ..QUIET
    },
    Scenario {
        name: "a port taken on behalf of others, a clock",
        callers: UNNAMED_AND_OTHER,
        sweepers: 1,
        ticks: 2,
        ..QUIET
    },
];

/// The smallest scenario in which the mistake can do harm.
#[must_use]
pub const fn smallest_for(mutant: Mutant) -> Scenario {
    match mutant {
        Mutant::NoCompareAndSwap => Scenario {
            name: "a service begins again with the pid that it had",
            callers: ONE_SERVICE,
            lives: 2,
            sweepers: 1,
            reuses_pids: true,
            unknown_starts: true,
            ..QUIET
        },
        Mutant::BindBeforeLease | Mutant::LostUpdate => Scenario {
            name: "two services",
            callers: TWO_SERVICES,
            ..QUIET
        },
        Mutant::ReleaseWithoutOwnerCheck => Scenario {
            name: "a service begins again",
            callers: ONE_SERVICE,
            lives: 2,
            ..QUIET
        },
        Mutant::SweepOnUnknownStartTime => Scenario {
            name: "a process that cannot tell when it started",
            callers: ONE_SERVICE,
            sweepers: 1,
            unknown_starts: true,
            ..QUIET
        },
        Mutant::LookBeforeProcesses | Mutant::ForgetOrphans => Scenario {
            name: "a server outlives its starter",
            callers: PARENT,
            sweepers: 1,
            ..QUIET
        },
        Mutant::SweepByLaterClock => Scenario {
            name: "a port taken on behalf of others",
            callers: UNNAMED,
            sweepers: 1,
            ticks: 2,
            ..QUIET
        },
        Mutant::GrantWithoutBind | Mutant::ForgetFailedBind | Mutant::ServerWanders => Scenario {
            name: "a foreign program on the only port",
            ports: 1,
            ports_outside: 1,
            callers: ONE_SERVICE,
            foreign_moves: 1,
            ..QUIET
        },
    }
}

/// Nothing happens unless a scenario says so.
const QUIET: Scenario = Scenario {
    name: "",
    ports: 2,
    ports_outside: 0,
    callers: &[],
    lives: 1,
    sweepers: 0,
    rounds: 1,
    foreign_moves: 0,
    ticks: 0,
    reuses_pids: false,
    unknown_starts: false,
    unknown_listeners: false,
};

const ONE_SERVICE: &[Role] = &[role(0, Wish::Attach, Server::Caller)];
const TWO_SERVICES: &[Role] = &[
    role(0, Wish::Attach, Server::Caller),
    role(1, Wish::Attach, Server::Caller),
];
const THREE_SERVICES: &[Role] = &[
    role(0, Wish::Attach, Server::Caller),
    role(1, Wish::Attach, Server::Caller),
    role(2, Wish::Attach, Server::Caller),
];
const ATTACHING: &[Role] = &[
    role(0, Wish::Attach, Server::Caller),
    role(0, Wish::Attach, Server::Caller),
];
const INSTANCES: &[Role] = &[
    role(0, Wish::Another, Server::Caller),
    role(0, Wish::Another, Server::Caller),
];
const TAKEOVER: &[Role] = &[
    role(0, Wish::Attach, Server::Child),
    role(0, Wish::Takeover, Server::Caller),
];
const INSISTING: &[Role] = &[
    role(0, Wish::Attach, Server::Caller),
    role(1, Wish::Insist, Server::Caller),
];
const PARENT: &[Role] = &[role(0, Wish::Attach, Server::Child)];
const PARENT_AND_OTHER: &[Role] = &[
    role(0, Wish::Attach, Server::Child),
    role(1, Wish::Attach, Server::Caller),
];
const PARENTS: &[Role] = &[
    role(0, Wish::Attach, Server::Child),
    role(0, Wish::Attach, Server::Child),
];
const UNNAMED: &[Role] = &[role(0, Wish::Attach, Server::Unnamed)];
const UNNAMED_AND_OTHER: &[Role] = &[
    role(0, Wish::Attach, Server::Unnamed),
    role(1, Wish::Attach, Server::Caller),
];

const fn role(service: u8, wish: Wish, server: Server) -> Role {
    Role {
        service,
        wish,
        server,
    }
}
