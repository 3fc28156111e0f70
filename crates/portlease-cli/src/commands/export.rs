//! `portlease export`

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use crate::arguments::Export;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Export) -> Result<u8, Failure> {
    let allocator = selection::open_here()?;
    let (mut text, leases) = if task.snapshot {
        let snapshot = allocator.snapshot()?;
        (json(&snapshot), snapshot.registry.leases.len())
    } else {
        let export = allocator.export()?;
        let leases = export.hosts.values().map(|host| host.iter().count()).sum();
        (json(&export), leases)
    };
    text.push('\n');
    if task.file == Path::new("-") {
        // Unlike a report, half of it is worth nothing, so whoever reads it must not have gone.
        let written = io::stdout().write_all(text.as_bytes());
        written.map_err(|error| unwritable("the standard output", &error))?;
        return Ok(Code::Done.into());
    }
    let file = task.file.display();
    fs::write(&task.file, text).map_err(|error| unwritable(&file.to_string(), &error))?;
    let leases = output::count(leases, "lease");
    output::note(format_args!("{leases} written to {file}"));
    Ok(Code::Done.into())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("what is exported can be JSON")
}

fn unwritable(file: &str, error: &io::Error) -> Failure {
    let message =
        format!("The export cannot be written to {file}: {error}. Name another place for it.");
    Failure::new(Code::Broken, "EXPORT_FAILED", message)
}
