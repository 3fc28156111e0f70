//! What went wrong, in a form for people and one for programs.

use portlease::core::StoreErrorKind;
use portlease::{ConfigError, Error, core::Refusal};
use serde_json::json;

use crate::exit::Code;
use crate::{output, snippet};

/// A failed command: a stable code, a sentence, and the exit code that belongs to it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: String,
    message: String,
    exit: Code,
    as_json: bool,
    /// When it is the configuration that is wrong: it is shown.
    config: Option<Box<ConfigError>>,
}

impl Failure {
    pub(crate) fn new(exit: Code, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            exit,
            as_json: false,
            config: None,
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

    pub(crate) fn report(self) -> u8 {
        if self.as_json {
            let mut error = json!({"code": self.code, "message": self.message});
            if let Some(place) = self.config.as_ref().and_then(|error| error.place()) {
                let (line, column) = place.line_and_column();
                error["file"] = place.path().to_string_lossy().into();
                error["line"] = line.into();
                error["column"] = column.into();
            }
            output::line(format_args!("{}", json!({"error": error})));
        } else if let Some(report) = self.config.as_deref().and_then(snippet::drawn) {
            output::note(format_args!("{}", report.trim_end()));
        } else {
            output::complaint(format_args!("{}", self.message));
        }
        self.exit.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(exit_of(&error), error.code(), error.to_string());
        match error {
            Error::Config(error) => Self {
                config: Some(Box::new(error)),
                ..failure
            },
            _ => failure,
        }
    }
}

fn exit_of(error: &Error) -> Code {
    match error {
        Error::Refused(
            Refusal::InvalidPort { .. }
            | Refusal::InvalidRange { .. }
            | Refusal::InvalidName { .. },
        )
        | Error::Config(_)
        | Error::Argument(_)
        | Error::Project { .. }
        | Error::UnknownPreset(_)
        | Error::InvalidRegistry { .. }
        | Error::NoFleet => Code::Usage,
        Error::Refused(_)
        | Error::LostRaces { .. }
        | Error::PlanOutdated(_)
        | Error::OtherHost { .. } => Code::Refused,
        Error::NoRunner { .. } => Code::Nothing,
        Error::NotListening { .. } | Error::ServerEnded { .. } | Error::PortLost { .. } => {
            Code::NotServing
        }
        Error::Store(error) if error.kind == StoreErrorKind::Unsuitable => Code::Usage,
        Error::Store(_)
        | Error::Probe(_)
        | Error::Bind(_)
        | Error::NoExchange
        | Error::RunnerInDoubt { .. }
        | Error::RunnerFailed { .. }
        | Error::NoRegistryFile
        | Error::NoStateFolder => Code::Broken,
    }
}

#[cfg(test)]
mod tests {
    use portlease::core::{Name, Occupant, Port, UnknownPreset};
    use portlease::probe::ProbeError;

    use super::*;

    /// What no command line brings about by itself, or only by a race; the other kinds are met by the tests of the commands.
    #[test]
    fn the_exit_codes_of_rare_errors() {
        let check = |error: Error, code, words: &str| {
            let failure = Failure::from(error);
            assert_eq!(failure.exit(), code, "{failure:?}");
            assert!(failure.message.contains(words), "{failure:?}");
            assert!(failure.message.ends_with('.'), "{failure:?}");
        };
        let port = Port::literal(3000);
        check(
            Error::LostRaces { lost: 3 },
            Code::Refused,
            "3 granted ports one after the other. Try again",
        );
        check(Error::ServerEnded { port }, Code::NotServing, "port 3000");
        let waited = std::time::Duration::from_secs(5);
        check(
            Error::NotListening { port, waited },
            Code::NotServing,
            "within 5s",
        );
        let by = Occupant::default();
        check(
            Error::PortLost { port, by },
            Code::NotServing,
            "was taken by",
        );
        let unknown = Error::UnknownPreset(UnknownPreset {
            profile: "production".to_owned(),
            kind: "viteHmr".to_owned(),
            known: vec![Name::literal("webServer")],
        });
        check(unknown, Code::Usage, "It has webServer");
        let url = "mysql:there".to_owned();
        check(
            Error::InvalidRegistry { url },
            Code::Usage,
            "write sqlite:PATH",
        );
        let action = "list sockets";
        check(
            ProbeError::NotPermitted { action }.into(),
            Code::Broken,
            "does not let this process list sockets. A sandbox",
        );
        check(
            Refusal::NoServices.into(),
            Code::Refused,
            "Name at least one",
        );
    }
}
