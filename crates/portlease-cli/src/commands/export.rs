//! `portlease export`

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::arguments::Export;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Export) -> Result<ExitCode, Failure> {
    let export = selection::open_here()?.export()?;
    let mut text = serde_json::to_string_pretty(&export).expect("an export can be JSON");
    text.push('\n');
    if task.file == Path::new("-") {
        // Unlike a report, half of it is worth nothing, so whoever reads it must not have gone.
        let written = io::stdout().write_all(text.as_bytes());
        written.map_err(|error| unwritable("the standard output", &error))?;
        return Ok(Code::Done.into());
    }
    let file = task.file.display();
    fs::write(&task.file, text).map_err(|error| unwritable(&file.to_string(), &error))?;
    let leases: usize = export.hosts.values().map(|host| host.iter().count()).sum();
    let leases = output::count(leases, "lease");
    output::note(format_args!("{leases} written to {file}"));
    Ok(Code::Done.into())
}

fn unwritable(file: &str, error: &io::Error) -> Failure {
    let message =
        format!("The export cannot be written to {file}: {error}. Name another place for it.");
    Failure::new(Code::Broken, "EXPORT_FAILED", message)
}
