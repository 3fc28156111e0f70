//! What the operating system says about its ports.

use portlease_core::{Port, PortRange, PortSet};

use crate::{ProbeError, system};

/// The ports that the system keeps for itself, or for programs that ask for them by name:
/// `net.ipv4.ip_local_reserved_ports` on Linux, the excluded port ranges on Windows, none on macOS.
///
/// ```
/// let reserved = portlease_probe::settings::system_reserved()?;
/// println!("{} ports are reserved by the system", reserved.len());
/// # Ok::<(), portlease_probe::ProbeError>(())
/// ```
pub fn system_reserved() -> Result<PortSet, ProbeError> {
    system::system_reserved()
}

/// The ports that the system gives to outgoing connections. A pool inside it loses ports to them.
///
/// ```
/// # #[cfg(target_os = "linux")]
/// assert!(portlease_probe::settings::ephemeral_range()?.len() > 1);
/// # Ok::<(), portlease_probe::ProbeError>(())
/// ```
pub fn ephemeral_range() -> Result<PortRange, ProbeError> {
    system::ephemeral_range()
}

/// The lowest port that this process may bind on every address; `None` when it may bind any.
///
/// ```
/// let start = portlease_probe::settings::unprivileged_start()?;
/// assert!(start.is_none_or(|port| port.get() <= 1024 || cfg!(target_os = "linux")));
/// # Ok::<(), portlease_probe::ProbeError>(())
/// ```
pub fn unprivileged_start() -> Result<Option<Port>, ProbeError> {
    system::unprivileged_start()
}
