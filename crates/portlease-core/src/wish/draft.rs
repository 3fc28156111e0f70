//! A request while it is put together: numbers that may be no ports yet, names that may be none.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{InvalidWish, UnknownPreset, VariableWish};
use crate::{
    Capability, DEVELOPMENT, Explicit, Framework, Holder, IfRunning, InvalidName, Name, Pools,
    Port, PortRange, PortSet, Presets, RANGE_LEN, Refusal, Request, Service, Strategy,
};

/// What is known of a request, its services aside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each can be wished for without the others"
)]
pub struct RequestDraft {
    /// The environment whose presets hold.
    pub profile: String,
    /// What to do when another process runs the services; the holder decides when nothing is said.
    pub if_running: Option<IfRunning>,
    /// Give up the current ports and take others.
    pub force_new: bool,
    /// Decide from the registry alone.
    pub skip_port_check: bool,
    /// Stop and remove containers of the project itself that are on its ports.
    pub reclaim: bool,
    /// What happens when a wanted port belongs to another service.
    pub strategy: Strategy,
    /// Whether other services may be moved at all.
    pub auto_reassign: bool,
    /// How often another port is tried after a lost race.
    pub max_retries: Option<u16>,
    /// Ports that are not to be used.
    pub exclude: PortSet,
    /// The pools of the machine.
    pub pools: Pools,
    /// The pool whose ports are wanted.
    pub pool: Option<String>,
}

impl Default for RequestDraft {
    fn default() -> Self {
        Self {
            profile: DEVELOPMENT.to_owned(),
            if_running: None,
            force_new: false,
            skip_port_check: false,
            reclaim: false,
            strategy: Strategy::default(),
            auto_reassign: true,
            max_retries: None,
            exclude: PortSet::new(),
            pools: Pools::default(),
            pool: None,
        }
    }
}

impl RequestDraft {
    /// The request of a project for its services, which the holder will run.
    pub fn request(
        self,
        project: Name,
        services: Vec<Service>,
        holder: Option<Holder>,
    ) -> Result<Request, InvalidName> {
        let mut request = Request::new(project, services);
        // Whoever will listen becomes a further instance, whoever asks on behalf of others is told what runs.
        request.if_running = self.if_running.unwrap_or(match holder {
            Some(_) => IfRunning::Another,
            None => IfRunning::Attach,
        });
        request.holder = holder;
        request.force_new = self.force_new;
        request.skip_port_check = self.skip_port_check;
        request.reclaim = self.reclaim;
        request.strategy = self.strategy;
        request.auto_reassign = self.auto_reassign;
        request.max_retries = self.max_retries.unwrap_or(request.max_retries);
        request.exclude = self.exclude;
        request.pools = self.pools;
        request.pool = self.pool.as_deref().map(str::parse).transpose()?;
        Ok(request)
    }
}

/// What is known of one service, its framework aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDraft {
    /// Its name.
    pub name: String,
    /// The environment variable whose port comes before all others.
    pub variable: Option<VariableWish>,
    /// This port or none.
    pub strict: Option<u64>,
    /// Ports to try first, in this order.
    pub preferred: Vec<u64>,
    /// The first port of the range, in place of the framework's.
    pub base_port: Option<u64>,
    /// The last port of the range.
    pub max_port: Option<u64>,
    /// The kind of service whose range it has in the profile.
    pub preset: Option<String>,
    /// Where the search of the range starts.
    pub start: Option<u64>,
    /// Ranges to go on with when the own one is full.
    pub spillover: Vec<PortRange>,
    /// The range for the case that all others are full.
    pub emergency: Option<PortRange>,
    /// Services of higher priority are served first.
    pub priority: i32,
    /// What the service speaks.
    pub requires: Vec<Capability>,
    /// Services of the project that must not share its port.
    pub conflicts: Vec<String>,
    /// The service of the project whose port this one takes.
    pub inherit_from: Option<String>,
}

impl ServiceDraft {
    /// A service of which only the name is known.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The service, of this framework, with the presets of a profile to choose from.
    pub fn service(
        &self,
        framework: &Framework,
        presets: &Presets,
        profile: &str,
    ) -> Result<Service, InvalidWish> {
        let mut service = Service::new(self.name.parse()?, framework);
        if let Some(kind) = &self.preset {
            let range = presets.get(profile, kind);
            service.range = range.ok_or_else(|| UnknownPreset::new(presets, profile, kind))?;
        }
        service.range = self.own_range(service.range)?;
        service.default = service.default.filter(|port| service.range.contains(*port));
        let strict = self.strict.map(port).transpose()?;
        service.explicit = match strict {
            Some(port) => Some(Explicit { port, strict: true }),
            None => self.variable.as_ref().and_then(VariableWish::explicit),
        };
        let preferred = self.preferred.iter().copied().map(port);
        service.preferred = preferred.collect::<Result<_, _>>()?;
        service.start = self.start.map(port).transpose()?;
        service.spillover.clone_from(&self.spillover);
        service.emergency = self.emergency;
        service.priority = self.priority;
        service.requires.clone_from(&self.requires);
        service.conflicts = names(&self.conflicts)?;
        service.inherit_from = names(&self.inherit_from)?.pop();
        Ok(service)
    }

    /// The range that is asked for by its ends, of which each may be left open.
    fn own_range(&self, otherwise: PortRange) -> Result<PortRange, Refusal> {
        match (self.base_port, self.max_port) {
            (None, None) => Ok(otherwise),
            (Some(base), None) => Ok(PortRange::starting_at(port(base)?, RANGE_LEN)),
            (base, Some(max)) => {
                let base = base.unwrap_or_else(|| u64::from(otherwise.first().get()));
                Ok(PortRange::try_from((base, max))?)
            }
        }
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<Vec<Name>, InvalidName> {
    names.into_iter().map(|name| name.parse()).collect()
}

fn port(number: u64) -> Result<Port, Refusal> {
    Ok(Port::try_from(number)?)
}
