//! What callers of other languages ask in JSON, and the one way in which it is answered: Node.js and HTTP have the same types.
//!
//! Arguments are read by [`read_argument`](crate::read_argument), answers are written by serde, and errors are those of the
//! allocator.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use portlease_core::{
    Confirm, Holder, Lease, LeaseKey, Name, Plan, Port, PortNumber, PortsWish, Refusal, Release,
    Released, Renew, Stats, StatsQuery, Swept, ValidatedLease,
};
use portlease_probe::identity;

use crate::{
    Allocation, Allocator, Config, ConfigSources, Error, Grant, Health, HealthCheck, InvalidPath,
    PortPresence, Reservation, UrlPath, check_health,
};

mod answers;
mod arguments;
mod elsewhere;
mod wished;

pub use answers::{ConfirmedPlan, Explanation, NamedPorts, NumberedPort};
pub use arguments::{
    Abandoned, Application, Availability, Checkup, Confirmation, Counting, Everywhere, Nothing,
    OfHost, OfPort, OfProject, OnHost, Patience, ProjectPort, Releasing, Renewal, Selection,
};
pub use wished::Wished;
use wished::invalid;

/// Where others ask: an allocator, and the configuration that holds for those who say nothing else.
///
/// ```
/// use portlease::asking::{Callers, Desk};
/// use portlease::{Allocator, ConfigSources, Options, Registry};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
/// let config = ConfigSources::of_folder(folder.path()).read()?;
/// let desk = Desk::new(allocator, config, Callers::Elsewhere);
///
/// let wished = desk.read_wish(r#"{"projectId": "shop", "framework": "vite"}"#)?;
/// let allocation = desk.reserve_or_reallocate_port(&wished)?;
/// assert_eq!(allocation.framework.as_str(), "vite");
///
/// let error = desk.read_wish(r#"{"projectId": "shop", "framwork": "vite"}"#).unwrap_err();
/// assert_eq!(error.code(), "INVALID_ARGUMENT");
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug)]
pub struct Desk {
    allocator: Allocator,
    config: Config,
    callers: Callers,
    /// The environment in which folders are configured, when it is not that of this process.
    variables: Option<BTreeMap<String, String>>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// This process, in another language: its folder is theirs, and leases of this process are theirs.
    ThisProcess,
    /// Others. They say which folder and which process they mean, and what belongs to this process is not theirs.
    Elsewhere,
}

impl Desk {
    /// Where these callers ask.
    pub fn new(allocator: Allocator, config: Config, callers: Callers) -> Self {
        Self {
            allocator,
            config,
            callers,
            variables: None,
        }
    }

    /// The environment of the callers, when it is not that of this process.
    #[must_use]
    pub fn variables(mut self, variables: BTreeMap<String, String>) -> Self {
        self.variables = Some(variables);
        self
    }

    /// Who carries out what is asked.
    pub fn allocator(&self) -> &Allocator {
        &self.allocator
    }

    /// The configuration that holds for those who name no folder.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the configuration of a folder is looked for, in the environment of the callers.
    pub fn sources(&self, folder: &str) -> ConfigSources {
        let sources = ConfigSources::of_folder(folder.as_ref());
        let variable = |(name, value): (&String, &String)| (name.clone(), OsString::from(value));
        match &self.variables {
            Some(variables) => sources.variables(variables.iter().map(variable)),
            None => sources,
        }
    }

    /// A port for a project, as data.
    pub fn reserve_or_reallocate_port(&self, wished: &Wished) -> Result<Allocation, Error> {
        let reservation = self.reservation(wished)?;
        self.allocator.reserve_or_reallocate_port(reservation)
    }

    /// A port for a project, as a number. Nobody is moved, since nobody would be told.
    pub fn allocate_port(&self, wished: &Wished) -> Result<NumberedPort, Error> {
        let reservation = self.reservation(wished)?.without_moves();
        let allocation = self.allocator.reserve_or_reallocate_port(reservation)?;
        Ok(numbered(allocation))
    }

    /// The port of an application that runs in a container.
    pub fn allocate_container_port(&self, asked: &Application) -> Result<NumberedPort, Error> {
        let reservation = Reservation::of_application(&asked.app_id, asked.force_new == Some(true));
        let reservation = self.config.general(reservation);
        let allocation = self.allocator.reserve_for_container(reservation)?;
        Ok(numbered(allocation))
    }

