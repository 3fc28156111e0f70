//! Prints what was measured: a table for people, or one JSON object a line.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::measure::Timing;

/// One line of a benchmark.
pub(crate) struct Row {
    pub(crate) bench: &'static str,
    pub(crate) case: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Timing,
    /// The part of the work that nobody can leave out.
    pub(crate) floor: Timing,
    /// What others need for what comes nearest to it, by name.
    pub(crate) peers: Vec<(&'static str, Timing)>,
}

/// One line of a benchmark that counts.
pub(crate) struct Count {
    pub(crate) bench: &'static str,
    pub(crate) case: String,
    /// What is counted.
    pub(crate) unit: &'static str,
    pub(crate) ours: u64,
    pub(crate) peers: Vec<(&'static str, u64)>,
}

/// In what a row is told.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Micros,
    Millis,
}

/// Collects the rows, the aims and the remarks of a run.
pub(crate) struct Report {
    json: bool,
    rows: Vec<Row>,
    counts: Vec<Count>,
    aims: Vec<String>,
    remarks: Vec<String>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
            counts: Vec::new(),
            aims: Vec::new(),
            remarks: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, row: Row) {
        if self.json {
            println!("{}", as_json(&row));
        } else {
            // Some rows take seconds; whoever waits sees how far it is.
            eprintln!("measured: {}", row.case);
        }
        self.rows.push(row);
    }

    pub(crate) fn count(&mut self, count: Count) {
        if self.json {
            println!("{}", count_as_json(&count));
        } else {
            eprintln!("counted: {}", count.case);
        }
        self.counts.push(count);
    }

    /// What is wanted of a figure, and what it is.
    pub(crate) fn aim(&mut self, wanted: &str, limit: f64, measured: f64) {
        let verdict = if measured <= limit { "met" } else { "missed" };
        self.aims
            .push(format!("{verdict:<6}  {wanted}: {measured:.2}"));
    }

    /// A sentence below the table: what the figures mean.
    pub(crate) fn remark(&mut self, sentence: String) {
        self.remarks.push(sentence);
    }

    pub(crate) fn finish(self) {
        if self.json {
            return;
        }
        self.print_table();
        for Count {
            case,
            unit,
            ours,
            peers,
            ..
        } in &self.counts
        {
            let peers = peers
                .iter()
                .map(|(name, count)| format!(", {name} {count}"));
            println!("\n{case}, {unit}: ours {ours}{}", peers.collect::<String>());
        }
        for paragraph in [&self.aims, &self.remarks] {
            println!();
            for line in paragraph {
                println!("{line}");
            }
        }
    }

    fn print_table(&self) {
        let peers = self.peers();
        let widths = self.rows.iter().map(|row| row.case.chars().count());
        let width = widths.max().unwrap_or(0);
        print!("{:width$}      {:>27}   {:>34}", "", "ours", "floor");
        for peer in &peers {
            print!("   {peer:>18}");
        }
        print!(
            "\n{:width$}  {:>2}  {:>8} {:>8} {:>9}   {:>8} {:>8} {:>9} {:>6}",
            "", "", "p50", "p99", "max", "p50", "p99", "max", "ratio"
        );
        for _ in &peers {
            print!("   {:>8} {:>9}", "p50", "p99");
        }
        println!();
        for row in &self.rows {
            let in_unit = |duration| row.unit.of(duration);
            let Row { ours, floor, .. } = row;
            print!(
                "{:width$}  {:>2}  {:>8.2} {:>8.2} {:>9.2}   {:>8.2} {:>8.2} {:>9.2} {:>6.1}",
                row.case,
                row.unit.symbol(),
                in_unit(ours.p50),
                in_unit(ours.p99),
                in_unit(ours.max),
                in_unit(floor.p50),
                in_unit(floor.p99),
                in_unit(floor.max),
                ratio(*ours, *floor),
            );
            for name in &peers {
                match row.peers.iter().find(|(peer, _)| peer == name) {
                    Some((_, timing)) => {
                        print!(
                            "   {:>8.2} {:>9.2}",
                            in_unit(timing.p50),
                            in_unit(timing.p99)
                        );
                    }
                    None => print!("   {:>8} {:>9}", "", ""),
                }
            }
            println!();
        }
    }

    /// The names of the peers that appear in any row, in the order in which they do.
    fn peers(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (name, _) in self.rows.iter().flat_map(|row| &row.peers) {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        names
    }
}

impl Unit {
    pub(crate) fn of(self, duration: Duration) -> f64 {
        match self {
            Self::Micros => duration.as_secs_f64() * 1e6,
            Self::Millis => duration.as_secs_f64() * 1e3,
        }
    }

    pub(crate) fn duration(self, number: f64) -> Duration {
        Duration::from_secs_f64(match self {
            Self::Micros => number / 1e6,
            Self::Millis => number / 1e3,
        })
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Micros => "µs",
            Self::Millis => "ms",
        }
    }
}

/// How many times as long the median of the one is as that of the other.
pub(crate) fn ratio(one: Timing, other: Timing) -> f64 {
    one.p50.as_secs_f64() / other.p50.as_secs_f64().max(f64::MIN_POSITIVE)
}

fn as_json(row: &Row) -> Value {
    let timing = |timing: Timing| {
        let [p50, p99, max] = [timing.p50, timing.p99, timing.max].map(|time| row.unit.of(time));
        json!({"p50": p50, "p99": p99, "max": max})
    };
    let peers: Map<String, Value> = row
        .peers
        .iter()
        .map(|(name, peer)| ((*name).to_owned(), timing(*peer)))
        .collect();
    json!({
        "bench": row.bench,
        "case": row.case,
        "unit": row.unit.symbol(),
        "ours": timing(row.ours),
        "floor": timing(row.floor),
        "peers": peers,
    })
}

fn count_as_json(count: &Count) -> Value {
    let peers: Map<String, Value> = count
        .peers
        .iter()
        .map(|(name, count)| ((*name).to_owned(), json!({"count": count})))
        .collect();
    json!({
        "bench": count.bench,
        "case": count.case,
        "unit": count.unit,
        "ours": {"count": count.ours},
        "peers": peers,
    })
}
