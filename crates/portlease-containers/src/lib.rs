//! Docker and Podman over their API: which ports of the machine belong to containers.
//!
//! A port that an engine will give to a container is not free, even when nothing listens on it: the
//! container is stopped, or the engine forwards its traffic without a socket of the host.
//!
//! ```
//! use portlease_containers::{Containers, Environment};
//!
//! let environment = Environment { is_enabled: false, ..Environment::default() };
//! let look = Containers::new(&environment).look();
//! assert!(look.containers().is_empty() && look.faults().is_empty());
//! ```
//!
//! Where no engine runs, a look is a question to the file system whether one of a handful of sockets
//! exists: no thread is started. An engine that hangs or answers nonsense costs at
//! most [`LIMIT`], once, and is told as a [`Fault`].

mod api;
mod container;
mod containers;
mod endpoint;
mod engine;
mod environment;
mod fault;
mod follow;
mod http;
mod look;
pub mod parse;
mod stream;

pub use container::{ContainerDetails, Protocol, Published};
pub use containers::Containers;
pub use endpoint::{Address, Endpoint};
pub use environment::Environment;
pub use fault::{Fault, FaultKind};
pub use look::Look;

/// How long the engines may take to answer, all together.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(2);
