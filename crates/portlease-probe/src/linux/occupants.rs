//! From sockets to the processes that have them open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use portlease_core::Process;

use super::processes::{
    ancestors, command, directory, is_there, name, started_at, stat, user, user_name,
};
use crate::parse::proc_text::link_number;
use crate::{OccupantDetails, ProbeError, Socket};

/// The suspected process, if one of these sockets is its own.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and elsewhere it can fail"
)]
pub(crate) fn confirm(
    listening: &[Socket],
    suspected: &Process,
) -> Result<Option<OccupantDetails>, ProbeError> {
    let wanted = wanted(listening);
    let is_confirmed = !wanted.is_empty()
        && is_there(suspected)
        && !open_sockets(suspected.pid, &wanted).is_empty();
    Ok(is_confirmed.then(|| details(suspected.pid, true)).flatten())
}

pub(crate) fn who(sockets: &[Socket]) -> Result<Vec<OccupantDetails>, ProbeError> {
    let wanted = wanted(sockets);
    let mut occupants = Vec::new();
    let mut found = BTreeSet::new();
    for pid in all_processes()? {
        let open = open_sockets(pid, &wanted);
        if let Some(listens) = open.values().max() {
            occupants.extend(details(pid, *listens));
            found.extend(open.into_keys());
        }
    }
    let not_found = |socket: &&Socket| socket.inode.is_none_or(|inode| !found.contains(&inode));
    occupants.extend(strangers(sockets.iter().filter(not_found)));
    occupants.sort_by_key(order);
    Ok(occupants)
}

/// The sockets that are looked for, by number, and whether each listens.
type Wanted = BTreeMap<u32, bool>;

fn wanted(sockets: &[Socket]) -> Wanted {
    sockets
        .iter()
        .filter_map(|socket| Some((socket.inode?, socket.listens)))
        .collect()
}

/// Those of the wanted sockets that the process has open. None of a process whose files cannot
/// be read, or that has ended meanwhile.
fn open_sockets(pid: u32, wanted: &Wanted) -> Wanted {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Wanted::new();
    };
    entries
        .filter_map(|entry| {
            let link = fs::read_link(entry.ok()?.path()).ok()?;
            let number = link_number("socket", link.as_os_str().as_bytes())?;
            wanted
                .get_key_value(&u32::try_from(number).ok()?)
                .map(|(inode, listens)| (*inode, *listens))
        })
        .collect()
}

fn all_processes() -> Result<impl Iterator<Item = u32>, ProbeError> {
    let entries =
        fs::read_dir("/proc").map_err(|error| ProbeError::new("list processes", error))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

fn details(pid: u32, listens: bool) -> Option<OccupantDetails> {
    let stat = stat(pid).ok()?;
    Some(OccupantDetails {
        process: super::process(pid),
        ancestors: ancestors(&stat),
        name: Some(name(pid, &stat)),
        command: command(pid),
        directory: directory(pid),
        user: user(pid),
        started_at: started_at(&stat),
        listens,
    })
}

/// The owners of sockets that no readable process has open: their user is all that is known.
fn strangers<'a>(sockets: impl Iterator<Item = &'a Socket>) -> Vec<OccupantDetails> {
    let known: BTreeSet<(Option<u32>, bool)> = sockets
        .map(|socket| (socket.user_id, socket.listens))
        .collect();
    known
        .into_iter()
        .map(|(user_id, listens)| OccupantDetails {
            user: user_id.map(user_name),
            listens,
            ..OccupantDetails::default()
        })
        .collect()
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
