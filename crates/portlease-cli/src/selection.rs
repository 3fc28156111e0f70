//! From what the user said to a reservation.

use std::path::{Path, PathBuf};

use portlease::{
    Allocator, Error, Hints, Options, Reservation,
    core::{Move, Name},
    project_name,
};

use crate::arguments::{Project, Wish};

pub(crate) fn open() -> Result<Allocator, Error> {
    Allocator::open(Options::default())
}

impl Project {
    /// The folder whose files tell about the project.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// The name of the project.
    pub(crate) fn name(&self) -> Result<Name, Error> {
        match &self.project {
            Some(name) => Ok(name.parse()?),
            None => Ok(project_name(&self.folder())?),
        }
    }

    /// A reservation for the project, in its folder.
    pub(crate) fn reservation(&self) -> Reservation {
        let folder = self.folder();
        match &self.project {
            Some(name) => Reservation::of(name).folder(&folder),
            None => Reservation::of_folder(&folder),
        }
    }
}

impl Wish {
    /// What the user wishes for the current service of the reservation, and what is known of the
    /// command that serves it.
    pub(crate) fn apply(&self, reservation: Reservation, command: Option<&str>) -> Reservation {
        let hints = Hints {
            detected_framework: self.framework.clone(),
            run_command: command.map(str::to_owned),
            ..Hints::default()
        };
        let mut reservation = reservation.hints(hints).prefer(self.prefer.iter().copied());
        if let Some(port) = self.port {
            reservation = reservation.strict(port);
        }
        if let Some((first, last)) = self.range {
            reservation = reservation.range(first, last);
        }
        if self.force_new {
            reservation = reservation.force_new();
        }
        reservation.exclude(self.exclude.iter().copied())
    }
}

/// A path as people write it: relative to the current folder where that is shorter.
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
