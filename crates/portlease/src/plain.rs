//! Answers that are plain data, for callers that start no server themselves.
//!
//! Whoever gets a number cannot close a hold, so the port is let go before the answer, or the server
//! could not bind it. The lease keeps every other user of the registry away all the same. It belongs
//! to nobody, unless the reservation says who will listen, and ends by release or when it is
//! abandoned.

use std::collections::BTreeMap;

use portlease_core::{
    Generation, Holder, LeaseKey, Move, Name, Outcome, Port, Refusal, Release, Tier,
};
use portlease_probe::identity;
use serde::{Deserialize, Serialize};

use crate::allocator::Allocator;
use crate::{Error, Grant, Grants, PortVariable, Reservation};

/// The port of a service, and how it came to it.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// The port.
    pub port: Port,
    /// The framework whose range it is from.
    pub framework: Name,
    /// The address to open.
    pub url: String,
    /// The project.
    pub project: Name,
    /// The service.
    pub service: Name,
    /// Which instance of the project it is.
    pub instance: u32,
    /// What a confirmation, a renewal or a release has to name.
    pub generation: Generation,
    /// How the service came to the lease.
    pub outcome: Outcome,
    /// The way by which the port was found.
    pub tier: Tier,
    /// The port that the service had before, when it had another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_port: Option<Port>,
    /// Other services that had to make way. Whoever supervises them restarts them.
    #[serde(default)]
    pub moves: Vec<Move>,
    /// What the user should know, such as a variable that is no port.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Allocation {
    /// What a grant tells as data, with what its request tells.
    pub fn of(grant: &Grant, moves: &[Move], warnings: Vec<String>) -> Self {
        let granted = grant.granted();
        Self {
            port: granted.port(),
            framework: granted.lease.framework.clone(),
            url: granted.url("localhost"),
            project: granted.lease.key.project.clone(),
            service: granted.service.clone(),
            instance: granted.lease.key.instance,
            generation: granted.lease.generation,
            outcome: granted.outcome,
            tier: granted.lease.tier,
            previous_port: granted.previous_port,
            moves: moves.to_vec(),
            warnings,
        }
    }
}

impl Allocator {
    /// The port of a project, ready to be used: the one that it has, if that is in the range, of the
    /// same framework, and free or held by the project's own process; otherwise that one is given
    /// up and another one found. All in one step.
    ///
    /// ```
    /// use portlease::{Allocator, Hints, Options, Registry, Reservation};
    ///
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let hints = Hints { run_command: Some("vite".into()), ..Hints::default() };
    /// let shop = allocator.reserve_or_reallocate_port(Reservation::of("shop").hints(hints))?;
    /// assert_eq!(&*shop.framework, "vite");
    /// println!("{} is for {}", shop.port, shop.framework);
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn reserve_or_reallocate_port(
        &self,
        reservation: Reservation,
    ) -> Result<Allocation, Error> {
        let warnings = reservation.warnings();
        let warnings = warnings.iter().map(ToString::to_string);
        let mut warnings: Vec<String> = warnings.collect();
        let grants = self.reserve_all(&reservation.build_for_others()?)?;
        warnings.extend_from_slice(grants.warnings());
        let first = grants.iter().next();
        let first = first.ok_or(Error::Refused(Refusal::NoServices))?;
        Ok(Allocation::of(first, grants.moves(), warnings))
    }

    /// The same, when only the number is of interest. No other service is moved, since nobody would
    /// be told.
    pub fn allocate_port(&self, reservation: Reservation) -> Result<Port, Error> {
        let reservation = reservation.without_moves();
        Ok(self.reserve_or_reallocate_port(reservation)?.port)
    }

    /// The port of an application that runs in a container: the one that it has, or else the next of
    /// the preset `container`, 32100–32200 unless it is configured otherwise. The lease passes to the
    /// container that is made for the port, stays while that is stopped, and ends when it is removed.
    ///
    /// ```
    /// use portlease::{Allocator, Options, Registry};
    ///
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let port = allocator.allocate_container_port("56", false)?;
    /// assert_eq!(allocator.allocate_container_port("56", false)?, port);
    /// assert_ne!(allocator.allocate_container_port("56", true)?, port);
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn allocate_container_port(
        &self,
        application: &str,
        force_new: bool,
    ) -> Result<Port, Error> {
        let reservation = Reservation::of_application(application, force_new);
        Ok(self.reserve_for_container(reservation)?.port)
    }

