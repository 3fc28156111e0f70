//! The planner of the core, for the tests: its answers have to be those of the planner in WASM.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API hands over what it copied out of JavaScript"
)]

use napi_derive::napi;
use portlease::core::{Planner, answer};

use crate::failure::guarded;

/// The answers of one planner to questions about the host of a snapshot, or to questions about no host. When the snapshot is none,
/// each answer says so.
#[napi]
pub fn answers(snapshot: Option<String>, asks: Vec<String>) -> napi::Result<Vec<String>> {
    Ok(guarded(|| {
        let asks = asks.iter();
        let Some(snapshot) = snapshot else {
            return Ok(asks.map(|question| answer(question)).collect());
        };
        Ok(match Planner::read(&snapshot) {
            Ok(mut planner) => asks.map(|question| planner.answer(question)).collect(),
            Err(problem) => asks.map(|_| problem.clone()).collect(),
        })
    })?)
}
