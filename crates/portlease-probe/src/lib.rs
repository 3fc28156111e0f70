//! The operating system behind one interface: which ports are occupied, by whom, and a [`Hold`]
//! that keeps a port claimed in the kernel until its server listens.
//!
//! ```
//! use portlease_core::{Port, PortSet};
//! use portlease_probe::{BindError, Hold, Probe};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let ephemeral = std::net::UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
//! # let wanted = Port::new(ephemeral).ok_or("a bound port is not 0")?;
//! let hold = Hold::take(wanted)?;
//! assert!(matches!(Hold::take(wanted), Err(BindError::InUse { .. })));
//!
//! // On Linux a hold is seen, as any socket that is bound; elsewhere only listeners are.
//! let occupied = Probe::new().occupied(&PortSet::from_iter([wanted]))?;
//! assert_eq!(occupied.contains(wanted), cfg!(target_os = "linux"));
//! hold.release();
//! portlease_probe::can_bind(wanted, None)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - [`Probe`] looks, and touches no port: [`listening`](Probe::listening),
//!   [`occupied`](Probe::occupied), [`listener`](Probe::listener), [`sockets`](Probe::sockets),
//!   [`who`](Probe::who).
//! - [`can_bind`], [`Attempts`] and [`Hold`] bind. **Never bind a port that is leased to somebody
//!   else**: for as long as a probe has it, the start of its owner fails.
//! - [`identity`] tells processes, hosts and their ends apart; [`settings`] is what the system says
//!   about its ports.
//! - [`parse`] holds everything that reads bytes from outside.
//!
//! There is one file for each operating system, and the rest of the crate knows none of them. The
//! only clock in use is that of the machine, for the start of processes.

mod attempts;
mod bind;
mod error;
mod exclusive;
mod hold;
pub mod identity;
mod occupant;
pub mod parse;
mod probe;
pub mod settings;
mod within;

#[cfg(any(target_os = "macos", windows))]
mod listed;
#[cfg(unix)]
mod unix;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub use attempts::Attempts;
pub use bind::{BindError, can_bind, can_bind_within};
pub use error::ProbeError;
pub use hold::{Guarantee, Hold};
pub use occupant::{OccupantDetails, Occupants, Socket};
pub use probe::Probe;

/// How long anything that asks the operating system may take before it is given up.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(1);
