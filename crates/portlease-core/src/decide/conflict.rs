//! Whether a lease makes way for a service that wants its port: the three strategies.

use super::instance::runners;
use super::sweep::is_dead;
use crate::{Facts, IfRunning, Lease, LeaseState, Request, Service, Stays, Strategy};

/// Why the lease stays, unless it makes way. `insists` means that the service wants this port and
/// no other, `is_served` that the lease's own process is on the port.
pub(super) fn stays(
    request: &Request,
    service: &Service,
    insists: bool,
    lease: &Lease,
    is_served: bool,
    facts: &Facts,
    instance: u32,
) -> Option<Stays> {
    if !request.auto_reassign {
        return Some(Stays::NoReassign);
    }
    match request.strategy {
        Strategy::Conservative => Some(Stays::Conservative),
        _ if runs_beside(request, lease, facts, instance) => Some(Stays::Live),
        Strategy::Minimal if !insists => Some(Stays::NotInsisted),
        Strategy::Minimal if is_served || is_live(lease, facts) => Some(Stays::Live),
        Strategy::Minimal if lease.priority > service.priority => Some(Stays::HigherPriority),
        Strategy::Minimal | Strategy::Aggressive => None,
    }
}

/// Whether the lease's server was seen listening and nothing says that it has ended.
fn is_live(lease: &Lease, facts: &Facts) -> bool {
    lease.state == LeaseState::Live && !is_dead(lease, facts)
}

/// Whether the lease is of an instance beside which the request wants to become another one.
fn runs_beside(request: &Request, lease: &Lease, facts: &Facts, instance: u32) -> bool {
    request.if_running == IfRunning::Another
        && lease.key.project == request.project
        && lease.key.instance != instance
        && runners(lease, request, facts).next().is_some()
}
