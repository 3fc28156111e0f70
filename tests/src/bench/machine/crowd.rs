//! Many processes that begin to reserve at the same moment.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use portlease::core::PortRange;

use super::floor::Floor;
use super::ground::{Ground, Started, free_range};
use super::ours::Ours;
use super::peers::openport;
use super::{BENCH, Contestant, Task};
use crate::Result;
use crate::measure::Timing;
use crate::report::{Report, Row, Unit};

const PROCESSES: u16 = 64;
const ROUNDS: u16 = 20;
/// How often the crowd comes together: the worst of it is the worst of all times.
const TIMES: usize = 5;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let [ours, floor] = [Contestant::Ours, Contestant::Floor].map(|contestant| {
        (0..TIMES)
            .map(|_| Crowd::gather(contestant, PROCESSES, ROUNDS))
            .collect::<Result<Vec<_>>>()
    });
    let (ours, floor) = (ours?, floor?);
    let timing = |crowds: &[Crowd]| {
        Timing::of(
            crowds
                .iter()
                .flat_map(|crowd| &crowd.reserves)
                .copied()
                .collect(),
        )
    };
    let row = Row {
        bench: BENCH,
        case: format!("{PROCESSES} processes × {ROUNDS}"),
        unit: Unit::Micros,
        ours: timing(&ours),
        floor: timing(&floor),
        peers: Vec::new(),
    };
    let worst = Unit::Millis.of(row.ours.max);
    report.aim("the worst of 64 × 20, at most 60 ms", 60.0, worst);
    report.row(row);
    report.remark(format!(
        "Throughput of {PROCESSES} × {ROUNDS}: ours {:.0}/s, floor {:.0}/s.",
        throughput(&ours),
        throughput(&floor)
    ));
    Ok(())
}

fn throughput(crowds: &[Crowd]) -> f64 {
    let reserves: u32 = crowds.iter().map(|_| u32::from(PROCESSES * ROUNDS)).sum();
    let total: Duration = crowds.iter().map(|crowd| crowd.total).sum();
    f64::from(reserves) / total.as_secs_f64()
}

/// What became of a crowd.
pub(crate) struct Crowd {
    /// How long each reserve took.
    reserves: Vec<Duration>,
    /// From the start of the first to the end of the last.
    pub(crate) total: Duration,
    /// How many ports could not be bound by whom they were given to.
    pub(crate) collisions: usize,
}

impl Crowd {
    /// Starts the processes, lets them begin when all are ready, and waits until all are done.
    pub(crate) fn gather(contestant: Contestant, processes: u16, rounds: u16) -> Result<Self> {
        let ground = Ground::with_leases(10)?;
        let range = free_range(2 * processes * rounds)?;
        let words = [
            contestant
                .to_possible_value()
                .ok_or("it is hidden")?
                .get_name()
                .to_owned(),
            ground.registry().to_string_lossy().into_owned(),
            range.first().to_string(),
            range.last().to_string(),
            rounds.to_string(),
        ];
        let started = (0..processes).map(|_| Started::new("contender", &words));
        let mut started = started.collect::<Result<Vec<_>>>()?;
        for process in &mut started {
            process.line()?;
        }
        let start = Instant::now();
        for process in &mut started {
            process.tell()?;
        }
        let lines = started
            .iter_mut()
            .map(Started::line)
            .collect::<Result<Vec<_>>>()?;
        let total = start.elapsed();
        let mut reserves = Vec::new();
        for word in lines.iter().flat_map(|line| line.split_whitespace()) {
            reserves.extend(word.parse().ok().map(Duration::from_nanos));
        }
        let collisions = usize::from(processes * rounds) - reserves.len();
        Ok(Self {
            reserves,
            total,
            collisions,
        })
    }
}

/// One of the crowd: says that it is ready, waits, reserves, says how many nanoseconds each reserve
/// took (or that it was lost), and keeps everything until its input ends.
pub(crate) fn contend(task: &Task) -> Result<()> {
    let range = task.range()?;
    let project = |round| format!("/home/ada/projects/shop-{}-{round}", std::process::id());
    match task.contestant {
        Contestant::Ours => {
            let ours = Ours::open(&task.registry)?;
            rounds(task, |round| {
                Ok(Some(ours.reserve(&project(round), range)?))
            })
        }
        Contestant::Floor => {
            let floor = Floor::open(&task.registry)?;
            rounds(task, |round| {
                Ok(Some(floor.reserve(&project(round), range)?))
            })
        }
        Contestant::Openport => rounds(task, |_| Ok(pick_and_bind(range))),
    }
}

fn rounds<T>(task: &Task, mut reserve: impl FnMut(u16) -> Result<Option<T>>) -> Result<()> {
    let mut stdin = std::io::stdin();
    println!("ready");
    stdin.read_exact(&mut [0])?;
    let mut kept = Vec::new();
    let mut times = String::new();
    for round in 0..task.rounds {
        let start = Instant::now();
        let reserved = reserve(round)?;
        let nanos = start.elapsed().as_nanos();
        times += &reserved.map_or("lost ".to_owned(), |reserved| {
            kept.push(reserved);
            format!("{nanos} ")
        });
    }
    println!("{times}");
    std::io::stdout().flush()?;
    stdin.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// What a user of a tool without leases does.
#[expect(
    clippy::disallowed_methods,
    reason = "it stands for a dev server that is given a port"
)]
fn pick_and_bind(range: PortRange) -> Option<TcpListener> {
    TcpListener::bind(("0.0.0.0", openport(range)?)).ok()
}
