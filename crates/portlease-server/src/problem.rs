//! Errors as problem details (RFC 9457), with the codes and details that every other face has.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portlease::Error;
use portlease::core::{InvalidArgument, Refusal, StoreErrorKind};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

/// Why a request is not answered.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    details: Json,
    /// After how many seconds it is worth trying again.
    retry_after: Option<u64>,
}

/// A problem, as RFC 9457 writes it: why a request is not answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Written {
    /// What kind of problem it is: nothing more than its status says.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    code: &'static str,
    /// What happened and what to do, in a sentence.
    detail: String,
    /// What the code is about, as data.
    details: serde_json::Map<String, Json>,
}

pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            details: json!({}),
            retry_after: None,
        }
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn busy() -> Self {
        let detail = "There is more to do than this machine gets done. Ask again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", detail).retry_after(1)
    }

    pub(crate) fn internal() -> Self {
        let detail = "Portlease made a mistake. Its error output tells more: please report it.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", detail)
    }

    /// What is said in the address cannot be used.
    pub(crate) fn of_address(path: &str, problem: &str) -> Self {
        Error::Argument(InvalidArgument {
            path: path.to_owned(),
            value: None,
            problem: problem.to_owned(),
            nearest: None,
        })
        .into()
    }

    /// The body is no JSON at all.
    pub(crate) fn malformed(error: &InvalidArgument) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MALFORMED", error.to_string())
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

/// No client can bring about a status of 500 or more: what is wrong then is wrong with this machine.
fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Refused(refusal) => match refusal {
            Refusal::LeaseNotFound { .. } => StatusCode::NOT_FOUND,
            Refusal::ConflictUnresolved { .. }
            | Refusal::PortUnavailable(_)
            | Refusal::RangeExhausted(_)
            | Refusal::NotOwner(_)
            | Refusal::PlanOutdated(_) => StatusCode::CONFLICT,
            Refusal::InvalidPort { .. }
            | Refusal::InvalidRange { .. }
            | Refusal::InvalidName { .. }
            | Refusal::InvalidPools { .. }
            | Refusal::NoServices
            | Refusal::DuplicateService { .. }
            | Refusal::UnknownService { .. }
            | Refusal::DependencyCycle { .. }
            | Refusal::UnknownPool { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        },
        Error::LostRaces { .. }
        | Error::PlanOutdated(_)
        | Error::OtherHost { .. }
        | Error::NoFleet
        | Error::NoRunner { .. }
        | Error::PortLost { .. }
        | Error::NotListening { .. }
        | Error::ServerEnded { .. } => StatusCode::CONFLICT,
        Error::Argument(_)
        | Error::UnknownPreset(_)
        // The configuration of the folder that the client names; that of the server was read before it served.
        | Error::Config(_)
        | Error::Project { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Store(_)
        | Error::Bind(_)
        | Error::Probe(_)
        | Error::RunnerInDoubt { .. }
        | Error::RunnerFailed { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::InvalidRegistry { .. }
        | Error::NoExchange
        | Error::NoRegistryFile
        | Error::NoStateFolder => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let is_busy = matches!(&error, Error::Store(error) if error.kind == StoreErrorKind::Busy);
        Self {
            status: status_of(&error),
            code: error.code(),
            detail: error.to_string(),
            details: error.details(),
            retry_after: is_busy.then_some(1),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let written = Written {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            details: match self.details {
                Json::Object(details) => details,
                _ => serde_json::Map::new(),
            },
        };
        let mut response = Response::new(Body::from(json!(written).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The metrics count problems by their codes.
        response.extensions_mut().insert(ProblemCode(self.code));
        response
    }
}

/// The code of the problem that an answer tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);
