//! A fleet at work while everything breaks that can; counts what goes wrong.

use std::process::ExitCode;

use clap::Parser;

/// Breaks servers and connections under load, and counts what is lost or granted twice.
#[derive(Parser)]
struct Arguments {
    /// For how many seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// The seed of what happens
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many processes work at once, as far as the registry can tell
    #[arg(long, default_value_t = 12)]
    workers: usize,
    /// On how many machines
    #[arg(long, default_value_t = 3)]
    hosts: usize,
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use std::time::Duration;

    use portlease_tests::chaos::{self, Plan};

    let arguments = Arguments::parse();
    println!(
        "breaking things for {} s, seed {}",
        arguments.seconds, arguments.seed
    );
    let plan = Plan {
        time: Duration::from_secs(arguments.seconds),
        seed: arguments.seed,
        workers: arguments.workers.max(1),
        hosts: arguments.hosts.max(1),
        ..Plan::default()
    };
    let counts = chaos::run(&plan);
    println!(
        "faults={} requests={} refusals={} errors={} overlong={} duplicates={} losses={}",
        counts.faults,
        counts.requests,
        counts.refusals,
        counts.errors,
        counts.overlong,
        counts.duplicates,
        counts.losses
    );
    if counts.are_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    let _ = Arguments::parse();
    eprintln!("chaos: its servers are started as Linux does it");
    ExitCode::FAILURE
}
