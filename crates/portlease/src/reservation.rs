//! Requests in readable form, with everything resolved that the caller left open.

use std::path::{Path, PathBuf};

use portlease_core::{
    Capability, Catalog, Explicit, Framework, Holder, IfRunning, Name, Port, PortRange, Request,
    Service, Strategy,
};
use portlease_probe::identity;

use crate::{Error, Hints, PortVariable, UnusableVariable, project_name, project_root};

/// Builds a request for one service of a project.
///
/// What is not said is found out: the framework from the folder, the port from the environment.
///
/// ```
/// use portlease::Reservation;
///
/// let request = Reservation::of("shop").service("api").framework("node").prefer([4000]).build()?;
/// assert_eq!(request.services[0].preferred[0].get(), 4000);
///
/// let error = Reservation::of("shop").prefer([0]).build().unwrap_err();
/// assert_eq!(error.code(), "INVALID_PORT");
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reservation {
    project: Option<String>,
    service: String,
    folder: PathBuf,
    hints: Hints,
    catalog: Catalog,
    variable: Option<PortVariable>,
    strict: Option<u64>,
    preferred: Vec<u64>,
    range: Option<(u64, u64)>,
    spillover: Vec<PortRange>,
    emergency: Option<PortRange>,
    requires: Vec<Capability>,
    holder: Option<Holder>,
    if_running: IfRunning,
    force_new: bool,
    skip_port_check: bool,
    strategy: Strategy,
    exclude: Vec<u64>,
}

impl Reservation {
    /// For a project with a name.
    pub fn of(project: &str) -> Self {
        Self {
            project: Some(project.to_owned()),
            ..Self::of_folder(Path::new("."))
        }
    }

    /// For the project that a folder belongs to, named by its path.
    pub fn of_folder(folder: &Path) -> Self {
        Self {
            project: None,
            service: "web".to_owned(),
            folder: folder.to_path_buf(),
            hints: Hints::default(),
            catalog: Catalog::builtin(),
            variable: None,
            strict: None,
            preferred: Vec::new(),
            range: None,
            spillover: Vec::new(),
            emergency: None,
            requires: Vec::new(),
            holder: Some(Holder::Process(identity::this_process())),
            if_running: IfRunning::default(),
            force_new: false,
            skip_port_check: false,
            strategy: Strategy::default(),
            exclude: Vec::new(),
        }
    }

    /// The service of the project; `web` when nothing is said.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        name.clone_into(&mut self.service);
        self
    }

    /// The framework by its name.
    #[must_use]
    pub fn framework(mut self, name: &str) -> Self {
        self.hints.detected_framework = Some(name.to_owned());
        self
    }

    /// What is known about the framework.
    #[must_use]
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = hints;
        self
    }

    /// The frameworks to choose from, when the user has some of their own.
    #[must_use]
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = catalog;
        self
    }

    /// The environment variable whose port comes before all others, if it is free.
    #[must_use]
    pub fn variable(mut self, variable: PortVariable) -> Self {
        self.variable = Some(variable);
        self
    }

    /// This port or none.
    #[must_use]
    pub fn strict(mut self, port: u64) -> Self {
        self.strict = Some(port);
        self
    }

    /// Ports to try first, in this order.
    #[must_use]
    pub fn prefer(mut self, ports: impl IntoIterator<Item = u64>) -> Self {
        self.preferred.extend(ports);
        self
    }

    /// The range, in place of the framework's.
    #[must_use]
    pub fn range(mut self, first: u64, last: u64) -> Self {
        self.range = Some((first, last));
        self
    }

    /// A range to go on with when the own one is full.
    #[must_use]
    pub fn spill_over_to(mut self, range: PortRange) -> Self {
        self.spillover.push(range);
        self
    }

    /// The range for the case that all others are full.
    #[must_use]
    pub fn emergency(mut self, range: PortRange) -> Self {
        self.emergency = Some(range);
        self
    }

    /// What the service speaks.
    #[must_use]
    pub fn requires(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.requires.extend(capabilities);
        self
    }

    /// The process or container that will listen, in place of this process.
    #[must_use]
    pub fn held_by(mut self, holder: Holder) -> Self {
        self.holder = Some(holder);
        self
    }

    /// Nobody in particular will listen: the lease ends by release, or when it is abandoned.
    #[must_use]
    pub fn on_behalf_of_others(mut self) -> Self {
        self.holder = None;
        self
    }

    /// What to do when another process runs the service.
    #[must_use]
    pub fn if_running(mut self, if_running: IfRunning) -> Self {
        self.if_running = if_running;
        self
    }

    /// Gives up the current port and takes another.
    #[must_use]
    pub fn force_new(mut self) -> Self {
        self.force_new = true;
        self
    }

    /// Decides from the registry alone, for another machine.
    #[must_use]
    pub fn skip_port_check(mut self) -> Self {
        self.skip_port_check = true;
        self
    }

    /// What happens when a wanted port belongs to another service.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Ports that are not to be used.
    #[must_use]
    pub fn exclude(mut self, ports: impl IntoIterator<Item = u64>) -> Self {
        self.exclude.extend(ports);
        self
    }

    /// What to tell the user about the environment variable, when its value is unusable.
    pub fn warning(&self) -> Option<UnusableVariable> {
        self.variable.as_ref()?.warning()
    }

    /// The request.
    pub fn build(self) -> Result<Request, Error> {
        let project = match &self.project {
            Some(name) => name.parse::<Name>()?,
            None => project_name(&self.folder)?,
        };
        let mut request = Request::new(project, vec![self.resolve_service()?]);
        request.holder = self.holder;
        request.if_running = self.if_running;
        request.force_new = self.force_new;
        request.skip_port_check = self.skip_port_check;
        request.strategy = self.strategy;
        request.exclude = ports(self.exclude)?.into_iter().collect();
        Ok(request)
    }

    fn resolve_service(&self) -> Result<Service, Error> {
        let root = project_root(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let framework: Framework = self.hints.detect(&self.catalog, &root).framework;
        let mut service = Service::new(self.service.parse()?, &framework);
        if let Some(ends) = self.range {
            service.range =
                PortRange::try_from(ends).map_err(|error| Error::Refused(error.into()))?;
            service.default = service.default.filter(|port| service.range.contains(*port));
        }
        let strict = self
            .strict
            .map(port)
            .transpose()?
            .map(|port| Explicit { port, strict: true });
        service.explicit = strict.or_else(|| self.variable.as_ref()?.explicit());
        service.preferred = ports(self.preferred.iter().copied())?;
        service.spillover.clone_from(&self.spillover);
        service.emergency = self.emergency;
        service.requires.clone_from(&self.requires);
        Ok(service)
    }
}

fn port(number: u64) -> Result<Port, Error> {
    Port::try_from(number).map_err(|error| Error::Refused(error.into()))
}

fn ports(numbers: impl IntoIterator<Item = u64>) -> Result<Vec<Port>, Error> {
    numbers.into_iter().map(port).collect()
}
