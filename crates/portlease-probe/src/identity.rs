//! Who is who: processes that cannot be mistaken for a later one of the same number, and hosts.

use std::sync::OnceLock;

use portlease_core::{Host, Name, Process, Sighting};

use crate::{ProbeError, system};

/// The identity of this process.
///
/// ```
/// use portlease_probe::identity;
///
/// let this = identity::this_process();
/// assert_eq!(this.pid, std::process::id());
/// assert!(!this.has_ended(&identity::sight(&this)));
/// ```
pub fn this_process() -> Process {
    static KNOWN: OnceLock<Process> = OnceLock::new();
    let pid = std::process::id();
    // A fork has what its parent knew, and is another process.
    if let Some(known) = KNOWN.get().filter(|known| known.pid == pid) {
        return known.clone();
    }
    let process = system::process(pid).unwrap_or(Process {
        pid,
        started: None,
        boot: None,
        namespace: None,
    });
    // What could not be read now may be readable the next time.
    if process.started.is_some() {
        let _ = KNOWN.set(process.clone());
    }
    process
}

/// The identity of the process that has this number now; `None` when there is none, or when it
/// has ended and only its exit status is left.
pub fn process(pid: u32) -> Option<Process> {
    system::process(pid)
}

/// The user under whom this process runs, as [`OccupantDetails::user`](crate::OccupantDetails::user) names users; `None` when the
/// system does not tell.
pub fn this_user() -> Option<String> {
    system::user(std::process::id())
}

/// The processes that this one started, and those that they started in turn.
///
/// ```
/// # #[cfg(unix)] {
/// use portlease_probe::identity;
///
/// let mut child = std::process::Command::new("sleep").arg("60").spawn()?;
/// let process = identity::process(child.id()).expect("it sleeps");
/// assert!(identity::descendants(&identity::this_process()).contains(&process));
/// child.kill()?;
/// child.wait()?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn descendants(process: &Process) -> Vec<Process> {
    if process.has_ended(&sight(process)) {
        return Vec::new();
    }
    system::descendants(process.pid)
}

/// What the machine shows now where this process should be.
///
/// Whatever is not certain is unclear: that a process is missing is only said when the system
/// itself says so, not when a file about it cannot be read.
pub fn sight(process: &Process) -> Sighting {
    system::sight(process)
}

/// The host on which ports are one and the same: a machine, or a network namespace of it, in which
/// every port exists once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostIdentity {
    /// The machine's own id, which lasts from one boot to the next.
    pub machine: Name,
    /// The number of the network namespace, unless it is the machine's own.
    pub network_namespace: Option<u64>,
}

impl HostIdentity {
    /// The host under which leases are kept.
    ///
    /// ```
    /// use portlease_core::Name;
    /// use portlease_probe::identity::HostIdentity;
    ///
    /// let mut identity = HostIdentity { machine: Name::literal("3f2a"), network_namespace: None };
    /// assert_eq!(identity.host().to_string(), "3f2a");
    /// identity.network_namespace = Some(4_026_532_177);
    /// assert_eq!(identity.host().to_string(), "3f2a/net-4026532177");
    /// ```
    pub fn host(&self) -> Host {
        let Some(namespace) = self.network_namespace else {
            return Host::new(self.machine.clone());
        };
        let text = format!("{}/net-{namespace}", self.machine);
        // Only a machine id of a thousand bytes would make the name too long.
        Host::new(text.parse().unwrap_or_else(|_| self.machine.clone()))
    }
}

/// The host of this thread.
///
/// ```
/// let host = portlease_probe::identity::this_host()?.host();
/// assert!(!host.name().is_empty());
/// # Ok::<(), portlease_probe::ProbeError>(())
/// ```
pub fn this_host() -> Result<HostIdentity, ProbeError> {
    system::this_host()
}
