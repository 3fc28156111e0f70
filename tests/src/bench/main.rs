//! The benchmarks. Each compares side by side in one run, prints medians and tails, and names the
//! floor: the part of the work that no implementation can leave out.

mod core;
mod measure;
mod report;

use clap::{Parser, ValueEnum};

use crate::report::Report;

/// Measures, and prints medians and tails beside the floor.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    name: Bench,
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// The decision alone: no store, no system calls.
    Core,
}

fn main() {
    let arguments = Arguments::parse();
    let mut report = Report::new(arguments.json);
    match arguments.name {
        Bench::Core => core::run(&mut report),
    }
    report.finish();
}
