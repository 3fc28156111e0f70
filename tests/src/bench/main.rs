//! The benchmarks. Each compares side by side in one run, prints medians and tails, and names the
//! floor: the part of the work that no implementation can leave out.

#[cfg(target_os = "linux")]
mod containers;
mod core;
#[cfg(target_os = "linux")]
mod fleet;
mod machine;
mod measure;
mod node;
mod report;
mod service;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::Report;

/// Measures, and prints medians and tails beside the floor.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    #[command(subcommand)]
    name: Bench,
    /// Print one JSON object a line instead of a table.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Bench {
    /// The decision alone: no store, no system calls.
    Core,
    /// One machine: probe, hold and registry, beside other port tools.
    Machine {
        /// Only this part.
        part: Option<machine::Part>,
    },
    /// What containers add to a reserve, with a real Docker Engine
    #[cfg(target_os = "linux")]
    Containers,
    /// The registry of a fleet, on a PostgreSQL of its own
    #[cfg(target_os = "linux")]
    Fleet,
    /// The package for Node, beside others: `cargo xtask bench node` builds and installs them.
    Node {
        /// Where they are installed.
        folder: PathBuf,
    },
    /// The service, beside a hello-world of the same framework.
    Service,
    /// The planner in Node.js and in a browser, beside native code: `cargo xtask bench wasm` builds it.
    Wasm {
        /// The npm package, built.
        home: PathBuf,
    },
    /// Other processes of a benchmark, which it starts itself.
    #[command(hide = true, subcommand)]
    Role(machine::Role),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report::new(arguments.json);
    let outcome = match arguments.name {
        Bench::Core => {
            core::run(&mut report);
            Ok(())
        }
        Bench::Machine { part } => machine::run(&mut report, part),
        #[cfg(target_os = "linux")]
        Bench::Containers => containers::run(&mut report),
        #[cfg(target_os = "linux")]
        Bench::Fleet => fleet::run(&mut report),
        Bench::Node { folder } => node::run(&mut report, &folder),
        Bench::Service => service::run(&mut report),
        Bench::Wasm { home } => wasm::run(&mut report, &home),
        Bench::Role(role) => return finish(machine::play(&role)),
    };
    report.finish();
    finish(outcome)
}

fn finish(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What everything here fails with: only a person reads it.
type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
