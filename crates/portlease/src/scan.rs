//! Who is on many ports, and to whom they are leased.

use portlease_core::{Lease, PortSet, Scope};

use crate::allocator::{Allocator, Who};
use crate::observe::processes;
use crate::{Error, observe};

impl Allocator {
    /// Those of the ports that somebody is on or that are leased, in their order, in one look that
    /// touches none. It takes as long as one search through all processes.
    ///
    /// ```
    /// use portlease::core::PortRange;
    /// # use portlease::{Allocator, Options, Registry};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    ///
    /// for found in allocator.scan(&PortRange::literal(3000, 3100).into())? {
    ///     println!("{}: {} programs", found.port, found.occupants.len());
    /// }
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn scan(&self, ports: &PortSet) -> Result<Vec<Who>, Error> {
        let leases = self.inner.load(&Scope::Rows {
            projects: Vec::new(),
            ports: ports.clone(),
        })?;
        let probe = self.inner.observer.probe();
        let mut taken = probe.occupied(ports)?;
        let mut occupants = probe.who_each(&taken, processes(observe::holders(&leases)))?;
        // A store may load more than was asked for.
        let leased = |lease: &&Lease| ports.contains(lease.port);
        taken |= &leases
            .iter()
            .filter(leased)
            .map(|lease| lease.port)
            .collect();
        let look = self.inner.observer.containers();
        let mut claimed = look.ports().clone();
        claimed &= ports;
        taken |= &claimed;
        let found = taken.iter().map(|port| {
            let occupants = occupants.remove(&port).unwrap_or_default();
            Who::seen(&look, port, occupants, leases.at(port).cloned())
        });
        Ok(found.collect())
    }
}
