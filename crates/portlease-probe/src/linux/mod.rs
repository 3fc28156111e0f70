//! Linux: sockets by netlink, processes by `/proc`, and a gate that lets the intended process in.

mod gate;
mod identity;
mod occupants;
mod processes;
mod settings;
mod sockets;

use std::os::fd::AsFd as _;

pub(crate) use gate::{has_gate, set_gate};
pub(crate) use identity::{process, sight, this_host};
pub(crate) use occupants::{confirm, ports_of, who};
pub(crate) use processes::{descendants, user};
pub(crate) use settings::{ephemeral_range, system_reserved, unprivileged_start};
pub(crate) use sockets::Sockets;

pub(crate) use crate::unix::{failure, make_exclusive, not_permitted};

/// `[::]` without `IPV6_V6ONLY` overlaps every address of both families.
pub(crate) const ONE_SOCKET_FOR_BOTH_FAMILIES: bool = true;
pub(crate) const WILDCARD_LEAVES_LOOPBACK_OPEN: bool = false;

/// The number under which netlink and `/proc` know the socket.
pub(crate) fn inode(socket: &socket2::Socket) -> Option<u32> {
    let status = rustix::fs::fstat(socket.as_fd()).ok()?;
    u32::try_from(status.st_ino).ok()
}
