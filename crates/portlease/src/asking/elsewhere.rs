//! What is asked about the other hosts that share the registry: what is leased there, and ports of theirs.

use std::collections::BTreeMap;

use portlease_core::{Host, Lease, Release, Released, Stats};

use super::{Counting, Desk, Everywhere, OfHost, Releasing};
use crate::{Error, HostStatus};

impl Desk {
    /// The hosts that share the registry, and when their runners were last heard of.
    pub fn hosts(&self) -> Result<Vec<HostStatus>, Error> {
        self.allocator.host_statuses()
    }

    /// The leases of every host, or of one of them.
    pub fn list_everywhere(&self, asked: &Everywhere) -> Result<BTreeMap<Host, Vec<Lease>>, Error> {
        let project = super::name(asked.project_id.as_deref())?;
        match &asked.host {
            None => self.allocator.list_everywhere(project.as_ref()),
            Some(host) => {
                let leases = self.allocator.list_on(host, project.as_ref())?;
                Ok(BTreeMap::from([(host.clone(), leases)]))
            }
        }
    }

    /// How the ports of every host are used, as far as the registry tells.
    pub fn stats_everywhere(&self, asked: &Counting) -> Result<BTreeMap<Host, Stats>, Error> {
        self.allocator.stats_everywhere(&self.query(asked)?)
    }

    /// Gives back leases of another host.
    pub fn release_on(&self, on: &OfHost, asked: &Releasing) -> Result<Released, Error> {
        let release = Release {
            // Nobody who asks here runs there.
            holder: None,
            ..self.registration(asked)
        };
        self.allocator.release_on(&on.host, &release)
    }
}

#[cfg(feature = "postgres")]
mod by_runners {
    use std::time::Duration;

    use portlease_core::{HostSnapshot, Plan, Wish};

    use crate::asking::wished::{check_number, invalid};
    use crate::asking::{Callers, ConfirmedPlan, Desk, OfHost, OnHost, Patience};
    use crate::{Error, Fleet};

    impl Desk {
        /// Another host as its runner saw it last, for planners.
        pub fn snapshot_of(&self, asked: &OfHost) -> Result<HostSnapshot, Error> {
            self.allocator.fleet()?.snapshot_of(&asked.host)
        }

        /// Leases ports on another host, whose runner confirms them.
        ///
        /// What that host's configuration says for everybody holds; folders and processes that are here say nothing about it. Nobody
        /// there is moved, since nobody would be told.
        pub fn reserve_on(&self, on: &OnHost, wish: &Wish) -> Result<ConfirmedPlan, Error> {
            let fleet = self.allocator.fleet()?;
            let at_most = self.patience(on.timeout)?;
            let mut request = wish.request(&fleet.settings_of(&on.host)?)?;
            self.check_from_elsewhere(request.services.len())?;
            request.auto_reassign = false;
            let granted = fleet.reserve_on(&on.host, &request, at_most)?;
            Ok(ConfirmedPlan { granted })
        }

        /// Has a plan confirmed by the runner of its host.
        pub fn confirm_plan_on(
            &self,
            plan: &Plan,
            patience: &Patience,
        ) -> Result<ConfirmedPlan, Error> {
            let fleet = self.allocator.fleet()?;
            let at_most = self.patience(patience.timeout)?;
            self.check_from_elsewhere(plan.request.services.len())?;
            let granted = fleet.confirm_on(plan, at_most)?;
            Ok(ConfirmedPlan { granted })
        }

        fn check_from_elsewhere(&self, services: usize) -> Result<(), Error> {
            match self.callers {
                Callers::ThisProcess => Ok(()),
                Callers::Elsewhere => check_number(services),
            }
        }

        /// A caller from elsewhere must not keep a thread waiting for hours.
        fn patience(&self, timeout: Option<u32>) -> Result<Duration, Error> {
            let Some(millis) = timeout else {
                return Ok(Fleet::PATIENCE);
            };
            let wanted = Duration::from_millis(millis.into());
            if self.callers == Callers::Elsewhere && wanted > Fleet::PATIENCE {
                let most = Fleet::PATIENCE.as_millis();
                let problem = format!("Nobody is waited for that long here: write {most} or less.");
                return Err(invalid("timeout", Some(&millis.into()), problem));
            }
            Ok(wanted)
        }
    }
}
