//! Processes that die at any moment, files that vanish, disks that are full: is anything lost that
//! was acknowledged, or anything granted twice?

mod aftermath;
mod full_disk;
mod kills;
mod scenarios;
mod syscalls;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use portlease::{Allocator, Options, Registry};

use crate::aftermath::Losses;

/// Crashes on purpose, and counts what is lost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many processes are killed at random moments
    #[arg(long, default_value_t = 500)]
    kills: u32,
    /// The seed of the moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The processes that are killed, which this program starts itself.
#[derive(Subcommand)]
enum Role {
    /// Reserves and releases until it is killed, and reports what was acknowledged
    #[command(hide = true)]
    Worker(worker::Task),
    /// Reserves once
    #[command(hide = true)]
    Once(worker::Task),
    /// Reserves, starts a server in a process of its own, and waits
    #[command(hide = true)]
    Parent(worker::Task),
    /// Listens until it is killed
    #[command(hide = true)]
    Server {
        /// Where to listen
        port: u16,
    },
    /// Fills up a disk
    #[command(hide = true)]
    FullDisk {
        /// The registry's file, on that disk
        registry: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.role {
        None => run(arguments.kills, arguments.seed),
        Some(Role::Worker(task)) => worker::run(&task).map(|()| true),
        Some(Role::Once(task)) => worker::once(&task).map(|()| true),
        Some(Role::Parent(task)) => worker::parent(&task).map(|()| true),
        Some(Role::FullDisk { registry }) => full_disk::fill(&registry).map(|()| true),
        Some(Role::Server { port }) => worker::serve(port).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("crash: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(kills: u32, seed: u64) -> Result<bool> {
    let mut losses = Losses::default();
    println!("killing {kills} processes at random moments, seed {seed}");
    let acknowledged = kills::run(kills, seed, &mut losses)?;
    println!("killing a reserve at each of its system calls");
    let calls = syscalls::run(&mut losses)?;
    let scenarios = scenarios::run()?;
    let Losses {
        lost,
        duplicates,
        unreadable,
    } = &losses;
    println!(
        "kills={} acknowledged={acknowledged} scenarios={scenarios} losses={lost} duplicates={duplicates} unreadable={unreadable}",
        kills + calls
    );
    Ok(losses.total() == 0)
}

/// What everything here fails with: only a person reads it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn open(registry: PathBuf) -> Result<Allocator> {
    Ok(Allocator::open(Options {
        registry: Registry::File(registry),
        ..Options::default()
    })?)
}
