//! A wish on its way to a reservation: what it says is checked at once, the files that it names are read later.

use std::path::Path;

use portlease_core::{HolderWish, InvalidArgument, Plan, Wish};
use serde_json::Value as Json;

use super::{Callers, Desk};
use crate::{ConfigSources, Error, Reservation};

/// More services than anybody asks for at once. Seating so many takes milliseconds.
const MOST_SERVICES: usize = 100;

/// No folder has this name: what others wish is not looked for in the folder of this process.
const NOWHERE: &str = "\0";

/// A wish, and where the configuration of its folder is looked for.
#[derive(Debug, Clone)]
pub struct Wished {
    wish: Wish,
    sources: Option<ConfigSources>,
}

impl Desk {
    /// Reads a wish. The environment is asked now, the files of its folder when it is granted.
    pub fn read_wish(&self, json: &str) -> Result<Wished, Error> {
        self.wished(Wish::read(json)?)
    }

    /// Takes a wish that was read already.
    pub fn wished(&self, wish: Wish) -> Result<Wished, Error> {
        if self.callers == Callers::Elsewhere {
            check_from_elsewhere(&wish)?;
        }
        let folder = wish.folder();
        let sources = folder.map(|folder| self.sources(folder));
        Ok(Wished { wish, sources })
    }

    /// What is wished, with the configuration below it.
    pub fn reservation(&self, wished: &Wished) -> Result<Reservation, Error> {
        match &wished.sources {
            Some(sources) => Reservation::wished(&wished.wish, Some(&sources.read()?)),
            None => {
                let reservation = Reservation::wished(&wished.wish, Some(&self.config))?;
                Ok(match self.callers {
                    Callers::ThisProcess => reservation,
                    Callers::Elsewhere => reservation.folder(Path::new(NOWHERE)),
                })
            }
        }
    }

    /// Reads a plan, which nobody writes by hand.
    pub fn read_plan(&self, json: &str) -> Result<Plan, Error> {
        let plan: Plan = serde_json::from_str(json).map_err(|error| {
            invalid(
                "",
                None,
                format!("This is no plan: {error}. Pass on what `plan` answered."),
            )
        })?;
        if self.callers == Callers::Elsewhere {
            check_number(plan.request.services.len())?;
        }
        Ok(plan)
    }
}

/// What goes without saying between a library and its caller has to be said by others: they are not this process, and they are in
/// none of its folders.
fn check_from_elsewhere(wish: &Wish) -> Result<(), Error> {
    let request = &wish.request;
    match &request.cwd {
        None if request.project_id.is_none() => {
            let problem = "Name the project, or an absolute folder as `cwd`: there is no current folder here.";
            return Err(invalid("projectId", None, problem.to_owned()));
        }
        Some(folder) if !Path::new(folder).is_absolute() => {
            let problem = "Write an absolute folder: there is no current one here.";
            return Err(invalid(
                "cwd",
                Some(&folder.as_str().into()),
                problem.to_owned(),
            ));
        }
        _ => {}
    }
    if request.holder == Some(HolderWish::Myself) {
        let problem = "Name the process that will listen, such as {\"pid\": 4242}: it is not the one that answers.";
        return Err(invalid("holder", Some(&"self".into()), problem.to_owned()));
    }
    let services = wish.each().map_err(Error::Refused)?;
    check_number(services.len())
}

pub(super) fn check_number(services: usize) -> Result<(), Error> {
    if services <= MOST_SERVICES {
        return Ok(());
    }
    let problem = format!(
        "{services} services are too many for one request: ask for up to {MOST_SERVICES} at once."
    );
    Err(invalid("services", None, problem))
}

/// What is wrong with the value at a path.
pub(super) fn invalid(path: &str, value: Option<&Json>, problem: String) -> Error {
    Error::Argument(InvalidArgument {
        path: path.to_owned(),
        value: value.cloned(),
        problem,
        nearest: None,
    })
}
