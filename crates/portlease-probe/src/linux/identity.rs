//! Processes and hosts that cannot be mistaken for others.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::OnceLock;

use portlease_core::{Name, Process, Seen, Sighting};

use super::processes::stat;
use crate::ProbeError;
use crate::identity::HostIdentity;
use crate::parse::proc_text::link_number;
use crate::unix::is_nobody;

pub(crate) fn process(pid: u32) -> Option<Process> {
    if !around().is_own_proc {
        return (!is_nobody(pid)).then(|| unidentified(pid));
    }
    match stat(pid) {
        Ok(stat) if stat.has_ended() => None,
        Ok(stat) => Some(identified(pid, stat.started)),
        // The files of others may be hidden.
        Err(_) => (!is_nobody(pid)).then(|| unidentified(pid)),
    }
}

pub(crate) fn sight(process: &Process) -> Sighting {
    let seen = match stat(process.pid) {
        _ if !around().is_own_proc => Seen::Unclear,
        Ok(stat) if stat.has_ended() => Seen::Nobody,
        Ok(stat) => Seen::StartedAt(stat.started),
        Err(_) if is_nobody(process.pid) => Seen::Nobody,
        Err(_) => Seen::Unclear,
    };
    Sighting {
        boot: around().boot.clone(),
        namespace: around().pid_namespace,
        seen,
    }
}

pub(super) fn identified(pid: u32, started: u64) -> Process {
    Process {
        started: Some(started),
        ..unidentified(pid)
    }
}

fn unidentified(pid: u32) -> Process {
    Process {
        pid,
        started: None,
        boot: around().boot.clone(),
        namespace: around().pid_namespace,
    }
}

/// What gives a number its meaning, and does not change while this process lives.
struct Around {
    boot: Option<Name>,
    pid_namespace: Option<u64>,
    /// Whether `/proc` counts processes as this process does. One that was mounted in another
    /// namespace shows somebody else under our own number.
    is_own_proc: bool,
}

fn around() -> &'static Around {
    static AROUND: OnceLock<Around> = OnceLock::new();
    AROUND.get_or_init(|| Around {
        boot: first_line("/proc/sys/kernel/random/boot_id"),
        pid_namespace: namespace("pid"),
        is_own_proc: fs::read_link("/proc/self")
            .is_ok_and(|link| link.to_str() == Some(&std::process::id().to_string())),
    })
}

pub(crate) fn this_host() -> Result<HostIdentity, ProbeError> {
    let machine = [
        "/etc/machine-id",
        "/var/lib/dbus/machine-id",
        // An image without an id is told apart by the name that its container was given.
        "/proc/sys/kernel/hostname",
    ]
    .into_iter()
    .find_map(first_line)
    .ok_or(ProbeError::NotSupported {
        action: "tell the id of the machine",
    })?;
    Ok(HostIdentity {
        machine,
        network_namespace: namespace("net").filter(|_| !is_machines_own_network()),
    })
}

/// Some settings of the network exist in the first namespace only, the one of the machine.
pub(super) fn is_machines_own_network() -> bool {
    fs::exists("/proc/sys/net/core/netdev_budget").unwrap_or(false)
}

/// The namespace of this thread: a thread can change its network without the others.
pub(super) fn namespace(kind: &str) -> Option<u64> {
    let link = fs::read_link(format!("/proc/thread-self/ns/{kind}")).ok()?;
    link_number(kind, link.as_os_str().as_bytes())
}

fn first_line(path: &str) -> Option<Name> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next()?.trim().parse().ok()
}
