//! One of many that want a port: reserves, waits, starts an unmodified server, and reports.

use std::io::{BufRead, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use portlease::{Allocator, Error, Grant, Options, Registry, Reservation};

use crate::{Result, this_program};

/// How long a server may take to listen on this busy machine.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How often a contender that lost its port to a stranger asks for another one.
const MAX_LOSSES: u16 = 20;

/// What a contender is told.
#[derive(Args)]
pub(crate) struct Task {
    /// Its project
    pub(crate) project: String,
    /// The registry's file
    pub(crate) registry: PathBuf,
    /// The first port of the range
    pub(crate) first: u16,
    /// The last port of the range
    pub(crate) last: u16,
    /// Which server to start
    pub(crate) server: Server,
    /// How long to wait before that
    pub(crate) delay_ms: u64,
}

/// Servers that know nothing of Portlease.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// `node:http`, on all addresses
    Node,
    /// `python3 -m http.server`, on all IPv4 addresses
    Python,
    /// The standard library's listener, on 127.0.0.1
    Rust,
}

/// Prints `granted PORT` for each grant, `lost PORT` for each loss, `listening PORT PID`, and
/// serves until its standard input ends.
pub(crate) fn run(task: &Task) -> Result<()> {
    let registry = Registry::File(task.registry.clone());
    let allocator = Allocator::open(Options {
        registry,
        ..Options::default()
    })?;
    for _ in 0..MAX_LOSSES {
        let request = Reservation::of(&task.project)
            .framework("default")
            .range(task.first.into(), task.last.into())
            .build()?;
        let mut grant = allocator.reserve(&request)?;
        report(format_args!("granted {}", grant.port()))?;
        pause(Duration::from_millis(task.delay_ms));
        let mut server = start(task.server, &mut grant)?;
        if listens(&mut grant, &server)? {
            report(format_args!("listening {} {}", grant.port(), server.id()))?;
            std::io::stdin().lock().read_to_end(&mut Vec::new())?;
            end(&mut server)?;
            grant.release()?;
            return Ok(());
        }
        report(format_args!("lost {}", grant.port()))?;
        end(&mut server)?;
    }
    Err("lost too many ports".into())
}

/// Starts the server as a person would, with the hold's gate open for it.
fn start(server: Server, grant: &mut Grant) -> Result<Child> {
    let port = grant.port().to_string();
    let mut command = match server {
        Server::Node => {
            let program = "require('node:http').createServer((_, answer) => answer.end('node')).listen(process.argv[1])";
            command("node", &["-e", program, &port])
        }
        Server::Python => command("python3", &["-m", "http.server", &port]),
        Server::Rust => {
            let mut command = Command::new(this_program()?);
            command.args(["server", &port]);
            command
        }
    };
    if let Some(hold) = grant.hold() {
        hold.open()?;
    }
    Ok(command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(std::env::temp_dir());
    command
}

/// Whether it is this server that listens on the granted port in the end, and nobody else.
fn listens(grant: &mut Grant, server: &Child) -> Result<bool> {
    match grant.confirm_when_listening(Some(server.id()), START_LIMIT) {
        Ok(()) => Ok(true),
        Err(Error::PortLost { .. } | Error::ServerEnded { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn end(server: &mut Child) -> Result<()> {
    // It may have ended by itself.
    let _ = server.kill();
    server.wait()?;
    Ok(())
}

fn report(line: std::fmt::Arguments<'_>) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the wait is what the race is about"
)]
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}

/// Answers every request alike.
#[expect(
    clippy::disallowed_methods,
    reason = "it stands for an ordinary server"
)]
pub(crate) fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for connection in listener.incoming() {
        let mut connection = connection?;
        let mut request = std::io::BufReader::new(connection.try_clone()?);
        request.read_line(&mut String::new())?;
        // Whoever asked may be gone.
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrust");
    }
    Ok(())
}
