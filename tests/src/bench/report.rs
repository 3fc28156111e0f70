//! Prints what was measured: a table for people, or one JSON object a line.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::measure::Timing;

/// One line of a benchmark.
pub(crate) struct Row {
    pub(crate) bench: &'static str,
    pub(crate) case: String,
    pub(crate) ours: Timing,
    pub(crate) floor: Timing,
}

/// Collects the rows and the remarks of a run.
pub(crate) struct Report {
    json: bool,
    rows: Vec<Row>,
    remarks: Vec<String>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
            remarks: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, row: Row) {
        if self.json {
            println!("{}", as_json(&row));
        }
        self.rows.push(row);
    }

    /// A sentence below the table: what the figures mean.
    pub(crate) fn remark(&mut self, sentence: String) {
        self.remarks.push(sentence);
    }

    pub(crate) fn finish(self) {
        if self.json {
            return;
        }
        let width = self
            .rows
            .iter()
            .map(|row| row.case.chars().count())
            .max()
            .unwrap_or(0);
        println!(
            "{:width$}  {:>9} {:>9} {:>9}  {:>9} {:>9}  {:>6}",
            "µs", "p50", "p99", "max", "floor p50", "p99", "ratio"
        );
        for Row {
            case, ours, floor, ..
        } in &self.rows
        {
            let ratio = micros(ours.p50) / micros(floor.p50).max(f64::MIN_POSITIVE);
            println!(
                "{case:width$}  {:>9.2} {:>9.2} {:>9.2}  {:>9.2} {:>9.2}  {ratio:>6.1}",
                micros(ours.p50),
                micros(ours.p99),
                micros(ours.max),
                micros(floor.p50),
                micros(floor.p99),
            );
        }
        println!();
        for sentence in &self.remarks {
            println!("{sentence}");
        }
    }
}

/// A duration in the unit of the table.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn as_json(row: &Row) -> Value {
    let timing = |timing: Timing| json!({"p50": micros(timing.p50), "p99": micros(timing.p99), "max": micros(timing.max)});
    json!({
        "bench": row.bench,
        "case": row.case,
        "unit": "µs",
        "ours": timing(row.ours),
        "floor": timing(row.floor),
        "peers": Map::new(),
    })
}
