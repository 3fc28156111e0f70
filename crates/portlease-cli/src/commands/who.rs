//! `portlease who`

use portlease::core::Port;
use portlease::engines::ContainerDetails;
use portlease::probe::OccupantDetails;
use portlease::{PortPresence, Who as Answer};

use crate::arguments::Who;
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Who) -> Result<u8, Failure> {
    who(task).map_err(|failure| failure.told_as_json(task.json))
}

fn who(task: &Who) -> Result<u8, Failure> {
    let answer = selection::open_here()?.who(task.port)?;
    if task.json {
        output::json(&PortPresence::from(answer.clone()));
    } else {
        tell(&answer);
    }
    let is_deserted =
        answer.occupants.is_empty() && answer.containers.is_empty() && answer.lease.is_none();
    Ok(if is_deserted {
        Code::Nothing
    } else {
        Code::Done
    }
    .into())
}

fn tell(answer: &Answer) {
    let port = answer.port;
    if answer.occupants.is_empty() && answer.containers.is_empty() {
        output::line(format_args!("Nobody is on port {port}."));
    }
    for occupant in &answer.occupants {
        let verb = if occupant.listens {
            "listens on"
        } else {
            "is bound to"
        };
        output::line(format_args!("{} {verb} port {port}", name(occupant)));
        for (label, value) in details(occupant) {
            output::line(format_args!("  {label:<9} {value}"));
        }
    }
    for container in &answer.containers {
        output::line(format_args!("{}", claim(container, port)));
    }
    match &answer.lease {
        Some(lease) => output::line(format_args!("It is leased to {}.", lease.key)),
        None => output::line(format_args!("It is leased to nobody.")),
    }
}

/// A sentence about a container and its port.
fn claim(container: &ContainerDetails, port: Port) -> String {
    let verb = if container.is_running() {
        "publishes"
    } else {
        "claims"
    };
    format!("{} {verb} port {port}", capitalized(&container.to_string()))
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

pub(crate) fn name(occupant: &OccupantDetails) -> String {
    let name = occupant.name.as_deref().unwrap_or("Another program");
    match &occupant.process {
        Some(process) => format!("{name} (pid {})", process.pid),
        None => name.to_owned(),
    }
}

fn details(occupant: &OccupantDetails) -> Vec<(&'static str, String)> {
    let command = Some(occupant.command.join(" ")).filter(|command| !command.is_empty());
    let folder = occupant.directory.as_ref();
    let folder = folder.map(|folder| selection::shortened(&folder.to_string_lossy()));
    let started = occupant.started_at.map(|time| time.to_string());
    [
        ("command", command),
        ("folder", folder),
        ("user", occupant.user.clone()),
        ("started", started),
    ]
    .into_iter()
    // A program writes what it likes into its command line, codes for the terminal too.
    .filter_map(|(label, value)| Some((label, value?.replace(char::is_control, " "))))
    .collect()
}
