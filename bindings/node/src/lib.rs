//! Portlease for Node.js. It converts and decides nothing: JSON comes in, the crate `portlease` is asked, JSON goes out.

use napi_derive::napi;

/// The version of the library, which the package compares with its own.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
