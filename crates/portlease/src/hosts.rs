//! What the registry says of all hosts that share it.

use std::collections::BTreeMap;

use portlease_core::{
    Command, Decision, Facts, Host, Lease, Name, Release, Released, Reply, Scope, Stats, StatsQuery,
};
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
    pub leases: usize,
    /// How many seconds ago its runner reported; absent when it never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_for_seconds: Option<u64>,
    /// After how many seconds of silence its leases end; absent when they never do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_up_after_seconds: Option<u64>,
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
        let status = |host: Host| {
            let leases = self.inner.store.load(&host, &Scope::Everything)?.len();
            let (silent_for_seconds, gives_up_after_seconds) = self.silence(&host)?;
            Ok(HostStatus {
                host,
                leases,
                silent_for_seconds,
                gives_up_after_seconds,
            })
        };
        self.hosts()?.into_iter().map(status).collect()
    }

    /// For how many seconds the runner of a host has been silent, and for how many it may be.
    #[cfg(feature = "postgres")]
    fn silence(&self, host: &Host) -> Result<(Option<u64>, Option<u64>), Error> {
        let reported = match &self.inner.database {
            Some(database) => database.reported(host)?,
            None => None,
        };
        let gives_up_after = reported.as_ref().and_then(|it| it.report.gives_up_after);
        Ok((
            reported.map(|it| it.silent_for.as_secs()),
            gives_up_after.map(|it| it.as_secs()),
        ))
    }

    #[cfg(not(feature = "postgres"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "with a database, it is asked"
    )]
    fn silence(&self, _: &Host) -> Result<(Option<u64>, Option<u64>), Error> {
        Ok((None, None))
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
