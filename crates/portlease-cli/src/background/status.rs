//! `portlease status`

use clap::Args;
use serde_json::json;

use super::record::{Record, Run, State};
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

/// List the dev servers in the background
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  portlease status
  portlease status --json")]
pub(crate) struct Status {
    /// Print the records as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(task: &Status) -> Result<u8, Failure> {
    let records = Run::all().map_err(|failure| failure.told_as_json(task.json))?;
    if task.json {
        let all: Vec<_> = records
            .iter()
            .map(|record| json!({"state": record.state(), "run": record}))
            .collect();
        output::json(&all);
    } else if records.is_empty() {
        output::note(format_args!(
            "Nothing was started in the background. `portlease start` does that."
        ));
    } else {
        let rows: Vec<Vec<String>> = records.iter().map(row).collect();
        output::table(&["PROJECT", "STATE", "PID", "URL", "COMMAND"], &rows);
    }
    Ok(Code::Done.into())
}

fn row(record: &Record) -> Vec<String> {
    let state = match (record.state(), record.exit_code) {
        (State::Starting, _) => "starting".to_owned(),
        (State::Running, _) => "running".to_owned(),
        (State::Ended, Some(code)) => format!("ended with {code}"),
        (State::Ended, None) | (State::Lost, _) => "lost".to_owned(),
    };
    let urls: Vec<&str> = record.urls.values().map(String::as_str).collect();
    vec![
        selection::shortened(&record.project),
        state,
        record.process.pid.to_string(),
        urls.join(" "),
        record.command.join(" "),
    ]
}
