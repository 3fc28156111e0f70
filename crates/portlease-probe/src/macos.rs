//! macOS: listeners from the process tables, and sockets of each family side by side.
//!
//! A bind sees the listeners on every address only if its socket has neither `SO_REUSEADDR` nor
//! `SO_REUSEPORT`, so a probe never sets them.

use std::ffi::CStr;
use std::io;
use std::mem::size_of;
use std::ptr;

use portlease_core::{Port, PortRange, PortSet, Process, Seen, Sighting};

use crate::ProbeError;
use crate::identity::HostIdentity;
pub(crate) use crate::listed::{
    ONE_SOCKET_FOR_BOTH_FAMILIES, Sockets, confirm, descendants, has_gate, inode, ports_of,
    set_gate, user, who,
};
use crate::unix::is_nobody;
pub(crate) use crate::unix::{failure, make_exclusive, not_permitted};

/// A server that sets `SO_REUSEADDR` and names one address is let in beside a socket on all of
/// them, so the loopback addresses are claimed by name.
pub(crate) const WILDCARD_LEAVES_LOOPBACK_OPEN: bool = true;

pub(crate) fn process(pid: u32) -> Option<Process> {
    match sighted(pid) {
        Seen::Nobody => None,
        Seen::StartedAt(started) => Some(identified(pid, Some(started))),
        Seen::Unclear => Some(identified(pid, None)),
    }
}

pub(crate) fn sight(process: &Process) -> Sighting {
    Sighting {
        boot: None,
        namespace: None,
        seen: sighted(process.pid),
    }
}

/// A start on the calendar, to the microsecond, tells boots apart as well.
fn identified(pid: u32, started: Option<u64>) -> Process {
    Process {
        pid,
        started,
        boot: None,
        namespace: None,
    }
}

fn sighted(pid: u32) -> Seen {
    match information(pid) {
        // Only the exit status is left.
        Some(information) if information.pbi_status == libc::SZOMB => Seen::Nobody,
        Some(information) => {
            let seconds = information.pbi_start_tvsec;
            Seen::StartedAt(seconds * 1_000_000 + information.pbi_start_tvusec)
        }
        None if is_nobody(pid) => Seen::Nobody,
        None => Seen::Unclear,
    }
}

fn information(pid: u32) -> Option<libc::proc_bsdinfo> {
    /// Asks for processes as well of which only the exit status is left.
    const ZOMBIES_TOO: u64 = 1;
    let size = libc::c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    let pid = libc::c_int::try_from(pid).ok()?;
    #[expect(
        unsafe_code,
        reason = "no safe crate tells the start of a process to the microsecond"
    )]
    // SAFETY: the structure is plain numbers, for which zero is a value; the kernel writes no more
    // than the size that it is given, which is that of the structure.
    let (written, information) = unsafe {
        let mut information: libc::proc_bsdinfo = std::mem::zeroed();
        let written = libc::proc_pidinfo(
            pid,
            libc::PROC_PIDTBSDINFO,
            ZOMBIES_TOO,
            ptr::from_mut(&mut information).cast(),
            size,
        );
        (written, information)
    };
    (written == size).then_some(information)
}

pub(crate) fn this_host() -> Result<HostIdentity, ProbeError> {
    let mut id = [0_u8; 16];
    let patience = libc::timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    #[expect(unsafe_code, reason = "no safe crate has gethostuuid")]
    // SAFETY: the call writes 16 bytes, and reads the timeout; both outlive it.
    let failed = unsafe { libc::gethostuuid(id.as_mut_ptr(), &raw const patience) } != 0;
    match format!("{:032x}", u128::from_be_bytes(id)).parse() {
        Ok(machine) if !failed => Ok(HostIdentity {
            machine,
            network_namespace: None,
        }),
        _ => Err(ProbeError::new(
            "tell the id of the machine",
            io::Error::last_os_error(),
        )),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and elsewhere it can fail"
)]
pub(crate) fn system_reserved() -> Result<PortSet, ProbeError> {
    Ok(PortSet::new())
}

pub(crate) fn ephemeral_range() -> Result<PortRange, ProbeError> {
    let action = "tell the ports of outgoing connections";
    let end = |name| number(name).map_err(|error| ProbeError::new(action, error));
    let first = end(c"net.inet.ip.portrange.first")?;
    let last = end(c"net.inet.ip.portrange.last")?;
    first
        .zip(last)
        .and_then(|(first, last)| PortRange::new(first, last))
        .ok_or(ProbeError::NotSupported { action })
}

/// The system lets everybody listen on all addresses of a low port, but not on a single one.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and elsewhere it can fail"
)]
pub(crate) fn unprivileged_start() -> Result<Option<Port>, ProbeError> {
    let is_root = rustix::process::geteuid().is_root();
    Ok(Port::new(1024).filter(|_| !is_root))
}

/// A port among the settings of the kernel.
fn number(name: &CStr) -> io::Result<Option<Port>> {
    let mut number: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>();
    #[expect(unsafe_code, reason = "no safe crate has sysctlbyname")]
    // SAFETY: the name ends with a zero; the kernel writes at most `size` bytes, the size of the
    // number, and nothing is set.
    let result = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            ptr::from_mut(&mut number).cast(),
            &raw mut size,
            ptr::null_mut(),
            0,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u16::try_from(number).ok().and_then(Port::new))
}
