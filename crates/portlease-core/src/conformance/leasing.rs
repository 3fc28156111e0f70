//! The words in which the laws speak of requests: projects, services, ranges and moments.

use alloc::format;
use alloc::vec::Vec;

use crate::{
    Command, Explicit, Facts, Holder, Lease, Name, Port, PortRange, Process, Request, Service,
    Suspect, Timestamp,
};

/// The name of something that there are several of.
pub(super) fn numbered(what: &str, number: usize) -> Name {
    Name::literal(&format!("{what}-{number}"))
}

/// A request for one service.
pub(super) fn one(project: &str, service: Service) -> Request {
    Request::new(Name::literal(project), alloc::vec![service])
}

/// A service in the ports from `first` to `last`.
pub(super) fn service(name: &str, first: u16, last: u16) -> Service {
    Service::in_range(Name::literal(name), PortRange::literal(first, last))
}

/// A service that wants this port or none.
pub(super) fn insisting(name: &str, port: u16) -> Service {
    let mut service = service(name, port, port);
    service.explicit = Some(Explicit {
        port: Port::literal(port),
        strict: true,
    });
    service
}

/// A request that nobody could grant: its range is one port, which it excludes.
pub(super) fn impossible(project: &str) -> Request {
    let mut request = one(project, service("web", 9000, 9000));
    request.exclude.insert(Port::literal(9000));
    request
}

/// A process that is told from others by its pid.
pub(super) fn process(pid: u32) -> Holder {
    Holder::Process(Process {
        pid,
        started: Some(u64::from(pid) + 1_000),
        boot: Some(Name::literal("a6f1")),
        namespace: Some(4_026_531_836),
    })
}

/// Nothing but a moment.
pub(super) fn at(millis: u64) -> Facts {
    Facts::at(Timestamp::from_millis(millis))
}

/// A moment, and that a process was seen to have ended.
pub(super) fn at_death_of(millis: u64, holder: Holder) -> Facts {
    let mut facts = at(millis);
    facts.dead.insert(holder);
    facts
}

/// A reserve for the request, to be given to a store.
pub(super) fn reserve(request: Request) -> Command {
    Command::Reserve(request)
}

/// The leases as a sweeper saw them.
pub(super) fn suspects(leases: &[Lease]) -> Vec<Suspect> {
    let suspect = |lease: &Lease| Suspect {
        key: lease.key.clone(),
        generation: lease.generation,
    };
    leases.iter().map(suspect).collect()
}
