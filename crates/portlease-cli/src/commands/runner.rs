//! `portlease runner` and `portlease hosts`

use std::sync::mpsc::channel;
use std::thread;

use portlease::core::{Granted, Lease};
use portlease::{Error, RunnerEvent, RunnerOptions};
use serde_json::{Value, json};

use crate::arguments::{Hosts, Runner};
use crate::exit::Code;
use crate::failure::Failure;
use crate::run::events::Events;
use crate::{output, selection};

pub(crate) fn run(task: &Runner) -> Result<u8, Failure> {
    serve(task).map_err(|failure| failure.told_as_json(task.json))
}

fn serve(task: &Runner) -> Result<u8, Failure> {
    let allocator = selection::open_here()?;
    let runner = portlease::Runner::new(
        &allocator,
        RunnerOptions {
            report_every: task.report_every,
            gives_up_after: task.gives_up_after,
        },
    )?;
    let events = Events::listen().map_err(|error| {
        let message = format!("Signals cannot be listened to: {error}.");
        Failure::new(Code::Broken, "SIGNALS", message)
    })?;
    let (stop, stopped) = channel();
    thread::spawn(move || {
        // Whatever the signal is, somebody wants this to end.
        let _ = events.receiver.recv();
        drop(stop);
    });
    if task.json {
        output::line(format_args!(
            "{}",
            json!({"type": "runs", "host": allocator.host()})
        ));
    } else {
        output::line(format_args!(
            "Answering for {}. Ctrl-C ends it.",
            allocator.host()
        ));
    }
    runner.run(&stopped, |event| tell(task, &event));
    Ok(Code::Done.into())
}

fn tell(task: &Runner, event: &RunnerEvent) {
    if task.json {
        output::line(format_args!("{}", data(event)));
        return;
    }
    match event {
        RunnerEvent::Confirmed(granted) => {
            for it in granted {
                output::line(format_args!(
                    "confirmed {} on port {}",
                    it.lease.key,
                    it.port()
                ));
            }
        }
        RunnerEvent::Declined(error) => output::line(format_args!("declined: {error}")),
        RunnerEvent::Returned(leases) => {
            output::warning(format_args!(
                "This host was silent for too long, and its leases ended. {} are its own again.",
                leases.len()
            ));
        }
        RunnerEvent::Lost(lease, error) => {
            output::warning(format_args!(
                "{} lost port {}: {error}",
                lease.key, lease.port
            ));
        }
        RunnerEvent::GaveUp(host, swept) => output::line(format_args!(
            "{host} was silent for too long: {} leases ended",
            swept.removed.len()
        )),
        RunnerEvent::Unreachable(error) => output::warning(format_args!("{error}")),
        RunnerEvent::Reachable => output::line(format_args!("The registry answers again.")),
        _ => {}
    }
}

fn data(event: &RunnerEvent) -> Value {
    let failure = |error: &Error| json!({"code": error.code(), "message": error.to_string()});
    match event {
        RunnerEvent::Confirmed(granted) => {
            let leases: Vec<&Lease> = granted.iter().map(|it: &Granted| &it.lease).collect();
            json!({"type": "confirmed", "leases": leases})
        }
        RunnerEvent::Declined(error) => json!({"type": "declined", "error": failure(error)}),
        RunnerEvent::Returned(leases) => json!({"type": "returned", "leases": leases}),
        RunnerEvent::Lost(lease, error) => {
            json!({"type": "lost", "lease": lease, "error": failure(error)})
        }
        RunnerEvent::GaveUp(host, swept) => {
            json!({"type": "gaveUp", "host": host, "swept": swept})
        }
        RunnerEvent::Unreachable(error) => json!({"type": "unreachable", "error": failure(error)}),
        RunnerEvent::Reachable => json!({"type": "reachable"}),
        _ => Value::Null,
    }
}

pub(crate) fn hosts(task: &Hosts) -> Result<u8, Failure> {
    list(task).map_err(|failure| failure.told_as_json(task.json))
}

fn list(task: &Hosts) -> Result<u8, Failure> {
    let hosts = selection::open_here()?.host_statuses()?;
    if task.json {
        output::json(&hosts);
        return Ok(Code::Done.into());
    }
    let none = || "–".to_owned();
    let ago = |seconds| format!("{} ago", in_words(seconds));
    let agreed = |seconds| format!("{seconds}s");
    let row = |status: &portlease::HostStatus| {
        vec![
            status.host.to_string(),
            status.leases.to_string(),
            status.silent_for_seconds.map_or_else(none, ago),
            status.gives_up_after_seconds.map_or_else(none, agreed),
        ]
    };
    let rows: Vec<Vec<String>> = hosts.iter().map(row).collect();
    output::table(
        &["HOST", "LEASES", "LAST HEARD OF", "GIVES UP AFTER"],
        &rows,
    );
    Ok(Code::Done.into())
}

/// A time in a unit of which there are at least two, so that little is lost by leaving out the rest.
fn in_words(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(24 * 60 * 60, "d"), (60 * 60, "h"), (60, "m")];
    let unit = UNITS.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    let (unit, letter) = unit.unwrap_or((1, "s"));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_a_unit_of_which_there_are_two() {
        let said = [0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(in_words);
        assert_eq!(said, ["0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
    }
}
