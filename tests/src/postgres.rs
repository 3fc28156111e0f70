//! A real PostgreSQL for tests: a throw-away cluster with a folder, a port and a password of its own.
//!
//! It ends with the process that started it, however that ends: a shell waits for the end of a pipe, which the system closes.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// For how long a server may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The password of the cluster's owner.
const PASSWORD: &str = "s3cret of the tests";

/// What a server need not do when only its process may die, never the machine.
const RECKLESS: &[&str] = &["fsync=off", "full_page_writes=off"];

/// A cluster of PostgreSQL.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    settings: Vec<String>,
    server: Option<Server>,
    next_database: AtomicU32,
    /// The shell that removes everything when this process has ended.
    janitor: Janitor,
}

#[derive(Debug)]
struct Server {
    port: u16,
    process: Child,
}

/// A database of a cluster.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its URL for the owner of the cluster, over TCP and with the password.
    pub url: String,
    /// Its name.
    pub name: String,
}

impl Cluster {
    /// The cluster that all tests of this process share.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL, or it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::reckless)
    }

    /// A cluster of its own that trusts the machine to go on, and is the faster for it.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL, or it does not start.
    pub fn reckless() -> Self {
        Self::start(RECKLESS)
    }

    /// A cluster of its own that can encrypt, with this key and this certificate.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL, or it does not start.
    pub fn encrypted(key: &Path, certificate: &Path) -> Self {
        let files = [("ssl_key_file", key), ("ssl_cert_file", certificate)];
        Self::with_files(&[RECKLESS, &["ssl=on"]].concat(), &files)
    }

    /// A cluster of its own, with these settings.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL, or it does not start.
    pub fn start(settings: &[&str]) -> Self {
        Self::with_files(settings, &[])
    }

    /// The files that settings name are copied, because they have to belong to the server's user.
    fn with_files(settings: &[&str], files: &[(&str, &Path)]) -> Self {
        let programs = programs();
        let folder = new_folder();
        let janitor = Janitor::of(&folder);
        let mut settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        for (setting, file) in files {
            let copy = folder.join(setting);
            fs::copy(file, &copy).expect("a file in the cluster's folder");
            settings.push(format!("{setting}={}", copy.display()));
        }
        let mut cluster = Self {
            folder,
            programs,
            settings,
            server: None,
            next_database: AtomicU32::new(0),
            janitor,
        };
        cluster.make();
        cluster.up();
        cluster
    }

    /// A standby of this one, without which no commit is answered any more.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = new_folder();
        let mut settings = self.settings.clone();
        settings.push("wal_retrieve_retry_interval=100ms".to_owned());
        let mut standby = Self {
            janitor: Janitor::of(&folder),
            folder,
            programs: self.programs.clone(),
            settings,
            server: None,
            next_database: AtomicU32::new(0),
        };
        standby.hand_over();
        let copied = standby
            .program("pg_basebackup")
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &self.port().to_string(), "-U", "postgres"])
            .args([
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
                "--pgdata",
            ])
            .arg(standby.folder.join("data"))
            .output();
        succeed(
            "pg_basebackup",
            &copied.expect("it is a program of the tests"),
        );
        standby.up();
        self.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
        );
        self.sql("postgres", "SELECT pg_reload_conf()");
        let deadline = Instant::now() + PATIENCE;
        let is_followed = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while self.sql("postgres", is_followed) != "1" {
            assert!(
                Instant::now() < deadline,
                "the standby does not follow: {}",
                standby.log()
            );
        }
        standby
    }

    /// Makes a standby the primary.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn promote(&self) {
        assert_eq!(
            self.sql("postgres", "SELECT pg_promote()"),
            "t",
            "it is promoted"
        );
    }

    fn make(&self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("a file in the cluster's folder");
        self.hand_over();
        let made = self
            .program("initdb")
            .args([
                "--username=postgres",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
            ])
            .args([
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(self.folder.join("data"))
            .output();
        succeed("initdb", &made.expect("initdb is a program of the tests"));
    }

    /// Gives the folder to the user as whom the server runs.
    fn hand_over(&self) {
        if is_root() {
            let owner = Command::new("chown")
                .arg("-R")
                .arg(user())
                .arg(&self.folder)
                .status();
            assert!(
                owner.is_ok_and(|status| status.success()),
                "the folder changes hands"
            );
        }
    }

    /// Starts the server, which is down: another one after [`kill`](Self::kill), on the same port.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn up(&mut self) {
        let former = self.server.as_ref().map(|server| server.port);
        // Another program may take the port between the moment when it was seen free and the moment when the server listens.
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let port = former.unwrap_or_else(free_port);
            if let Some(process) = self.try_up(port) {
                self.server = Some(Server { port, process });
                return;
            }
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    fn try_up(&self, port: u16) -> Option<Child> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .expect("a log for the server");
        let mut command = self.program("postgres");
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-k")
            .arg(&self.folder)
            .args(["-p", &port.to_string()])
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
            ]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log)
            .spawn()
            .expect("postgres is a program of the tests");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if process
                .try_wait()
                .expect("it belongs to this process")
                .is_some()
            {
                // The port was taken, or what was left of a killed server is not gone yet.
                return None;
            }
            let ready = self
                .program("pg_isready")
                .arg("-q")
                .arg("-h")
                .arg(&self.folder)
                .args(["-p", &port.to_string()])
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return Some(process);
            }
        }
        let _ = process.kill();
        let _ = process.wait();
        None
    }

    /// Ends the server by SIGKILL, as a crash does.
    ///
    /// # Panics
    ///
    /// When it is not up.
    pub fn kill(&mut self) {
        let server = self.server.as_mut().expect("it is up");
        server.process.kill().expect("it belongs to this process");
        server.process.wait().expect("it belongs to this process");
    }

    /// The port on 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When it never was up.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.as_ref().expect("it is up").port
    }

    /// The folder of the socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of a database for a user, over TCP.
    #[must_use]
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        let password = password.replace(' ', "%20");
        let port = self.port();
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// A database of its own, with nothing in it.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn database(&self) -> Database {
        let number = self.next_database.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database {
            url: self.url("postgres", PASSWORD, &name),
            name,
        }
    }

    /// What the database answers to these commands of its owner, each row a line.
    ///
    /// # Panics
    ///
    /// When they fail.
    pub fn sql(&self, database: &str, commands: &str) -> String {
        let output = self
            .program("psql")
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &self.port().to_string()])
            .args(["-U", "postgres", "-d", database])
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                commands,
            ])
            .output()
            .expect("psql is a program of the tests");
        succeed(commands, &output);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A program of PostgreSQL.
    fn program(&self, name: &str) -> Command {
        self.as_its_user(&self.programs.join(name))
    }

    /// A program as a user that it agrees to run as.
    pub(crate) fn as_its_user(&self, program: &Path) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args([&format!("--reuid={}", user()), "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        // Neither the settings of whoever runs the tests nor their language.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // Nobody needs what is in it.
            let _ = server.process.kill();
            let _ = server.process.wait();
        }
        self.janitor.clean();
    }
}

