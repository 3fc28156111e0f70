//! The settings under `/proc/sys/net/ipv4`, which hold for IPv6 too.

use std::fs;

use portlease_core::{Port, PortRange, PortSet};

use super::identity::{is_machines_own_network, namespace};
use crate::ProbeError;
use crate::parse::proc_text;

pub(crate) fn system_reserved() -> Result<PortSet, ProbeError> {
    setting("ip_local_reserved_ports").map(|text| proc_text::port_ranges(&text))
}

pub(crate) fn ephemeral_range() -> Result<PortRange, ProbeError> {
    let range = proc_text::port_pair(&setting("ip_local_port_range")?);
    range.ok_or(ProbeError::NotSupported { action: ACTION })
}

pub(crate) fn unprivileged_start() -> Result<Option<Port>, ProbeError> {
    let start = setting("ip_unprivileged_port_start")?;
    // The setting is 0 where every port is free for all.
    Ok(start.parse().ok().filter(|_| !may_bind_any()))
}

/// Whether this process has the privilege to bind low ports, in the eyes of its network. The
/// privileges of a container's root do not count in the network of the machine.
fn may_bind_any() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let has_capability = proc_text::capabilities(&status)
        .is_some_and(|capabilities| capabilities & CAP_NET_BIND_SERVICE != 0);
    let is_machines_user = namespace("user") == Some(FIRST_USER_NAMESPACE);
    has_capability && (is_machines_user || !is_machines_own_network())
}

/// The kernel gives the first user namespace this number, always.
const FIRST_USER_NAMESPACE: u64 = 0xefff_fffd;
const CAP_NET_BIND_SERVICE: u64 = 1 << 10;
const ACTION: &str = "read the network settings in /proc/sys";

fn setting(name: &str) -> Result<String, ProbeError> {
    fs::read_to_string(format!("/proc/sys/net/ipv4/{name}"))
        .map_err(|error| ProbeError::new(ACTION, error))
}
