//! Windows: exclusive use of addresses, and the ranges of ports that the system excludes.
//!
//! `SO_REUSEADDR` takes a port away from its owner here, so nothing ever sets it.

use std::io;
use std::mem::size_of;
use std::os::windows::io::AsRawSocket as _;
use std::process::Command;
use std::ptr;

use portlease_core::{Port, PortRange, PortSet, Process, Seen, Sighting};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_PARAMETER, ERROR_SUCCESS, FILETIME, GetLastError, HANDLE,
    WAIT_OBJECT_0,
};
use windows_sys::Win32::Networking::WinSock::{
    SO_EXCLUSIVEADDRUSE, SOCKET, SOL_SOCKET, WSAEACCES, WSAEADDRINUSE, WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT, WSAEMFILE, setsockopt,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    WaitForSingleObject,
};
use windows_sys::w;

use crate::error::Failure;
use crate::identity::HostIdentity;
pub(crate) use crate::listed::{
    ONE_SOCKET_FOR_BOTH_FAMILIES, Sockets, confirm, descendants, has_gate, inode, ports_of,
    set_gate, user, who,
};
use crate::parse::diag::Look;
use crate::parse::netsh;
use crate::within::{NoAnswer, within};
use crate::{BindError, LIMIT, ProbeError};

/// Exclusive use of all addresses includes each.
pub(crate) const WILDCARD_LEAVES_LOOPBACK_OPEN: bool = false;

pub(crate) fn failure(error: &io::Error) -> Failure {
    match error.raw_os_error() {
        Some(WSAEADDRINUSE) => Failure::InUse,
        Some(WSAEACCES) => Failure::NotPermitted,
        Some(WSAEADDRNOTAVAIL) => Failure::NoSuchAddress,
        Some(WSAEMFILE) => Failure::OutOfDescriptors,
        Some(WSAEAFNOSUPPORT) => Failure::NoSuchFamily,
        _ => Failure::Other,
    }
}

/// What is refused here without anybody listening is excluded by the system, by Hyper-V for
/// instance: there is no privilege that a program could lack. A listener that shares its address is
/// refused in the same way.
pub(crate) fn not_permitted(port: Port) -> BindError {
    match Sockets::new().sockets(&PortRange::only(port).into(), Look::Listening) {
        Ok(sockets) if !sockets.is_empty() => BindError::InUse { port },
        _ => BindError::ReservedBySystem { port },
    }
}

pub(crate) fn make_exclusive(socket: &socket2::Socket) -> io::Result<()> {
    let raw = SOCKET::try_from(socket.as_raw_socket()).map_err(io::Error::other)?;
    let on = 1_i32.to_ne_bytes();
    #[expect(unsafe_code, reason = "no safe crate sets SO_EXCLUSIVEADDRUSE")]
    // SAFETY: the socket is open as long as it is borrowed, and the four bytes of the value
    // outlive the call.
    let result = unsafe { setsockopt(raw, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, on.as_ptr(), 4) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

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

/// A start on the calendar, in units of 100 ns, tells boots apart as well.
fn identified(pid: u32, started: Option<u64>) -> Process {
    Process {
        pid,
        started,
        boot: None,
        namespace: None,
    }
}

#[expect(
    unsafe_code,
    reason = "no safe crate tells the start of a process exactly, or that it has ended while somebody has it open"
)]
fn sighted(pid: u32) -> Seen {
    let access = PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE;
    // SAFETY: the call takes numbers only.
    let handle = unsafe { OpenProcess(access, 0, pid) };
    if handle.is_null() {
        // SAFETY: the call takes nothing.
        return match unsafe { GetLastError() } {
            ERROR_INVALID_PARAMETER => Seen::Nobody,
            _ => Seen::Unclear,
        };
    }
    let handle = Handle(handle);
    // SAFETY: the handle is open, with the right to wait; the call does not wait.
    if unsafe { WaitForSingleObject(handle.0, 0) } == WAIT_OBJECT_0 {
        return Seen::Nobody;
    }
    let mut times = [FILETIME::default(); 4];
    let [started, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open, with the right to ask; the four places are written to.
    let succeeded = unsafe { GetProcessTimes(handle.0, started, ended, kernel, user) } != 0;
    if succeeded {
        let high = u64::from(started.dwHighDateTime) << 32;
        // The unit of 100 ns would make numbers that not every reader of JSON can hold.
        Seen::StartedAt((high | u64::from(started.dwLowDateTime)) / 10)
    } else {
        Seen::Unclear
    }
}

/// An open handle of ours.
struct Handle(HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "a raw handle is closed by a raw call")]
        // SAFETY: the handle is open and nobody else closes it.
        unsafe {
            CloseHandle(self.0);
        }
    }
}

pub(crate) fn this_host() -> Result<HostIdentity, ProbeError> {
    let mut id = [0_u16; 64];
    let mut size = u32::try_from(size_of_val(&id)).unwrap_or(u32::MAX);
    #[expect(
        unsafe_code,
        reason = "one value does not need a crate for the registry"
    )]
    // SAFETY: the names end with a zero; the call writes at most `size` bytes, the size of the
    // array, and the new size.
    let result = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            w!("SOFTWARE\\Microsoft\\Cryptography"),
            w!("MachineGuid"),
            RRF_RT_REG_SZ,
            ptr::null_mut(),
            id.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    let length = (size as usize / size_of::<u16>()).min(id.len());
    let text = String::from_utf16_lossy(&id[..length]);
    match text.trim_end_matches('\0').parse() {
        Ok(machine) if result == ERROR_SUCCESS => Ok(HostIdentity {
            machine,
            network_namespace: None,
        }),
        _ => Err(ProbeError::NotSupported {
            action: "tell the id of the machine",
        }),
    }
}

pub(crate) fn system_reserved() -> Result<PortSet, ProbeError> {
    let mut reserved = PortSet::new();
    for question in [
        "int ipv4 show excludedportrange protocol=tcp",
        "int ipv6 show excludedportrange protocol=tcp",
    ] {
        reserved |= &netsh::excluded_ranges(&netsh(question)?);
    }
    Ok(reserved)
}

pub(crate) fn ephemeral_range() -> Result<PortRange, ProbeError> {
    let text = netsh("int ipv4 show dynamicport tcp")?;
    netsh::dynamic_range(&text).ok_or(ProbeError::NotSupported { action: ACTION })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and elsewhere it can fail"
)]
pub(crate) fn unprivileged_start() -> Result<Option<Port>, ProbeError> {
    Ok(None)
}

const ACTION: &str = "ask netsh about the ports of the system";

/// What the tool prints. There is no documented call for it.
fn netsh(question: &'static str) -> Result<String, ProbeError> {
    let mut netsh = Command::new("netsh");
    netsh.args(question.split(' '));
    match within(LIMIT, move || netsh.output()) {
        Ok(Ok(output)) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(Err(error)) | Err(NoAnswer::NoThread(error)) => Err(ProbeError::new(ACTION, error)),
        Err(NoAnswer::TimedOut) => Err(ProbeError::TimedOut {
            action: ACTION,
            limit: LIMIT,
        }),
    }
}
