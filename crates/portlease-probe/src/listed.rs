//! What macOS and Windows have in common: both list every listener with its process, and know
//! neither sockets that are only bound nor a gate.

use std::collections::BTreeSet;
use std::io;

use listeners::{Listener, Protocol, SocketState};
use portlease_core::{Port, PortSet, Process, Timestamp};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, Users};

use crate::parse::diag::Look;
use crate::{OccupantDetails, ProbeError, Socket, system};

pub(crate) const ONE_SOCKET_FOR_BOTH_FAMILIES: bool = false;

/// More generations than any process has; it ends a walk in circles.
const MOST_ANCESTORS: usize = 64;

/// Keeps nothing open: each question lists all listeners.
#[derive(Default)]
pub(crate) struct Sockets;

#[expect(
    clippy::unused_self,
    reason = "the interface is that of all systems, and Linux keeps a channel open"
)]
impl Sockets {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn occupied(&mut self, ports: &PortSet, _: Look) -> Result<PortSet, ProbeError> {
        let mut occupied: PortSet = all()?
            .filter_map(|it| Port::new(it.socket.port()))
            .collect();
        occupied &= ports;
        Ok(occupied)
    }

    pub(crate) fn sockets(&mut self, port: Port, _: Look) -> Result<Vec<Socket>, ProbeError> {
        let socket = |listener: Listener| Socket {
            port,
            address: listener.socket.ip(),
            listens: true,
            inode: None,
            user_id: None,
        };
        Ok(on(port)?.map(socket).collect())
    }

    pub(crate) fn listener(&mut self, port: Port) -> Result<Option<Socket>, ProbeError> {
        let is_reached =
            |socket: &Socket| socket.address.is_unspecified() || socket.address.is_loopback();
        Ok(self
            .sockets(port, Look::Listening)?
            .into_iter()
            .find(is_reached))
    }
}

/// The suspected process, if it listens on the port of these sockets.
pub(crate) fn confirm(
    listening: &[Socket],
    suspected: &Process,
) -> Result<Option<OccupantDetails>, ProbeError> {
    let is_confirmed = pids(listening)?.contains(&suspected.pid)
        && !suspected.has_ended(&system::sight(suspected));
    if !is_confirmed {
        return Ok(None);
    }
    Ok(details([suspected.pid])?.pop())
}

pub(crate) fn who(sockets: &[Socket]) -> Result<Vec<OccupantDetails>, ProbeError> {
    let mut occupants = details(pids(sockets)?)?;
    occupants.sort_by_key(|occupant| {
        let process = occupant.process.as_ref();
        process.and_then(|process| process.started)
    });
    Ok(occupants)
}

/// The processes that listen on the port of these sockets.
fn pids(sockets: &[Socket]) -> Result<BTreeSet<u32>, ProbeError> {
    match sockets.first() {
        None => Ok(BTreeSet::new()),
        Some(socket) => Ok(on(socket.port)?
            .map(|listener| listener.process.pid)
            .collect()),
    }
}

fn all() -> Result<impl Iterator<Item = Listener>, ProbeError> {
    let listeners = listeners::get_all().map_err(|error| ProbeError::Other {
        action: "list the listeners",
        source: io::Error::other(error.to_string()),
    })?;
    Ok(listeners.into_iter().filter(|listener| {
        listener.protocol == Protocol::TCP && listener.state == SocketState::Listen
    }))
}

fn on(port: Port) -> Result<impl Iterator<Item = Listener>, ProbeError> {
    Ok(all()?.filter(move |listener| listener.socket.port() == port.get()))
}

fn details(pids: impl IntoIterator<Item = u32>) -> Result<Vec<OccupantDetails>, ProbeError> {
    let problem = |error: sysinfo::Error| ProbeError::Other {
        action: "list processes",
        source: io::Error::other(error.to_string()),
    };
    let mut processes = System::new().map_err(problem)?;
    let wanted = ProcessRefreshKind::nothing()
        .with_exe(UpdateKind::Always)
        .with_cmd(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    processes.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
    let users = Users::new_with_refreshed_list().map_err(problem)?;
    Ok(pids
        .into_iter()
        .map(|pid| describe(pid, &processes, &users))
        .collect())
}

fn describe(pid: u32, processes: &System, users: &Users) -> OccupantDetails {
    let process = processes.process(Pid::from_u32(pid));
    let user = process.and_then(sysinfo::Process::user_id).map(|user_id| {
        match users.get_user_by_id(user_id) {
            Some(user) => user.name().to_owned(),
            None => user_id.to_string(),
        }
    });
    let command = process.map(sysinfo::Process::cmd).unwrap_or_default();
    OccupantDetails {
        process: system::process(pid),
        ancestors: ancestors(process, processes),
        name: process.map(|process| process.name().to_string_lossy().into_owned()),
        command: command
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        directory: process.and_then(|process| process.cwd().map(Into::into)),
        user,
        started_at: process.map(|process| Timestamp::from_millis(process.start_time() * 1000)),
        listens: true,
    }
}

/// The processes that started this one, the nearest first.
fn ancestors<'a>(mut child: Option<&'a sysinfo::Process>, processes: &'a System) -> Vec<Process> {
    let mut ancestors = Vec::new();
    while let Some(known) = child
        && let Some(parent) = known.parent().and_then(|pid| processes.process(pid))
        // A parent that started later is another process under the same number.
        && parent.start_time() <= known.start_time()
        && ancestors.len() < MOST_ANCESTORS
    {
        ancestors.extend(system::process(parent.pid().as_u32()));
        child = Some(parent);
    }
    ancestors
}

/// There is no gate: the options of a socket count when it is bound, and not afterwards.
pub(crate) fn has_gate() -> bool {
    false
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and on Linux it can fail"
)]
pub(crate) fn set_gate(_: &socket2::Socket, _: bool) -> io::Result<()> {
    Ok(())
}

pub(crate) fn inode(_: &socket2::Socket) -> Option<u32> {
    None
}
