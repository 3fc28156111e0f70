//! The package for Node, beside the packages that people use for the same. It is measured as npm installs it.

mod race;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portlease::core::PortRange;
use serde::Deserialize;
use serde_json::Value;

use crate::Result;
use crate::machine::ground::{Ground, Listeners, free_range};
use crate::measure::Timing;
use crate::report::{Count, Report, Row, Unit, ratio};
use script::Script;

const BENCH: &str = "node";
/// The packages that are measured beside ours.
const PEERS: [&str; 4] = ["get-port", "detect-port", "portfinder", "get-port-please"];
/// So many processes look for a port at the same time.
const CONTENDERS: usize = 20;
/// How long each waits before it listens.
const DELAY: Duration = Duration::from_millis(300);

/// Measures what is installed in the folder: `portlease`, and its peers.
pub(crate) fn run(report: &mut Report, folder: &Path) -> Result<()> {
    let folder = folder.canonicalize()?;
    script::place(&folder)?;
    let empty = reserve(report, &folder, "allocatePortSync, empty range", 0)?;
    let nearly_full = reserve(report, &folder, "allocatePortSync, 100 of 101 busy", 100)?;
    reserve(report, &folder, "refusal, 101 of 101 busy", 101)?;
    let import = import(report, &folder)?;
    race(report, &folder)?;

    let micros = |timing: Timing| Unit::Micros.of(timing.p50);
    let (fastest, time) = empty.fastest();
    report.aim(
        &format!("empty range: at most the time of the fastest peer ({fastest})"),
        1.0,
        ratio(empty.ours, time),
    );
    let (fastest, time) = nearly_full.fastest();
    report.aim(
        &format!(
            "100 busy: at most 1/20 of the fastest peer that finds the free port ({fastest}, {:.0} µs)",
            micros(time)
        ),
        0.05,
        ratio(nearly_full.ours, time),
    );
    let above = Unit::Millis.of(import.ours.p50) - Unit::Millis.of(import.floor.p50);
    report.aim("import: at most 10 ms over bare Node", 10.0, above);
    for sentence in REMARKS {
        report.remark((*sentence).to_owned());
    }
    Ok(())
}

const REMARKS: &[&str] = &[
    "ours: lease a port in the registry's file, see that it can be bound on every address, and answer it. The release is not timed.",
    "peers: find a port that is free at this moment; their functions answer promises. They lease nothing, and no other process knows of it.",
    "floor: listen on the first port with node:net and close it, as a promise; for the import, a process that imports nothing.",
    "The busy ports are those of real listeners in another process. What is no port of the range counts as no answer: detect-port \
     gives up after 10 ports and takes a random one, and so does get-port when all are busy.",
];

/// The answer of a script that times contestants.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    times: BTreeMap<String, Vec<f64>>,
    #[serde(default)]
    in_range: BTreeMap<String, usize>,
}

/// What came of one case.
struct Outcome {
    ours: Timing,
    floor: Timing,
    /// Those that answered with a port of the range each time.
    right: Vec<(&'static str, Timing)>,
}

impl Outcome {
    fn fastest(&self) -> (&'static str, Timing) {
        let fastest = self.right.iter().min_by_key(|(_, timing)| timing.p50);
        *fastest.expect("portfinder finds the free port")
    }
}

fn reserve(report: &mut Report, folder: &Path, case: &'static str, busy: u16) -> Result<Outcome> {
    let range = free_range(101)?;
    let _listeners = Listeners::on(range, busy)?;
    let ground = Ground::missing()?;
    let samples = if busy == 0 { 1_000 } else { 200 };
    let [first, last] = ends(range);
    let measured: Measured = Script::of("reserve.mjs", folder, &ground)
        .with([first, last, samples.to_string()])
        .answer()?;
    let timing = |name: &str| timing(&measured.times, name, Unit::Micros);
    let outcome = Outcome {
        ours: timing("portlease")?,
        floor: timing("floor")?,
        right: {
            let is_right = |name: &&str| measured.in_range.get(*name) == Some(&samples);
            let right = PEERS.into_iter().filter(is_right);
            right
                .map(|name| Ok((name, timing(name)?)))
                .collect::<Result<_>>()?
        },
    };
    let mut peers = vec![("ours, promise", timing("promise")?)];
    for name in PEERS {
        peers.push((name, timing(name)?));
    }
    report.row(Row {
        bench: BENCH,
        case: case.to_owned(),
        unit: Unit::Micros,
        ours: outcome.ours,
        floor: outcome.floor,
        peers,
    });
    Ok(outcome)
}

fn import(report: &mut Report, folder: &Path) -> Result<Outcome> {
    let ground = Ground::missing()?;
    let measured: Measured = Script::of("import.mjs", folder, &ground)
        .with(["40".to_owned()])
        .answer()?;
    let timing = |name: &str| timing(&measured.times, name, Unit::Millis);
    let outcome = Outcome {
        ours: timing("portlease")?,
        floor: timing("floor")?,
        right: Vec::new(),
    };
    let peers = PEERS.into_iter().map(|name| Ok((name, timing(name)?)));
    report.row(Row {
        bench: BENCH,
        case: "a process that imports it".to_owned(),
        unit: Unit::Millis,
        ours: outcome.ours,
        floor: outcome.floor,
        peers: peers.collect::<Result<_>>()?,
    });
    Ok(outcome)
}

fn race(report: &mut Report, folder: &Path) -> Result<()> {
    let collisions = |name| race::collisions(folder, name, CONTENDERS, DELAY);
    let ours = collisions("portlease")?;
    let peers = PEERS.into_iter().map(|name| Ok((name, collisions(name)?)));
    report.count(Count {
        bench: BENCH,
        case: format!(
            "{CONTENDERS} processes pick, wait {} ms, listen",
            DELAY.as_millis()
        ),
        unit: "collisions",
        ours,
        peers: peers.collect::<Result<_>>()?,
    });
    Ok(())
}

/// The timing of one contestant.
pub(crate) fn timing(times: &BTreeMap<String, Vec<f64>>, name: &str, unit: Unit) -> Result<Timing> {
    let samples = times.get(name).filter(|times| !times.is_empty());
    let samples = samples.ok_or_else(|| format!("{name} was not measured"))?;
    Ok(Timing::of(
        samples
            .iter()
            .map(|sample| unit.duration(*sample))
            .collect(),
    ))
}

/// The first and the last port, as arguments.
fn ends(range: PortRange) -> [String; 2] {
    [range.first().to_string(), range.last().to_string()]
}

/// Where the scripts are.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The last line of what a script says.
pub(crate) fn last_line(said: &str) -> Result<Value> {
    let line = said.lines().last().ok_or("the script said nothing")?;
    Ok(serde_json::from_str(line)?)
}
