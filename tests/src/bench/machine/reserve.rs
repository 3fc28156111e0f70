//! One process that reserves and holds, in ranges that are empty, nearly full and full.

use portlease::Grant;
use portlease::core::PortRange;
use portlease_probe::Hold;

use super::floor::Floor;
use super::ground::{Ground, Listeners, free_range};
use super::ours::Ours;
use super::peers::{OPENPORT, PORTPICKER, openport, portpicker};
use super::{BENCH, Contestant};
use crate::Result;
use crate::measure::{Effort, Timing, time};
use crate::report::{Report, Row, Unit, ratio};

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let empty = Case::new("reserve+hold, empty range", 101, 0).run(report)?;
    let nearly_full = Case::new("reserve+hold, 100 of 101 busy", 101, 100).run(report)?;
    Case::new("refusal, 101 of 101 busy", 101, 101).run(report)?;
    let huge = Case::new("reserve+hold, 7,000 of 7,001 busy", 7_001, 7_000).run(report)?;
    let few = Case::new("reserve+hold, 10 leases", 101, 0)
        .among(10)
        .run(report)?;
    let many = Case::new("reserve+hold, 10,000 leases", 101, 0)
        .among(10_000)
        .run(report)?;

    let hold = hold(free_range(1)?);
    report.remark(format!(
        "A hold alone takes {:.2} µs, which is in ours and not in the floor.",
        micros(hold)
    ));

    report.aim("reserve+hold, p50 at most 60 µs", 60.0, micros(empty.ours));
    report.aim(
        "within twice the floor",
        2.0,
        ratio(empty.ours, empty.floor),
    );
    report.aim(
        "100 busy, at most twice the empty range",
        2.0,
        ratio(nearly_full.ours, empty.ours),
    );
    report.aim(
        "7,000 busy, p50 at most 5,000 µs",
        5_000.0,
        micros(huge.ours),
    );
    report.aim(
        "10,000 leases, at most twice 10",
        2.0,
        ratio(many.ours, few.ours),
    );
    Ok(())
}

/// A range, of which so many ports are busy, in a registry of so many leases.
struct Case {
    name: &'static str,
    ports: u16,
    busy: u16,
    leases: u16,
}

/// What ours and the floor took.
struct Outcome {
    ours: Timing,
    floor: Timing,
}

impl Case {
    fn new(name: &'static str, ports: u16, busy: u16) -> Self {
        Self {
            name,
            ports,
            busy,
            leases: 0,
        }
    }

    fn among(mut self, leases: u16) -> Self {
        self.leases = leases;
        self
    }

    fn run(&self, report: &mut Report) -> Result<Outcome> {
        let range = free_range(self.ports)?;
        let _listeners = Listeners::on(range, self.busy)?;
        let mut peers = Vec::new();
        if self.leases == 0 {
            peers.push((OPENPORT, self.openport(range)));
        }
        if self.leases == 0 && self.busy == 0 {
            peers.push((PORTPICKER, self.portpicker()));
        }
        let outcome = Outcome {
            ours: self.ours(range)?,
            floor: self.floor(range)?,
        };
        report.row(Row {
            bench: BENCH,
            case: self.name.to_owned(),
            unit: Unit::Micros,
            ours: outcome.ours,
            floor: outcome.floor,
            peers,
        });
        Ok(outcome)
    }

    fn ours(&self, range: PortRange) -> Result<Timing> {
        let ground = Ground::with_leases(self.leases)?;
        let ours = Ours::open(&ground.registry())?;
        let is_full = self.busy == self.ports;
        Ok(time(
            self.effort(Contestant::Ours),
            project,
            |project| ours.reserve(project, range),
            |_, granted| {
                assert_eq!(granted.is_err(), is_full, "{granted:?}");
                if let Ok(grant) = granted {
                    Grant::release(grant).expect("it was granted");
                }
            },
        ))
    }

    fn floor(&self, range: PortRange) -> Result<Timing> {
        let ground = Ground::with_leases(self.leases)?;
        let floor = Floor::open(&ground.registry())?;
        Ok(time(
            self.effort(Contestant::Floor),
            project,
            |project| floor.reserve(project, range).expect("nobody else writes"),
            |_, port| floor.release(port).expect("nobody else writes"),
        ))
    }

    fn openport(&self, range: PortRange) -> Timing {
        let is_full = self.busy == self.ports;
        time(
            self.effort(Contestant::Openport),
            |_| (),
            |()| openport(range),
            |(), port| assert_eq!(port.is_none(), is_full),
        )
    }

    fn portpicker(&self) -> Timing {
        time(
            self.effort(Contestant::Openport),
            |_| (),
            |()| portpicker(),
            |(), _| (),
        )
    }

    /// Whoever looks at each port needs so long that fewer samples have to do.
    fn effort(&self, contestant: Contestant) -> Effort {
        let samples = match contestant {
            Contestant::Floor => 3_000,
            Contestant::Ours if self.busy == self.ports => 300,
            Contestant::Ours => 3_000 / (1 + usize::from(self.busy) / 1_000),
            Contestant::Openport => 3_000 / (1 + usize::from(self.busy) / 10).min(150),
        };
        Effort {
            warm_up: samples / 10,
            samples,
        }
    }
}

fn hold(range: PortRange) -> Timing {
    let effort = Effort {
        warm_up: 300,
        samples: 3_000,
    };
    let port = range.first();
    time(
        effort,
        |_| port,
        |port| Hold::take(*port),
        |_, hold| drop(hold),
    )
}

/// A project that has no lease yet.
fn project(turn: usize) -> String {
    format!("/home/ada/projects/shop-{turn}")
}

fn micros(timing: Timing) -> f64 {
    Unit::Micros.of(timing.p50)
}
