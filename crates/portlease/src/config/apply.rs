//! From a configuration to what it is there for: a registry and reservations.

use std::time::Duration;

use portlease_core::{
    Catalog, Host, HostSettings, IfRunning, Name, Port, PortSet, Presets, check_framework,
};

use super::origin::Origin;
use super::settings::ServiceSettings;
use super::{Config, ConfigError};
use crate::{Error, Hints, Registry, Reservation, reservation};

/// The service of a project that declares none.
const USUAL: &str = "web";

impl Config {
    /// The registry.
    pub fn registry(&self) -> Result<Registry, Error> {
        let Some(url) = &self.settings.registry else {
            return Ok(Registry::Default);
        };
        let registry = Registry::from_url(url)?;
        match (registry, self.tree.origin_of(&["registry"])) {
            (Registry::File(path), Origin::File(place)) => {
                let folder = place.path().parent().unwrap_or(place.path());
                Ok(Registry::File(folder.join(path)))
            }
            (registry, _) => Ok(registry),
        }
    }

    /// The host whose ports are leased, when the configuration names it.
    pub fn host(&self) -> Option<Host> {
        self.settings.host.clone().map(Host::new)
    }

    /// What `run` does when another process runs the project.
    pub fn if_running(&self) -> IfRunning {
        said(self.settings.if_running)
    }

    /// How often another port is tried after a race for a granted one was lost.
    pub fn max_retries(&self) -> u16 {
        said(self.settings.max_retries)
    }

    /// How long a server may take to listen.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(said(self.settings.timeout).into())
    }

    /// How long a command may take to end before it is killed.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(said(self.settings.grace).into())
    }

    /// The service that stands for the project: the first one that it declares, or `web`.
    pub fn main_service(&self) -> Name {
        let first = self.declared.first().cloned();
        first.unwrap_or_else(|| Name::literal(USUAL))
    }

    /// The services that are meant by these names: without any, all that the project declares, or `web`; besides, those from
    /// which others inherit, because they get their ports together.
    pub fn chosen(&self, names: &[Name]) -> Vec<Name> {
        let mut chosen = match (names, &*self.declared) {
            ([], []) => vec![self.main_service()],
            ([], declared) => declared.to_vec(),
            (names, _) => names.to_vec(),
        };
        let mut index = 0;
        while let Some(name) = chosen.get(index) {
            let parent = self
                .settings
                .services
                .get(name)
                .and_then(|service| service.inherit_from.clone());
            if let Some(parent) = parent.filter(|parent| !chosen.contains(parent)) {
                chosen.push(parent);
            }
            index += 1;
        }
        chosen
    }

    /// A reservation of these services, or of those that are [`chosen`](Self::chosen) when none is named.
    pub fn reservation(&self, names: &[Name]) -> Reservation {
        let mut reservation = self.project_reservation();
        for (index, name) in self.chosen(names).iter().enumerate() {
            reservation = match index {
                0 => reservation.service(name),
                _ => reservation.also(name),
            };
            reservation = self.service(reservation, name);
        }
        reservation
    }

    /// The frameworks, those of the user among them.
    pub fn catalog(&self) -> Catalog {
        self.known_frameworks().clone()
    }

    pub(crate) fn known_frameworks(&self) -> &Catalog {
        self.catalog.as_ref().unwrap_or(reservation::catalog())
    }

    /// Refuses the name of a framework that a flag such as `--framework` gives and nobody knows.
    pub fn check_framework(&self, name: &str, flag: &str) -> Result<(), ConfigError> {
        check_framework(name, self.known_frameworks())
            .map_err(|problem| ConfigError::from(problem).at(&Origin::Flag(flag.to_owned())))
    }

    /// The kinds of services, those of the user among them.
    pub fn presets(&self) -> Presets {
        self.presets.clone().unwrap_or_default()
    }

    /// A reservation with all that is said about the project, and nothing yet about its services.
    pub fn project_reservation(&self) -> Reservation {
        let settings = &self.settings;
        let mut reservation = match &settings.project {
            Some(name) => Reservation::of(name).folder(&self.folder),
            None => Reservation::of_folder(&self.folder),
        };
        if let Some(pool) = &settings.pool {
            reservation = reservation.pool(pool);
        }
        if settings.auto_reassign == Some(false) {
            reservation = reservation.without_moves();
        }
        let reservation = reservation
            .profile(self.profile())
            .max_retries(self.max_retries())
            .strategy(said(settings.strategy));
        self.general(reservation)
    }

    /// What is said about the machine and not about a project.
    pub fn general(&self, mut reservation: Reservation) -> Reservation {
        if let Some(catalog) = &self.catalog {
            reservation = reservation.catalog(catalog.clone());
        }
        if let Some(presets) = &self.presets {
            reservation = reservation.presets(presets.clone());
        }
        reservation
            .pools(self.pools.clone())
            .reclaim(said(self.settings.reclaim))
            .exclude(self.excluded().iter().map(number))
    }

    /// What is said about the machine, for planners elsewhere.
    pub fn host_settings(&self) -> HostSettings {
        HostSettings {
            catalog: self.catalog(),
            presets: self.presets(),
            pools: self.pools.clone(),
            exclude: self.excluded(),
        }
    }

    /// As a set, because the ranges may overlap.
    fn excluded(&self) -> PortSet {
        let excluded = self.settings.exclude.iter().flatten();
        excluded.map(|excluded| excluded.0).collect()
    }

    /// What is said about the service that was named last.
    pub fn service(&self, reservation: Reservation, name: &str) -> Reservation {
        match self.settings.services.get(name) {
            Some(service) => declare(reservation, service),
            None => reservation,
        }
    }
}

fn declare(mut reservation: Reservation, service: &ServiceSettings) -> Reservation {
    if let Some(framework) = &service.framework {
        let detected_framework = Some(framework.to_string());
        reservation = reservation.hints(Hints {
            detected_framework,
            ..Hints::default()
        });
    }
    reservation = reservation.prefer(service.preferred.iter().copied().map(number));
    if let Some(range) = service.range {
        reservation = reservation.range(number(range.0.first()), number(range.0.last()));
    }
    if let Some(port) = service.base_port {
        reservation = reservation.base_port(number(port));
    }
    if let Some(port) = service.max_port {
        reservation = reservation.max_port(number(port));
    }
    if let Some(kind) = &service.preset {
        reservation = reservation.preset(kind);
    }
    for range in &service.spillover {
        reservation = reservation.spill_over_to(range.0);
    }
    if let Some(range) = service.emergency {
        reservation = reservation.emergency(range.0);
    }
    for conflict in &service.conflicts {
        reservation = reservation.conflicts_with(conflict);
    }
    if let Some(parent) = &service.inherit_from {
        reservation = reservation.inherit_from(parent);
    }
    reservation
        .requires(service.requires.iter().copied())
        .priority(service.priority.unwrap_or_default())
}

/// What the lowest layer says always.
fn said<T>(value: Option<T>) -> T {
    value.expect("the defaults say it")
}

fn number(port: Port) -> u64 {
    port.get().into()
}
