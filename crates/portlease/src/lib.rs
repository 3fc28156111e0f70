//! A port of its own for every dev server, service and container of a machine: the right one, at
//! once, the same one tomorrow, and never one that somebody else has.
//!
//! ```
//! use portlease::{Allocator, Options, Registry, Reservation};
//!
//! let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
//! let request = Reservation::of("shop").framework("next").build()?;
//! let mut grant = allocator.reserve(&request)?;
//!
//! // The port is leased in the registry and held in the kernel. A server of this process lets the
//! // hold go and binds; a child that is started comes in by the hold's gate.
//! grant.let_go();
//! # #[expect(clippy::disallowed_methods, reason = "it is the user's server")]
//! let server = std::net::TcpListener::bind(("127.0.0.1", grant.port().get())).expect("it is ours");
//! grant.confirm(None)?;
//! # drop(server);
//! # grant.release()?;
//! # Ok::<(), portlease::Error>(())
//! ```

mod allocator;
mod arrival;
pub mod asking;
pub mod config;
mod confirm;
mod containers;
mod detect;
mod draft;
mod environment;
mod error;
#[cfg(feature = "postgres")]
mod fleet;
mod folders;
mod grant;
mod health;
mod hosts;
mod http;
mod observe;
mod outer;
mod plain;
mod presence;
mod project;
mod reclaim;
mod registry;
mod registry_file;
mod reservation;
mod reserve;
mod scan;
mod snapshot;
mod steps;
mod summary;
mod watch;
mod wish;

pub use allocator::{Allocator, Options, Who};
pub use arrival::Arrival;
pub use config::{Config, ConfigError, ConfigSources};
pub use confirm::PlanOutdated;
pub use containers::PROJECT_LABEL;
pub use detect::{Detected, Evidence, Hints, ServerCommand};
pub use environment::PortVariable;
pub use error::Error;
#[cfg(feature = "postgres")]
pub use fleet::{Fleet, Rhythm, Runner, RunnerEvent, RunnerOptions};
pub use folders::state_folder;
pub use grant::{Grant, Grants};
pub use health::{
    Health, HealthChange, HealthCheck, HealthMonitor, HealthStatus, HealthWatch, InvalidPath,
    UrlPath, check_health,
};
pub use hosts::HostStatus;
pub use observe::now;
pub use outer::OuterRun;
pub use plain::Allocation;
pub use portlease_containers as engines;
pub use portlease_core as core;
pub use portlease_core::{
    Export, HolderWish, HostLease, Imported, InvalidArgument, OnConflict, PortNumber, PortsWish,
    RequestWish, ServiceWish, UnusableVariable, VariableWish, Wish, read_argument,
};
pub use portlease_probe as probe;
pub use portlease_sqlite::Recovery;
pub use presence::{ContainerOnPort, PortPresence, ProgramOnPort};
pub use project::{project_name, project_root};
pub use registry::{Registry, without_password};
pub use registry_file::RegistryFile;
pub use reservation::Reservation;
pub use summary::{ServiceResult, ServiceSummary, Summary};
pub use watch::{
    Event, HealthState, LeaseHealth, Seen, Watch, WatchOptions, WatchedContainer, WatchedLease,
};
