//! The registry of a fleet: leases of many hosts in one PostgreSQL.
//!
//! ```no_run
//! use portlease_core::{Host, Name, Scope, Store};
//! use portlease_postgres::PostgresStore;
//!
//! let store = PostgresStore::open(&"postgres://portlease@db.example/fleet".parse()?)?;
//! let host = Host::new(Name::literal("worker-7"));
//! println!("{} leases", store.load(&host, &Scope::Everything)?.len());
//! # Ok::<(), portlease_core::StoreError>(())
//! ```
//!
//! # What is promised
//!
//! - Transactions of one host happen one after the other, whichever threads, processes and machines they come from; those of
//!   different hosts never wait for each other.
//! - A command takes two round trips: one locks the host and loads what the decision can depend on, the other makes the changes and
//!   commits. What only looks takes one.
//! - Each command ends within its [limit](Options::time_limit), with an answer or with the reason why there is none. Until then it is
//!   tried again whenever that can help: after a lost connection, a restart or a failover of the server.
//! - Whether a commit happened whose answer was lost is found out by asking, and never guessed: each connection signs its
//!   transactions with a number of its own, in a row that is part of them.
//! - No port of a host is leased twice, and no service has two leases, by constraints of the tables as well.
//! - The tables live in a schema `portlease` of their own. Whoever opens the registry first makes them; any number may do so at once.
//!   A registry of a newer version is refused, and left as it is.
//!
//! Everything blocks the caller's thread, whatever thread it is. One thread of the store moves the bytes.

mod address;
mod backend;
mod changes;
mod connection;
mod driver;
mod exchange;
mod flight;
mod limit;
mod listening;
mod options;
mod passfile;
mod pool;
mod questions;
mod rows;
mod runners;
mod schema;
mod statements;
mod store;
mod tls;
mod transaction;
mod trouble;

pub use address::Address;
#[doc(hidden)]
pub use limit::{TRIED_FOR, pause_while_away};
pub use options::Options;
#[doc(hidden)]
pub use questions::LOOK_INTO_INBOX;
pub use questions::{Answered, Inbox, Question};
pub use runners::{HostOverview, Report, Reported, Told};
#[doc(hidden)]
pub use statements::SQL;
pub use store::PostgresStore;
