//! What looking after containers adds to a reserve: where no engine is, with an engine that has no containers, and
//! with one that has 50.

use std::time::Duration;

use portlease::core::PortRange;
use portlease::engines::{Containers, Environment};
use portlease::{Allocator, Options, Registry};
use portlease_tests::engine::Docker;

use crate::Result;
use crate::machine::ground::{Ground, free_range};
use crate::machine::ours::reserve;
use crate::measure::{Effort, Timing, time};
use crate::report::{Report, Row, Unit};

const BENCH: &str = "containers";
const SOME: u16 = 50;
const CACHED: Effort = Effort {
    warm_up: 300,
    samples: 3_000,
};
const COLD: Effort = Effort {
    warm_up: 5,
    samples: 100,
};

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let range = free_range(101)?;
    let off = Environment {
        is_enabled: false,
        ..Environment::default()
    };
    let floor = Floors {
        cached: cached(&off, range)?,
        cold: cold(&off, range)?,
    };
    let none = Environment {
        engine: Some("docker".to_owned()),
        ..Environment::default()
    };
    let docker = Docker::start(&["--iptables=false", "--bridge=none"]);
    let engine = Environment {
        docker_host: Some(docker.host()),
        ..none.clone()
    };
    floor.measure(report, "no engine", &none, range)?;
    floor.measure(report, "0 containers", &engine, range)?;
    let last = range.last().get();
    for index in 0..SOME {
        // Half of them in the range, so that they are told as taken.
        let publish = format!("--publish={}:80", last - 24 + index);
        docker.docker(&["create", &publish, "box", "/bin/busybox"]);
    }
    floor.measure(report, "50 stopped containers", &engine, range)?;
    let look = time(
        COLD,
        |_| Containers::new(&engine),
        Containers::look,
        |_, look| assert_eq!(look.containers().len(), usize::from(SOME)),
    );
    report.remark(format!(
        "The look at {SOME} stopped containers alone, each inspected, takes {} µs.",
        look.p50.as_micros()
    ));
    report.remark(
        "floor: the same reserve with CONTAINERIZATION_ENABLED=false. cold: the allocator is opened for it, in a registry that exists."
            .to_owned(),
    );
    Ok(())
}

struct Floors {
    cached: Timing,
    cold: Timing,
}

impl Floors {
    fn measure(
        &self,
        report: &mut Report,
        case: &str,
        engines: &Environment,
        range: PortRange,
    ) -> Result<()> {
        for (how, floor, ours) in [
            ("cached", self.cached, cached(engines, range)?),
            ("cold", self.cold, cold(engines, range)?),
        ] {
            report.row(Row {
                bench: BENCH,
                case: format!("reserve+hold, {case}, {how}"),
                unit: Unit::Micros,
                ours,
                floor,
                peers: Vec::new(),
            });
        }
        Ok(())
    }
}

/// One process that reserves again and again.
fn cached(engines: &Environment, range: PortRange) -> Result<Timing> {
    let ground = Ground::with_leases(0)?;
    let allocator = open(&ground, engines)?;
    // The second sweep asks again, from where on the engine tells of changes.
    allocator.sweep()?;
    allocator.sweep_abandoned(Duration::MAX)?;
    Ok(time(
        CACHED,
        |turn| format!("/home/ada/projects/p{turn}"),
        |project| reserve(&allocator, project, range),
        |_, granted| drop(granted.expect("there are enough ports").release()),
    ))
}

/// Processes that reserve once.
fn cold(engines: &Environment, range: PortRange) -> Result<Timing> {
    let ground = Ground::with_leases(0)?;
    open(&ground, engines)?.sweep()?;
    Ok(time(
        COLD,
        |turn| format!("/home/ada/projects/p{turn}"),
        |project| {
            let allocator = open(&ground, engines).expect("the registry exists");
            reserve(&allocator, project, range)
        },
        |_, granted| drop(granted.expect("there are enough ports").release()),
    ))
}

fn open(ground: &Ground, engines: &Environment) -> Result<Allocator> {
    let registry = Registry::File(ground.registry());
    Ok(Allocator::open(Options {
        registry,
        engines: Some(engines.clone()),
        ..Options::default()
    })?)
}
