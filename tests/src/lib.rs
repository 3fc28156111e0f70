//! Harnesses that need more than one crate, process or machine.

pub mod model;
