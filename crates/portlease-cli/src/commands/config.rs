//! `portlease config`

use portlease::Error;
use portlease::config::{Origin, Setting};
use serde_json::{Value, json};

use crate::arguments::{Config, ConfigCheck, ConfigPath, ConfigShow, ConfigTask};
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{DIM, GREEN};
use crate::{output, selection};

/// Generated from the types that read the configuration, and compared by the gate. What generates it is not in the program.
const SCHEMA: &str = include_str!("../../portlease.schema.json");

pub(crate) fn run(task: &Config) -> Result<u8, Failure> {
    match &task.task {
        None => show(&task.show),
        Some(ConfigTask::Show(task)) => show(task),
        Some(ConfigTask::Check(task)) => check(task),
        Some(ConfigTask::Schema) => {
            output::line(format_args!("{}", SCHEMA.trim_end()));
            Ok(Code::Done.into())
        }
        Some(ConfigTask::Path(task)) => Ok(path(task)),
    }
}

fn show(task: &ConfigShow) -> Result<u8, Failure> {
    let config = task.project.config();
    let config = config.map_err(|error| Failure::from(error).told_as_json(task.json))?;
    let entries = config.entries();
    if task.json {
        output::json(&entries.iter().map(as_json).collect::<Vec<_>>());
        return Ok(Code::Done.into());
    }
    for Setting { key, value, origin } in entries {
        let origin = match origin {
            Origin::File(_) | Origin::Variable(_) | Origin::Flag(_) => {
                format!("from {origin}")
            }
            Origin::Default => origin.to_string(),
        };
        output::line(format_args!("{key} = {value}  {DIM}# {origin}{DIM:#}"));
    }
    Ok(Code::Done.into())
}

fn as_json(setting: &Setting) -> Value {
    let origin = match &setting.origin {
        Origin::Default => json!({"kind": "default"}),
        Origin::File(place) => {
            let (line, column) = place.line_and_column();
            json!({"kind": "file", "file": place.path().to_string_lossy(), "line": line, "column": column})
        }
        Origin::Variable(name) => json!({"kind": "variable", "name": name}),
        Origin::Flag(name) => json!({"kind": "flag", "name": name}),
    };
    json!({"key": setting.key, "value": setting.value, "origin": origin})
}

fn check(task: &ConfigCheck) -> Result<u8, Failure> {
    let what = match &task.file {
        Some(file) => {
            portlease::Config::of_file(file).map_err(Error::from)?;
            selection::shortened(&file.to_string_lossy())
        }
        None => task
            .project
            .config()
            .map(|_| "The configuration".to_owned())?,
    };
    output::line(format_args!("{what} is {GREEN}fine{GREEN:#}"));
    Ok(Code::Done.into())
}

fn path(task: &ConfigPath) -> u8 {
    let files = task.project.sources().files();
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|file| {
            let whose = if file.is_users { "user" } else { "project" };
            let state = if file.is_used { "used" } else { "nothing" };
            vec![
                whose.to_owned(),
                file.path.display().to_string(),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(&["WHOSE", "FILE", "SAYS"], &rows);
    Code::Done.into()
}
