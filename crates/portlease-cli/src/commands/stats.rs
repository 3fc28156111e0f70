//! `portlease stats`

use std::collections::BTreeMap;

use portlease::core::{Host, Lease, PortUsage, RangeUsage, StatsQuery};

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
    let allocator = selection::open(&config)?;
    if task.all_hosts {
        let leases = allocator.list_everywhere(None)?;
        tell_everywhere(task, &allocator.stats_everywhere(&query)?, &leases);
        return Ok(Code::Done.into());
    }
    let stats = allocator.stats(&query)?;
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

fn tell_everywhere(
    task: &Stats,
    stats: &BTreeMap<Host, portlease::core::Stats>,
    leases: &BTreeMap<Host, Vec<Lease>>,
) {
    if task.json {
        output::json(stats);
        return;
    }
    let row = |(host, stats): (&Host, &portlease::core::Stats)| {
        let leased = leases.get(host).map_or(0, Vec::len);
        let counters = stats.counters;
        let counts = [
            counters.grants,
            counters.reuses,
            counters.moves,
            counters.refusals,
            counters.releases,
            counters.swept,
        ];
        let counts = counts.iter().map(ToString::to_string);
        [host.to_string(), leased.to_string()]
            .into_iter()
            .chain(counts)
            .collect()
    };
    let rows: Vec<Vec<String>> = stats.iter().map(row).collect();
    output::table(
        &[
            "HOST", "LEASED", "GRANTS", "REUSES", "MOVES", "REFUSALS", "RELEASES", "SWEPT",
        ],
        &rows,
    );
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
