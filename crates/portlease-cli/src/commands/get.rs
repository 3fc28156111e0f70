//! `portlease get`

use portlease::core::{CONTAINER, Host, Name};
use portlease::{Allocator, Config, Fleet};

use crate::arguments::Get;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Get) -> Result<u8, Failure> {
    get(task).map_err(|failure| failure.told_as_json(task.json))
}

fn get(task: &Get) -> Result<u8, Failure> {
    let config = task.project.config()?;
    let allocator = selection::open(&config)?;
    if let Some(host) = &task.host {
        return get_on(task, host, &config, &allocator);
    }
    let allocation = if task.container {
        let service = task.service.clone().unwrap_or(Name::literal(CONTAINER));
        let reservation = task.wish.reservation(&config, Some(&service))?;
        allocator.reserve_for_container(reservation.preset(CONTAINER))?
    } else {
        let reservation = task.wish.reservation(&config, task.service.as_ref())?;
        allocator.reserve_or_reallocate_port(reservation)?
    };
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

fn get_on(task: &Get, host: &Host, config: &Config, allocator: &Allocator) -> Result<u8, Failure> {
    let reservation = task.wish.reservation(config, task.service.as_ref())?;
    let request = reservation.on_behalf_of_others().build()?;
    let granted = allocator
        .fleet()?
        .reserve_on(host, &request, Fleet::PATIENCE)?;
    if task.json {
        output::json(&granted);
    } else {
        for it in granted.iter().take(1) {
            output::line(format_args!("{}", it.port()));
        }
    }
    Ok(Code::Done.into())
}
