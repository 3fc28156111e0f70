//! What Linux and macOS have in common.

use std::io;

use portlease_core::Port;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::BindError;
use crate::error::Failure;

pub(crate) fn failure(error: &io::Error) -> Failure {
    match Errno::from_io_error(error) {
        Some(Errno::ADDRINUSE) => Failure::InUse,
        Some(Errno::ACCESS | Errno::PERM) => Failure::NotPermitted,
        Some(Errno::ADDRNOTAVAIL) => Failure::NoSuchAddress,
        Some(Errno::MFILE | Errno::NFILE) => Failure::OutOfDescriptors,
        Some(Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT) => Failure::NoSuchFamily,
        _ => Failure::Other,
    }
}

/// Sockets are exclusive unless they say otherwise.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the interface is that of all systems, and on Windows it can fail"
)]
pub(crate) fn make_exclusive(_: &socket2::Socket) -> io::Result<()> {
    Ok(())
}

pub(crate) fn not_permitted(port: Port) -> BindError {
    BindError::NotPermitted { port }
}

/// Whether the system says that nobody has this number.
pub(crate) fn is_nobody(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .is_none_or(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}
