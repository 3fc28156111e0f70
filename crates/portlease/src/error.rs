//! Everything that can go wrong, by kind.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portlease_core::{
    Host, InvalidArgument, InvalidName, InvalidWish, Occupant, Port, Refusal, StoreError,
    TransactError, UnknownPreset,
};
use portlease_probe::{BindError, ProbeError};
use serde_json::{Value as Json, json};

use crate::{ConfigError, PlanOutdated};

/// Why there is no answer. Each kind is of its own: a refusal says that the request cannot be
/// granted, everything else that something is broken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be granted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The registry failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system could not be asked.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The granted port could not be held, for a reason that other ports share.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Other programs took every port that was granted, each time just before it could be held.
    #[error(
        "Other programs took {lost} granted ports one after the other. Try again, or raise `maxRetries`."
    )]
    LostRaces {
        /// How many ports were lost.
        lost: u16,
    },
    /// Nobody listened in time.
    #[error("Nobody listened on port {port} within {waited:?}.")]
    NotListening {
        /// The port.
        port: Port,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The server ended before it listened.
    #[error("The server ended without listening on port {port}. What it said last tells why.")]
    ServerEnded {
        /// The port.
        port: Port,
    },
    /// Another program listens on the port.
    #[error(
        "Port {port} was taken by {by} before the server listened on it. Reserve again to get another port."
    )]
    PortLost {
        /// The port.
        port: Port,
        /// Who took it.
        by: Occupant,
    },
    /// A plan that was made elsewhere does not fit this host any more.
    #[error(transparent)]
    PlanOutdated(Box<PlanOutdated>),
    /// A plan for one host came to another.
    #[error(
        "The plan is for {planned}, and this is {here}. Send it there, or plan on a snapshot of this host."
    )]
    OtherHost {
        /// The host of the plan.
        planned: Host,
        /// This one.
        here: Host,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the caller says cannot be used.
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
    /// No preset has this name.
    #[error(transparent)]
    UnknownPreset(#[from] UnknownPreset),
    /// The place of the registry does not make sense.
    #[error(
        "{url:?} names no registry: write sqlite:PATH, postgres://USER@HOST/DATABASE or memory:, in PORTLEASE_REGISTRY for instance."
    )]
    InvalidRegistry {
        /// The place as it was given, without its password.
        url: String,
    },
    /// What was asked can only be done with a registry that others can see.
    #[error(
        "This registry is in the memory of one process: only a file or a database (PORTLEASE_REGISTRY=sqlite:PATH or postgres://USER@HOST/DATABASE) can be exported and imported."
    )]
    NoExchange,
    /// What was asked can only be done with a database.
    #[error(
        "This registry is no database: only hosts that share one (PORTLEASE_REGISTRY=postgres://USER@HOST/DATABASE) know of each other."
    )]
    NoFleet,
    /// Nobody answers for a host.
    #[error(
        "Nobody answers for {host}: its runner {}. Start `portlease runner` there.",
        last_heard(*silent_for)
    )]
    NoRunner {
        /// The host.
        host: Host,
        /// How long ago its runner reported; none when it never had one.
        silent_for: Option<Duration>,
    },
    /// The runner of a host took a plan and said no more.
    #[error(
        "The runner of {host} took the plan and did not answer in time. Ask again: what it leased after all is granted again."
    )]
    RunnerInDoubt {
        /// The host.
        host: Host,
    },
    /// The runner of a host could not find out whether a plan fits.
    #[error("The runner of {host} could not confirm the plan: {message}")]
    RunnerFailed {
        /// The host.
        host: Host,
        /// What it says.
        message: String,
    },
    /// What was asked can only be done with a file.
    #[error(
        "This registry is no file: only one that is (PORTLEASE_REGISTRY=sqlite:PATH) can be inspected."
    )]
    NoRegistryFile,
    /// There is no folder to keep the registry in.
    #[error(
        "This user has no folder for the state of programs. Name a file: PORTLEASE_REGISTRY=sqlite:PATH."
    )]
    NoStateFolder,
    /// The folder of the project is none, or none that a name can be made of.
    #[error(
        "{} cannot be the folder of a project: {source}. Name another folder, or the project.",
        folder_as_text(folder)
    )]
    Project {
        /// The folder as it was given.
        folder: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Store(error) => error.kind.code(),
            Self::Probe(error) => error.code(),
            Self::Bind(error) => error.code(),
            Self::LostRaces { .. } => "LOST_RACES",
            Self::NotListening { .. } => "NOT_LISTENING",
            Self::ServerEnded { .. } => "SERVER_ENDED",
            Self::PortLost { .. } => "PORT_LOST",
            Self::PlanOutdated(_) => "PLAN_OUTDATED",
            Self::OtherHost { .. } => "OTHER_HOST",
            Self::Config(_) => "INVALID_CONFIG",
            Self::Argument(_) => InvalidArgument::CODE,
            Self::UnknownPreset(_) => UnknownPreset::CODE,
            Self::InvalidRegistry { .. } => "INVALID_REGISTRY",
            Self::NoExchange => "NO_EXCHANGE",
            Self::NoFleet => "NO_FLEET",
            Self::NoRunner { .. } => "NO_RUNNER",
            Self::RunnerInDoubt { .. } => "RUNNER_IN_DOUBT",
            Self::RunnerFailed { .. } => "RUNNER_FAILED",
            Self::NoRegistryFile => "NO_REGISTRY_FILE",
            Self::NoStateFolder => "NO_STATE_FOLDER",
            Self::Project { .. } => "PROJECT_UNREADABLE",
        }
    }

    /// What the code is about, as data: what it names is as stable as the code.
    ///
    /// ```
    /// let error = portlease::Reservation::of("shop").strict(70_000).build().unwrap_err();
    /// assert_eq!(error.details(), serde_json::json!({"value": "70000"}));
    /// ```
    pub fn details(&self) -> Json {
        match self {
            Self::Refused(refusal) => refusal.details(),
            Self::Store(error) => json!({"problem": error.problem, "remedy": error.remedy}),
            Self::Probe(_)
            | Self::NoExchange
            | Self::NoFleet
            | Self::NoRegistryFile
            | Self::NoStateFolder => json!({}),
            Self::NoRunner { host, silent_for } => {
                json!({"host": host, "silentForMillis": silent_for.map(millis)})
            }
            Self::RunnerInDoubt { host } => json!({"host": host}),
            Self::RunnerFailed { host, message } => json!({"host": host, "message": message}),
            Self::Project { folder, .. } => json!({"folder": folder_as_text(folder)}),
            Self::Bind(error) => json!({"port": error.port()}),
            Self::LostRaces { lost } => json!({"lost": lost}),
            Self::NotListening { port, waited } => {
                json!({"port": port, "waitedMillis": millis(*waited)})
            }
            Self::ServerEnded { port } => json!({"port": port}),
            Self::PortLost { port, by } => json!({"port": port, "by": by}),
            Self::PlanOutdated(outdated) => json!({
                "wrong": outdated.outdated.wrong,
                "trace": outdated.outdated.trace,
                "snapshot": outdated.snapshot,
            }),
            Self::OtherHost { planned, here } => json!({"planned": planned, "here": here}),
            Self::Config(error) => {
                let place = error.place();
                let file = place.map(|place| place.path().display().to_string());
                let line_and_column = place.map(crate::config::Place::line_and_column);
                json!({
                    "problem": error.message(),
                    "help": error.help(),
                    "file": file,
                    "line": line_and_column.map(|(line, _)| line),
                    "column": line_and_column.map(|(_, column)| column),
                })
            }
            Self::Argument(error) => error.details(),
            Self::UnknownPreset(error) => error.details(),
            Self::InvalidRegistry { url } => json!({"url": url}),
        }
    }
}

fn last_heard(silent_for: Option<Duration>) -> String {
    match silent_for {
        None => "never reported".to_owned(),
        Some(time) => format!("was last heard of {} s ago", time.as_secs()),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn folder_as_text(folder: &Path) -> Cow<'_, str> {
    if folder == Path::new(".") {
        "The current folder".into()
    } else {
        folder.to_string_lossy()
    }
}

impl From<TransactError> for Error {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Store(error) => Self::Store(error),
        }
    }
}

impl From<InvalidWish> for Error {
    fn from(error: InvalidWish) -> Self {
        match error {
            InvalidWish::Refused(refusal) => Self::Refused(refusal),
            InvalidWish::Argument(error) => Self::Argument(error),
            InvalidWish::UnknownPreset(error) => Self::UnknownPreset(error),
        }
    }
}

impl From<InvalidName> for Error {
    fn from(error: InvalidName) -> Self {
        Self::Refused(error.into())
    }
}
