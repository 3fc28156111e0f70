//! What went wrong, in a form for people and one for programs.

use std::process::ExitCode;

use portlease::core::StoreErrorKind;
use portlease::{Error, core::Refusal};
use serde_json::json;

use crate::exit::Code;
use crate::output;

/// A failed command: a stable code, a sentence, and the exit code that belongs to it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: String,
    message: String,
    exit: Code,
    as_json: bool,
}

impl Failure {
    pub(crate) fn new(exit: Code, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            exit,
            as_json: false,
        }
    }

    /// Told as an object on the standard output, for a command that was asked for JSON.
    #[must_use]
    pub(crate) fn told_as_json(mut self, as_json: bool) -> Self {
        self.as_json = as_json;
        self
    }

    pub(crate) fn exit(&self) -> Code {
        self.exit
    }

    pub(crate) fn report(self) -> ExitCode {
        if self.as_json {
            let error = json!({"error": {"code": self.code, "message": self.message}});
            output::line(format_args!("{error}"));
        } else {
            output::complaint(format_args!("{}", self.message));
        }
        self.exit.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(exit_of(&error), error.code(), error.to_string())
    }
}

fn exit_of(error: &Error) -> Code {
    match error {
        Error::Refused(
            Refusal::InvalidPort { .. }
            | Refusal::InvalidRange { .. }
            | Refusal::InvalidName { .. },
        )
        | Error::UnknownPreset { .. }
        | Error::InvalidRegistry { .. } => Code::Usage,
        Error::Refused(_) | Error::LostRaces { .. } => Code::Refused,
        Error::NotListening { .. } | Error::ServerEnded { .. } | Error::PortLost { .. } => {
            Code::NotServing
        }
        Error::Store(error) if error.kind == StoreErrorKind::Unsuitable => Code::Usage,
        _ => Code::Broken,
    }
}
