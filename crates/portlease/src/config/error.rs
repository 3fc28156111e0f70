//! What is wrong with a configuration, where, and what was probably meant.

use std::fmt;

use portlease_core::reading::Problem;

use super::origin::{Origin, Place};

/// Why a configuration cannot be used.
///
/// As text it is one line: the place, what is wrong there, and what to do about it.
#[derive(Debug, Clone)]
pub struct ConfigError {
    problem: Problem,
    /// Unknown until the value is met that the problem is about.
    origin: Option<Origin>,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<Box<str>>) -> Self {
        Problem::new(message).into()
    }

    pub(super) fn with_help(mut self, help: impl Into<Box<str>>) -> Self {
        self.problem = self.problem.with_help(help);
        self
    }

    /// Places the error, unless it has a more exact place already.
    pub(super) fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// A name that nobody knows, and the one that is nearest to it.
    pub(super) fn unknown<'a>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Problem::unknown(what, name, known).into()
    }

    /// What is wrong, in a sentence.
    pub fn message(&self) -> &str {
        self.problem.message()
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.problem.help()
    }

    /// The known name that was probably meant.
    pub fn nearest(&self) -> Option<&str> {
        self.problem.nearest()
    }

    /// Who said what is wrong.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The place in a file, when it is one that could be read.
    pub fn place(&self) -> Option<&Place> {
        match &self.origin {
            Some(Origin::File(place)) => Some(place),
            _ => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(Origin::File(place)) => write!(formatter, "{place}: ")?,
            Some(origin) => write!(formatter, "{origin}: ")?,
            None => {}
        }
        fmt::Display::fmt(&self.problem, formatter)
    }
}

impl std::error::Error for ConfigError {}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            origin: None,
        }
    }
}
