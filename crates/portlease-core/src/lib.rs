//! The decision at the heart of Portlease: which service gets which port, and why.
//!
//! Everything here is a value. [`decide`](decide()) reads the [`Leases`] of a host, a [`Command`] and the
//! [`Facts`] that were observed, and answers with a [`Decision`]: what to change, what to reply,
//! and the reasons. There is no I/O, no clock and no randomness in this crate, so the same lines
//! run in a laptop's registry, in a fleet's database and in a browser tab.
//!
//! A [`Store`] keeps the leases: it loads them, decides, applies the changes and commits.

// The derive of ts-rs writes code for crates with the standard library. Nothing that is shipped has this feature.
#![cfg_attr(not(feature = "typescript"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod browser;
mod catalog;
mod command;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decide;
mod decision;
mod export;
mod facts;
#[cfg(any(test, feature = "conformance"))]
mod histories;
mod identity;
mod lease;
mod leases;
#[cfg(feature = "std")]
mod memory_store;
mod name;
mod planned;
mod planner;
mod pools;
mod port;
mod port_range;
mod port_set;
mod presets;
#[cfg(feature = "json")]
pub mod reading;
mod refusal;
mod request;
#[cfg(feature = "schema")]
mod schema;
mod settings;
mod store;
mod time;
mod trace;
#[cfg(feature = "json")]
mod wish;

pub use browser::browser_blocked;
pub use catalog::{Catalog, Framework, NoDefaultFramework, RANGE_LEN};
pub use command::{
    Command, Confirm, NamedRange, Release, Renew, Scope, StatsQuery, Suspect, Sweep, Validate,
};
pub use decide::decide;
pub use decision::{
    Change, Decision, Evidence, Explained, Granted, LeaseStatus, Move, Outcome, PortUsage,
    RangeUsage, Released, Reply, Reserved, Stats, Swept, SweptLease, Validated, ValidatedLease,
};
pub use export::{Exchange, Export, HostLease, Imported, MAX_COUNT, OnConflict};
pub use facts::{Facts, Occupancy, Occupant, OccupiedPort};
pub use identity::{Container, Holder, Process, Seen, Sighting};
pub use lease::{Follower, Generation, Lease, LeaseKey, LeaseState, Memory};
pub use leases::{Counters, InvalidSnapshot, Leases, Merged, Snapshot};
#[cfg(feature = "std")]
pub use memory_store::MemoryStore;
pub use name::{InvalidName, Name};
pub use planned::{Displacement, Planned, Seat};
#[cfg(feature = "json")]
pub use planner::answer;
pub use planner::{HostSnapshot, Plan, Planner};
pub use pools::{InvalidPools, Pool, Pools};
pub use port::{InvalidPort, Port};
pub use port_range::{InvalidRange, PortRange};
pub use port_set::{Iter, PortSet};
pub use presets::{CONTAINER, DEVELOPMENT, PRODUCTION, Preset, Presets};
#[cfg(feature = "json")]
pub use reading::{InvalidArgument, read_argument};
pub use refusal::{Exhausted, NotOwner, Outdated, Refusal, Stays, Taken, Tally, Unavailable};
pub use request::{Capability, Explicit, IfRunning, Request, Service, Strategy};
pub use settings::HostSettings;
pub use store::{Host, Mark, Store, StoreError, StoreErrorKind, TransactError, refused};
pub use time::Timestamp;
pub use trace::{Party, Step, Tier, Trace, Verdict};
#[cfg(feature = "json")]
pub use wish::{
    HolderWish, InvalidWish, PortNumber, PortsWish, RequestDraft, RequestWish, ServiceDraft,
    ServiceWish, UnknownPreset, UnusableVariable, VariableWish, Wish, check_framework,
};
