//! The registry of one machine: a file that all processes of a user share and that survives
//! anything.
//!
//! ```
//! use portlease_core::{Host, Name, Scope, Store};
//! use portlease_sqlite::SqliteStore;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("portlease").join("registry.db");
//! let store = SqliteStore::open(&path)?;
//! let host = Host::new(Name::literal("laptop"));
//! assert!(store.load(&host, &Scope::Everything)?.is_empty());
//! for recovery in store.recoveries() {
//!     eprintln!("the registry was repaired: {recovery:?}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - Transactions happen one after the other, whichever threads and processes they come from. The
//!   system wakes those who wait, so none starves in a crowd; and none waits longer than the
//!   [timeout](Options::lock_timeout).
//! - What was answered survives the end of every process, at any instant and by any signal. (After
//!   the power was lost the last moments may be missing: no process that held a lease then lives.)
//! - A process that decides again and again loads only what it does not know and what others changed
//!   since, and nothing at all while nobody else writes.
//!
//! # The files
//!
//! `registry.db` is the registry. `registry.db-wal` and `registry.db-shm` are parts of it for as
//! long as somebody has it open; whoever copies it takes them too, or uses
//! [`export`](portlease_core::Exchange::export). `registry.db.lock` is what writers wait on. All of them, and the
//! folder when it is made, are for nobody but the user.
//!
//! # When something happens to them
//!
//! - **Damaged.** The files are renamed to `registry.db.corrupt-1` (or the next free number) and
//!   never deleted. A new registry takes their place, with everything that can be read of them, row
//!   by row. Its generations go on after every one that can have been given before. The command
//!   that met the damage goes on too; [`recoveries`](SqliteStore::recoveries) tells what happened.
//! - **Deleted or replaced while a process has it open.** The next command of that process notices,
//!   and carries over every lease that it knows and that does not contradict the file that is there
//!   now. So leases do not end by deleting the file, but by
//!   [`Release`](portlease_core::Command::Release).
//! - **Anything else that cannot be worked with** is an error, and is left as it is: a file of a
//!   newer version, the database of another program, a symbolic link, somebody else's file or
//!   folder, a network file system, a folder that may not be written, a full disk. Each error says
//!   what and where, and what to do about it.
//!
//! What cannot be noticed: a copy of `registry.db` alone, put in its place while the `-wal` of
//! another file lies beside it and no process of Portlease runs.

mod changes;
mod copies;
mod deciding;
mod explain;
mod export;
mod file_lock;
mod inspection;
mod loaded;
mod opening;
mod options;
mod place;
mod recovery;
mod registry;
mod rows;
mod schema;
mod store;
mod transaction;

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub use inspection::Inspection;
pub use options::Options;
pub use recovery::{Cause, Recovery};
pub use store::SqliteStore;
