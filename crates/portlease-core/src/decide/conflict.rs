//! Whether a lease makes way for a service that wants its port: the three strategies.

use super::sweep::is_dead;
use crate::{Facts, Lease, LeaseState, Request, Service, Stays, Strategy};

/// Why the lease stays, unless it makes way. `insists` means that the service wants this port and
/// no other, `is_served` that the lease's own process is on the port.
pub(super) fn stays(
    request: &Request,
    service: &Service,
    insists: bool,
    lease: &Lease,
    is_served: bool,
    facts: &Facts,
) -> Option<Stays> {
    if !request.auto_reassign {
        return Some(Stays::NoReassign);
    }
    match request.strategy {
        Strategy::Conservative => Some(Stays::Conservative),
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
