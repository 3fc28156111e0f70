//! From a wish to a reservation.

use std::path::Path;

use portlease_core::{Catalog, Holder, Name, PortSet};
use portlease_probe::identity;

use super::{HolderWish, PortNumber, PortsWish, RequestWish, ServiceWish, Wish};
use crate::config::ConfigError;
use crate::draft::Draft;
use crate::{Config, Error, Hints, InvalidArgument, Reservation, reservation};

impl Wish {
    /// The folder whose configuration holds; none when the caller names a project and no folder, for which no file is read.
    pub fn folder(&self) -> Option<&Path> {
        match (&self.request.cwd, &self.request.project_id) {
            (Some(folder), _) => Some(Path::new(folder)),
            (None, None) => Some(Path::new(".")),
            (None, Some(_)) => None,
        }
    }

    /// The reservation, with the configuration of the [`folder`](Self::folder) below what the wish says.
    ///
    /// For a wish without a folder, the configuration is that of whoever asks, and only what it says about the machine
    /// holds: pools, frameworks, presets, and ports that are not to be used.
    pub fn reservation(&self, config: Option<&Config>) -> Result<Reservation, Error> {
        let own = config.filter(|_| self.folder().is_some());
        let mut reservation = self.project(config);
        let names = self.names(own)?;
        for (index, name) in names.iter().enumerate() {
            reservation = match index {
                0 => reservation.service(name),
                _ => reservation.also(name),
            };
            if let Some(config) = own {
                reservation = config.service(reservation, name);
            }
            if let Some(wish) = self.each().get(index) {
                let catalog = config.map_or(reservation::catalog(), Config::known_frameworks);
                wish.apply(reservation.current_mut(), catalog, &self.place(index))?;
            }
        }
        self.request.apply(reservation)
    }

    fn each(&self) -> &[ServiceWish] {
        match &self.services {
            Some(services) => services,
            None => std::slice::from_ref(&self.service),
        }
    }

    /// Where in the wish a service stands, as the beginning of a path.
    fn place(&self, index: usize) -> String {
        match self.services {
            Some(_) => format!("services[{index}]."),
            None => String::new(),
        }
    }

    fn project(&self, config: Option<&Config>) -> Reservation {
        match (&self.request.project_id, self.folder(), config) {
            (Some(name), Some(_), Some(config)) => config.project_reservation().project(name),
            (None, Some(_), Some(config)) => config.project_reservation(),
            (Some(name), Some(folder), None) => Reservation::of(name).folder(folder),
            (Some(name), None, config) => {
                let reservation = Reservation::of(name);
                // A command is run in the current folder, whose scripts tell what it does.
                let runs_somewhere = self.each().iter().any(|wish| wish.run_command.is_some());
                let reservation = if runs_somewhere {
                    reservation
                } else {
                    reservation.without_folder()
                };
                match config {
                    Some(config) => config.general(reservation),
                    None => reservation,
                }
            }
            (None, folder, _) => Reservation::of_folder(folder.unwrap_or(Path::new("."))),
        }
    }

    /// The services that are wished for, and after them those from which they inherit by configuration.
    fn names(&self, config: Option<&Config>) -> Result<Vec<Name>, Error> {
        if let Some([]) = self.services.as_deref() {
            return Err(Error::Refused(portlease_core::Refusal::NoServices));
        }
        let usual = || config.map_or_else(|| Name::literal("web"), Config::main_service);
        let name = |wish: &ServiceWish| match &wish.service {
            Some(name) => Ok(name.parse()?),
            None => Ok(usual()),
        };
        let names = self
            .each()
            .iter()
            .map(name)
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(match config {
            Some(config) => config.chosen(&names),
            None => names,
        })
    }
}

