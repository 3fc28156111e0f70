//! From sockets to the processes that have them open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use portlease_core::{Port, PortSet, Process};

use super::processes::{
    ancestors, command, container, directory, family, is_there, name, started_at, stat, user,
    user_name,
};
use crate::occupant::Occupants;
use crate::parse::proc_text::link_number;
use crate::{OccupantDetails, ProbeError, Socket};

/// Of each port all of whose listening sockets are open in the suspected processes or in those
/// that they started: the first that have them open.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and elsewhere it can fail"
)]
pub(crate) fn confirm(
    listening: &[Socket],
    suspected: &[Process],
) -> Result<Occupants, ProbeError> {
    let mut missing = wanted(listening);
    let mut found = Found::new();
    let suspects = suspected
        .iter()
        .filter(|process| is_there(process))
        .flat_map(|process| family(process.pid));
    for pid in suspects {
        if missing.is_empty() {
            break;
        }
        for inode in open_sockets(pid, &missing) {
            if let Some(socket) = missing.remove(&inode) {
                found.entry(socket.port).or_default().insert(pid, true);
            }
        }
    }
    for socket in missing.values() {
        found.remove(&socket.port);
    }
    Ok(described(found))
}

/// The ports of those of the sockets that the process or one that it started has open.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and elsewhere it can fail"
)]
pub(crate) fn ports_of(listening: &[Socket], process: &Process) -> Result<PortSet, ProbeError> {
    let wanted = wanted(listening);
    if !is_there(process) {
        return Ok(PortSet::new());
    }
    Ok(family(process.pid)
        .flat_map(|pid| open_sockets(pid, &wanted))
        .map(|inode| wanted[&inode].port)
        .collect())
}

pub(crate) fn who(sockets: &[Socket]) -> Result<Occupants, ProbeError> {
    let wanted = wanted(sockets);
    let mut found = Found::new();
    let mut unknown = wanted.clone();
    for pid in all_processes()? {
        for inode in open_sockets(pid, &wanted) {
            let socket = wanted[&inode];
            let listens = found
                .entry(socket.port)
                .or_default()
                .entry(pid)
                .or_default();
            *listens |= socket.listens;
            unknown.remove(&inode);
        }
    }
    let mut occupants = described(found);
    for (port, stranger) in strangers(unknown.values().copied()) {
        occupants.entry(port).or_default().push(stranger);
    }
    for on_port in occupants.values_mut() {
        on_port.sort_by_key(order);
    }
    Ok(occupants)
}

/// The sockets that are looked for, by the number of their file.
type Wanted<'a> = BTreeMap<u32, &'a Socket>;

/// The processes that were found on each port, and whether each listens.
type Found = BTreeMap<Port, BTreeMap<u32, bool>>;

fn wanted(sockets: &[Socket]) -> Wanted<'_> {
    sockets
        .iter()
        .filter_map(|socket| Some((socket.inode?, socket)))
        .collect()
}

fn described(found: Found) -> Occupants {
    // A process on many ports is read once.
    let mut known: BTreeMap<u32, Option<OccupantDetails>> = BTreeMap::new();
    let mut occupants = Occupants::new();
    for (port, processes) in found {
        for (pid, listens) in processes {
            let Some(details) = known.entry(pid).or_insert_with(|| details(pid)) else {
                continue;
            };
            let details = OccupantDetails {
                listens,
                ..details.clone()
            };
            occupants.entry(port).or_default().push(details);
        }
    }
    occupants
}

/// Those of the wanted sockets that the process has open. None of a process whose files cannot
/// be read, or that has ended meanwhile.
fn open_sockets(pid: u32, wanted: &Wanted<'_>) -> BTreeSet<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeSet::new();
    };
    entries
        .filter_map(|entry| {
            let link = fs::read_link(entry.ok()?.path()).ok()?;
            let number = link_number("socket", link.as_os_str().as_bytes())?;
            u32::try_from(number).ok()
        })
        .filter(|inode| wanted.contains_key(inode))
        .collect()
}

fn all_processes() -> Result<impl Iterator<Item = u32>, ProbeError> {
    let entries =
        fs::read_dir("/proc").map_err(|error| ProbeError::new("list processes", error))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

fn details(pid: u32) -> Option<OccupantDetails> {
    let stat = stat(pid).ok()?;
    Some(OccupantDetails {
        process: super::process(pid),
        ancestors: ancestors(&stat),
        name: Some(name(pid, &stat)),
        command: command(pid),
        directory: directory(pid),
        user: user(pid),
        started_at: started_at(&stat),
        container: container(pid),
        listens: false,
    })
}

/// The owners of sockets that no readable process has open: their user is all that is known.
fn strangers<'a>(
    sockets: impl Iterator<Item = &'a Socket>,
) -> impl Iterator<Item = (Port, OccupantDetails)> {
    let known: BTreeSet<(Port, Option<u32>, bool)> = sockets
        .map(|socket| (socket.port, socket.user_id, socket.listens))
        .collect();
    known.into_iter().map(|(port, user_id, listens)| {
        let stranger = OccupantDetails {
            user: user_id.map(user_name),
            listens,
            ..OccupantDetails::default()
        };
        (port, stranger)
    })
}

/// Who listens before who is only bound; then the eldest, but the first process of the system
/// last: it opens sockets for others that start later.
fn order(occupant: &OccupantDetails) -> (bool, bool, bool, Option<u64>) {
    let process = occupant.process.as_ref();
    (
        !occupant.listens,
        process.is_none(),
        process.is_some_and(|process| process.pid == 1),
        process.and_then(|process| process.started),
    )
}
