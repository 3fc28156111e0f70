//! Requests in readable form, with everything resolved that the caller left open.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use portlease_core::{
    CONTAINER, Capability, Catalog, Holder, IfRunning, Name, Pools, Port, PortRange, Presets,
    Refusal, Request, RequestDraft, Strategy, UnusableVariable,
};
use portlease_probe::identity;

use crate::draft::Draft;
use crate::{Error, Hints, PortVariable, project_name};

/// Builds a request, for one service of a project or for several at once.
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
///
/// What is said about a service is about the one that was named last:
///
/// ```
/// use portlease::Reservation;
///
/// let request = Reservation::of("shop")
///     .service("web").framework("vite")
///     .also("api").base_port(4000).max_port(4010)
///     .also("live").inherit_from("web")
///     .build()?;
/// assert_eq!(request.services.len(), 3);
/// assert_eq!(request.services[1].range.to_string(), "4000–4010");
/// # Ok::<(), portlease::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reservation {
    project: Option<String>,
    /// None when no folder may be read.
    folder: Option<PathBuf>,
    catalog: Cow<'static, Catalog>,
    presets: Cow<'static, Presets>,
    request: RequestDraft,
    /// Numbers that are not to be used, and that may be no ports.
    exclude: Vec<u64>,
    earlier: Vec<Draft>,
    /// The service that was named last.
    current: Draft,
    holder: Party,
}

/// Who will listen.
#[derive(Debug, Clone)]
enum Party {
    /// Nothing was said: whoever keeps a hold listens itself, whoever wants data asks for others.
    Unsaid,
    Nobody,
    Somebody(Holder),
}

/// What everybody knows, made once: it is long.
static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);
static PRESETS: LazyLock<Presets> = LazyLock::new(Presets::builtin);

/// The frameworks that everybody knows.
pub(crate) fn catalog() -> &'static Catalog {
    &CATALOG
}

/// The kinds of services that everybody knows.
pub(crate) fn presets() -> &'static Presets {
    &PRESETS
}

impl Reservation {
    /// For a project with a name.
    pub fn of(project: &str) -> Self {
        Self {
            project: Some(project.to_owned()),
            ..Self::of_folder(Path::new("."))
        }
    }

    /// For an application that runs in a container, in the range of the preset `container`.
    pub fn of_application(name: &str, force_new: bool) -> Self {
        let mut reservation = Self::of(name).without_folder();
        reservation.request.force_new = force_new;
        reservation.service(CONTAINER).preset(CONTAINER)
    }

    /// For the project that a folder belongs to, named by its path.
    pub fn of_folder(folder: &Path) -> Self {
        Self {
            project: None,
            folder: Some(folder.to_path_buf()),
            catalog: Cow::Borrowed(catalog()),
            presets: Cow::Borrowed(presets()),
            request: RequestDraft::default(),
            exclude: Vec::new(),
            earlier: Vec::new(),
            current: Draft::new("web"),
            holder: Party::Unsaid,
        }
    }

    /// The folder that shows which framework the project uses; the current one when nothing is said.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    /// The name of the project, in place of the folder's.
    #[must_use]
    pub fn project(mut self, name: &str) -> Self {
        self.project = Some(name.to_owned());
        self
    }

    /// Reads no folder: what shows no framework otherwise has the default one.
    pub(crate) fn without_folder(mut self) -> Self {
        self.folder = None;
        self
    }

    /// The service that was named last.
    pub(crate) fn current_mut(&mut self) -> &mut Draft {
        &mut self.current
    }

    /// What is said about the request, its services aside.
    pub(crate) fn request_mut(&mut self) -> &mut RequestDraft {
        &mut self.request
    }

