//! Readers of bytes from outside: pure functions on slices, so that they can be tested and fuzzed
//! without an operating system. None of them panics, whatever it is given.

pub mod diag;
pub mod filter;
pub mod netsh;
pub mod proc_text;
