//! Where an engine answers, and the way there.

use std::fmt;
use std::path::PathBuf;

use portlease_core::Name;

/// A place where an engine may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What is expected there: `docker` or `podman`.
    pub engine: &'static str,
    /// The address.
    pub address: Address,
    /// Whether the user named it. Nobody is told that an engine is missing that they did not name.
    pub is_named: bool,
    /// Whether it is the one place where everybody has this engine.
    pub is_default: bool,
}

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Socket(PathBuf),
    /// A host and port, without encryption.
    Tcp(String),
    /// A named pipe of Windows.
    Pipe(String),
    /// What nothing is known about, such as a connection over SSH.
    Unknown(String),
}

impl Endpoint {
    /// What holders of leases call the engine. Evidence that a container is gone comes from its own
    /// engine alone, so those in unusual places are told apart by their place.
    pub(crate) fn name(&self) -> Name {
        let long = format!("{}@{}", self.engine, self.address);
        let name = if self.is_default { self.engine } else { &long };
        name.parse().unwrap_or_else(|_| Name::literal(self.engine))
    }

    /// Whether there may be an engine: a glance at the file system, and no more.
    pub(crate) fn may_exist(&self) -> bool {
        match &self.address {
            Address::Socket(path) => path.exists(),
            Address::Pipe(path) => PathBuf::from(path).exists(),
            Address::Tcp(_) | Address::Unknown(_) => true,
        }
    }
}

impl Address {
    /// Reads what `DOCKER_HOST` says.
    ///
    /// ```
    /// use portlease_containers::Address;
    ///
    /// assert_eq!(Address::parse("unix:///run/docker.sock"), Address::Socket("/run/docker.sock".into()));
    /// assert_eq!(Address::parse("tcp://engine.test"), Address::Tcp("engine.test:2375".into()));
    /// assert_eq!(Address::parse("ssh://ada@engine.test"), Address::Unknown("ssh://ada@engine.test".into()));
    /// ```
    pub fn parse(url: &str) -> Self {
        if let Some(path) = url.strip_prefix("unix://") {
            return Self::Socket(path.into());
        }
        if let Some(path) = url.strip_prefix("npipe://") {
            return Self::Pipe(path.replace('/', r"\"));
        }
        let plain = ["tcp://", "http://"];
        match plain.iter().find_map(|scheme| url.strip_prefix(scheme)) {
            Some(host) => {
                let host = host.trim_end_matches('/');
                let has_port = host
                    .rsplit_once(':')
                    .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
                Self::Tcp(if has_port {
                    host.to_owned()
                } else {
                    format!("{host}:2375")
                })
            }
            None => Self::Unknown(url.to_owned()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(formatter, "unix://{}", path.display()),
            Self::Tcp(host) => write!(formatter, "tcp://{host}"),
            Self::Pipe(path) => write!(formatter, "npipe://{}", path.replace('\\', "/")),
            Self::Unknown(url) => formatter.write_str(url),
        }
    }
}
