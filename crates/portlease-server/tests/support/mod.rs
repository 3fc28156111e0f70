//! A server of its own for each test, on a registry of its own, and a client that says exactly what the test wants said.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file is a program of its own and uses a part of this, one of them all"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portlease::core::Port;
use portlease::engines::Environment;
use portlease::{Allocator, ConfigSources, Options, Registry};
use portlease_server::{ServeOptions, Server, listen};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long anything may take on a busy machine before the test gives up.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A server that runs until the test ends.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) allocator: Allocator,
    pub(crate) folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::with(ServeOptions::default())
    }

    pub(crate) fn with(options: ServeOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = ConfigSources::of_folder(folder.path()).variables([]);
        let config = sources.read().unwrap();
        let allocator = Allocator::open(Options {
            registry: Registry::File(folder.path().join("registry.db")),
            settings: Some(config.host_settings()),
            engines: Some(Environment::of_variables(|_| None)),
            ..Options::default()
        })
        .unwrap();
        let port = Port::new(free_ports().start).unwrap();
        let listener = listen(Ipv4Addr::LOCALHOST.into(), port).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(allocator.clone(), config, options).unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(server.run(vec![listener], async {
                let _ = stopped.await;
            }))
        });
        Self {
            address,
            allocator,
            folder,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> std::io::Result<()> {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends these bytes and reads the answer to its end.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        // Whoever refuses early may not read all of it.
        let _ = stream.write_all(bytes);
        Reply::read(&mut BufReader::new(stream))
    }

    /// Asks with a head of its own, besides the host.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            write!(head, "host: {}\r\n", self.address).unwrap();
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if !body.is_empty() {
            write!(head, "content-length: {}\r\n", body.len()).unwrap();
        }
        self.raw(format!("{head}\r\n{body}").as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.ask(method, path, &json, &body.to_string())
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "most bodies are written where they are sent"
    )]
    pub(crate) fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, &body)
    }

    /// Listens to events.
    pub(crate) fn events(&self, after: Option<&str>) -> Events {
        let mut stream = self.connect();
        let after = after.map_or_else(String::new, |id| format!("last-event-id: {id}\r\n"));
        let head = format!(
            "GET /api/events HTTP/1.1\r\nhost: {}\r\n{after}\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (status, headers) = read_head(&mut reader);
        Events {
            status,
            headers,
            reader,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop().unwrap();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever asks for any port does not ask whether it is free"
)]
pub(crate) fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

/// Ports that nobody is on and no other test asks for.
pub(crate) fn free_ports() -> Range<u16> {
    const SIZE: u16 = 10;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Test programs run side by side, and below the ports that the system itself gives away.
    let own = u16::try_from(std::process::id() % 180).unwrap();
    loop {
        let offset = TAKEN.fetch_add(SIZE, Ordering::Relaxed);
        let start = 12_000 + (own * 100 + offset) % 18_000;
        let ports = start..start + SIZE;
        let is_free =
            |port: u16| portlease::probe::can_bind(Port::new(port).unwrap(), None).is_ok();
        if ports.clone().all(is_free) {
            return ports;
        }
    }
}

/// Tries until there is something.
#[expect(
    clippy::disallowed_methods,
    reason = "some things have no event to wait for"
)]
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn read(reader: &mut BufReader<TcpStream>) -> Self {
        let (status, headers) = read_head(reader);
        let mut body = Vec::new();
        // A connection that was refused something may be reset after the answer.
        let _ = reader.read_to_end(&mut body);
        let mut reply = Self {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = unchunked(&reply.body);
        }
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The JSON of an answer that must be one.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    /// Checks that the answer is this problem; answers its details.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(
            (self.status, &problem["code"]),
            (status, &code.into()),
            "{self:?}"
        );
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.ends_with(['.', '?']), "{detail}");
        problem["details"].clone()
    }
}

fn read_head(reader: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let mut headers = Vec::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    // A connection that ended without an answer has none.
    (status.unwrap_or(0), headers)
}

fn unchunked(mut rest: &str) -> String {
    let mut text = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        let Some(chunk) = after.get(..size) else {
            break;
        };
        text += chunk;
        rest = after.get(size + 2..).unwrap_or_default();
    }
    text
}

/// A stream of events.
pub(crate) struct Events {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
}

impl Events {
    /// The next event with its id; none when the stream is over.
    pub(crate) fn next(&mut self) -> Option<(String, Value)> {
        let mut id = String::new();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(said) = line.strip_prefix("id: ") {
                said.trim_end().clone_into(&mut id);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((id, serde_json::from_str(data).unwrap()));
            }
        }
    }

    /// The next event of this type.
    #[track_caller]
    pub(crate) fn hear(&mut self, kind: &str) -> (String, Value) {
        let mut heard = Vec::new();
        loop {
            let Some((id, event)) = self.next() else {
                panic!("{kind} was not told, but {heard:?}")
            };
            if event["type"] == kind {
                return (id, event);
            }
            heard.push(event);
        }
    }
}
