//! `portlease ports`

use std::process::ExitCode;

use portlease::core::{Capability, Holder, Lease, LeaseStatus, ValidatedLease};

use crate::arguments::Ports;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Ports) -> Result<ExitCode, Failure> {
    list(task).map_err(|failure| failure.told_as_json(task.json))
}

fn list(task: &Ports) -> Result<ExitCode, Failure> {
    let allocator = selection::open_here()?;
    if task.cleanup {
        allocator.sweep()?;
    }
    let validated = allocator.validate(None)?;
    if task.json {
        output::json(&validated.leases);
    } else if validated.leases.is_empty() {
        output::note(format_args!(
            "No port is leased. `portlease run -- npm run dev` leases one."
        ));
    } else {
        let rows: Vec<Vec<String>> = validated.leases.iter().map(row).collect();
        output::table(
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
        );
    }
    Ok(Code::Done.into())
}

fn row(validated: &ValidatedLease) -> Vec<String> {
    let lease = &validated.lease;
    vec![
        lease.port.to_string(),
        service(lease),
        selection::shortened(&lease.key.project),
        lease.framework.to_string(),
        status(validated.status).to_owned(),
        process(lease),
        format!(
            "{}://localhost:{}",
            Capability::scheme(&lease.requires),
            lease.port
        ),
    ]
}

fn service(lease: &Lease) -> String {
    match lease.key.instance {
        1 => lease.key.service.to_string(),
        instance => format!("{}#{instance}", lease.key.service),
    }
}

fn process(lease: &Lease) -> String {
    match lease.listener.as_ref().or(lease.holder.as_ref()) {
        Some(Holder::Process(process)) => process.pid.to_string(),
        Some(Holder::Container(container)) => container.id.to_string(),
        None => "–".to_owned(),
    }
}

fn status(status: LeaseStatus) -> &'static str {
    match status {
        LeaseStatus::Live => "live",
        LeaseStatus::Idle => "idle",
        LeaseStatus::Stale => "stale",
        LeaseStatus::Hijacked => "hijacked",
    }
}