    /// The ports of all services of a wish, or of none.
    pub fn allocate_multiple_ports(&self, wished: &Wished) -> Result<NamedPorts, Error> {
        let reservation = self.reservation(wished)?;
        let mut warnings = warnings(&reservation);
        let grants = self.allocator.reserve_for_others(reservation)?;
        warnings.extend_from_slice(grants.warnings());
        let named = |grant: &Grant| (grant.granted().service.clone(), grant.port());
        let ports = grants.iter().map(named).collect();
        Ok(NamedPorts { ports, warnings })
    }

    /// The port that a wish would get now, if there is one.
    pub fn find_available_port(&self, wished: &Wished) -> Result<Option<Port>, Error> {
        let reservation = self.reservation(wished)?.on_behalf_of_others();
        self.allocator.find_available_port(&reservation.build()?)
    }

    /// What a wish would get, and why.
    pub fn explain(&self, wished: &Wished) -> Result<Explanation, Error> {
        let reservation = self.reservation(wished)?;
        let request = match self.callers {
            Callers::ThisProcess => reservation.build(),
            Callers::Elsewhere => reservation.build_for_others(),
        }?;
        let (explained, trace) = self.allocator.explain(&request)?;
        Ok(Explanation { explained, trace })
    }

    /// Whether a port could be bound now.
    pub fn is_port_available(&self, asked: &Availability) -> Result<bool, Error> {
        let host = asked.host.as_deref().map(address).transpose()?;
        self.allocator.is_port_available(asked.port.port()?, host)
    }

    /// The port that is leased to a project.
    pub fn get_port_for_project(&self, asked: &OfProject) -> Result<Option<Port>, Error> {
        self.allocator.get_port_for_project(&asked.project_id)
    }

    /// This port and no other for a project.
    pub fn reserve_port_for_project(&self, asked: &ProjectPort) -> Result<Allocation, Error> {
        let port = asked.port.port()?.get().into();
        let project = &asked.project_id;
        self.allocator.reserve_port_for_project(project, port)
    }

    /// Gives back everything that is leased to a project.
    pub fn release_port_for_project(&self, asked: &OfProject) -> Result<bool, Error> {
        self.allocator.release_port_for_project(&asked.project_id)
    }

    /// Says that a server listens.
    pub fn confirm(&self, asked: &Confirmation) -> Result<Lease, Error> {
        self.allocator.confirm(&Confirm {
            key: key(&asked.project, &asked.service, asked.instance),
            generation: asked.generation,
            listener: asked.pid.map(process).transpose()?,
            port: asked.port.as_ref().map(PortNumber::port).transpose()?,
        })
    }

    /// Says that a lease is still in use.
    pub fn renew(&self, asked: &Renewal) -> Result<Lease, Error> {
        self.allocator.renew(&Renew {
            key: key(&asked.project, &asked.service, asked.instance),
            generation: asked.generation,
            holder: asked.pid.map(process).transpose()?,
        })
    }

    /// Gives leases back. Whoever releases proves itself by the generation, or else as the holder.
    pub fn release(&self, asked: &Releasing) -> Result<Released, Error> {
        self.allocator.release(&self.registration(asked))
    }

    fn registration(&self, asked: &Releasing) -> Release {
        let this_process = || Holder::Process(identity::this_process());
        Release {
            project: asked.project.clone(),
            service: asked.service.clone(),
            instance: asked.instance,
            generation: asked.generation,
            holder: (self.callers == Callers::ThisProcess).then(this_process),
            force: asked.force == Some(true),
        }
    }

    /// All leases, or those of one project.
    pub fn list(&self, asked: &Selection) -> Result<Vec<Lease>, Error> {
        self.allocator.list(asked.project()?.as_ref())
    }

    /// Who is on a port.
    pub fn who(&self, asked: &OfPort) -> Result<PortPresence, Error> {
        self.allocator.who(asked.port.port()?).map(Into::into)
    }

    /// What is true of each lease.
    pub fn validate(&self, asked: &Selection) -> Result<Vec<ValidatedLease>, Error> {
        Ok(self.allocator.validate(asked.project()?.as_ref())?.leases)
    }

    /// Removes the leases whose owners are gone.
    pub fn cleanup(&self, asked: &Abandoned) -> Result<Swept, Error> {
        match asked.days {
            Some(days) => self.allocator.sweep_abandoned(time(days)?),
            None => self.allocator.sweep(),
        }
    }

