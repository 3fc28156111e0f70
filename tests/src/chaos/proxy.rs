//! The way to a server, which can break wherever that is told.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::{SockAddr, Socket, Type};

/// Passes on what comes, as long as nobody breaks it.
#[derive(Debug)]
pub struct Proxy {
    place: SockAddr,
    way: Arc<Way>,
}

#[derive(Debug)]
struct Way {
    to: AtomicU16,
    is_over: AtomicBool,
    is_blocked: AtomicBool,
    /// How many of the next commits break off, and where.
    breaks: Mutex<Option<(Break, i64)>>,
    broken: AtomicI64,
    open: Mutex<Vec<Socket>>,
}

/// Where a commit breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// It never arrives.
    Before,
    /// It arrives, and nobody waits for its answer.
    After,
    /// It arrives and is answered, and the answer is lost.
    Answered,
}

impl Proxy {
    /// A way to a port of this machine.
    ///
    /// # Panics
    ///
    /// When the system gives no port.
    #[must_use]
    pub fn to(port: u16) -> Self {
        Self::between(&localhost(0), port)
    }

    /// The same from a socket in a folder, which also leads out of networks that have no other way.
    ///
    /// # Panics
    ///
    /// When the system gives no socket.
    #[must_use]
    pub fn from_socket(path: &Path, port: u16) -> Self {
        Self::between(&SockAddr::unix(path).expect("a short path"), port)
    }

    fn between(place: &SockAddr, port: u16) -> Self {
        let listener = Socket::new(place.domain(), Type::STREAM, None).expect("a socket");
        listener.bind(place).expect("a port is free");
        listener.listen(128).expect("it is bound");
        let place = listener.local_addr().expect("it is bound");
        let way = Arc::new(Way {
            to: AtomicU16::new(port),
            is_over: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
            breaks: Mutex::default(),
            broken: AtomicI64::new(0),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&way);
        thread::spawn(move || accept(&listener, &accepting));
        Self { place, way }
    }

    /// Where it listens.
    ///
    /// # Panics
    ///
    /// When that is a folder.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.place.as_socket().expect("it has a port").port()
    }

    /// Leads to another port from now on.
    pub fn leads_to(&self, port: u16) {
        self.way.to.store(port, Ordering::Relaxed);
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        for connection in lock(&self.way.open).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Lets nothing through, without saying so, or lets it through again.
    pub fn block(&self, is_blocked: bool) {
        self.way.is_blocked.store(is_blocked, Ordering::Relaxed);
    }

    /// Breaks the connections of the next commits.
    pub fn break_commits(&self, how: Break, count: i64) {
        *lock(&self.way.breaks) = Some((how, count));
    }

    /// How many commits were broken off.
    #[must_use]
    pub fn broken(&self) -> i64 {
        self.way.broken.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.is_over.store(true, Ordering::Relaxed);
        self.cut();
        // The thread that accepts looks up.
        let _ = connect(&self.place);
    }
}

fn localhost(port: u16) -> SockAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()
}

fn connect(place: &SockAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(place.domain(), Type::STREAM, None)?;
    socket.connect(place)?;
    Ok(socket)
}

fn accept(listener: &Socket, way: &Arc<Way>) {
    while let Ok((client, _)) = listener.accept() {
        if way.is_over.load(Ordering::Relaxed) {
            return;
        }
        let to = way.to.load(Ordering::Relaxed);
        // Without a server the client finds a closed connection.
        let Ok(server) = connect(&localhost(to)) else {
            continue;
        };
        for stream in [&client, &server] {
            // A socket in a folder waits for nothing anyway.
            let _ = stream.set_tcp_nodelay(true);
            if let Ok(stream) = stream.try_clone() {
                lock(&way.open).push(stream);
            }
        }
        let pass = Arc::new(Pass {
            client,
            server,
            loses_answers: AtomicBool::new(false),
        });
        let (there, back) = (Arc::clone(&pass), pass);
        let (way_there, way_back) = (Arc::clone(way), Arc::clone(way));
        thread::spawn(move || there.requests(&way_there));
        thread::spawn(move || back.answers(&way_back));
    }
}

/// One connection.
struct Pass {
    client: Socket,
    server: Socket,
    loses_answers: AtomicBool,
}

/// How the text of the message ends that commits a change. What only looks begins its messages otherwise.
const COMMIT: &[u8] = b"; COMMIT\x00";

impl Pass {
    fn requests(&self, way: &Way) {
        let mut bytes = [0; 16_384];
        while let Ok(count @ 1..) = (&self.client).read(&mut bytes) {
            let request = &bytes[..count];
            wait_while_blocked(way);
            let is_commit = request.windows(COMMIT.len()).any(|window| window == COMMIT);
            let broken = if is_commit { way.next_break() } else { None };
            match broken {
                Some(Break::Before) => break,
                Some(Break::After) => {
                    let _ = (&self.server).write_all(request);
                    // The server reads on, although nobody is there for its answer.
                    let _ = self.client.shutdown(Shutdown::Both);
                    let _ = self.server.shutdown(Shutdown::Write);
                    return;
                }
                Some(Break::Answered) => {
                    self.loses_answers.store(true, Ordering::SeqCst);
                    if (&self.server).write_all(request).is_err() {
                        break;
                    }
                }
                None => {
                    if (&self.server).write_all(request).is_err() {
                        break;
                    }
                }
            }
        }
        self.end();
    }

    fn answers(&self, way: &Way) {
        let mut bytes = [0; 16_384];
        while let Ok(count @ 1..) = (&self.server).read(&mut bytes) {
            wait_while_blocked(way);
            if self.loses_answers.load(Ordering::SeqCst)
                || (&self.client).write_all(&bytes[..count]).is_err()
            {
                break;
            }
        }
        self.end();
    }

    fn end(&self) {
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Way {
    /// Whether the next commit breaks off, and where.
    fn next_break(&self) -> Option<Break> {
        let mut breaks = lock(&self.breaks);
        let (how, left) = breaks.as_mut()?;
        let how = *how;
        *left -= 1;
        if *left <= 0 {
            *breaks = None;
        }
        self.broken.fetch_add(1, Ordering::Relaxed);
        Some(how)
    }
}

fn wait_while_blocked(way: &Way) {
    while way.is_blocked.load(Ordering::Relaxed) && !way.is_over.load(Ordering::Relaxed) {
        pause(Duration::from_millis(1));
    }
}

/// A moment in which something stays as it is, because that is the fault.
#[expect(clippy::disallowed_methods, reason = "the wait is the fault itself")]
pub(super) fn pause(time: Duration) {
    thread::sleep(time);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
