//! Whether servers answer, how fast, and when that changes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use portlease_core::{Capability, Lease, Port};
use serde::{Deserialize, Serialize};

use crate::http;

/// What is asked of a server of this machine.
///
/// ```no_run
/// use portlease::{HealthCheck, core::Port};
///
/// let health = HealthCheck::of(Port::literal(3000)).get("/api/health".parse()?).run();
/// println!("port 3000: {} after {:?} µs", health.status, health.latency_micros);
/// # Ok::<(), portlease::InvalidPath>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    port: Port,
    path: Option<UrlPath>,
    timeout: Duration,
    is_encrypted: bool,
}

/// What came of a [`HealthCheck`].
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The port.
    pub port: Port,
    /// Whether the server is well, or what is wrong.
    pub status: HealthStatus,
    /// The address that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// How long the answer took: the connection, or the first line of HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_micros: Option<u64>,
    /// The status of the HTTP answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What the operating system says, when it is nothing that is expected of servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Whether a server is well.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HealthStatus {
    /// It accepted the connection and, when it was asked for a page, answered with a status below 400.
    Healthy,
    /// Nobody listens.
    Refused,
    /// There was no answer in time.
    TimedOut,
    /// It answered with an HTTP status of 400 or more.
    HttpError,
    /// It answered with something else than HTTP, or not at all.
    NotHttp,
    /// The operating system did not let the question through.
    Failed,
}

/// A server whose health is another than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthChange {
    /// How it is now.
    #[serde(flatten)]
    pub health: Health,
    /// How it was; absent the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<HealthStatus>,
}

/// A path that can be asked for, such as `/api/health?full`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPath(String);

/// The reason why a path cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path of a URL: it begins with / and has no blanks")]
pub struct InvalidPath {
    /// The path as it was given.
    pub path: String,
}

impl FromStr for UrlPath {
    type Err = InvalidPath;

    fn from_str(path: &str) -> Result<Self, InvalidPath> {
        let breaks = |letter: char| letter.is_whitespace() || letter.is_control();
        if !path.starts_with('/') || path.contains(breaks) {
            return Err(InvalidPath {
                path: path.to_owned(),
            });
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for UrlPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl HealthCheck {
    /// How long a server may take, when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// Whether somebody accepts connections to the port, on `127.0.0.1` or else on `::1`.
    pub fn of(port: Port) -> Self {
        Self {
            port,
            path: None,
            timeout: Self::TIMEOUT,
            is_encrypted: false,
        }
    }

    /// The same for the port of a lease.
    pub fn of_lease(lease: &Lease) -> Self {
        Self {
            is_encrypted: lease.requires.contains(&Capability::Https),
            ..Self::of(lease.port)
        }
    }

    /// Whether the server speaks HTTPS, so that no page is asked for.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether it answers a request for this path, too, over HTTP. Of a server that speaks HTTPS only the
    /// connection is checked.
    #[must_use]
    pub fn get(mut self, path: UrlPath) -> Self {
        self.path = (!self.is_encrypted).then_some(path);
        self
    }

    /// How long all of it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks, now.
    pub fn run(&self) -> Health {
        let begun = Instant::now();
        let deadline = begun + self.timeout;
        let mut health = Health {
            port: self.port,
            status: HealthStatus::Healthy,
            address: None,
            latency_micros: None,
            http_status: None,
            problem: None,
        };
        if let Err(error) = self.ask(&mut health, begun, deadline) {
            health.latency_micros = None;
            health.status = status_of(&error);
            let is_told = health.status == HealthStatus::Failed;
            health.problem = is_told.then(|| error.to_string());
        }
        health
    }

    fn ask(&self, health: &mut Health, begun: Instant, deadline: Instant) -> io::Result<()> {
        let connection = connect(self.port, deadline)?;
        health.address = Some(connection.peer_addr()?.ip());
        if let Some(path) = &self.path {
            let status = http::get(connection, self.port, path, deadline)?;
            health.http_status = Some(status);
            if status >= 400 {
                health.status = HealthStatus::HttpError;
            }
        }
        health.latency_micros = u64::try_from(begun.elapsed().as_micros()).ok();
        Ok(())
    }
}

impl Health {
    /// Whether nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.status == HealthStatus::Healthy
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Healthy => "healthy",
            Self::Refused => "nobody listens",
            Self::TimedOut => "no answer in time",
            Self::HttpError => "HTTP error",
            Self::NotHttp => "no HTTP answer",
            Self::Failed => "cannot be asked",
        })
    }
}

