//! A port kept claimed in the kernel until the process it is meant for listens on it.

use std::io;

use portlease_core::Port;

use crate::exclusive::Bound;
use crate::{Attempts, BindError, system};

/// A port that is claimed in the kernel, on every address, by a socket that never listens.
///
/// | | Linux with the gate | elsewhere |
/// |---|---|---|
/// | **closed**, as it is taken | Nobody else can bind the port, on any address, with or without `SO_REUSEADDR` or `SO_REUSEPORT`. | Windows: the same. macOS: the same for all addresses and the two loopback ones; a program that sets `SO_REUSEADDR` and names another single address gets in. |
/// | **open**, from the spawn of the intended process until it listens | Programs that set `SO_REUSEADDR` or `SO_REUSEPORT` (Node, Bun, Deno, Go, Java, Rust's and Python's servers) can bind and listen. **Not excluded:** any other such program that asks for exactly this port, the latter only of the same user. Programs that set neither stay out, the intended one too: for those, [`release`](Self::release). | The port is let go: anybody can bind it. Find out afterwards who did, and take another port if need be. |
/// | **closed again**, once it listens | It serves on; nobody else can get in, also not when it has died. | Nothing is held. Whoever listens keeps others out by listening, for as long as it lives. |
///
/// One kind of server is an exception on Linux: if it sets `SO_REUSEPORT` *and* listens on every
/// address of both families, other programs of the same user that set it too can join it, as the
/// option has it, and take its place when it has ended. Calling [`close`](Self::close) again then
/// shuts them out. No dev server does so unless it is told to.
///
/// [`guarantee`](Self::guarantee) says which column is true. The descriptors are closed on exec, so
/// that no child inherits the hold, and the port is let go when the hold is dropped or its process
/// dies, in whichever way.
///
/// ```
/// use std::net::{TcpListener, UdpSocket};
/// use portlease_core::Port;
/// use portlease_probe::{Guarantee, Hold};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let port = Port::new(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port()).ok_or("port 0")?;
/// let mut hold = Hold::take(port)?;
/// # #[expect(clippy::disallowed_methods, reason = "it stands for a dev server")]
/// let dev_server = || TcpListener::bind(("127.0.0.1", port.get()));
/// assert!(dev_server().is_err());
///
/// hold.open()?;
/// let server = dev_server()?;
/// hold.close()?;
///
/// drop(server);
/// assert_eq!(dev_server().is_err(), Hold::guarantee() == Guarantee::UntilReleased);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Hold {
    port: Port,
    /// None after the port was let go because this system has no gate.
    bound: Option<Bound>,
}

/// For how long a [`Hold`] excludes others on this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// From the taking to the release. While it is open, programs get in that share addresses and
    /// ask for exactly this port.
    UntilReleased,
    /// From the taking to the opening. Between the opening and the moment when the intended
    /// process listens, anybody can take the port.
    UntilOpened,
}

impl Hold {
    /// Takes the port, with the gate closed. Not a port that is leased to somebody else.
    ///
    /// Whoever tries several ports uses [`Attempts`].
    pub fn take(port: Port) -> Result<Self, BindError> {
        Attempts::new().take(port)
    }

    /// Takes the port although connections of a server that has ended linger on it: see
    /// [`Attempts::take_lingering`].
    pub fn take_lingering(port: Port) -> Result<Self, BindError> {
        Attempts::new().take_lingering(port)
    }

    /// What holds exclude on this system. The first call tries it out, with a port that the
    /// kernel chooses, and the process remembers the result.
    pub fn guarantee() -> Guarantee {
        if system::has_gate() {
            Guarantee::UntilReleased
        } else {
            Guarantee::UntilOpened
        }
    }

    pub(crate) fn new(port: Port, bound: Bound) -> Self {
        Self {
            port,
            bound: Some(bound),
        }
    }

    /// The port.
    pub fn port(&self) -> Port {
        self.port
    }

    /// Lets the intended process in. Call it right before the process is started.
    pub fn open(&mut self) -> io::Result<()> {
        if Self::guarantee() == Guarantee::UntilOpened {
            self.bound = None;
        }
        self.set_gate(true)
    }

    /// Shuts everybody out again who does not listen yet. Call it as soon as the process listens;
    /// calling it again does no harm.
    pub fn close(&mut self) -> io::Result<()> {
        self.set_gate(false)
    }

    /// Lets go of the port, as dropping the hold does. If another thread is starting a process at
    /// this moment, the port is free when that start is done, some microseconds later: until then
    /// the new process has a copy of every descriptor.
    pub fn release(self) {
        drop(self);
    }

    /// The numbers of the files of its sockets, where the system has such.
    pub(crate) fn inodes(&self) -> Vec<u32> {
        self.bound
            .iter()
            .flat_map(Bound::sockets)
            .filter_map(system::inode)
            .collect()
    }

    fn set_gate(&self, open: bool) -> io::Result<()> {
        self.bound
            .iter()
            .flat_map(Bound::sockets)
            .try_for_each(|socket| system::set_gate(socket, open))
    }
}
