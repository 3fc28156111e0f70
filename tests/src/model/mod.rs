//! A model of the whole protocol, not only of the decision: processes that look, lease, bind,
//! confirm, crash, restart and sweep, in every order in which that can happen.
//!
//! The decision in it is the real one. What the model adds is the world around: a kernel that
//! never gives a port to two, processes that can stop between any two steps, foreign programs, and
//! the difference between what somebody saw and what is true by now.
//!
//! Not modelled: several hosts, clocks that disagree, stores that lose what they acknowledged, and
//! requests for several services at once, which are one decision and have properties of their own.

mod caller;
mod exploration;
mod kernel;
mod mutant;
mod properties;
mod protocol;
mod registry;
mod scenario;
mod scenarios;
mod sight;
mod state;
mod sweeper;
#[cfg(test)]
mod tests;
mod trace;

pub use exploration::{Counterexample, Exploration, explore, hunt};
pub use mutant::Mutant;
pub use protocol::{Protocol, Step};
pub use scenario::{Role, Scenario, Server, Wish};
pub use scenarios::{FULL, SMALL, smallest_for};
