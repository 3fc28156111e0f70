//! Portlease's planner for browsers, Node.js and edge runtimes. It passes strings on and decides nothing: JSON comes in, the core is
//! asked, JSON goes out.
//!
//! There are few exports, and they take strings, because every other one would be more JavaScript around this library. The functions
//! that people call are TypeScript (`npm/portlease/src/plan.cts`).

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod runtime;

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

/// Answers a question about no host in particular.
#[wasm_bindgen]
pub fn answer(question: &str) -> String {
    portlease_core::answer(question)
}

/// A planner for one host, whose snapshot it has read.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Planner(portlease_core::Planner);

#[wasm_bindgen]
impl Planner {
    /// Reads a snapshot.
    ///
    /// # Errors
    ///
    /// The answer that says what is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(snapshot: &str) -> Result<Self, String> {
        portlease_core::Planner::read(snapshot).map(Self)
    }

    /// Answers a question about the host.
    pub fn answer(&mut self, question: &str) -> String {
        self.0.answer(question)
    }
}
