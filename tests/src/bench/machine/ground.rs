//! Where it is measured: a registry in a folder that is gone afterwards, ports that were found free,
//! and processes that make them busy.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use portlease::core::{Port, PortRange, PortSet};
use portlease_probe::Probe;
use tempfile::TempDir;

use super::ours::Ours;
use crate::Result;

/// A registry of its own.
pub(crate) struct Ground {
    folder: TempDir,
}

impl Ground {
    /// A registry that knows this host, and so many leases of others beside it.
    pub(crate) fn with_leases(count: u16) -> Result<Self> {
        let ground = Self::missing()?;
        Ours::open(&ground.registry())?.fill(count)?;
        Ok(ground)
    }

    /// A registry that nobody made yet.
    pub(crate) fn missing() -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
        })
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.folder.path().join("registry.db")
    }
}

/// A run of ports that nobody is on, below those of outgoing connections.
pub(crate) fn free_range(count: u16) -> Result<PortRange> {
    let all = PortRange::literal(10_000, 32_000);
    let occupied = Probe::new().occupied(&PortSet::from(all))?;
    let mut firsts = (10_000..=32_000 - count).step_by(100).filter_map(Port::new);
    let range = firsts.find_map(|first| {
        let range = PortRange::starting_at(first, count);
        (occupied.count_in(range) == 0).then_some(range)
    });
    range.ok_or_else(|| format!("there are no {count} free ports in a row").into())
}

/// Another process that listens on ports for as long as this lives.
pub(crate) struct Listeners {
    _process: Started,
}

impl Listeners {
    /// On the first so many ports of the range.
    pub(crate) fn on(range: PortRange, count: u16) -> Result<Self> {
        let words = [range.first().to_string(), count.to_string()];
        let mut process = Started::new("listeners", &words)?;
        process.line()?;
        Ok(Self { _process: process })
    }
}

/// The role of [`Listeners`].
#[expect(
    clippy::disallowed_methods,
    reason = "they stand for ordinary dev servers"
)]
pub(crate) fn listen(first: u16, count: u16) -> Result<()> {
    raise_descriptor_limit();
    let mut listeners = Vec::new();
    for port in first..first + count {
        listeners.push(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?);
    }
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// As far as the system lets everybody; where it refuses, the descriptors will not be enough, and the
/// error of the listener says so.
fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// This program in another role. It ends when its input does.
pub(crate) struct Started {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Started {
    pub(crate) fn new(role: &str, words: &[String]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["role", role])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("its output is not read")?);
        Ok(Self {
            child,
            input,
            output,
        })
    }

    pub(crate) fn tell(&mut self) -> Result<()> {
        let input = self.input.as_mut().ok_or("its input is closed")?;
        input.write_all(b"\n")?;
        Ok(())
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("a process of the benchmark ended too early".into());
        }
        Ok(line)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.input = None;
        // It ended, whatever it says about it.
        let _ = self.child.wait();
    }
}