fn status_of(error: &io::Error) -> HealthStatus {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => HealthStatus::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => HealthStatus::TimedOut,
        io::ErrorKind::InvalidData
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => HealthStatus::NotHttp,
        _ => HealthStatus::Failed,
    }
}

/// Connects to the first of the two loopback addresses on which somebody listens.
fn connect(port: Port, deadline: Instant) -> io::Result<TcpStream> {
    let connect = |address: IpAddr| -> io::Result<TcpStream> {
        let connection =
            TcpStream::connect_timeout(&SocketAddr::new(address, port.get()), left(deadline)?)?;
        // A port of the range for outgoing connections can be connected to itself by chance.
        if connection.local_addr()? == connection.peer_addr()? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(connection)
    };
    connect(Ipv4Addr::LOCALHOST.into()).or_else(|error| {
        // Where there is no IPv6, what the other address says is all there is to say.
        connect(Ipv6Addr::LOCALHOST.into()).map_err(|other| match other.kind() {
            io::ErrorKind::TimedOut => other,
            _ => error,
        })
    })
}

/// How much time is left, which must be some.
pub(crate) fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// Knows how servers were, and tells what changed.
#[derive(Debug, Clone, Default)]
pub struct HealthMonitor {
    known: BTreeMap<Port, HealthStatus>,
}

/// So many servers are asked at the same time.
const AT_ONCE: usize = 32;

impl HealthMonitor {
    /// Knows nothing yet, so that everything will be news.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks all of them, and answers those that are another than they were. Whoever is not asked
    /// about any more is forgotten.
    pub fn round(&mut self, checks: &[HealthCheck]) -> Vec<HealthChange> {
        let healths = check_health(checks);
        let now = healths.iter().map(|health| (health.port, health.status));
        let before = std::mem::replace(&mut self.known, now.collect());
        let changes = healths.into_iter().map(|health| HealthChange {
            previous: before.get(&health.port).copied(),
            health,
        });
        changes
            .filter(|change| change.previous != Some(change.health.status))
            .collect()
    }

    /// Asks again and again on a thread of its own, with this pause after each round. What is asked
    /// is decided anew each time. It ends when the watch is dropped.
    pub fn watch(
        mut self,
        pause: Duration,
        mut checks: impl FnMut() -> Vec<HealthCheck> + Send + 'static,
    ) -> HealthWatch {
        let (sender, changes) = channel();
        let (stop, stopped) = channel::<()>();
        thread::spawn(move || {
            loop {
                for change in self.round(&checks()) {
                    if sender.send(change).is_err() {
                        return;
                    }
                }
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        HealthWatch {
            changes,
            _stop: stop,
        }
    }
}

/// A [`HealthMonitor`] that goes on by itself. Its items are the changes, as they happen.
#[derive(Debug)]
pub struct HealthWatch {
    changes: Receiver<HealthChange>,
    /// When it is gone, the thread ends.
    _stop: Sender<()>,
}

impl Iterator for HealthWatch {
    type Item = HealthChange;

    fn next(&mut self) -> Option<HealthChange> {
        self.changes.recv().ok()
    }
}

/// Asks all of them, many at the same time, and answers in their order.
pub fn check_health(checks: &[HealthCheck]) -> Vec<Health> {
    let next = AtomicUsize::new(0);
    let answered: Vec<OnceLock<Health>> = checks.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        // Whoever is done takes the next one, so that one slow server does not keep the others waiting.
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(check), Some(answer)) = (checks.get(index), answered.get(index)) else {
                return;
            };
            answer.get_or_init(|| check.run());
        }
    };
    thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(checks.len()) {
            scope.spawn(work);
        }
        work();
    });
    let answered = answered.into_iter().zip(checks);
    answered
        .map(|(health, check)| health.into_inner().unwrap_or_else(|| check.run()))
        .collect()
}
