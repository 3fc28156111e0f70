//! From a wish to a reservation on this machine: with its configuration, its folders and its processes.

use std::path::Path;

use portlease_core::{
    Holder, HolderWish, InvalidArgument, Name, RequestWish, ServiceWish, Wish, reading::Problem,
};
use portlease_probe::identity;

use crate::{Config, Error, Hints, Reservation, reservation};

#[cfg(test)]
mod tests;

impl Reservation {
    /// What is wished, with the configuration of the wish's [`folder`](Wish::folder) below it.
    ///
    /// For a wish without a folder, the configuration is that of whoever asks, and only what it says about the machine
    /// holds: pools, frameworks, presets, and ports that are not to be used.
    ///
    /// ```
    /// use portlease::{Reservation, Wish};
    ///
    /// let wish = Wish::read(r#"{"projectId": "shop", "runCommand": "npx vite --open"}"#)?;
    /// let request = Reservation::wished(&wish, None)?.build()?;
    /// assert_eq!(request.services[0].range.to_string(), "5173–5273");
    /// # Ok::<(), portlease::Error>(())
    /// ```
    pub fn wished(wish: &Wish, config: Option<&Config>) -> Result<Self, Error> {
        let own = config.filter(|_| wish.folder().is_some());
        let mut reservation = project(wish, config)?;
        let each = wish.each()?;
        for (index, name) in names(each, own)?.iter().enumerate() {
            reservation = match index {
                0 => reservation.service(name),
                _ => reservation.also(name),
            };
            if let Some(config) = own {
                reservation = config.service(reservation, name);
            }
            if let Some(service) = each.get(index) {
                let catalog = config.map_or(reservation::catalog(), Config::known_frameworks);
                let hints = Hints {
                    detected_framework: service
                        .framework(catalog, &wish.place(index))?
                        .map(str::to_owned),
                    project_type: service.project_type.clone(),
                    run_command: service.run_command.clone(),
                };
                let draft = reservation.current_mut();
                if hints != Hints::default() {
                    draft.hints = hints;
                }
                service.apply(&mut draft.service)?;
            }
        }
        wish.request.apply(reservation.request_mut())?;
        held(&wish.request, reservation)
    }
}

fn project(wish: &Wish, config: Option<&Config>) -> Result<Reservation, Error> {
    let folder = wish.folder().map(Path::new);
    Ok(match (&wish.request.project_id, folder, config) {
        (Some(name), Some(_), Some(config)) => config.project_reservation().project(name),
        (None, Some(_), Some(config)) => config.project_reservation(),
        (Some(name), Some(folder), None) => Reservation::of(name).folder(folder),
        (Some(name), None, config) => {
            let reservation = Reservation::of(name);
            // A command is run in the current folder, whose scripts tell what it does.
            let runs_somewhere = wish.each()?.iter().any(|wish| wish.run_command.is_some());
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
    })
}

/// The services that are wished for, and after them those from which they inherit by configuration.
fn names(each: &[ServiceWish], config: Option<&Config>) -> Result<Vec<Name>, Error> {
    let usual = || config.map_or_else(|| Name::literal("web"), Config::main_service);
    let name = |wish: &ServiceWish| match &wish.service {
        Some(name) => Ok(name.parse()?),
        None => Ok(usual()),
    };
    let names = each.iter().map(name).collect::<Result<Vec<_>, Error>>()?;
    Ok(match config {
        Some(config) => config.chosen(&names),
        None => names,
    })
}

fn held(wish: &RequestWish, reservation: Reservation) -> Result<Reservation, Error> {
    Ok(match wish.holder {
        None => reservation,
        Some(HolderWish::Nobody) => reservation.on_behalf_of_others(),
        Some(HolderWish::Myself) => reservation.held_by(Holder::Process(identity::this_process())),
        Some(HolderWish::Process(pid)) => reservation.held_by(process(pid)?),
    })
}

fn process(pid: u32) -> Result<Holder, Error> {
    let process = identity::process(pid).ok_or_else(|| {
        let problem = Problem::new(format!("There is no process {pid}."));
        InvalidArgument::new("holder.pid", Some(&pid.into()), &problem)
    })?;
    Ok(Holder::Process(process))
}
