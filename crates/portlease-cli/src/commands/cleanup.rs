//! `portlease cleanup`

use std::time::Duration;

use portlease::core::Evidence;

use crate::arguments::Cleanup;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Cleanup) -> Result<u8, Failure> {
    cleanup(task).map_err(|failure| failure.told_as_json(task.json))
}

fn cleanup(task: &Cleanup) -> Result<u8, Failure> {
    let allocator = selection::open_here()?;
    let swept = match task.days {
        Some(days) => {
            allocator.sweep_abandoned(Duration::from_secs(days.saturating_mul(86_400)))?
        }
        None => allocator.sweep()?,
    };
    if task.json {
        output::json(&swept);
    } else {
        for removed in &swept.removed {
            let why = match removed.evidence {
                Evidence::Dead => "its process has ended",
                Evidence::Abandoned => "nobody used it",
                Evidence::HostGone => "its host is gone",
            };
            let lease = &removed.lease;
            output::line(format_args!(
                "removed {} from port {}: {why}",
                lease.key, lease.port
            ));
        }
        let count = swept.removed.len();
        let plural = if count == 1 { "" } else { "s" };
        output::note(format_args!("{count} lease{plural} removed"));
    }
    Ok(Code::Done.into())
}