    /// The same for a reservation that says more, such as one of [`Reservation::of_application`]. Leases of containers that are
    /// gone end first.
    pub fn reserve_for_container(&self, reservation: Reservation) -> Result<Allocation, Error> {
        self.sweep()?;
        self.reserve_or_reallocate_port(reservation.on_behalf_of_others())
    }

    /// The ports of all services of the reservation, by their names; of all of them, or of none. No
    /// other service is moved.
    ///
    /// ```
    /// use portlease::{Allocator, Options, Registry, Reservation};
    ///
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let services = Reservation::of("shop").service("web").framework("next").also("api").base_port(4000);
    /// let ports = allocator.allocate_multiple_ports(services)?;
    /// assert_ne!(ports["web"], ports["api"]);
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn allocate_multiple_ports(
        &self,
        reservation: Reservation,
    ) -> Result<BTreeMap<Name, Port>, Error> {
        let grants = self.reserve_for_others(reservation)?;
        let named = |grant: &Grant| (grant.granted().service.clone(), grant.port());
        Ok(grants.iter().map(named).collect())
    }

    /// The same with all that there is to say about it, such as its warnings.
    pub fn reserve_for_others(&self, reservation: Reservation) -> Result<Grants, Error> {
        self.reserve_all(&reservation.without_moves().build_for_others()?)
    }

    /// The port that the environment variable names, if it is free, or else one of the range.
    /// [`Reservation::warnings`] tells of a value that is no port.
    pub fn get_port_from_env_or_allocate(
        &self,
        variable: &str,
        reservation: Reservation,
    ) -> Result<Port, Error> {
        self.allocate_port(reservation.variable(PortVariable::read(variable)))
    }

    /// Gives the project this port and no other; refused with who has it when it cannot be had. No
    /// other service is moved.
    pub fn reserve_port_for_project(&self, project: &str, port: u64) -> Result<Allocation, Error> {
        self.reserve_or_reallocate_port(Reservation::of(project).strict(port).without_moves())
    }

    /// The port that is leased to the project: that of its service `web`, or of the only one that it
    /// has.
    pub fn get_port_for_project(&self, project: &str) -> Result<Option<Port>, Error> {
        let leases = self.leases_of(&project.parse()?)?;
        let web = LeaseKey::new(project.parse()?, Name::literal("web"));
        let mut all = leases.iter().filter(|lease| &*lease.key.project == project);
        Ok(match (leases.get(&web), all.next(), all.next()) {
            (Some(lease), ..) | (None, Some(lease), None) => Some(lease.port),
            _ => None,
        })
    }

    /// Gives back everything that is leased to the project; answers whether there was anything. It is refused when some of it
    /// belongs to another process that still runs.
    pub fn release_port_for_project(&self, project: &str) -> Result<bool, Error> {
        let release = Release {
            holder: Some(Holder::Process(identity::this_process())),
            ..Release::by_project(project.parse()?)
        };
        let released = self.release(&release)?;
        Ok(!released.leases.is_empty())
    }

    /// A port of the framework's range that could be had now, searched from `start` on; none when
    /// all are taken. Nothing is leased: until somebody does, anybody can take it.
    ///
    /// ```
    /// use portlease::{Allocator, Options, Registry};
    ///
    /// # let allocator = Allocator::open(Options { registry: Registry::Memory, ..Options::default() })?;
    /// let port = allocator.find_available_port_in_range("vite", Some(5200))?;
    /// assert!(port.is_none_or(|port| (5173..=5273).contains(&port.get())));
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn find_available_port_in_range(
        &self,
        framework: &str,
        start: Option<u64>,
    ) -> Result<Option<Port>, Error> {
        let nobody = Reservation::of("(nobody)").framework(framework);
        let request = match start {
            Some(port) => nobody.start_at(port),
            None => nobody,
        };
        self.find_available_port(&request.build_for_others()?)
    }
}
