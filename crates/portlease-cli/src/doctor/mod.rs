//! What may be wrong with a machine and its registry, each with how to mend it.

use std::fmt;

use portlease::{Allocator, Error};
use serde::Serialize;

use crate::selection;

mod environment;
mod machine;
mod registry;

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// What was looked at, in a word that stays the same.
    pub(crate) check: &'static str,
    pub(crate) level: Level,
    /// What was found.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Level {
    /// It is as it should be.
    Ok,
    /// It may surprise somebody.
    Warning,
    /// Something does not work.
    Problem,
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

impl Finding {
    fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            level: Level::Ok,
            message: message.into(),
            remedy: None,
        }
    }

    fn warning(check: &'static str, message: impl Into<String>, remedy: &str) -> Self {
        Self {
            level: Level::Warning,
            remedy: Some(remedy.to_owned()),
            ..Self::ok(check, message)
        }
    }

    fn problem(check: &'static str, message: impl Into<String>, remedy: Option<&str>) -> Self {
        Self {
            level: Level::Problem,
            remedy: remedy.map(str::to_owned),
            ..Self::ok(check, message)
        }
    }

    /// Something that could not be found out. Errors say what to do in their own sentences.
    fn failed(check: &'static str, error: impl fmt::Display) -> Self {
        Self::problem(check, error.to_string(), None)
    }
}

/// Looks at everything. Nothing that fails keeps the rest from being looked at.
pub(crate) fn examine() -> Vec<Finding> {
    let opened = selection::open_here();
    let mut findings = match &opened {
        Ok(allocator) => registry::examine(allocator),
        Err(error) => vec![unopened(error)],
    };
    findings.extend(machine::examine());
    if let Ok(allocator) = &opened {
        findings.extend(leases(allocator));
    }
    findings.extend(environment::examine());
    findings
}

fn unopened(error: &Error) -> Finding {
    match error {
        Error::Store(error) => {
            Finding::problem("registry", error.problem.clone(), Some(&error.remedy))
        }
        error => Finding::failed("registry", error),
    }
}

fn leases(allocator: &Allocator) -> Vec<Finding> {
    match allocator.validate(None) {
        Ok(validated) => registry::leases(&validated.leases),
        Err(error) => vec![Finding::failed("leases", error)],
    }
}
