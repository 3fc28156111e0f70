//! Asks the service whatever its own document allows, and what it does not allow, and compares the answers with the document.
//!
//! What asks is schemathesis. It looks for statuses of 500 and more, for answers that the document does not describe, and for
//! requests that are answered although the document forbids them.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;
use portlease::core::Port;
use portlease::engines::Environment;
use portlease::{Allocator, ConfigSources, Options, Registry, Reservation};
use portlease_server::{ServeOptions, Server, listen};
use tokio::sync::oneshot;

/// Asks the service whatever its document allows and forbids.
#[derive(Parser)]
struct Arguments {
    /// The program of schemathesis
    schemathesis: PathBuf,
    /// So many questions of each kind for each operation
    #[arg(long, default_value_t = 200)]
    examples: u32,
    /// Where chance begins; another one each time when nothing is said
    #[arg(long)]
    seed: Option<u32>,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let config = ConfigSources::of_folder(folder.path())
        .variables([])
        .read()?;
    let allocator = Allocator::open(Options {
        registry: Registry::File(folder.path().join("registry.db")),
        settings: Some(config.host_settings()),
        engines: Some(Environment::of_variables(|_| None)),
        ..Options::default()
    })?;
    let own = Reservation::of("fuzzed").base_port(7787);
    let port: Port = allocator.allocate_port(own)?;
    let listener = listen(Ipv4Addr::LOCALHOST.into(), port)?;
    let server = Server::new(allocator, config, ServeOptions::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(server.run(vec![listener], async {
        // It is over as well when nobody is there to say so.
        let _ = stopped.await;
    }));
    let fuzzed = fuzz(&arguments, port, folder.path())?;
    drop(stop);
    runtime.block_on(serving)??;
    Ok(if fuzzed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn fuzz(arguments: &Arguments, port: Port, folder: &std::path::Path) -> std::io::Result<bool> {
    let mut fuzzer = Command::new(&arguments.schemathesis);
    fuzzer
        .args(["run", &format!("http://localhost:{port}/api/openapi.json")])
        // Its answer has no end.
        .args(["--exclude-path", "/api/events"])
        .args(["--phases", "examples,coverage,fuzzing", "--checks", "all"])
        // That a port is taken, a framework unknown or a lease another is not for a schema to say.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args(["--max-examples", &arguments.examples.to_string()])
        .args(["--continue-on-failure", "--no-color", "--generation-database", "none"])
        .current_dir(folder);
    if let Some(seed) = arguments.seed {
        fuzzer.args(["--seed", &seed.to_string()]);
    }
    Ok(fuzzer.status()?.success())
}
