//! From what the user said to a reservation.

use std::path::{Path, PathBuf};

use portlease::{
    Allocator, Config, ConfigSources, Error, Hints, Options, Reservation,
    core::{Move, Name, Port},
    project_name,
};

use crate::arguments::{Project, Wish};
use crate::output;

/// Opens the registry that the configuration names.
pub(crate) fn open(config: &Config) -> Result<Allocator, Error> {
    Allocator::open(Options {
        registry: config.registry()?,
        host: config.host(),
        settings: Some(config.host_settings()),
        on_warning: Some(|text| output::warning(format_args!("{text}"))),
        ..Options::default()
    })
}

/// The same for a command that is about no project in particular.
pub(crate) fn open_here() -> Result<Allocator, Error> {
    open(&Project::default().config()?)
}

impl Project {
    /// The folder whose files tell about the project.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// Where the configuration of the project is looked for.
    pub(crate) fn sources(&self) -> ConfigSources {
        ConfigSources::of_folder(&self.folder())
            .flag("project", "--project", self.project.clone())
            .flag("profile", "--profile", self.profile.clone())
    }

    /// The configuration of the project.
    pub(crate) fn config(&self) -> Result<Config, Error> {
        Ok(self.sources().read()?)
    }

    /// The name of the project.
    pub(crate) fn name(&self, config: &Config) -> Result<Name, Error> {
        match &config.settings().project {
            Some(name) => Ok(name.clone()),
            None => project_name(&self.folder()),
        }
    }
}

impl Wish {
    /// Refuses what would silently be something else.
    pub(crate) fn check(&self, config: &Config) -> Result<(), Error> {
        if let Some(framework) = &self.framework {
            config.check_framework(framework, "--framework")?;
        }
        Ok(())
    }

    /// What the configuration says about a service, what the user wishes for it, and what is known of the command that
    /// serves it. The service is the one that the reservation named last.
    pub(crate) fn apply(
        &self,
        reservation: Reservation,
        config: &Config,
        service: &str,
        command: Option<&str>,
    ) -> Reservation {
        let declared = config.settings().services.get(service);
        let declared = declared.and_then(|service| service.framework.as_ref());
        let hints = Hints {
            detected_framework: self.framework.clone().or(declared.map(ToString::to_string)),
            run_command: command.map(str::to_owned),
            ..Hints::default()
        };
        let number = |port: &Port| u64::from(port.get());
        let reservation = reservation.prefer(self.prefer.iter().map(number));
        let mut reservation = config.service(reservation, service).hints(hints);
        if let Some(port) = &self.port {
            reservation = reservation.strict(number(port));
        }
        if let Some(range) = self.range {
            reservation = reservation.range(number(&range.first()), number(&range.last()));
        }
        if self.force_new {
            reservation = reservation.force_new();
        }
        if self.reclaim {
            reservation = reservation.reclaim(true);
        }
        reservation.exclude(self.exclude.iter().map(number))
    }

    /// A reservation of one service, and of those whose port it shares.
    pub(crate) fn reservation(
        &self,
        config: &Config,
        service: Option<&Name>,
    ) -> Result<Reservation, Error> {
        self.check(config)?;
        let service = service.cloned().unwrap_or_else(|| config.main_service());
        let reservation = config.project_reservation().service(&service);
        let reservation = self.apply(reservation, config, &service, None);
        let others = config.chosen(&[service]).into_iter().skip(1);
        Ok(others.fold(reservation, |reservation, name| {
            config.service(reservation.also(&name), &name)
        }))
    }
}

/// A path as people write it: below their home it begins with `~`.
pub(crate) fn shortened(path: &str) -> String {
    let home = std::env::home_dir().filter(|home| home != Path::new("/"));
    match home.and_then(|home| Some(path.strip_prefix(home.to_str()?)?.to_owned())) {
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

/// A sentence about a service that had to make way.
pub(crate) fn moved(moved: &Move) -> String {
    match moved.to {
        Some(to) => format!(
            "{} moved from port {} to {to}: restart it.",
            moved.key, moved.from
        ),
        None => format!(
            "{} lost port {} and has none now: stop it.",
            moved.key, moved.from
        ),
    }
}
