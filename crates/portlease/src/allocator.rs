//! The allocator: the registry, the machine, and the way of a request between them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use portlease_containers::{ContainerDetails, Environment, Look};
use portlease_core::{
    Command, Confirm, Decision, Exchange, Explained, Facts, Host, HostSettings, Lease, LeaseKey,
    Leases, Mark, Name, Port, PortSet, Release, Released, Renew, Reply, Request, Scope, Stats,
    StatsQuery, Store, Suspect, Sweep, Swept, Trace, Validate, Validated,
};
use portlease_probe::{OccupantDetails, can_bind};
use portlease_sqlite::SqliteStore;

use crate::containers;
use crate::grant::{Grant, Grants};
use crate::observe::{Observer, processes};
use crate::reclaim;
use crate::registry::Opened;
use crate::reserve::reserve;
use crate::steps::Steps;
use crate::{Error, Registry};

/// How an [`Allocator`] is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the registry is.
    pub registry: Registry,
    /// The host whose ports are leased, when it is not this machine.
    pub host: Option<Host>,
    /// Whether each step is told on the standard error stream; what `VERBOSE_PORT_ALLOCATOR` says when absent.
    pub tells_steps: Option<bool>,
    /// What planners elsewhere are told of the machine's configuration, in its [`snapshot`](Allocator::snapshot); what is built in
    /// when absent.
    pub settings: Option<HostSettings>,
    /// Where engines of containers are looked for; what the environment's variables say when absent.
    pub engines: Option<Environment>,
    /// Who is told, once each, of what is wrong beside a request, such as an engine that does not answer. It goes to `tracing`
    /// in any case.
    pub on_warning: Option<fn(&str)>,
}

/// Leases ports of this machine.
///
/// ```
/// use portlease::{Allocator, Options, Registry, Reservation};
///
/// let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
/// let grant = allocator.reserve(&Reservation::of("shop").framework("vite").build()?)?;
/// println!("the dev server goes to {}", grant.url());
/// grant.release()?;
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Allocator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) exchange: Option<Arc<dyn Exchange>>,
    pub(crate) file: Option<Arc<SqliteStore>>,
    #[cfg(feature = "postgres")]
    pub(crate) database: Option<Arc<portlease_postgres::PostgresStore>>,
    pub(crate) host: Host,
    pub(crate) observer: Observer,
    pub(crate) steps: Steps,
    pub(crate) settings: Option<HostSettings>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Inner")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// A port, who is on it and to whom it is leased.
#[derive(Debug, Clone)]
pub struct Who {
    /// The port.
    pub port: Port,
    /// Everybody who is on it.
    pub occupants: Vec<OccupantDetails>,
    /// The containers that publish it, that will when they are started, or in which somebody listens on it.
    pub containers: Vec<Arc<ContainerDetails>>,
    /// Its lease.
    pub lease: Option<Lease>,
}

impl Who {
    /// With the containers that publish the port or in which somebody listens on it.
    pub(crate) fn seen(
        look: &Look,
        port: Port,
        occupants: Vec<OccupantDetails>,
        lease: Option<Lease>,
    ) -> Self {
        let mut containers = look.on(port).to_vec();
        for details in &occupants {
            let inside = containers::running(look, details);
            containers.extend(inside.filter(|it| !look.on(port).contains(it)).cloned());
        }
        containers.dedup();
        Self {
            port,
            occupants,
            containers,
            lease,
        }
    }
}