impl RequestWish {
    fn apply(&self, mut reservation: Reservation) -> Result<Reservation, Error> {
        if let Some(profile) = &self.profile {
            reservation = reservation.profile(profile);
        }
        if let Some(strategy) = self.strategy {
            reservation = reservation.strategy(strategy);
        }
        if self.auto_reassign == Some(false) {
            reservation = reservation.without_moves();
        }
        if let Some(retries) = self.max_retries {
            reservation = reservation.max_retries(retries);
        }
        if let Some(exclude) = &self.exclude {
            let ranges = exclude.iter().map(PortsWish::range);
            let ports: PortSet = ranges.collect::<Result<_, _>>()?;
            reservation = reservation.exclude(ports.iter().map(|port| port.get().into()));
        }
        if let Some(pool) = &self.pool {
            reservation = reservation.pool(pool);
        }
        if self.force_new == Some(true) {
            reservation = reservation.force_new();
        }
        if self.skip_port_check == Some(true) {
            reservation = reservation.skip_port_check();
        }
        if let Some(if_running) = self.if_running {
            reservation = reservation.if_running(if_running);
        }
        Ok(match self.holder {
            None => reservation,
            Some(HolderWish::Nobody) => reservation.on_behalf_of_others(),
            Some(HolderWish::Myself) => {
                reservation.held_by(Holder::Process(identity::this_process()))
            }
            Some(HolderWish::Process(pid)) => reservation.held_by(process(pid)?),
        })
    }
}

fn process(pid: u32) -> Result<Holder, Error> {
    let process = identity::process(pid).ok_or_else(|| InvalidArgument {
        path: "holder.pid".to_owned(),
        value: Some(pid.into()),
        problem: format!("There is no process {pid}."),
        nearest: None,
    })?;
    Ok(Holder::Process(process))
}

impl ServiceWish {
    /// Lays what is said over what the draft has from the configuration.
    fn apply(&self, draft: &mut Draft, catalog: &Catalog, place: &str) -> Result<(), Error> {
        let hints = self.hints(catalog, place)?;
        if hints != Hints::default() {
            draft.hints = hints;
        }
        if let Some(variable) = &self.env_var {
            draft.variable = Some(variable.into());
        }
        if let Some(port) = &self.port {
            draft.strict = Some(port.number()?);
        }
        if let Some(preferred) = &self.preferred {
            let ports = preferred.iter().map(PortNumber::number);
            draft
                .preferred
                .splice(0..0, ports.collect::<Result<Vec<_>, _>>()?);
        }
        // One way of saying where the ports are overrules all others.
        if self.base_port.is_some() || self.max_port.is_some() || self.preset.is_some() {
            draft.base_port = self
                .base_port
                .as_ref()
                .map(PortNumber::number)
                .transpose()?;
            draft.max_port = self.max_port.as_ref().map(PortNumber::number).transpose()?;
            draft.preset.clone_from(&self.preset);
        }
        if let Some(port) = &self.start_port {
            draft.start = Some(port.number()?);
        }
        if let Some(ranges) = &self.spillover {
            let ranges = ranges.iter().map(PortsWish::range);
            draft.spillover = ranges.collect::<Result<_, _>>()?;
        }
        if let Some(range) = &self.emergency {
            draft.emergency = Some(range.range()?);
        }
        if let Some(priority) = self.priority {
            draft.priority = priority;
        }
        if let Some(requires) = &self.requires {
            draft.requires.clone_from(requires);
        }
        if let Some(conflicts) = &self.conflicts {
            draft.conflicts.clone_from(conflicts);
        }
        if let Some(parent) = &self.inherit_from {
            draft.inherit_from = Some(parent.clone());
        }
        Ok(())
    }

    /// A framework that is named has to be known; one that was guessed need not be.
    fn hints(&self, catalog: &Catalog, place: &str) -> Result<Hints, Error> {
        if let Some(name) = self
            .framework
            .as_deref()
            .filter(|name| catalog.get(name).is_none())
        {
            let known = catalog
                .iter()
                .flat_map(|known| std::iter::once(&known.name).chain(&known.aliases));
            let error = ConfigError::unknown("framework", name, known.map(|name| &**name));
            return Err(Error::Argument(InvalidArgument::new(
                format!("{place}framework"),
                Some(name.into()),
                &error,
            )));
        }
        let named = self.framework.as_ref().or(self.detected_framework.as_ref());
        Ok(Hints {
            detected_framework: named.cloned(),
            project_type: self.project_type.clone(),
            run_command: self.run_command.clone(),
        })
    }
}