    /// The name of the service; `web` when nothing is said.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        name.clone_into(&mut self.current.service.name);
        self
    }

    /// Another service, which gets its port together with the others, or none does.
    #[must_use]
    pub fn also(mut self, name: &str) -> Self {
        let earlier = std::mem::replace(&mut self.current, Draft::new(name));
        self.earlier.push(earlier);
        self
    }

    /// The framework of the service by its name.
    #[must_use]
    pub fn framework(mut self, name: &str) -> Self {
        self.current.hints.detected_framework = Some(name.to_owned());
        self
    }

    /// What is known about the framework of the service.
    #[must_use]
    pub fn hints(mut self, hints: Hints) -> Self {
        self.current.hints = hints;
        self
    }

    /// The environment variable whose port comes before all others, if it is free.
    #[must_use]
    pub fn variable(mut self, variable: PortVariable) -> Self {
        self.current.service.variable = Some(variable.into_wish());
        self
    }

    /// This port or none.
    #[must_use]
    pub fn strict(mut self, port: u64) -> Self {
        self.current.service.strict = Some(port);
        self
    }

    /// Ports to try first, in this order.
    #[must_use]
    pub fn prefer(mut self, ports: impl IntoIterator<Item = u64>) -> Self {
        self.current.service.preferred.extend(ports);
        self
    }

    /// The range, in place of the framework's.
    #[must_use]
    pub fn range(self, first: u64, last: u64) -> Self {
        self.base_port(first).max_port(last)
    }

    /// The first port of the range. Without [`max_port`](Self::max_port) it has 101 ports.
    #[must_use]
    pub fn base_port(mut self, port: u64) -> Self {
        self.current.service.base_port = Some(port);
        self
    }

    /// The last port of the range.
    #[must_use]
    pub fn max_port(mut self, port: u64) -> Self {
        self.current.service.max_port = Some(port);
        self
    }

    /// The range of a kind of service, such as `apiServer`, in the environment's
    /// [`profile`](Self::profile).
    #[must_use]
    pub fn preset(mut self, kind: &str) -> Self {
        self.current.service.preset = Some(kind.to_owned());
        self
    }

    /// Where the search of the range starts, when not at a remembered port or the default.
    #[must_use]
    pub fn start_at(mut self, port: u64) -> Self {
        self.current.service.start = Some(port);
        self
    }

    /// A range to go on with when the own one is full.
    #[must_use]
    pub fn spill_over_to(mut self, range: PortRange) -> Self {
        self.current.service.spillover.push(range);
        self
    }

    /// The range for the case that all others are full.
    #[must_use]
    pub fn emergency(mut self, range: PortRange) -> Self {
        self.current.service.emergency = Some(range);
        self
    }

    /// Services of higher priority are served first. Without it, it is 0.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.current.service.priority = priority;
        self
    }

    /// What the service speaks.
    #[must_use]
    pub fn requires(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.current.service.requires.extend(capabilities);
        self
    }

    /// A service of the project that must not share the port of this one.
    #[must_use]
    pub fn conflicts_with(mut self, service: &str) -> Self {
        self.current.service.conflicts.push(service.to_owned());
        self
    }

    /// The service of the project whose port this one takes, instead of one of its own.
    #[must_use]
    pub fn inherit_from(mut self, service: &str) -> Self {
        self.current.service.inherit_from = Some(service.to_owned());
        self
    }

    /// The frameworks to choose from, when the user has some of their own.
    #[must_use]
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Cow::Owned(catalog);
        self
    }

    /// The kinds of services to choose from, when the user has some of their own.
    #[must_use]
    pub fn presets(mut self, presets: Presets) -> Self {
        self.presets = Cow::Owned(presets);
        self
    }

    /// The environment whose presets hold: `development` when nothing is said.
    #[must_use]
    pub fn profile(mut self, profile: &str) -> Self {
        profile.clone_into(&mut self.request.profile);
        self
    }

    /// The process or container that will listen, in place of this process.
    #[must_use]
    pub fn held_by(mut self, holder: Holder) -> Self {
        self.holder = Party::Somebody(holder);
        self
    }

    /// Nobody in particular will listen: the lease ends by release, or when it is abandoned.
    #[must_use]
    pub fn on_behalf_of_others(mut self) -> Self {
        self.holder = Party::Nobody;
        self
    }

    /// What to do when another process runs the services. When nothing is said, whoever will listen
    /// becomes a further instance with ports of its own, and whoever asks on behalf of others is
    /// told the ports of the one that runs.
    #[must_use]
    pub fn if_running(mut self, if_running: IfRunning) -> Self {
        self.request.if_running = Some(if_running);
        self
    }

    /// Gives up the current ports and takes others.
    #[must_use]
    pub fn force_new(mut self) -> Self {
        self.request.force_new = true;
        self
    }

    /// Decides from the registry alone, for another machine.
    #[must_use]
    pub fn skip_port_check(mut self) -> Self {
        self.request.skip_port_check = true;
        self
    }

    /// Whether containers that are on the ports of the request are stopped and removed, if they say by the label
    /// `portlease.project` or by Compose's own that they belong to the project itself.
    #[must_use]
    pub fn reclaim(mut self, is_wanted: bool) -> Self {
        self.request.reclaim = is_wanted;
        self
    }

    /// What happens when a wanted port belongs to another service.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.request.strategy = strategy;
        self
    }

    /// Moves no other service, whatever the strategy.
    #[must_use]
    pub fn without_moves(mut self) -> Self {
        self.request.auto_reassign = false;
        self
    }

    /// How often another port is tried after a race for a granted one was lost.
    #[must_use]
    pub fn max_retries(mut self, retries: u16) -> Self {
        self.request.max_retries = Some(retries);
        self
    }

    /// Ports that are not to be used.
    #[must_use]
    pub fn exclude(mut self, ports: impl IntoIterator<Item = u64>) -> Self {
        self.exclude.extend(ports);
        self
    }

    /// The pools of the machine. Ports of pools are only for those who ask for their pool.
    #[must_use]
    pub fn pools(mut self, pools: Pools) -> Self {
        self.request.pools = pools;
        self
    }

    /// The pool whose ports are wanted.
    #[must_use]
    pub fn pool(mut self, name: &str) -> Self {
        self.request.pool = Some(name.to_owned());
        self
    }

    /// What to tell the user about environment variables whose values are unusable.
    pub fn warnings(&self) -> Vec<UnusableVariable> {
        self.drafts()
            .filter_map(|draft| draft.service.variable.as_ref()?.warning())
            .collect()
    }

    /// The request of a caller that listens itself, or that says who will.
    pub fn build(self) -> Result<Request, Error> {
        self.build_for(Some(Holder::Process(identity::this_process())))
    }

    /// The request of a caller that asks on behalf of others, unless it says who will listen.
    pub(crate) fn build_for_others(self) -> Result<Request, Error> {
        self.build_for(None)
    }

    fn build_for(self, unsaid: Option<Holder>) -> Result<Request, Error> {
        let project = match &self.project {
            Some(name) => name.parse::<Name>()?,
            None => project_name(self.folder.as_deref().unwrap_or(Path::new(".")))?,
        };
        let folder = self.folder.as_deref();
        let services = self
            .drafts()
            .map(|draft| draft.resolve(&self.catalog, &self.presets, &self.request.profile, folder))
            .collect::<Result<_, _>>()?;
        let holder = match self.holder {
            Party::Unsaid => unsaid,
            Party::Nobody => None,
            Party::Somebody(holder) => Some(holder),
        };
        let mut request = self.request;
        for number in self.exclude {
            request
                .exclude
                .insert(Port::try_from(number).map_err(Refusal::from)?);
        }
        Ok(request.request(project, services, holder)?)
    }

    fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.earlier.iter().chain([&self.current])
    }
}
