//! What `run` tells about itself, beside the output of its command.

use std::time::Duration;

use portlease::Grant;
use portlease::core::{Lease, Occupant, Port};

use crate::output::{BOLD, DIM, GREEN, note, warning};
use crate::subjects;

pub(crate) fn ready(grant: &Grant, after: Duration) {
    let (service, url) = (&grant.granted().service, grant.url());
    note(format_args!(
        "{GREEN}portlease:{GREEN:#} {service} is ready at {BOLD}{url}{BOLD:#} {DIM}after {} ms{DIM:#}",
        after.as_millis()
    ));
}

pub(crate) fn drifted(grant: &Grant, granted: Port) {
    warning(format_args!(
        "{} listens on port {} although it was told {granted}. The registry knows.",
        grant.granted().service,
        grant.port()
    ));
}

pub(crate) fn beside(grant: &Grant, stranger: &Occupant) {
    warning(format_args!(
        "{stranger} listens on port {} as well, on another address: requests to localhost may reach it instead of {}.",
        grant.port(),
        grant.granted().service
    ));
}

pub(crate) fn late(grant: &Grant, limit: Duration) {
    warning(format_args!(
        "{} does not listen on port {} after {} s. Does the command read the variable, or need {{port}} in an argument?",
        grant.granted().service,
        grant.port(),
        limit.as_secs()
    ));
}

pub(crate) fn lost(port: Port, by: &Occupant, goes_on: bool) {
    let next = if goes_on { " Trying another port." } else { "" };
    warning(format_args!(
        "{by} took port {port} before the command listened on it.{next}"
    ));
}

/// The server is worth more than what is known about it, so it goes on.
pub(crate) fn failed(problem: &str) {
    warning(format_args!("{problem} The command goes on."));
}

/// A sentence about an instance that runs already.
pub(crate) fn running(lease: &Lease) -> String {
    let party = subjects::party(lease).map(|party| format!(" ({party})"));
    let url = lease.url("localhost");
    format!("{} runs at {url}{}", lease.key, party.unwrap_or_default())
}
