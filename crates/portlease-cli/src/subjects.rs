//! What the reports are about: leases as people call them, and the ports that are known.

use portlease::core::{Catalog, Holder, Lease, PortSet, Presets};

use crate::selection;

/// The name of a service as people see it, with its instance when that is not the first.
pub(crate) fn service(lease: &Lease) -> String {
    match lease.key.instance {
        1 => lease.key.service.to_string(),
        instance => format!("{}#{instance}", lease.key.service),
    }
}

/// The project and the service.
pub(crate) fn label(lease: &Lease) -> String {
    let project = selection::shortened(&lease.key.project);
    format!("{project}/{}", service(lease))
}

/// Whoever listens for the lease, or is going to.
pub(crate) fn party(lease: &Lease) -> Option<&Holder> {
    lease.listener.as_ref().or(lease.holder.as_ref())
}

/// The ports of all frameworks and kinds of services.
pub(crate) fn known_ports(catalog: &Catalog, presets: &Presets) -> PortSet {
    let frameworks = catalog.iter().map(|framework| framework.range);
    let kinds = presets.iter().map(|preset| preset.range);
    frameworks.chain(kinds).collect()
}
