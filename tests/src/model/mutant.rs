//! Known mistakes in the protocol around the decision. Each must be found.

use std::fmt;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The sweeper names the generation that a lease has at the time of the sweep, not the one it
    /// had when the evidence was gathered.
    NoCompareAndSwap,
    /// A process binds what it saw free and asks nobody.
    BindBeforeLease,
    /// A release does not prove that it comes from the owner.
    ReleaseWithoutOwnerCheck,
    /// A process counts as ended unless its start is known and is the one that is seen.
    SweepOnUnknownStartTime,
    /// The sweeper looks at the ports first and at the processes afterwards, so that a server can
    /// come in between.
    LookBeforeProcesses,
    /// The sweeper does not ask whether somebody listens on the port of an ended process.
    ForgetOrphans,
    /// The sweep takes the time for that of the look.
    SweepByLaterClock,
    /// The kernel is not asked whether a leased port can be bound.
    GrantWithoutBind,
    /// A port that could not be bound does not become a fact.
    ForgetFailedBind,
    /// A server that cannot bind its port takes the next one, as some dev servers do.
    ServerWanders,
    /// The store applies a decision that was made on older leases.
    LostUpdate,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NoCompareAndSwap,
        Self::BindBeforeLease,
        Self::ReleaseWithoutOwnerCheck,
        Self::SweepOnUnknownStartTime,
        Self::LookBeforeProcesses,
        Self::ForgetOrphans,
        Self::SweepByLaterClock,
        Self::GrantWithoutBind,
        Self::ForgetFailedBind,
        Self::ServerWanders,
        Self::LostUpdate,
    ];
}

impl fmt::Display for Mutant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoCompareAndSwap => "no-compare-and-swap",
            Self::BindBeforeLease => "bind-before-lease",
            Self::ReleaseWithoutOwnerCheck => "release-without-owner-check",
            Self::SweepOnUnknownStartTime => "sweep-on-unknown-start-time",
            Self::LookBeforeProcesses => "look-before-processes",
            Self::ForgetOrphans => "forget-orphans",
            Self::SweepByLaterClock => "sweep-by-later-clock",
            Self::GrantWithoutBind => "grant-without-bind",
            Self::ForgetFailedBind => "forget-failed-bind",
            Self::ServerWanders => "server-wanders",
            Self::LostUpdate => "lost-update",
        })
    }
}
