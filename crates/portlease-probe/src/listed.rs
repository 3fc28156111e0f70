//! What macOS and Windows have in common: both list every listener with its process, and know
//! neither sockets that are only bound nor a gate.

use std::collections::BTreeSet;
use std::io;

use listeners::{Listener, Protocol, SocketState};
use portlease_core::{Port, PortRange, PortSet, Process, Timestamp};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, Users};

use crate::parse::diag::Look;
use crate::{OccupantDetails, Occupants, ProbeError, Socket, system};

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

    pub(crate) fn sockets(&mut self, ports: &PortSet, _: Look) -> Result<Vec<Socket>, ProbeError> {
        Ok(on(ports)?
            .filter_map(|listener| {
                Some(Socket {
                    port: Port::new(listener.socket.port())?,
                    address: listener.socket.ip(),
                    listens: true,
                    inode: None,
                    user_id: None,
                })
            })
            .collect())
    }

    pub(crate) fn listener(&mut self, port: Port) -> Result<Option<Socket>, ProbeError> {
        let is_reached =
            |socket: &Socket| socket.address.is_unspecified() || socket.address.is_loopback();
        Ok(self
            .sockets(&PortRange::only(port).into(), Look::Listening)?
            .into_iter()
            .find(is_reached))
    }
}

/// The processes on each port that only suspected processes, or those that they started, listen on.
pub(crate) fn confirm(
    listening: &[Socket],
    suspected: &[Process],
) -> Result<Occupants, ProbeError> {
    let suspected: Vec<&Process> = suspected
        .iter()
        .filter(|process| !process.has_ended(&system::sight(process)))
        .collect();
    let is_suspected = |occupant: &OccupantDetails| {
        let mut family = occupant.process.iter().chain(&occupant.ancestors);
        family.any(|process| suspected.contains(&process))
    };
    let mut occupants = who(listening)?;
    occupants.retain(|_, on_port| on_port.iter().all(is_suspected));
    Ok(occupants)
}

/// The ports of these sockets that the process, or one that it started, listens on.
pub(crate) fn ports_of(listening: &[Socket], process: &Process) -> Result<PortSet, ProbeError> {
    let occupants = who(listening)?;
    let is_own = |occupant: &OccupantDetails| {
        let mut family = occupant.process.iter().chain(&occupant.ancestors);
        family.any(|member| member == process)
    };
    let own = occupants
        .into_iter()
        .filter(|(_, on_port)| on_port.iter().any(is_own));
    Ok(own.map(|(port, _)| port).collect())
}

pub(crate) fn who(sockets: &[Socket]) -> Result<Occupants, ProbeError> {
    let ports: PortSet = sockets.iter().map(|socket| socket.port).collect();
    let found: BTreeSet<(Port, u32)> = on(&ports)?
        .filter_map(|listener| Some((Port::new(listener.socket.port())?, listener.process.pid)))
        .collect();
    let mut occupants = Occupants::new();
    for (port, details) in details(found)? {
        occupants.entry(port).or_default().push(details);
    }
    for on_port in occupants.values_mut() {
        on_port.sort_by_key(|occupant| {
            let process = occupant.process.as_ref();
            process.and_then(|process| process.started)
        });
    }
    Ok(occupants)
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

fn on(ports: &PortSet) -> Result<impl Iterator<Item = Listener>, ProbeError> {
    let is_asked_for = |listener: &Listener| {
        Port::new(listener.socket.port()).is_some_and(|port| ports.contains(port))
    };
    Ok(all()?.filter(is_asked_for))
}

fn details(
    found: impl IntoIterator<Item = (Port, u32)>,
) -> Result<Vec<(Port, OccupantDetails)>, ProbeError> {
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
    Ok(found
        .into_iter()
        .map(|(port, pid)| (port, describe(pid, &processes, &users)))
        .collect())
}

fn user_name(process: &sysinfo::Process, users: &Users) -> Option<String> {
    let user_id = process.user_id()?;
    Some(match users.get_user_by_id(user_id) {
        Some(user) => user.name().to_owned(),
        None => user_id.to_string(),
    })
}

/// The user of a process.
pub(crate) fn user(pid: u32) -> Option<String> {
    let pid = Pid::from_u32(pid);
    let mut processes = System::new().ok()?;
    let wanted = ProcessRefreshKind::nothing().with_user(UpdateKind::Always);
    processes.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    user_name(
        processes.process(pid)?,
        &Users::new_with_refreshed_list().ok()?,
    )
}

fn describe(pid: u32, processes: &System, users: &Users) -> OccupantDetails {
    let process = processes.process(Pid::from_u32(pid));
    let user = process.and_then(|process| user_name(process, users));
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
        container: None,
        listens: true,
    }
}

/// The processes that this one started, and that those started.
pub(crate) fn descendants(pid: u32) -> Vec<Process> {
    let Ok(mut processes) = System::new() else {
        return Vec::new();
    };
    processes.refresh_processes_specifics(
        ProcessesToUpdate::All,
        true,
        ProcessRefreshKind::nothing(),
    );
    let all = processes.processes();
    let is_descendant = |process: &&sysinfo::Process| {
        let mut parent = process.parent();
        for _ in 0..MOST_ANCESTORS {
            let Some(known) = parent else { return false };
            if known.as_u32() == pid {
                return true;
            }
            parent = all.get(&known).and_then(sysinfo::Process::parent);
        }
        false
    };
    all.values()
        .filter(is_descendant)
        .filter_map(|process| system::process(process.pid().as_u32()))
        .collect()
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
