//! The registry of a fleet on a real PostgreSQL, as its users meet it: several processes, several hosts, and everything that can
//! happen to a server and to the way there.

#![cfg(target_os = "linux")]

mod command_line;
mod conformance;
mod encrypted;
mod exchange;
mod faults;
mod fleet;
mod hosts;
mod opening;
mod pool;
mod processes;
mod refused;
mod runners;
mod service;
mod simulation;
mod support;
mod waiting;
