//! A real pgbouncer for tests, in front of a cluster. It ends with whoever started it.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::postgres::{Cluster, free_port};

/// For how long it may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The first version that carries prepared statements from one connection to the next.
const KNOWS_STATEMENTS: (u32, u32) = (1, 21);

/// How long a client has a connection of the server to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As long as it is connected.
    Session,
    /// For one transaction.
    Transaction,
}

/// A pgbouncer.
#[derive(Debug)]
pub struct Pgbouncer {
    port: u16,
    process: Child,
}

impl Pgbouncer {
    /// Starts one that leads to all databases of the cluster, whoever asks.
    ///
    /// # Panics
    ///
    /// When there is no pgbouncer, or it does not start.
    #[must_use]
    pub fn in_front_of(cluster: &Cluster, mode: Mode) -> Self {
        let program = program();
        // Another program may take the port between the moment when it was seen free and the moment when it is listened on.
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let port = free_port();
            let settings = cluster.folder().join(format!("pgbouncer-{port}.ini"));
            fs::write(&settings, settings_of(cluster, mode, port)).expect("a file in the folder");
            if let Some(process) = try_start(cluster, &program, &settings, port) {
                return Self { port, process };
            }
        }
        panic!("pgbouncer does not start");
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The way to a database through it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether the one that is installed carries prepared statements from one connection to the next, which its mode
/// [`Transaction`](Mode::Transaction) needs.
///
/// # Panics
///
/// When there is no pgbouncer.
#[must_use]
pub fn knows_statements() -> bool {
    let output = Command::new(program()).arg("--version").output();
    let output = output.expect("pgbouncer is a program of the tests");
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().nth(1).expect("it says its version");
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    let version = (numbers.next().flatten(), numbers.next().flatten());
    version >= (Some(KNOWS_STATEMENTS.0), Some(KNOWS_STATEMENTS.1))
}

fn settings_of(cluster: &Cluster, mode: Mode, port: u16) -> String {
    let mode = match mode {
        Mode::Session => "session",
        Mode::Transaction if knows_statements() => "transaction\nmax_prepared_statements = 31",
        Mode::Transaction => "transaction",
    };
    format!(
        "[databases]
* = host={} port={} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
unix_socket_dir =
max_client_conn = 1000
default_pool_size = 60
server_idle_timeout = 1
server_login_retry = 1
pool_mode = {mode}
",
        cluster.folder().display(),
        cluster.port(),
    )
}

fn try_start(cluster: &Cluster, program: &Path, settings: &Path, port: u16) -> Option<Child> {
    let mut process = cluster
        .as_its_user(program)
        .arg("--quiet")
        .arg(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("pgbouncer is a program of the tests");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && process.try_wait().is_ok_and(|ended| ended.is_none()) {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Some(process);
        }
    }
    let _ = process.kill();
    let _ = process.wait();
    None
}

/// Debian keeps it where only administrators look.
fn program() -> PathBuf {
    let named = std::env::var_os("PORTLEASE_TEST_PGBOUNCER").map(PathBuf::from);
    let debian = PathBuf::from("/usr/sbin/pgbouncer");
    let installed = debian.exists().then_some(debian);
    named.or(installed).unwrap_or_else(|| "pgbouncer".into())
}
