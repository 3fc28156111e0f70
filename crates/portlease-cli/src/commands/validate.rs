//! `portlease validate`

use portlease::core::{LeaseStatus, ValidatedLease};

use crate::arguments::Validate;
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{self, Cell};
use crate::{selection, subjects};

pub(crate) fn run(task: &Validate) -> Result<u8, Failure> {
    validate(task).map_err(|failure| failure.told_as_json(task.json))
}

fn validate(task: &Validate) -> Result<u8, Failure> {
    let validated = selection::open_here()?.validate(task.project.as_ref())?;
    let leases = validated.leases;
    let untrue = leases.iter().filter(|lease| is_untrue(lease)).count();
    if task.json {
        output::json(&leases);
    } else {
        tell(&leases, untrue);
    }
    Ok(if untrue > 0 { Code::Unwell } else { Code::Done }.into())
}

pub(crate) fn is_untrue(validated: &ValidatedLease) -> bool {
    matches!(validated.status, LeaseStatus::Stale | LeaseStatus::Hijacked)
}

/// What is true of a lease, in the colour that it deserves.
pub(crate) fn status(status: LeaseStatus) -> Cell {
    match status {
        LeaseStatus::Live => Cell::well("live"),
        LeaseStatus::Idle => Cell::from("idle".to_owned()),
        LeaseStatus::Stale => Cell::doubtful("stale"),
        LeaseStatus::Hijacked => Cell::bad("hijacked"),
    }
}

fn tell(leases: &[ValidatedLease], untrue: usize) {
    if !leases.is_empty() {
        let rows: Vec<Vec<Cell>> = leases.iter().map(row).collect();
        output::table(&["PORT", "SERVICE", "PROJECT", "STATUS", "PROGRAM"], &rows);
    }
    let advice = if untrue > 0 {
        ": `portlease cleanup` removes stale ones, `portlease who PORT` tells who took the others"
    } else {
        ""
    };
    output::note(format_args!(
        "{}, {untrue} of them stale or hijacked{advice}",
        output::count(leases.len(), "lease")
    ));
}

fn row(validated: &ValidatedLease) -> Vec<Cell> {
    let lease = &validated.lease;
    let program = validated.occupant.as_ref().map(ToString::to_string);
    vec![
        lease.port.to_string().into(),
        subjects::service(lease).into(),
        selection::shortened(&lease.key.project).into(),
        status(validated.status),
        program.unwrap_or_else(|| "–".to_owned()).into(),
    ]
}