    /// How the ports are used.
    pub fn stats(&self, asked: &Counting) -> Result<Stats, Error> {
        self.allocator.stats(&self.query(asked)?)
    }

    fn query(&self, asked: &Counting) -> Result<StatsQuery, Error> {
        let top = asked.top.unwrap_or(5);
        let Some(ranges) = &asked.ranges else {
            return Ok(StatsQuery::of_frameworks(&self.config.catalog(), top));
        };
        let ranges = ranges.iter().map(PortsWish::range);
        let ranges = ranges.collect::<Result<Vec<_>, Refusal>>()?;
        Ok(StatsQuery::of_ranges(ranges, top))
    }

    /// Whether servers answer.
    pub fn health(&self, asked: &Checkup) -> Result<Vec<Health>, Error> {
        let project = name(asked.project_id.as_deref())?;
        let leases = self.allocator.list(project.as_ref())?;
        let checks: Vec<HealthCheck> = match &asked.ports {
            Some(ports) => {
                let ports = ports.iter().map(PortNumber::port);
                let ports = ports.collect::<Result<Vec<_>, Refusal>>()?;
                let lease = |port| leases.iter().find(|lease| lease.port == port);
                let check = |port| lease(port).map_or(HealthCheck::of(port), HealthCheck::of_lease);
                ports.into_iter().map(check).collect()
            }
            None => leases.iter().map(HealthCheck::of_lease).collect(),
        };
        let path = asked.path.as_deref().map(path).transpose()?;
        let timeout = asked.timeout.map_or(HealthCheck::TIMEOUT, |millis| {
            Duration::from_millis(millis.into())
        });
        let told = |check: HealthCheck| {
            let check = check.timeout(timeout);
            match &path {
                Some(path) => check.get(path.clone()),
                None => check,
            }
        };
        let checks: Vec<HealthCheck> = checks.into_iter().map(told).collect();
        Ok(check_health(&checks))
    }

    /// Takes the seats of a plan that was made elsewhere.
    pub fn confirm_plan(&self, plan: &Plan) -> Result<ConfirmedPlan, Error> {
        let grants = match self.callers {
            Callers::ThisProcess => self.allocator.confirm_plan(plan),
            Callers::Elsewhere => self.allocator.confirm_plan_for_others(plan),
        }?;
        let granted = grants.iter().map(|grant| grant.granted().clone()).collect();
        Ok(ConfirmedPlan { granted })
    }
}

impl Selection {
    fn project(&self) -> Result<Option<Name>, Error> {
        name(self.project_id.as_deref())
    }
}

/// What the user should be told, for calls whose answer has no place for it.
pub fn warnings(reservation: &Reservation) -> Vec<String> {
    let warnings = reservation.warnings();
    warnings.iter().map(ToString::to_string).collect()
}

/// The process with this number, which must be there.
pub fn process(pid: u32) -> Result<Holder, Error> {
    let process = identity::process(pid);
    let nobody = || {
        let problem = format!("There is no process {pid}.");
        invalid("pid", Some(&pid.into()), problem)
    };
    Ok(Holder::Process(process.ok_or_else(nobody)?))
}

fn numbered(allocation: Allocation) -> NumberedPort {
    NumberedPort {
        port: allocation.port,
        warnings: allocation.warnings,
    }
}

fn key(project: &Name, service: &Name, instance: Option<u32>) -> LeaseKey {
    let mut key = LeaseKey::new(project.clone(), service.clone());
    key.instance = instance.unwrap_or(key.instance);
    key
}

fn name(name: Option<&str>) -> Result<Option<Name>, Error> {
    Ok(name.map(str::parse).transpose()?)
}

fn address(host: &str) -> Result<IpAddr, Error> {
    if host == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    // As URLs write the addresses of IPv6.
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().map_err(|_| {
        let shown: String = host.chars().take(80).collect();
        let problem =
            format!("{shown:?} is no address: write one such as \"127.0.0.1\" or \"::1\".");
        invalid("host", Some(&shown.into()), problem)
    })
}

fn time(days: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(days * 86_400.0).map_err(|_| {
        let problem = format!("{days} is no number of days: write 0 or more.");
        invalid("days", Some(&days.into()), problem)
    })
}

fn path(path: &str) -> Result<UrlPath, Error> {
    path.parse().map_err(|error: InvalidPath| {
        invalid("path", Some(&(*error.path).into()), format!("{error}."))
    })
}
