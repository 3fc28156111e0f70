//! The service beside a hello-world of the same framework: what asking by HTTP adds to the work itself.
//!
//! Both are servers of this process, asked over real connections that stay open. The processors are shared by servers and clients.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::any;
use portlease::core::PortRange;
use portlease::{Allocator, ConfigSources, Options, Registry};
use portlease_server::{Rate, ServeOptions, Server};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::Result;
use crate::machine::ground::{Ground, free_range};
use crate::measure::Timing;
use crate::report::{Count, Report, Row, Unit, ratio};

const BENCH: &str = "service";
/// The largest registry, and a usual one.
const LEASES: [u16; 2] = [10, 5_000];
/// One client alone, and more of them than processors.
const CLIENTS: [usize; 2] = [1, 16];
/// So many requests of each client are not measured, and so many are, of all clients together.
const WARM_UP: usize = 50;
const SAMPLES: usize = 4_000;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let hello = Served::hello()?;
    let range = free_range(101)?;
    for leases in LEASES {
        let ground = Ground::with_leases(leases)?;
        let service = Served::service(&ground)?;
        for clients in CLIENTS {
            let floor = measure(clients, &hello, |client, _| client.ask("GET", "/", ""))?;
            let pair = measure(clients, &service, |client, number| {
                reserve_and_release(client, number, range)
            })?;
            let twice = measure(clients, &hello, |client, _| {
                client.ask("POST", "/", &wish(0, range))?;
                client.ask("DELETE", "/", "{}")
            })?;
            let ports = measure(clients, &service, |client, _| {
                client.ask("GET", "/api/ports", "")
            })?;
            let mut row = |what: &str, ours: &Measured, floor: &Measured| {
                report.row(Row {
                    bench: BENCH,
                    case: format!("{what}, {leases} leases, {clients} clients"),
                    unit: Unit::Micros,
                    ours: ours.timing,
                    floor: floor.timing,
                    peers: Vec::new(),
                });
                report.count(Count {
                    bench: BENCH,
                    case: format!("{what}, {leases} leases, {clients} clients"),
                    unit: "in a second",
                    ours: ours.in_a_second,
                    peers: vec![("hello-world", floor.in_a_second)],
                });
            };
            row("reserve+release", &pair, &twice);
            row("GET /api/ports", &ports, &floor);
            if (leases, clients) == (LEASES[0], 1) {
                let times = ratio(pair.timing, twice.timing);
                report.aim(
                    "reserve+release within 3 times two hello-worlds",
                    3.0,
                    times,
                );
            }
        }
    }
    report.remark(
        "floor: a handler of axum that answers a few bytes, over the same kind of connection; for reserve+release two of them. Neither \
         has a limit of rate, a watch or a registry."
            .to_owned(),
    );
    Ok(())
}

fn wish(number: usize, range: PortRange) -> String {
    json!({
        "projectId": format!("client-{number}"),
        "basePort": range.first(),
        "maxPort": range.last(),
    })
    .to_string()
}

fn reserve_and_release(client: &mut Client, number: usize, range: PortRange) -> Result<Vec<u8>> {
    let answer = client.ask("POST", "/api/leases", &wish(number, range))?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let release = json!({"project": answer["project"], "generation": answer["generation"]});
    client.ask("DELETE", "/api/leases", &release.to_string())
}

/// What came of many requests.
struct Measured {
    timing: Timing,
    in_a_second: u64,
}

/// Has several clients do something at the same time, each again and again.
fn measure(
    clients: usize,
    served: &Served,
    work: impl Fn(&mut Client, usize) -> Result<Vec<u8>> + Sync,
) -> Result<Measured> {
    let each = SAMPLES / clients;
    let work = &work;
    let one = |number: usize| -> Result<(Vec<Duration>, Instant, Instant), String> {
        let told = |error: Box<dyn std::error::Error>| error.to_string();
        let mut client = Client::connect(served.address).map_err(told)?;
        for _ in 0..WARM_UP {
            work(&mut client, number).map_err(told)?;
        }
        let begun = Instant::now();
        let mut samples = Vec::with_capacity(each);
        for _ in 0..each {
            let start = Instant::now();
            work(&mut client, number).map_err(told)?;
            samples.push(start.elapsed());
        }
        Ok((samples, begun, Instant::now()))
    };
    let all = thread::scope(|scope| {
        let running: Vec<_> = (0..clients)
            .map(|number| scope.spawn(move || one(number)))
            .collect();
        running
            .into_iter()
            .map(|client| client.join().unwrap_or(Err("a client panicked".to_owned())))
            .collect::<Result<Vec<_>, String>>()
    })?;
    let begun = all.iter().map(|(_, begun, _)| *begun).min();
    let ended = all.iter().map(|(_, _, ended)| *ended).max();
    let took = begun.zip(ended).map(|(begun, ended)| ended - begun);
    let samples: Vec<Duration> = all
        .into_iter()
        .flat_map(|(samples, _, _)| samples)
        .collect();
    let count = u128::try_from(samples.len())?;
    let micros = took.unwrap_or_default().as_micros().max(1);
    Ok(Measured {
        in_a_second: u64::try_from(count * 1_000_000 / micros)?,
        timing: Timing::of(samples),
    })
}

/// A connection that stays open. It reads just what both servers send.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// The body of the answer, which has to be a good one.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes())?;
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err("the server hung up".into());
            }
            self.buffer.extend_from_slice(&chunk[..read]);
            let Some(end) = self.buffer.windows(4).position(|it| it == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.buffer[..end])?;
            if !head.starts_with("HTTP/1.1 200 ") {
                return Err(
                    format!("{method} {path}: {}", String::from_utf8_lossy(&self.buffer)).into(),
                );
            }
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.ok_or("there is no length")?.parse()?;
            if self.buffer.len() >= end + 4 + length {
                return Ok(self.buffer[end + 4..].to_vec());
            }
        }
    }
}

/// A server in this process, until it is dropped.
struct Served {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    _runtime: Runtime,
}

impl Served {
    fn hello() -> Result<Self> {
        Self::start(|listener, stopped| async move {
            let router = Router::new().route("/", any(async || "hello"));
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
        })
    }

    fn service(ground: &Ground) -> Result<Self> {
        let allocator = Allocator::open(Options {
            registry: Registry::File(ground.registry()),
            ..Options::default()
        })?;
        let folder = tempfile::tempdir()?;
        let config = ConfigSources::of_folder(folder.path()).read()?;
        let unlimited = Rate {
            per_second: 1e9,
            burst: 1e9,
        };
        let options = ServeOptions {
            local_rate: unlimited,
            ..ServeOptions::default()
        };
        let server = Server::new(allocator, config, options)?;
        Self::start(|listener, stopped| server.run(vec![listener], stopped))
    }

    fn start<F>(serve: impl FnOnce(TcpListener, Stopped) -> F) -> Result<Self>
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        #[expect(
            clippy::disallowed_methods,
            reason = "no other program is to find this port free"
        )]
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let stopped: Stopped = Box::pin(async {
            // It is stopped when nobody can stop it any more, too.
            let _ = stopped.await;
        });
        let serving = serve(listener, stopped);
        runtime.spawn(serving);
        Ok(Self {
            address,
            stop: Some(stop),
            _runtime: runtime,
        })
    }
}

type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}
