//! The planner as WebAssembly, in Node.js and in a browser, beside the same questions to the core as it is compiled for this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use portlease_core::{Host, HostSnapshot, Name, Planner};
use serde::Deserialize;
use serde_json::json;

use crate::core::{facts, spread};
use crate::measure::{Effort, Timing, time};
use crate::report::{Report, Row, Unit, ratio};
use crate::{Result, node};

const BENCH: &str = "wasm";

/// Measures the package in the folder, which is built.
pub(crate) fn run(report: &mut Report, home: &Path) -> Result<()> {
    let home = home.canonicalize()?;
    for (leases, once) in [(10, 2_000), (10_000, 50)] {
        let stays = 5_000;
        let snapshot = snapshot(leases)?;
        let native = native(&snapshot, stays, once)?;
        let file = tempfile::NamedTempFile::new()?;
        fs::write(&file, &snapshot)?;
        let measured = |script| -> Result<Measured> {
            let mut command = Command::new("node");
            command
                .arg(
                    Path::new(env!("CARGO_MANIFEST_DIR"))
                        .join("planner")
                        .join(script),
                )
                .args([&home, file.path()])
                .args([stays.to_string(), once.to_string()]);
            answer_of(&mut command)
        };
        let in_node = measured("node.mjs")?;
        let in_chromium = measured("chromium.mjs")?;
        for other in [&in_node, &in_chromium] {
            if other.answer != native.answer {
                return Err(format!("{} is not {}", other.answer, native.answer).into());
            }
        }
        for (name, case) in [
            ("stays", "a planner that stays"),
            ("once", "plan(snapshot, …)"),
        ] {
            let ours = in_node.timing(name)?;
            let floor = native.times[name];
            report.row(Row {
                bench: BENCH,
                case: format!("{case}, {leases} leases"),
                unit: Unit::Micros,
                ours,
                floor,
                peers: vec![("ours, in Chromium", in_chromium.timing(name)?)],
            });
            let times = ratio(ours, floor);
            report.remark(format!(
                "{case}, {leases} leases: in Node.js {times:.1} times the time of native code."
            ));
        }
    }
    for sentence in REMARKS {
        report.remark((*sentence).to_owned());
    }
    Ok(())
}

const REMARKS: &[&str] = &[
    "ours: a wish as an object in, a plan as an object out, in Node.js and in a page of Chromium, whose clock counts in steps of 5 µs.",
    "floor: the same JSON in and out of the core, compiled for this machine and for speed. `plan(snapshot, …)` reads the JSON of the \
     snapshot each time.",
];

/// What came of the native core.
struct Native {
    times: BTreeMap<&'static str, Timing>,
    answer: String,
}

fn native(snapshot: &str, stays: usize, once: usize) -> Result<Native> {
    let mut planner = Planner::read(snapshot)?;
    let wish = |turn: usize| {
        let wish =
            json!({"projectId": format!("/home/ada/projects/new-{turn}"), "framework": "next"});
        json!({ "plan": wish }).to_string()
    };
    let effort = |samples| Effort {
        warm_up: samples / 10,
        samples,
    };
    let mut staying = planner.clone();
    let times = [
        (
            "stays",
            time(effort(stays), wish, |wish| staying.answer(wish), |_, _| ()),
        ),
        (
            "once",
            time(
                effort(once),
                wish,
                |wish| Planner::read(snapshot).map(|mut planner| planner.answer(wish)),
                |_, _| (),
            ),
        ),
    ];
    let answer = planner.answer(&wish(0));
    let plan = answer
        .strip_prefix(r#"{"ok":"#)
        .and_then(|rest| rest.strip_suffix('}'));
    Ok(Native {
        times: times.into(),
        answer: plan.ok_or_else(|| answer.clone())?.to_owned(),
    })
}

/// The answer of a script.
#[derive(Deserialize)]
struct Measured {
    times: BTreeMap<String, Vec<f64>>,
    answer: String,
}

impl Measured {
    fn timing(&self, name: &str) -> Result<Timing> {
        node::timing(&self.times, name, Unit::Micros)
    }
}

fn answer_of(command: &mut Command) -> Result<Measured> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    let said = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_value(node::last_line(&said)?)?)
}

fn snapshot(leases: u16) -> Result<String> {
    let mut snapshot = HostSnapshot::of(Host::new(Name::literal("runner-7")));
    snapshot.registry = spread(leases).into();
    snapshot.facts = facts();
    Ok(serde_json::to_string(&snapshot)?)
}
