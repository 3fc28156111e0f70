//! A fleet that nobody has, on a database that is real; prints what it costs and counts what goes wrong.

use std::process::ExitCode;

use clap::Parser;

/// Plays a large fleet on a real database: what its hosts cost, how many it carries, and what an outage does.
#[derive(Parser)]
struct Arguments {
    /// How many hosts
    #[arg(long, default_value_t = 100_000)]
    hosts: usize,
    /// For how many seconds each load is put on
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Over how many databases of the server the hosts are spread
    #[arg(long, default_value_t = 1)]
    shards: usize,
    /// How many connections to them there are, as those of a pool
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// With how many connections that listen bells are tried
    #[arg(long, default_value_t = 1_000)]
    listeners: usize,
    /// The seed of what is left to chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use std::time::Duration;

    use portlease_tests::simulation::{self, Plan};

    let arguments = Arguments::parse();
    let plan = Plan {
        hosts: arguments.hosts.max(100),
        time: Duration::from_secs(arguments.seconds.max(1)),
        shards: arguments.shards.max(1),
        connections: arguments.connections.max(1),
        listeners: arguments.listeners.max(1),
        seed: arguments.seed,
        ..Plan::default()
    };
    let counts = simulation::run(&plan);
    println!(
        "acts={} errors={} losses={} different={} wrongly_given_up={} not_given_up={} overlong={}",
        counts.acts,
        counts.errors,
        counts.losses,
        counts.different,
        counts.wrongly_given_up,
        counts.not_given_up,
        counts.overlong
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
    eprintln!("simulate: its server is started as Linux does it");
    ExitCode::FAILURE
}
