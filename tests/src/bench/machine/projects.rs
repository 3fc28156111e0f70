//! Fifty projects that want a port each: one after the other, and all at once.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use portlease::core::PortRange;

use super::crowd::Crowd;
use super::floor::Floor;
use super::ground::{Ground, free_range};
use super::ours::Ours;
use super::peers::{OPENPORT, openport};
use super::{BENCH, Contestant};
use crate::Result;
use crate::measure::Timing;
use crate::report::{Report, Row, Unit};

const PROJECTS: u16 = 50;
const TIMES: usize = 11;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let range = free_range(2 * PROJECTS)?;
    report.row(Row {
        bench: BENCH,
        case: format!("{PROJECTS} projects, one after the other"),
        unit: Unit::Millis,
        ours: repeated(|| ours(range))?,
        floor: repeated(|| floor(range))?,
        peers: vec![(OPENPORT, repeated(|| Ok(peer(range)))?)],
    });
    let mut collisions = 0;
    let mut at_once = |contestant| {
        repeated(|| {
            let crowd = Crowd::gather(contestant, PROJECTS, 1)?;
            collisions += crowd.collisions;
            Ok(crowd.total)
        })
    };
    report.row(Row {
        bench: BENCH,
        case: format!("{PROJECTS} projects at once"),
        unit: Unit::Millis,
        ours: at_once(Contestant::Ours)?,
        floor: at_once(Contestant::Floor)?,
        peers: vec![(OPENPORT, at_once(Contestant::Openport)?)],
    });
    report.remark(format!(
        "{PROJECTS} projects at once are as many processes, each of which binds its port as soon as it has it; \
         with openport {collisions} of {} found it taken.",
        usize::from(PROJECTS) * TIMES
    ));
    Ok(())
}

fn repeated(total: impl FnMut() -> Result<Duration>) -> Result<Timing> {
    let totals = std::iter::repeat_with(total).take(TIMES);
    Ok(Timing::of(totals.collect::<Result<_>>()?))
}

fn ours(range: PortRange) -> Result<Duration> {
    let ground = Ground::with_leases(10)?;
    let ours = Ours::open(&ground.registry())?;
    let start = Instant::now();
    let reserve = |number| ours.reserve(&format!("/home/ada/projects/shop-{number}"), range);
    let grants = (0..PROJECTS).map(reserve).collect::<Result<Vec<_>, _>>()?;
    let total = start.elapsed();
    drop(grants);
    Ok(total)
}

fn floor(range: PortRange) -> Result<Duration> {
    let ground = Ground::with_leases(10)?;
    let floor = Floor::open(&ground.registry())?;
    let start = Instant::now();
    for number in 0..PROJECTS {
        floor.reserve(&format!("/home/ada/projects/shop-{number}"), range)?;
    }
    Ok(start.elapsed())
}

/// The servers listen at once, or it would find the same port again.
#[expect(
    clippy::disallowed_methods,
    reason = "they stand for the dev servers of the projects"
)]
fn peer(range: PortRange) -> Duration {
    let start = Instant::now();
    let listen = |_| TcpListener::bind(("0.0.0.0", openport(range)?)).ok();
    let servers: Vec<_> = (0..PROJECTS).map(listen).collect();
    let total = start.elapsed();
    assert!(servers.iter().all(Option::is_some));
    total
}
