//! Errors on their way to JavaScript: a JSON text in the reason, from which the package makes a `PortleaseError`.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use portlease::core::{InvalidName, Refusal};
use portlease::{Error, InvalidArgument};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// Why there is no answer.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    details: Json,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// What only JavaScript can get wrong.
    pub(crate) fn new(code: &'static str, message: impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            details: json!({}),
        }
    }

    fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().map(ToString::to_string);
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        let said = said.unwrap_or_default();
        Self::new(
            "INTERNAL",
            format_args!("Portlease made a mistake: {said}. Please report it."),
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            details: error.details(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal).into()
    }
}

impl From<InvalidArgument> for Failure {
    fn from(error: InvalidArgument) -> Self {
        Error::Argument(error).into()
    }
}

impl From<InvalidName> for Failure {
    fn from(error: InvalidName) -> Self {
        Error::from(error).into()
    }
}

impl From<Failure> for napi::Error {
    fn from(failure: Failure) -> Self {
        Self::from_reason(json!(failure).to_string())
    }
}

/// What every value of the answers makes impossible.
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new("INTERNAL", format_args!("The answer is no JSON: {error}."))
    }
}

/// Does the work. A panic must not go through JavaScript, so it becomes an error as any other.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // Whatever the panic left half done is behind locks that are not poisoned for others, or is dropped with the closure.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref())))
}
