//! What `run` tells about itself, beside the output of its command.

use std::time::Duration;

use portlease::Grant;
use portlease::core::{Holder, Lease, Occupant, Port};

use crate::output::{BOLD, DIM, GREEN, note, warning};

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

pub(crate) fn lost(port: Port, by: &Occupant) {
    warning(format_args!(
        "{by} took port {port} before the command listened on it. Trying another port."
    ));
}

/// A sentence about an instance that runs already.
pub(crate) fn running(lease: &Lease, url: &str) -> String {
    format!("{} runs at {url}{}", lease.key, process(lease))
}

fn process(lease: &Lease) -> String {
    match lease.listener.as_ref().or(lease.holder.as_ref()) {
        Some(Holder::Process(process)) => format!(" (pid {})", process.pid),
        Some(Holder::Container(_)) | None => String::new(),
    }
}
