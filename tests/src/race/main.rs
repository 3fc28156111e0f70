//! Many processes reserve at once, wait, and then really listen, while foreign programs grab ports
//! of the same range: does everybody end up alone on a port of its own?
//!
//! What is true of the ports is told by a witness that asks neither the registry nor the probe.

mod contender;
mod judge;
mod stranger;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Races for ports, and counts what goes wrong.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many processes reserve a port
    #[arg(long, default_value_t = 100)]
    processes: u16,
    /// How long each waits between its reserve and the start of its server, in milliseconds
    #[arg(long, default_value_t = 300)]
    delay_ms: u64,
    /// How many foreign programs grab ports at random
    #[arg(long, default_value_t = 4)]
    strangers: u16,
}

/// The other processes of a race, which the race itself starts.
#[derive(Subcommand)]
enum Role {
    /// Reserves a port and runs a server on it
    #[command(hide = true)]
    Contender(contender::Task),
    /// Grabs ports of the range at random
    #[command(hide = true)]
    Stranger(stranger::Task),
    /// Serves HTTP as an ordinary Rust program
    #[command(hide = true)]
    Server {
        /// Where to listen
        port: u16,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.role {
        None => judge::run(arguments.processes, arguments.delay_ms, arguments.strangers),
        Some(Role::Contender(task)) => contender::run(&task).map(|()| true),
        Some(Role::Stranger(task)) => {
            stranger::run(&task);
            Ok(true)
        }
        Some(Role::Server { port }) => contender::serve(port).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("race: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What everything here fails with: only a person reads it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// This program, to be started in another role.
fn this_program() -> Result<PathBuf> {
    Ok(std::env::current_exe()?)
}
