//! `portlease ports`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portlease::core::{Holder, Host, Lease, LeaseState, ValidatedLease};
use portlease::engines::Look;
use portlease::{Allocator, Error};
use serde_json::json;

use crate::arguments::Ports;
use crate::commands::validate;
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{self, Cell};
use crate::{selection, subjects};

pub(crate) fn run(task: &Ports) -> Result<u8, Failure> {
    list(task).map_err(|failure| failure.told_as_json(task.json))
}

fn list(task: &Ports) -> Result<u8, Failure> {
    let allocator = selection::open_here()?;
    if task.all_hosts {
        show_everywhere(task, &allocator.list_everywhere(task.project.as_ref())?);
        return Ok(Code::Done.into());
    }
    if task.cleanup {
        allocator.sweep()?;
    }
    let look = || {
        let leases = allocator.validate(task.project.as_ref())?.leases;
        Ok((leases, allocator.containers()))
    };
    match task.watch {
        None => {
            let (leases, containers) = look()?;
            show(task, &leases, &containers);
        }
        Some(interval) => watch(task, &allocator, interval, look)?,
    }
    Ok(Code::Done.into())
}

fn show(task: &Ports, leases: &[ValidatedLease], containers: &Look) {
    if task.json {
        output::json(&leases);
    } else if leases.is_empty() {
        output::note(format_args!("{NOTHING}"));
    } else {
        output::line(format_args!("{}", table(leases, containers)));
    }
}

fn show_everywhere(task: &Ports, leases: &BTreeMap<Host, Vec<Lease>>) {
    if task.json {
        output::json(leases);
    } else if leases.is_empty() {
        output::note(format_args!("{NOTHING}"));
    } else {
        let rows = leases.iter().flat_map(|(host, leases)| {
            let row = |lease: &Lease| {
                vec![
                    host.to_string(),
                    lease.port.to_string(),
                    subjects::service(lease),
                    selection::shortened(&lease.key.project),
                    lease.framework.to_string(),
                    state(lease.state).to_owned(),
                ]
            };
            leases.iter().map(row).collect::<Vec<_>>()
        });
        output::table(
            &["HOST", "PORT", "SERVICE", "PROJECT", "FRAMEWORK", "STATE"],
            &rows.collect::<Vec<_>>(),
        );
    }
}

fn state(state: LeaseState) -> &'static str {
    match state {
        LeaseState::Reserved => "reserved",
        LeaseState::Live => "live",
    }
}

/// Shows the leases until somebody presses Ctrl-C, which ends this process as any other, or nobody
/// reads any more. Leases that change are shown at once; servers that start or end, at the interval: nobody tells of them.
fn watch(
    task: &Ports,
    allocator: &Allocator,
    interval: Duration,
    look: impl Fn() -> Result<(Vec<ValidatedLease>, Arc<Look>), Error>,
) -> Result<(), Failure> {
    let mut shown = None;
    let mut mark = allocator.mark()?;
    loop {
        let (leases, containers) = look()?;
        let is_read = if output::is_terminal() && !task.json {
            let text = match leases.as_slice() {
                [] => NOTHING.to_owned(),
                leases => table(leases, &containers),
            };
            output::redraw(&text)
        } else if shown.as_ref() == Some(&leases) {
            Ok(())
        } else if task.json {
            output::print(format_args!("{}", json!(leases)))
        } else {
            let gap = if shown.is_some() { "\n" } else { "" };
            output::print(format_args!("{gap}{}", table(&leases, &containers)))
        };
        if is_read.is_err() || !output::is_read() {
            return Ok(());
        }
        shown = Some(leases);
        mark = allocator.wait_for_change(mark, interval)?;
    }
}

const NOTHING: &str = "No port is leased. `portlease run -- npm run dev` leases one.";

fn table(leases: &[ValidatedLease], containers: &Look) -> String {
    let row = |lease| row(lease, containers);
    let rows: Vec<Vec<Cell>> = leases.iter().map(row).collect();
    output::table_text(
        &[
            "PORT",
            "SERVICE",
            "PROJECT",
            "FRAMEWORK",
            "STATUS",
            "PROCESS",
            "URL",
        ],
        &rows,
    )
}

fn row(validated: &ValidatedLease, containers: &Look) -> Vec<Cell> {
    let lease = &validated.lease;
    vec![
        lease.port.to_string().into(),
        subjects::service(lease).into(),
        selection::shortened(&lease.key.project).into(),
        lease.framework.to_string().into(),
        validate::status(validated.status),
        holder(lease, containers).into(),
        lease.url("localhost").into(),
    ]
}

fn holder(lease: &Lease, containers: &Look) -> String {
    match subjects::party(lease) {
        Some(Holder::Process(process)) => process.pid.to_string(),
        Some(Holder::Container(container)) => {
            let known = containers.with_id(&container.id);
            known.map_or_else(|| container.id.to_string(), |it| it.name.to_string())
        }
        None => "–".to_owned(),
    }
}
