//! A process that opens the registry, reserves once and closes it, as a command line does.

use portlease::core::{PortRange, Release};
use portlease::{Allocator, Options, Registry};

use super::BENCH;
use super::floor::Floor;
use super::ground::{Ground, free_range};
use super::ours::{Ours, reserve};
use crate::Result;
use crate::measure::{Effort, Timing, time};
use crate::report::{Report, Row, Unit};

const EFFORT: Effort = Effort {
    warm_up: 20,
    samples: 200,
};

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let range = free_range(101)?;
    report.row(existing_file(range)?);
    report.row(fresh_file(range)?);
    Ok(())
}

fn existing_file(range: PortRange) -> Result<Row> {
    let [ground, floor_ground] = [Ground::with_leases(100)?, Ground::with_leases(100)?];
    let ours = time(
        EFFORT,
        project,
        |project| open_and_reserve(&ground, project, range),
        |_, granted| {
            let ours = Ours::open(&ground.registry()).expect("it is there");
            let release = granted.expect("there is room");
            ours.allocator.release(&release).expect("it was granted");
        },
    );
    let floor = time(
        EFFORT,
        project,
        |project| {
            let floor = Floor::open(&floor_ground.registry()).expect("it is there");
            floor.reserve(project, range).expect("there is room")
        },
        |_, port| {
            let floor = Floor::open(&floor_ground.registry()).expect("it is there");
            floor.release(port).expect("it was leased");
        },
    );
    Ok(row("open, reserve+hold, close", ours, floor))
}

fn fresh_file(range: PortRange) -> Result<Row> {
    let template = Ground::with_leases(0)?;
    let schema = Floor::open(&template.registry())?.schema()?;
    let missing = |_| Ground::missing().expect("there is room for a folder");
    let ours = time(
        EFFORT,
        missing,
        |ground| open_and_reserve(ground, &project(0), range),
        |_, granted| drop(granted.expect("there is room")),
    );
    let floor = time(
        EFFORT,
        missing,
        |ground| {
            let floor = Floor::create(&ground.registry(), &schema).expect("there is room");
            floor.reserve(&project(0), range).expect("there is room")
        },
        |_, _| (),
    );
    Ok(row("the same, the file is missing", ours, floor))
}

/// Answers how the lease is given back.
fn open_and_reserve(ground: &Ground, project: &str, range: PortRange) -> Result<Release> {
    let allocator = Allocator::open(Options {
        registry: Registry::File(ground.registry()),
        ..Options::default()
    })?;
    let grant = reserve(&allocator, project, range)?;
    let lease = grant.lease();
    Ok(Release::granted(lease.key.clone(), lease.generation))
}

fn project(turn: usize) -> String {
    format!("/home/ada/projects/shop-{turn}")
}

fn row(case: &str, ours: Timing, floor: Timing) -> Row {
    Row {
        bench: BENCH,
        case: case.to_owned(),
        unit: Unit::Micros,
        ours,
        floor,
        peers: Vec::new(),
    }
}
