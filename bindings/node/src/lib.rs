//! Portlease for Node.js. It converts and decides nothing: JSON comes in, the crate `portlease` is asked, JSON goes out.
//!
//! A call is an object with one key, its name, such as `{"isPortAvailable": {"port": 3000}}` (`call.rs`); what it takes and answers is in `portlease::asking`. What takes time comes in
//! two forms: one answers a promise and works on a thread of Node's pool (`job.rs`), the other works in place. Nothing waits on that
//! pool for a server to listen: the caller looks again and again (`grants.rs`). Errors are a JSON text in the reason
//! (`failure.rs`).

mod call;
pub mod command_line;
mod failure;
pub mod grants;
pub mod job;
pub mod outer;
pub mod plan;
pub mod registry;

use napi_derive::napi;

/// The version of the library, which the package compares with its own.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
