//! The registry of a fleet on a real PostgreSQL, as its users meet it: several processes, several hosts, and everything that can
//! happen to a server and to the way there.

#![cfg(target_os = "linux")]

mod conformance;
mod exchange;
mod fleet;
mod processes;
mod remote;
mod runners;
mod support;