/// A shell that ends the server and removes its folder when the pipe to it ends.
#[derive(Debug)]
struct Janitor {
    pipe: Option<ChildStdin>,
    process: Child,
}

/// Processes of a server end when their first one is gone, which takes a moment. Whoever interrupts the tests at a terminal sends the signal
/// to this shell as well, which is needed just then.
const CLEAN: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$0" 2>/dev/null && [ ! -e "$0" ] && exit 0
    sleep 0.2
done
"#;

impl Janitor {
    fn of(folder: &Path) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", CLEAN])
            .arg(folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        Self {
            pipe: process.stdin.take(),
            process,
        }
    }

    fn clean(&mut self) {
        drop(self.pipe.take());
        let _ = self.process.wait();
    }
}

fn new_folder() -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("portlease-postgres-")
        .tempdir();
    folder.expect("a folder for the cluster").keep()
}

fn succeed(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn free_port() -> u16 {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is given up at once, and the server says whether it got it"
    )]
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    free.expect("a port is free").port()
}

/// PostgreSQL refuses to run as root.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user that Debian's package makes.
fn user() -> &'static str {
    "postgres"
}

/// Debian keeps the programs of each version in a folder of their own.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let mut folders: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    folders.sort();
    let on_path = || {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    let found = folders.pop().or_else(on_path);
    found.expect("PostgreSQL is a program of the tests: on Debian `apt-get install postgresql`")
}
