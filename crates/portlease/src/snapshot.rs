//! What a planner elsewhere needs to know of this host.

use portlease_core::{Facts, Holder, HostSnapshot, Lease, Leases, PortRange, PortSet, Scope};

use crate::allocator::Inner;
use crate::containers;
use crate::observe::{Observer, foremost, holders};
use crate::{Allocator, Error};

impl Allocator {
    /// This host as it is now: what is leased, remembered and occupied. A [`Planner`](portlease_core::Planner) elsewhere
    /// plans on it, and [`confirm_plan`](Self::confirm_plan) takes the plan.
    ///
    /// It names the processes on leased ports, and of all other ports only which are in use.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let snapshot = allocator.snapshot()?;
    /// assert_eq!(snapshot.host, *allocator.host());
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn snapshot(&self) -> Result<HostSnapshot, Error> {
        let everything = PortRange::ALL.into();
        self.inner.snapshot(&Scope::Everything, &everything)
    }
}

impl Inner {
    /// The host as far as these rows and ports are concerned.
    pub(crate) fn snapshot(&self, scope: &Scope, ports: &PortSet) -> Result<HostSnapshot, Error> {
        let leases = self.load(scope)?;
        let mut facts = self.facts_about(&leases, ports)?;
        // A planner cannot wait for a container to start, so one that is stopped counts as well.
        containers::claim_by_anybody(&mut facts, &self.observer.containers(), ports);
        Ok(HostSnapshot {
            registry: leases.into(),
            facts,
            settings: self.settings.clone().unwrap_or_default(),
            ..HostSnapshot::of(self.host.clone())
        })
    }

    /// Which of the ports are occupied, who is on those that are leased, and whose holders have ended.
    pub(crate) fn facts_about(&self, leases: &Leases, ports: &PortSet) -> Result<Facts, Error> {
        let mut facts = self.observer.facts();
        let look = self.observer.containers();
        Observer::sight(&mut facts, &look, leases);
        self.observer.look_closely(&mut facts, ports)?;
        containers::occupy(&mut facts, &look, ports);
        let mut occupied = leases.ports().clone();
        occupied &= facts.occupied.ports();
        let found = self.observer.occupants(&occupied, holders(leases));
        for (port, occupants) in found {
            let parties: Vec<Holder> = leases
                .at(port)
                .into_iter()
                .flat_map(Lease::parties)
                .cloned()
                .collect();
            facts.occupied.insert(port, foremost(&occupants, &parties));
        }
        Ok(facts)
    }
}
