//! What the registry says of all hosts that share it.

use std::collections::BTreeMap;
#[cfg(feature = "postgres")]
use std::time::Duration;

use portlease_core::{
    Command, Decision, Facts, Host, Lease, Name, Release, Released, Reply, Scope, Stats, StatsQuery,
};
#[cfg(feature = "postgres")]
use portlease_postgres::HostOverview;
use serde::{Deserialize, Serialize};

use crate::{Allocator, Error, now};

/// What is known of a host.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// The host.
    pub host: Host,
    /// How many leases it has.
    pub leases: u64,
    /// How many seconds ago its runner reported; absent when it never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_for_seconds: Option<u64>,
    /// After how many seconds of silence its leases end; absent when they never do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_up_after_seconds: Option<u64>,
}

#[cfg(feature = "postgres")]
impl From<HostOverview> for HostStatus {
    fn from(overview: HostOverview) -> Self {
        let seconds = |time: Option<Duration>| time.map(|it| it.as_secs());
        Self {
            host: overview.host,
            leases: overview.leases,
            silent_for_seconds: seconds(overview.silent_for),
            gives_up_after_seconds: seconds(overview.gives_up_after),
        }
    }
}

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

    /// The hosts that share the registry, by name, and when their runners were last heard of. Only in a database there are runners.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry, Reservation};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let grant = allocator.reserve(&Reservation::of("shop").build()?)?;
    /// let statuses = allocator.host_statuses()?;
    /// assert_eq!((statuses[0].leases, statuses[0].silent_for_seconds), (1, None));
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn host_statuses(&self) -> Result<Vec<HostStatus>, Error> {
        #[cfg(feature = "postgres")]
        if let Some(database) = &self.inner.database {
            let hosts = database.overview()?.into_iter();
            return Ok(hosts.map(HostStatus::from).collect());
        }
        let status = |host: Host| {
            Ok(HostStatus {
                leases: self.inner.store.load(&host, &Scope::Everything)?.len() as u64,
                host,
                silent_for_seconds: None,
                gives_up_after_seconds: None,
            })
        };
        self.hosts()?.into_iter().map(status).collect()
    }

    /// Gives back leases of another host. Whether their servers still run only that host can see, so what belongs to a process is given
    /// back by those who name its generation, or by force.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry, Reservation};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// use portlease::core::Release;
    ///
    /// let port = allocator.allocate_port(Reservation::of("shop"))?;
    /// let host = allocator.host().clone();
    /// let released = allocator.release_on(&host, &Release::by_project("shop".parse()?))?;
    /// assert_eq!(released.leases[0].port, port);
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn release_on(&self, host: &Host, release: &Release) -> Result<Released, Error> {
        // A host becomes known by the first change, and this is none for a host that nobody knows.
        if self.list_on(host, Some(&release.project))?.is_empty() {
            return Ok(Released::default());
        }
        let (command, facts) = (Command::Release(release.clone()), Facts::at(now()));
        match self.inner.store.transact(host, &command, &facts)?.reply {
            Reply::Released(released) => Ok(released),
            reply => unreachable!("a release is not answered with {reply:?}"),
        }
    }

    /// The leases of every host, or those of one project on every host, by port. Whether they are true, only each host can see.
    pub fn list_everywhere(
        &self,
        project: Option<&Name>,
    ) -> Result<BTreeMap<Host, Vec<Lease>>, Error> {
        let mut everywhere = BTreeMap::new();
        for host in self.hosts()? {
            let leases = self.list_on(&host, project)?;
            if !leases.is_empty() {
                everywhere.insert(host, leases);
            }
        }
        Ok(everywhere)
    }

    /// The leases of one host, or those of one project on it, by port.
    pub fn list_on(&self, host: &Host, project: Option<&Name>) -> Result<Vec<Lease>, Error> {
        let is_meant = |lease: &&Lease| project.is_none_or(|name| lease.key.project == *name);
        let leases = self.inner.store.load(host, &Scope::Everything)?;
        Ok(leases.iter().filter(is_meant).cloned().collect())
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
