//! `portlease stats`

use portlease::core::{PortUsage, RangeUsage, StatsQuery};

use crate::arguments::{Project, Stats};
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Stats) -> Result<u8, Failure> {
    stats(task).map_err(|failure| failure.told_as_json(task.json))
}

fn stats(task: &Stats) -> Result<u8, Failure> {
    let config = Project::default().config()?;
    let query = match task.ranges.as_slice() {
        [] => StatsQuery::of_frameworks(&config.catalog(), task.top),
        ranges => StatsQuery::of_ranges(ranges.iter().copied(), task.top),
    };
    let stats = selection::open(&config)?.stats(&query)?;
    if task.json {
        output::json(&stats);
    } else {
        tell(&stats);
    }
    Ok(Code::Done.into())
}

fn tell(stats: &portlease::core::Stats) {
    let rows: Vec<Vec<String>> = stats.ranges.iter().map(row).collect();
    output::table(&["RANGE", "NAME", "LEASED", "OCCUPIED", "FREE"], &rows);
    let counters = stats.counters;
    output::line(format_args!(""));
    for (label, value) in [
        ("busiest", ports(&stats.busiest)),
        ("least used", ports(&stats.least_used)),
        ("grants", counters.grants.to_string()),
        ("reuses", counters.reuses.to_string()),
        ("conflicts", counters.conflicts.to_string()),
        ("moves", counters.moves.to_string()),
        ("refusals", counters.refusals.to_string()),
        ("releases", counters.releases.to_string()),
        ("swept", counters.swept.to_string()),
    ] {
        output::pair(label, &value);
    }
}

fn row(usage: &RangeUsage) -> Vec<String> {
    vec![
        usage.range.to_string(),
        usage.name.to_string(),
        usage.leased.to_string(),
        usage.occupied.to_string(),
        usage.free.to_string(),
    ]
}

/// `3000 (12×), 3001 (1×)`
fn ports(usage: &[PortUsage]) -> String {
    let port = |usage: &PortUsage| format!("{} ({}×)", usage.port, usage.grants);
    let ports: Vec<String> = usage.iter().map(port).collect();
    if ports.is_empty() {
        "–".to_owned()
    } else {
        ports.join(", ")
    }
}
