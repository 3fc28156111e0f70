//! A project of its own for each test, with a registry of its own and ports that nobody is on.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file is a program of its own and uses a part of this, one of them all"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portlease::core::Port;
use portlease::probe::can_bind;
use serde_json::Value;
use tempfile::TempDir;

#[cfg(target_os = "linux")]
pub(crate) mod terminal;

/// How long anything may take on a busy machine before the test gives up.
pub(crate) const LONG: Duration = Duration::from_mins(1);
const SIZE: u16 = 10;

/// The folder of a project, and what belongs to it.
pub(crate) struct Sandbox {
    folder: TempDir,
    home: TempDir,
    registry: String,
    pub(crate) ports: Range<u16>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// Below a folder in which the project finds what it needs.
    pub(crate) fn within(parent: &Path) -> Self {
        let folder = tempfile::tempdir_in(parent).unwrap();
        fs::create_dir(folder.path().join("project")).unwrap();
        Self {
            registry: format!("sqlite:{}", folder.path().join("registry.db").display()),
            folder,
            // Elsewhere, because Next takes no folder for the root that has the home inside.
            home: tempfile::tempdir().unwrap(),
            ports: free_ports(),
        }
    }

    /// With the registry of another one.
    pub(crate) fn sharing(self, other: &Self) -> Self {
        Self {
            registry: other.registry.clone(),
            ..self
        }
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Puts something in the place of the registry that can be none.
    pub(crate) fn break_registry(&self) {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.folder.path().join(format!("registry.db{ending}")));
        }
        fs::create_dir(self.folder.path().join("registry.db")).unwrap();
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.project().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.project().join(name)).ok()
    }

    /// `--range` with the ports of this sandbox.
    pub(crate) fn range(&self) -> String {
        format!("--range={}-{}", self.ports.start, self.ports.end - 1)
    }

    /// The command line, in the folder of the project.
    pub(crate) fn portlease(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portlease"));
        command
            .args(arguments)
            .current_dir(self.project())
            .env("PORTLEASE_REGISTRY", &self.registry)
            .env("HOME", self.home.path())
            .env_remove("PORT")
            .env_remove("PORTLEASE_RUN")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .stdin(Stdio::null());
        command
    }

    /// Another program, in the same surroundings.
    pub(crate) fn program(&self, name: &str) -> Command {
        let own = self.portlease(&[]);
        let mut command = Command::new(name);
        command.current_dir(self.project()).stdin(Stdio::null());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// Leases a port to nobody in particular, and answers it.
    pub(crate) fn get(&self, project: &str) -> u16 {
        let range = self.range();
        let got = self.ended(&["get", "--project", project, &range]);
        assert_eq!(got.code, Some(0), "{got:?}");
        got.stdout.trim().parse().unwrap()
    }

    /// The object that a command prints, and its exit code.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ended = self.ended(&[arguments, &["--json"]].concat());
        let value = serde_json::from_str(&ended.stdout);
        (ended.code, value.unwrap_or_else(|_| panic!("{ended:?}")))
    }

    /// What `portlease export` says.
    pub(crate) fn export(&self) -> Value {
        serde_json::from_str(&self.ended(&["export"]).stdout).unwrap()
    }

    /// Runs it to its end.
    pub(crate) fn ended(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.portlease(arguments))
    }

    /// Begins `portlease run` with the ports of this sandbox.
    pub(crate) fn start(&self, flags: &[&str], command: &[&str]) -> Running {
        let range = self.range();
        let arguments = [&["run", &range], flags, &["--"], command].concat();
        Running::of(self.portlease(&arguments))
    }

    /// What `portlease ports --json` says.
    pub(crate) fn leases(&self) -> Vec<Value> {
        let listed = self.ended(&["ports", "--json"]);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        serde_json::from_str(&listed.stdout).unwrap()
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A command that runs, and is killed with the test.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Running {
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout: Box<dyn std::io::Read + Send> = Box::new(child.stdout.take().unwrap());
        let stderr: Box<dyn std::io::Read + Send> = Box::new(child.stderr.take().unwrap());
        for stream in [stdout, stderr] {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Self {
            child,
            lines,
            heard: Vec::new(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with these words in it.
    pub(crate) fn hear(&mut self, words: &str) -> String {
        let deadline = Instant::now() + LONG;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{words:?} is not said: {:#?}", self.heard)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without saying {words:?}: {:#?}", self.heard)
                }
            }
        }
    }

    /// Waits until the service is ready; answers its port.
    pub(crate) fn ready(&mut self) -> u16 {
        let line = self.hear(" is ready at ");
        let url = line.split("http://localhost:").nth(1).unwrap();
        let digits: String = url.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        send(self.pid(), signal);
    }

    /// Kills it alone; what it started goes on.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, and for everything that it said.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let deadline = Instant::now() + LONG;
        let status = until("it ends", || {
            assert!(
                Instant::now() < deadline,
                "it does not end: {:#?}",
                self.heard
            );
            self.child.try_wait().unwrap()
        });
        let mut heard = std::mem::take(&mut self.heard);
        heard.extend(self.lines.iter());
        (status, heard)
    }
}

impl Drop for Running {
    #[cfg_attr(
        unix,
        expect(
            clippy::disallowed_methods,
            reason = "a test that ends early has nobody to wait for the end of a process"
        )
    )]
    fn drop(&mut self) {
        // Asked to end, it ends what it started as well; killed, it could not.
        #[cfg(unix)]
        {
            if matches!(self.child.try_wait(), Ok(None)) {
                send(self.pid(), rustix::process::Signal::TERM);
            }
            let deadline = Instant::now() + Duration::from_secs(5);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
pub(crate) fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[cfg(unix)]
pub(crate) fn is_there(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat"));
    // What has ended and was not asked for its exit code is not there either.
    state.is_ok_and(|state| !state.contains(") Z "))
}

/// A lease whose server was killed together with its `portlease run`.
#[cfg(unix)]
pub(crate) fn stale(sandbox: &Sandbox) -> u16 {
    let server = ["python3", "-m", "http.server", "{port}", "--bind=127.0.0.1"];
    let mut running = sandbox.start(&[], &server);
    let port = running.ready();
    let listener = sandbox.leases()[0]["lease"]["listener"]["pid"].as_u64();
    let listener = u32::try_from(listener.unwrap()).unwrap();
    running.kill();
    send(listener, rustix::process::Signal::KILL);
    until("the server is gone", || (!is_there(listener)).then_some(()));
    port
}

/// What a command says when it fails, with this exit code.
pub(crate) fn check(ended: &Ended, code: i32, words: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.stderr.contains(words), "{ended:?}");
}

/// Waits until there is an answer.
#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for tells nobody when it happens"
)]
pub(crate) fn until<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "it is waited in vain until {what}"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// The first line of the answer of an HTTP server.
pub(crate) fn http(port: u16) -> std::io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .or_else(|_| TcpStream::connect(("::1", port)))?;
    connection.set_read_timeout(Some(LONG))?;
    write!(
        connection,
        "GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

/// Ports that nobody is on, other ones for each sandbox; nor do connections of an earlier test linger there, which keep whoever insists
/// on a port from it.
fn free_ports() -> Range<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let seed = u16::try_from(std::process::id() % 500).unwrap();
    loop {
        let index = (seed + NEXT.fetch_add(1, Ordering::Relaxed)) % 500;
        let first = 11_000 + index * SIZE;
        let mut ports = first..first + SIZE;
        if ports.all(|port| can_bind(Port::literal(port), None).is_ok()) {
            return first..first + SIZE;
        }
    }
}

/// The folder as a string.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
