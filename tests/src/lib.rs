//! Harnesses that need more than one crate, process or machine.

#[cfg(target_os = "linux")]
pub mod chaos;
#[cfg(target_os = "linux")]
pub mod engine;
pub mod model;
#[cfg(target_os = "linux")]
pub mod pgbouncer;
#[cfg(target_os = "linux")]
pub mod podman;
#[cfg(target_os = "linux")]
pub mod postgres;
pub mod service;
#[cfg(target_os = "linux")]
pub mod simulation;
pub mod vectors;
