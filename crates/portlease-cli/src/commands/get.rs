//! `portlease get`

use std::process::ExitCode;

use crate::arguments::Get;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Get) -> Result<ExitCode, Failure> {
    let reservation = task.project.reservation().service(&task.service);
    let reservation = task.wish.apply(reservation, None);
    let allocation = selection::open()
        .and_then(|allocator| allocator.reserve_or_reallocate_port(reservation))
        .map_err(|error| Failure::from(error).told_as_json(task.json))?;
    for warning in &allocation.warnings {
        output::warning(format_args!("{warning}"));
    }
    if task.json {
        output::json(&allocation);
    } else {
        for moved in &allocation.moves {
            output::warning(format_args!("{}", selection::moved(moved)));
        }
        output::line(format_args!("{}", allocation.port));
    }
    Ok(Code::Done.into())
}
