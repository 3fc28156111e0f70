//! The service for tests, on a port of its own and on whatever registry a test has, and somebody who asks it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use portlease::{Allocator, ConfigSources};
use portlease_server::{ServeOptions, Server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A service that runs until the test ends.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Where no configuration is.
    _folder: TempDir,
}

impl Served {
    /// Serves what the allocator has.
    ///
    /// # Panics
    ///
    /// When it cannot.
    pub fn of(allocator: Allocator) -> Self {
        let folder = tempfile::tempdir().expect("a folder without a configuration");
        let config = ConfigSources::of_folder(folder.path()).variables([]).read();
        let config = config.expect("no configuration is a good one");
        let server = Server::new(allocator, config, ServeOptions::default());
        let (server, listener) = (server.expect("it serves"), listener());
        let address = listener.local_addr().expect("it listens");
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build();
            let stopped = async {
                let _ = stopped.await;
            };
            let served = server.run(vec![listener], stopped);
            let served = runtime.expect("threads").block_on(served);
            served.expect("it stops when it is asked to");
        });
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// The status and the JSON of an answer.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let limited = stream.set_read_timeout(Some(PATIENCE));
        limited.expect("a limit for the answer");
        let (address, body) = (self.address, body.to_string());
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        let asked = stream.write_all((head + &body).as_bytes());
        asked.expect("it is heard");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let (_, json) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let json = serde_json::from_str(json).expect("every answer is JSON");
        (status.expect("a status"), json)
    }

    /// The answer when all is well.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[must_use]
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.done("GET", path, &Value::Null)
    }

    /// The same with a body.
    ///
    /// # Panics
    ///
    /// When all is not well.
    #[track_caller]
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// The status and the details of a problem with this code.
    ///
    /// # Panics
    ///
    /// When it is another one, or none.
    #[must_use]
    #[track_caller]
    pub fn refused(&self, method: &str, path: &str, body: &Value, code: &str) -> (u16, Value) {
        let (status, mut answer) = self.ask(method, path, body);
        assert_eq!(answer["code"], code, "{method} {path}: {answer}");
        (status, answer["details"].take())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever asks for any port does not ask whether it is free"
)]
fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free")
}
