//! The processes that are killed. Each line they print is an acknowledgement that somebody got.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use portlease::core::Request;
use portlease::{Allocator, Grant, Reservation};

use crate::{Result, open};

/// What a worker is told.
#[derive(Args)]
pub(crate) struct Task {
    /// The registry's file
    pub(crate) registry: PathBuf,
    /// The project, to which the worker adds a number for each reserve
    pub(crate) project: String,
    /// The first port of the range
    pub(crate) first: u16,
    /// The last port of the range
    pub(crate) last: u16,
}

/// `granted PROJECT PORT GENERATION`, then for every other one `releasing PROJECT` and `released
/// PROJECT`, until it is killed.
pub(crate) fn run(task: &Task) -> Result<()> {
    let allocator = open(task.registry.clone())?;
    for number in 0_u32.. {
        let project = format!("{}-{number}", task.project);
        let grant = reserve(&allocator, task, &project)?;
        if number % 2 == 0 {
            report(format_args!("releasing {project}"))?;
            grant.release()?;
            report(format_args!("released {project}"))?;
        }
    }
    Ok(())
}

pub(crate) fn once(task: &Task) -> Result<()> {
    reserve(&open(task.registry.clone())?, task, &task.project)?;
    Ok(())
}

/// Starts a server that outlives it, says `serving PID`, and waits.
pub(crate) fn parent(task: &Task) -> Result<()> {
    let allocator = open(task.registry.clone())?;
    let request = Reservation::of(&task.project)
        .framework("default")
        .range(task.first.into(), task.last.into())
        .build()?;
    let mut grant = allocator.reserve(&request)?;
    grant.let_go();
    let port = grant.port().to_string();
    let server = Command::new(std::env::current_exe()?)
        .args(["server", &port])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    grant.confirm_when_listening(None, std::time::Duration::from_secs(30))?;
    report(format_args!("serving {} {port}", server.id()))?;
    std::io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "it stands for an ordinary server"
)]
pub(crate) fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for connection in listener.incoming() {
        drop(connection?);
    }
    Ok(())
}

/// A request that no process holds, so that only a release ends its lease.
pub(crate) fn request(project: &str, first: u16, last: u16) -> Result<Request> {
    Ok(Reservation::of(project)
        .framework("default")
        .range(first.into(), last.into())
        .on_behalf_of_others()
        .build()?)
}

fn reserve(allocator: &Allocator, task: &Task, project: &str) -> Result<Grant> {
    let grant = allocator.reserve(&request(project, task.first, task.last)?)?;
    report(format_args!(
        "granted {project} {} {}",
        grant.port(),
        grant.lease().generation
    ))?;
    Ok(grant)
}

fn report(line: std::fmt::Arguments<'_>) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}
