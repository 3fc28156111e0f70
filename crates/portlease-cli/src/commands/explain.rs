//! `portlease explain`

use serde_json::json;

use crate::arguments::Explain;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Explain) -> Result<u8, Failure> {
    explain(task).map_err(|failure| failure.told_as_json(task.json))
}

fn explain(task: &Explain) -> Result<u8, Failure> {
    let config = task.project.config()?;
    let reservation = task.wish.reservation(&config, task.service.as_ref())?;
    let (explained, trace) = selection::open(&config)?.explain(&reservation.build()?)?;
    let is_refused = explained.refusal.is_some();
    if task.json {
        output::json(
            &json!({"reserved": explained.reserved, "refusal": explained.refusal, "trace": trace}),
        );
    } else {
        output::line(format_args!("{trace}"));
        if let Some(refusal) = explained.refusal {
            output::line(format_args!("{refusal}"));
        }
    }
    Ok(if is_refused {
        Code::Refused
    } else {
        Code::Done
    }
    .into())
}
