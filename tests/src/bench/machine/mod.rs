//! One machine: what a reserve costs through probe, hold and registry, beside a transaction written
//! by hand and beside other port tools.

mod cold;
mod crowd;
mod floor;
pub(crate) mod ground;
pub(crate) mod ours;
mod peers;
mod projects;
mod reserve;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use portlease::core::PortRange;

use crate::Result;
use crate::report::Report;

const BENCH: &str = "machine";

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// One process that reserves again and again
    Reserve,
    /// 64 processes that reserve at once
    Crowd,
    /// Processes that reserve once
    Cold,
    /// 50 projects
    Projects,
}

pub(crate) fn run(report: &mut Report, only: Option<Part>) -> Result<()> {
    for part in Part::value_variants() {
        if only.is_some_and(|only| only != *part) {
            continue;
        }
        match part {
            Part::Reserve => reserve::run(report)?,
            Part::Crowd => crowd::run(report)?,
            Part::Cold => cold::run(report)?,
            Part::Projects => projects::run(report)?,
        }
    }
    for sentence in REMARKS {
        report.remark((*sentence).to_owned());
    }
    Ok(())
}

const REMARKS: &[&str] = &[
    "ours: build the request, lease the port in the registry's file, hold it in the kernel. The release is not timed.",
    "floor: a transaction written by hand on the same tables (lock, begin, select, insert, commit, unlock). It decides \
     nothing and holds nothing.",
    "peers: find a port that is free at this moment. They lease nothing and hold nothing, and no other process knows of it.",
    "portpicker knows no ranges: it appears where its own choice, at random from 15000 to 24999, is comparable.",
    "The busy ports are those of real listeners in another process.",
];

/// Another process of the benchmark.
#[derive(Subcommand)]
pub(crate) enum Role {
    /// Listens on ports until its input ends
    Listeners {
        /// The first port
        first: u16,
        /// How many
        count: u16,
    },
    /// One of a crowd
    Contender(Task),
}

/// What one of a crowd is told.
#[derive(Args)]
pub(crate) struct Task {
    /// With what it reserves
    contestant: Contestant,
    /// The registry's file
    registry: PathBuf,
    /// The first port of the range
    first: u16,
    /// The last port of the range
    last: u16,
    /// How many reserves
    rounds: u16,
}

/// With what ports are reserved.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Contestant {
    Ours,
    Floor,
    Openport,
}

pub(crate) fn play(role: &Role) -> Result<()> {
    match role {
        Role::Listeners { first, count } => ground::listen(*first, *count),
        Role::Contender(task) => crowd::contend(task),
    }
}

impl Task {
    fn range(&self) -> Result<PortRange> {
        let [first, last] = [self.first, self.last].map(portlease::core::Port::new);
        let range = first
            .zip(last)
            .and_then(|(first, last)| PortRange::new(first, last));
        range.ok_or_else(|| "this is no range".into())
    }
}
