//! Starts everybody, waits until all listen, lets the witness look, and counts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use portlease::core::{PortRange, PortSet};
use portlease_probe::Probe;

use crate::contender::Server;
use crate::{Result, this_program, witness};

const SERVERS: [(Server, &str); 3] = [
    (Server::Node, "node"),
    (Server::Python, "python"),
    (Server::Rust, "rust"),
];

/// What a contender reported.
#[derive(Default)]
struct Report {
    grants: u32,
    losses: u32,
    listening: Option<(u16, u32)>,
}

/// Answers whether every promise was kept.
pub(crate) fn run(processes: u16, delay_ms: u64, strangers: u16) -> Result<bool> {
    let start = Instant::now();
    let range = free_range(processes.saturating_mul(3))?;
    println!(
        "{processes} processes, {strangers} strangers, ports {range}, {delay_ms} ms between grant and start"
    );
    let folder = tempfile::tempdir()?;
    let registry = folder.path().join("registry.db");
    let (first, last) = (range.first().to_string(), range.last().to_string());

    let mut foreign = Vec::new();
    for seed in 0..strangers {
        foreign.push(start_role(&["stranger", &first, &last, &seed.to_string()])?);
    }
    let mut contenders = Vec::new();
    for index in 0..processes {
        let (_, server) = SERVERS[usize::from(index) % SERVERS.len()];
        let project = format!("project-{index}");
        let registry = registry.to_string_lossy();
        let delay = delay_ms.to_string();
        contenders.push(start_role(&[
            "contender",
            &project,
            &registry,
            &first,
            &last,
            server,
            &delay,
        ])?);
    }
    let mut reports = Vec::new();
    for contender in &mut contenders {
        reports.push(read_report(contender)?);
    }
    let verdict = judge(&reports);
    let ended_well = contenders
        .into_iter()
        .map(end)
        .filter(|ended| matches!(ended, Ok((true, _))))
        .count();
    let mut taken = 0;
    for stranger in foreign {
        let (_, words) = end(stranger)?;
        taken += words
            .split_whitespace()
            .nth(1)
            .and_then(|word| word.parse::<u32>().ok())
            .unwrap_or(0);
    }
    let losses: u32 = reports.iter().map(|report| report.losses).sum();
    let grants: u32 = reports.iter().map(|report| report.grants).sum();
    println!(
        "grants={grants} taken_by_strangers={taken} lost_to_strangers={losses} ended_well={ended_well} seconds={:.1}",
        start.elapsed().as_secs_f64()
    );
    let Verdict {
        listening,
        collisions,
        duplicates,
        silent,
    } = verdict;
    println!(
        "processes={processes} listening={listening} collisions={collisions} duplicates={duplicates} silent={silent} losses={}",
        u32::from(processes) - listening
    );
    let everybody = u32::from(processes);
    Ok(listening == everybody
        && ended_well == usize::from(processes)
        && collisions + duplicates + silent == 0)
}

struct Verdict {
    /// Contenders whose server has the port, alone.
    listening: u32,
    /// Ports that somebody else shares or has.
    collisions: u32,
    /// Ports that two contenders say they have.
    duplicates: u32,
    /// Servers that do not answer.
    silent: u32,
}

/// Compares what was reported with what the witness sees.
fn judge(reports: &[Report]) -> Verdict {
    let sockets = witness::listening_sockets();
    let mut verdict = Verdict {
        listening: 0,
        collisions: 0,
        duplicates: 0,
        silent: 0,
    };
    let mut owners: BTreeMap<u16, u32> = BTreeMap::new();
    for (port, pid) in reports.iter().filter_map(|report| report.listening) {
        if owners.insert(port, pid).is_some() {
            verdict.duplicates += 1;
        }
        let own = witness::sockets_of(pid);
        let on_port = sockets.get(&port).cloned().unwrap_or_default();
        if on_port.is_empty() || !on_port.is_subset(&own) {
            verdict.collisions += 1;
        } else {
            verdict.listening += 1;
        }
        if !answers(port) {
            verdict.silent += 1;
        }
    }
    verdict
}

fn answers(port: u16) -> bool {
    let addresses: [SocketAddr; 2] = [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ];
    addresses
        .into_iter()
        .any(|address| ask(address).unwrap_or(false))
}

fn ask(address: SocketAddr) -> std::io::Result<bool> {
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = [0; 5];
    connection.read_exact(&mut answer)?;
    Ok(answer == *b"HTTP/")
}

/// A run of ports below those of outgoing connections that nobody is on.
fn free_range(size: u16) -> Result<PortRange> {
    let probe = Probe::new();
    let occupied = probe.occupied(&PortSet::from(PortRange::literal(10_000, 32_000)))?;
    let mut candidates = (10_000..32_000_u16.saturating_sub(size)).step_by(500);
    let range = candidates.find_map(|first| {
        let range = PortRange::starting_at(portlease::core::Port::new(first)?, size.max(1));
        (occupied.count_in(range) == 0).then_some(range)
    });
    range.ok_or_else(|| "no run of free ports is long enough".into())
}

struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

fn start_role(arguments: &[&str]) -> Result<Running> {
    let mut child = Command::new(this_program()?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(child.stdout.take().ok_or("its output is not read")?);
    Ok(Running { child, output })
}

/// Reads until the contender listens or ends.
fn read_report(contender: &mut Running) -> Result<Report> {
    let mut report = Report::default();
    let mut line = String::new();
    while report.listening.is_none() && contender.output.read_line(&mut line)? > 0 {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("granted") => report.grants += 1,
            Some("lost") => report.losses += 1,
            Some("listening") => {
                let port = words.next().ok_or("a port is missing")?.parse()?;
                report.listening = Some((port, words.next().ok_or("a pid is missing")?.parse()?));
            }
            _ => return Err(format!("a contender says {line:?}").into()),
        }
        line.clear();
    }
    Ok(report)
}

/// Ends a process by ending its input; answers whether it ended well and what it said last.
fn end(mut running: Running) -> Result<(bool, String)> {
    drop(running.child.stdin.take());
    let mut last_words = String::new();
    running.output.read_to_string(&mut last_words)?;
    Ok((running.child.wait()?.success(), last_words))
}
