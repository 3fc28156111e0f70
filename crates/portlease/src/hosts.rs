//! What the registry says of all hosts that share it.

use std::collections::BTreeMap;

use portlease_core::{
    Command, Decision, Facts, Host, Lease, Name, Reply, Scope, Stats, StatsQuery,
};

use crate::{Allocator, Error, now};

impl Allocator {
    /// The hosts that share the registry, by name.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry, Reservation};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let grant = allocator.reserve(&Reservation::of("shop").build()?)?;
    /// assert_eq!(allocator.hosts()?, [allocator.host().clone()]);
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn hosts(&self) -> Result<Vec<Host>, Error> {
        Ok(self.inner.store.hosts()?)
    }

    /// The leases of every host, or those of one project on every host, by port. Whether they are true, only each host can see.
    pub fn list_everywhere(
        &self,
        project: Option<&Name>,
    ) -> Result<BTreeMap<Host, Vec<Lease>>, Error> {
        let is_meant = |lease: &&Lease| project.is_none_or(|name| lease.key.project == *name);
        let mut everywhere = BTreeMap::new();
        for host in self.hosts()? {
            let leases = self.inner.store.load(&host, &Scope::Everything)?;
            let meant: Vec<Lease> = leases.iter().filter(is_meant).cloned().collect();
            if !meant.is_empty() {
                everywhere.insert(host, meant);
            }
        }
        Ok(everywhere)
    }

    /// How the ports of every host are used, as far as the registry tells: who is there without a lease, only each host can see.
    pub fn stats_everywhere(&self, query: &StatsQuery) -> Result<BTreeMap<Host, Stats>, Error> {
        let (command, facts) = (Command::Stats(query.clone()), Facts::at(now()));
        let mut everywhere = BTreeMap::new();
        for host in self.hosts()? {
            let Decision { reply, .. } = self.inner.store.transact(&host, &command, &facts)?;
            match reply {
                Reply::Stats(stats) => everywhere.insert(host, stats),
                reply => unreachable!("a question about usage is not answered with {reply:?}"),
            };
        }
        Ok(everywhere)
    }
}
