//! `portlease release`

use portlease::core::Release as Registration;

use crate::arguments::Release;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Release) -> Result<u8, Failure> {
    release(task).map_err(|failure| failure.told_as_json(task.json))
}

fn release(task: &Release) -> Result<u8, Failure> {
    let config = task.project.config()?;
    let allocator = selection::open(&config)?;
    let mut release = match task.port {
        Some(port) => {
            let Some(lease) = allocator.who(port)?.lease else {
                return Ok(nothing(task, &format!("Port {port} is not leased.")));
            };
            Registration {
                service: Some(lease.key.service),
                instance: Some(lease.key.instance),
                ..Registration::by_project(lease.key.project)
            }
        }
        None => Registration::by_project(task.project.name(&config)?),
    };
    if task.service.is_some() {
        release.service.clone_from(&task.service);
    }
    release.force = task.force;
    let released = allocator.release(&release)?;
    if released.leases.is_empty() {
        let message = format!("Nothing is leased to {}.", release.project);
        return Ok(nothing(task, &message));
    }
    if task.json {
        output::json(&released.leases);
    } else {
        for lease in &released.leases {
            output::line(format_args!(
                "released {} from port {}",
                lease.key, lease.port
            ));
        }
    }
    Ok(Code::Done.into())
}

/// Releasing twice is harmless, so this is no failure.
fn nothing(task: &Release, message: &str) -> u8 {
    if task.json {
        output::json(&[(); 0]);
    } else {
        output::note(format_args!("{message}"));
    }
    Code::Done.into()
}
