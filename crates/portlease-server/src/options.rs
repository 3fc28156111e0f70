//! How the service is run.

use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use portlease::UrlPath;
use portlease::core::PortRange;

use crate::Token;

/// The ports of the service itself, of which the first is the usual one.
pub const PORTS: PortRange = PortRange::literal(7787, 7887);

/// How a [`Server`](crate::Server) is run. What stands here by default is safe on a loopback address.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// What callers have to prove themselves with. A server that others than this machine can reach needs one.
    pub token: Option<Token>,
    /// Names under which the server is asked, besides those of this machine itself.
    pub hosts: Vec<String>,
    /// The command, for a shell, that is run whenever a service has another port than before. It finds `PORTLEASE_PROJECT`,
    /// `PORTLEASE_SERVICE`, `PORTLEASE_INSTANCE`, `PORTLEASE_FROM` and `PORTLEASE_TO` in its environment.
    pub on_move: Option<OsString>,
    /// Who is told of what is wrong beside the requests, such as a command that fails. It goes to `tracing` in any case.
    pub on_warning: Option<fn(&str)>,
    /// The page that servers are asked for to see whether they are well.
    pub check_path: Option<UrlPath>,
    /// How often they are asked.
    pub check_every: Duration,
    /// How many connections may be open at once.
    pub most_connections: usize,
    /// How many callers may listen to events at once.
    pub most_listeners: usize,
    /// How long the head of a request may take, and how long a connection may be idle.
    pub head_timeout: Duration,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// How long a caller may read nothing of an answer.
    pub write_timeout: Duration,
    /// How many requests each address may send.
    pub rate: Rate,
    /// The same for this machine itself.
    pub local_rate: Rate,
}

/// How many requests may come from one address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// So many in a second, in the long run.
    pub per_second: f64,
    /// So many at once.
    pub burst: f64,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            token: None,
            hosts: Vec::new(),
            on_move: None,
            on_warning: None,
            check_path: None,
            check_every: Duration::from_secs(10),
            most_connections: 512,
            most_listeners: 64,
            head_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
            rate: Rate {
                per_second: 50.0,
                burst: 200.0,
            },
            local_rate: Rate {
                per_second: 20_000.0,
                burst: 20_000.0,
            },
        }
    }
}

/// The reason why a server may not listen on an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Others than this machine can reach {address}, and the server has no token: write one of {} characters or more into a file and name it by --token-file, or set PORTLEASE_TOKEN.",
    Token::SHORTEST
)]
pub struct Exposed {
    /// The address.
    pub address: IpAddr,
}

impl ServeOptions {
    /// Whether a server may listen on this address.
    pub fn check(&self, address: IpAddr) -> Result<(), Exposed> {
        if self.token.is_some() || address.to_canonical().is_loopback() {
            Ok(())
        } else {
            Err(Exposed { address })
        }
    }

    pub(crate) fn warn(&self, text: &str) {
        tracing::warn!("{text}");
        if let Some(tell) = self.on_warning {
            tell(text);
        }
    }
}

/// The longest body.
pub(crate) const LONGEST_BODY: usize = 256 * 1024;
