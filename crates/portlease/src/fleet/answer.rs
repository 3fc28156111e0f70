//! What a runner says to a plan.

use portlease_core::{Granted, Host, HostSnapshot, Outdated, Refusal};
use serde::{Deserialize, Serialize};

use crate::{Error, PlanOutdated};

/// What a runner says to a plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Answer {
    /// It is leased as it was planned.
    Confirmed(Vec<Granted>),
    /// It does not fit; this is how the host is.
    Outdated(Box<Outdated>, Box<HostSnapshot>),
    /// It cannot be granted there.
    Refused(Box<Refusal>),
    /// The runner could not find out.
    Failed(String),
}

impl Answer {
    pub(super) fn of(confirmed: Result<Vec<Granted>, Error>) -> Self {
        match confirmed {
            Ok(granted) => Self::Confirmed(granted),
            Err(Error::PlanOutdated(outdated)) => {
                let PlanOutdated { outdated, snapshot } = *outdated;
                Self::Outdated(Box::new(outdated), Box::new(snapshot))
            }
            Err(Error::Refused(refusal)) => Self::Refused(Box::new(refusal)),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    pub(super) fn read(json: &str, host: &Host) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::RunnerFailed {
            host: host.clone(),
            message: format!("Its answer makes no sense: {error}."),
        })
    }

    pub(super) fn into_result(self, host: &Host) -> Result<Vec<Granted>, Error> {
        match self {
            Self::Confirmed(granted) => Ok(granted),
            Self::Outdated(outdated, snapshot) => {
                Err(Error::PlanOutdated(Box::new(PlanOutdated {
                    outdated: *outdated,
                    snapshot: *snapshot,
                })))
            }
            Self::Refused(refusal) => Err(Error::Refused(*refusal)),
            Self::Failed(message) => Err(Error::RunnerFailed {
                host: host.clone(),
                message,
            }),
        }
    }
}
