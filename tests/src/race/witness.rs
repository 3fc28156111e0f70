//! The independent witness: what the kernel's own table says about who listens where, read in
//! another way than the product reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The sockets that listen, by port. A server on all addresses may have two.
pub(crate) fn listening_sockets() -> BTreeMap<u16, BTreeSet<u64>> {
    let mut sockets: BTreeMap<u16, BTreeSet<u64>> = BTreeMap::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // Where IPv6 is off there is no second table.
        let text = fs::read_to_string(table).unwrap_or_default();
        for (port, inode) in text.lines().skip(1).filter_map(listener) {
            sockets.entry(port).or_default().insert(inode);
        }
    }
    sockets
}

/// The port and the inode of a line that is about a listening socket.
fn listener(line: &str) -> Option<(u16, u64)> {
    const LISTEN: &str = "0A";
    let words: Vec<&str> = line.split_whitespace().collect();
    let (_, port) = words.get(1)?.rsplit_once(':')?;
    let is_listening = *words.get(3)? == LISTEN;
    let socket = (
        u16::from_str_radix(port, 16).ok()?,
        words.get(9)?.parse().ok()?,
    );
    is_listening.then_some(socket)
}

/// The sockets that a process has open.
pub(crate) fn sockets_of(pid: u32) -> BTreeSet<u64> {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeSet::new();
    };
    let links = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok());
    let inode = |link: std::path::PathBuf| {
        let text = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        text.parse().ok()
    };
    links.filter_map(inode).collect()
}