impl Allocator {
    /// Opens the registry, making it when it is missing, and asks the machine for what does not change.
    pub fn open(options: Options) -> Result<Self, Error> {
        let engines = options.engines.unwrap_or_else(Environment::read);
        let (observer, machine) = Observer::new(&engines, options.on_warning)?;
        let host = options.host.unwrap_or_else(|| machine.host());
        let Opened {
            store,
            exchange,
            file,
            #[cfg(feature = "postgres")]
            database,
        } = options.registry.open()?;
        let inner = Inner {
            store,
            exchange,
            file,
            #[cfg(feature = "postgres")]
            database,
            host,
            observer,
            steps: options
                .tells_steps
                .map_or_else(Steps::from_environment, Steps::new),
            settings: options.settings,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The host whose ports are leased.
    pub fn host(&self) -> &Host {
        &self.inner.host
    }

    /// Leases a port for the first service of the request and holds it until the grant is dropped.
    pub fn reserve(&self, request: &Request) -> Result<Grant, Error> {
        let grants = self.reserve_all(request)?.into_iter();
        // A request without services was refused.
        grants
            .into_iter()
            .next()
            .ok_or(Error::Refused(portlease_core::Refusal::NoServices))
    }

    /// Leases ports for all services of the request, or for none, and holds them until the grants
    /// are dropped.
    pub fn reserve_all(&self, request: &Request) -> Result<Grants, Error> {
        reserve(&self.inner, request)
    }

    /// Says that a server listens on a leased port, and who it is when it is not the holder.
    pub fn confirm(&self, confirm: &Confirm) -> Result<Lease, Error> {
        self.inner.confirm(confirm)
    }

    /// Says that a lease is still in use, or passes it on to another holder.
    pub fn renew(&self, renew: &Renew) -> Result<Lease, Error> {
        self.inner.renew(renew)
    }

    /// Gives leases back. What is leased to nobody is no error.
    pub fn release(&self, release: &Release) -> Result<Released, Error> {
        let facts = self.facts_on_holders(&Scope::Rows {
            projects: vec![release.project.clone()],
            ports: PortSet::new(),
        })?;
        match self
            .inner
            .transact(&Command::Release(release.clone()), &facts)?
            .reply
        {
            Reply::Released(released) => Ok(released),
            reply => unreachable!("a release is not answered with {reply:?}"),
        }
    }

    /// How far the leases of the host have come: as long as it is the same, none has changed.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry, Reservation};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let before = allocator.mark()?;
    /// assert_eq!(allocator.mark()?, before);
    /// let grant = allocator.reserve(&Reservation::of("shop").build()?)?;
    /// assert_ne!(allocator.mark()?, before);
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn mark(&self) -> Result<Mark, Error> {
        self.inner.wait_for_change(None, Duration::ZERO)
    }

    /// Waits until leases of the host changed since it had come so far, whoever changed them, and at most for this long; answers how
    /// far it has come. It may answer although nothing changed, and never misses anything.
    pub fn wait_for_change(&self, since: Mark, at_most: Duration) -> Result<Mark, Error> {
        self.inner.wait_for_change(Some(since), at_most)
    }

    /// All leases, or those of one project, by port.
    pub fn list(&self, project: Option<&Name>) -> Result<Vec<Lease>, Error> {
        let leases = match project {
            Some(project) => self.leases_of(project)?,
            None => self.inner.load(&Scope::Everything)?,
        };
        let is_meant = |lease: &&Lease| project.is_none_or(|name| lease.key.project == *name);
        Ok(leases.iter().filter(is_meant).cloned().collect())
    }

    /// The lease of a service of a project.
    pub fn find(&self, project: &Name, service: &Name) -> Result<Option<Lease>, Error> {
        Ok(self
            .leases_of(project)?
            .get(&LeaseKey::new(project.clone(), service.clone()))
            .cloned())
    }

    /// Who is on the port, and to whom it is leased.
    pub fn who(&self, port: Port) -> Result<Who, Error> {
        let scope = Scope::Rows {
            projects: Vec::new(),
            ports: PortSet::from_iter([port]),
        };
        let lease = self.inner.load(&scope)?.at(port).cloned();
        let holders = lease.iter().flat_map(Lease::parties);
        let occupants = self.inner.observer.probe().who(port, processes(holders))?;
        let look = self.inner.observer.containers();
        Ok(Who::seen(&look, port, occupants, lease))
    }

    /// The containers of this machine and the ports that are theirs.
    ///
    /// ```
    /// # use portlease::{Allocator, Options, Registry};
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// for container in allocator.containers().containers() {
    ///     println!("{container}: {} ports", container.ports().len());
    /// }
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn containers(&self) -> Arc<Look> {
        self.inner.observer.containers()
    }

    /// Whether the port could be bound now, on every address and on `host` when one is given. A
    /// port that is leased is not available, and is not touched.
    pub fn is_port_available(&self, port: Port, host: Option<IpAddr>) -> Result<bool, Error> {
        let scope = Scope::Rows {
            projects: Vec::new(),
            ports: PortSet::from_iter([port]),
        };
        if self.inner.load(&scope)?.at(port).is_some()
            || self.inner.observer.containers().ports().contains(port)
        {
            return Ok(false);
        }
        match can_bind(port, host) {
            Ok(()) => Ok(true),
            Err(error) if error.is_about_the_port() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The port that the request would get now, or `None`. Nothing is leased: until somebody does,
    /// anybody can take it.
    pub fn find_available_port(&self, request: &Request) -> Result<Option<Port>, Error> {
        let mut facts = self.inner.observer.facts();
        self.inner
            .observer
            .look_closely(&mut facts, &request.candidates())?;
        let look = self.inner.observer.containers();
        if !request.skip_port_check {
            containers::claim(&mut facts, &look, &request.candidates(), &request.project);
        }
        loop {
            let Some(reserved) = self.explain_with(request, facts.clone(), &look)?.0.reserved
            else {
                return Ok(None);
            };
            let port = reserved.services.first().map(portlease_core::Granted::port);
            let Some(port) = port else { return Ok(None) };
            match can_bind(port, None) {
                Ok(()) => return Ok(Some(port)),
                Err(error) if error.is_about_the_port() => facts.occupied.insert(port, None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What the request would get, and why, port by port. Nothing is changed.
    pub fn explain(&self, request: &Request) -> Result<(Explained, Trace), Error> {
        let mut facts = self.facts_on_holders(&Scope::Rows {
            projects: vec![request.project.clone()],
            ports: PortSet::new(),
        })?;
        let look = self.inner.observer.containers();
        let candidates = request.candidates();
        let mut looked_at = candidates.clone();
        let own = if request.reclaim {
            reclaim::of_project(&look, request)
        } else {
            Vec::new()
        };
        // Where containers run that would be removed, nobody else is.
        for container in own.iter().filter(|it| it.is_running()) {
            looked_at -= &container.ports();
        }
        self.inner.observer.look_closely(&mut facts, &looked_at)?;
        if !request.skip_port_check {
            reclaim::claim_without(&mut facts, &look, request, &own);
        }
        let (explained, mut trace) = self.explain_with(request, facts, &look)?;
        let reserved = explained.reserved.iter();
        let steps = reserved.flat_map(|it| reclaim::steps(&it.services, &own));
        trace.steps.splice(0..0, steps.collect::<Vec<_>>());
        Ok((explained, trace))
    }

    /// Removes the leases whose owners are gone.
    pub fn sweep(&self) -> Result<Swept, Error> {
        self.inner.sweep(None)
    }

    /// Removes, besides, the leases that belong to nobody and that nobody used for so long.
    pub fn sweep_abandoned(&self, unused_for: Duration) -> Result<Swept, Error> {
        self.inner.sweep(Some(unused_for))
    }

    /// What is true of each lease, or of those of one project.
    pub fn validate(&self, project: Option<&Name>) -> Result<Validated, Error> {
        let command = Command::Validate(Validate {
            project: project.cloned(),
        });
        let leases = self.inner.load(&command.scope())?;
        let facts = self.inner.facts_about(&leases, leases.ports())?;
        match self.inner.transact(&command, &facts)?.reply {
            Reply::Validated(validated) => Ok(validated),
            reply => unreachable!("a validation is not answered with {reply:?}"),
        }
    }

    /// How the ports are used.
    pub fn stats(&self, query: &StatsQuery) -> Result<Stats, Error> {
        let mut facts = self.inner.observer.facts();
        let ports = query.ranges.iter().map(|named| named.range).collect();
        self.inner.observer.look_closely(&mut facts, &ports)?;
        match self
            .inner
            .transact(&Command::Stats(query.clone()), &facts)?
            .reply
        {
            Reply::Stats(stats) => Ok(stats),
            reply => unreachable!("a question about usage is not answered with {reply:?}"),
        }
    }

    /// At least the leases of the project.
    pub(crate) fn leases_of(&self, project: &Name) -> Result<Leases, Error> {
        self.inner.load(&Scope::Rows {
            projects: vec![project.clone()],
            ports: PortSet::new(),
        })
    }

    fn explain_with(
        &self,
        request: &Request,
        mut facts: Facts,
        look: &Look,
    ) -> Result<(Explained, Trace), Error> {
        let command = Command::Explain(request.clone());
        let observer = &self.inner.observer;
        let Decision { reply, trace, .. } =
            self.inner
                .transact_observing(&command, &mut facts, |leases, facts| {
                    observer.look_at_refuges(facts, request, leases, look);
                })?;
        match reply {
            Reply::Explained(explained) => Ok((explained, trace)),
            reply => unreachable!("an explanation is not answered with {reply:?}"),
        }
    }

    fn facts_on_holders(&self, scope: &Scope) -> Result<Facts, Error> {
        let mut facts = self.inner.observer.facts();
        let look = self.inner.observer.containers();
        Observer::sight(&mut facts, &look, &self.inner.load(scope)?);
        Ok(facts)
    }
}

impl Inner {
    pub(crate) fn transact(&self, command: &Command, facts: &Facts) -> Result<Decision, Error> {
        Ok(self.store.transact(&self.host, command, facts)?)
    }

    /// The same, with what is seen of the leases' holders added to the facts.
    pub(crate) fn transact_observing(
        &self,
        command: &Command,
        facts: &mut Facts,
        mut observe: impl FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, Error> {
        Ok(self
            .store
            .transact_observing(&self.host, command, facts, &mut observe)?)
    }

    pub(crate) fn load(&self, scope: &Scope) -> Result<Leases, Error> {
        Ok(self.store.load(&self.host, scope)?)
    }

    pub(crate) fn wait_for_change(
        &self,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, Error> {
        Ok(self.store.wait_for_change(&self.host, seen, at_most)?)
    }

    pub(crate) fn confirm(&self, confirm: &Confirm) -> Result<Lease, Error> {
        let command = Command::Confirm(confirm.clone());
        match self.transact(&command, &self.observer.facts())?.reply {
            Reply::Confirmed(lease) => Ok(*lease),
            reply => unreachable!("a confirmation is not answered with {reply:?}"),
        }
    }

    pub(crate) fn renew(&self, renew: &Renew) -> Result<Lease, Error> {
        let command = Command::Renew(renew.clone());
        match self.transact(&command, &self.observer.facts())?.reply {
            Reply::Renewed(lease) => Ok(*lease),
            reply => unreachable!("a renewal is not answered with {reply:?}"),
        }
    }

    pub(crate) fn sweep(&self, unused_for: Option<Duration>) -> Result<Swept, Error> {
        let mut leases = self.load(&Scope::Everything)?;
        let look = self.observer.containers_now();
        if !look.containers().is_empty() {
            containers::adopt(self, &look, &leases)?;
            leases = self.load(&Scope::Everything)?;
        }
        let mut facts = self.observer.facts();
        // Processes first: one that ends between the two looks is alive in the first, and its port
        // is free in the second, which proves nothing against anybody.
        Observer::sight(&mut facts, &look, &leases);
        self.observer.look_closely(&mut facts, leases.ports())?;
        containers::occupy(&mut facts, &look, leases.ports());
        let suspect = |lease: &Lease| Suspect {
            key: lease.key.clone(),
            generation: lease.generation,
        };
        let sweep = Sweep {
            suspects: leases.iter().map(suspect).collect(),
            abandoned_after_millis: unused_for
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        };
        match self.transact(&Command::Sweep(sweep), &facts)?.reply {
            Reply::Swept(swept) => {
                for removed in &swept.removed {
                    let (lease, evidence) = (&removed.lease, removed.evidence);
                    self.steps.tell(format_args!(
                        "swept {} from port {}: {evidence:?}",
                        lease.key, lease.port
                    ));
                }
                Ok(swept)
            }
            reply => unreachable!("a sweep is not answered with {reply:?}"),
        }
    }
}
