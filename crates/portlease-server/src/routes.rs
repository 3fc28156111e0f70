//! An operation says once what it takes, what it answers and which problems it may have. Routes are made of that here, the OpenAPI
//! document in `document.rs`: two who hear of every operation, so that a program that only serves has nothing of the document's making.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http_body_util::{BodyExt as _, Limited};
use portlease::Error;
use schemars::JsonSchema;
use serde::Serialize;

use crate::guard;
use crate::inputs::Input;
use crate::options::LONGEST_BODY;
use crate::problem::Problem;
use crate::server::Service;
use crate::workers::Pace;

/// One question that can be asked by HTTP.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Its name in clients that are generated.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    /// The problems that are its own.
    pub(crate) problems: &'static [StatusCode],
    pace: Pace,
}

/// Who hears of every operation.
pub(crate) trait Hearer {
    /// One that answers JSON, and whose work is done by a thread that may wait.
    fn hear<I: Input, O: Serialize + JsonSchema + 'static>(
        &mut self,
        operation: Operation,
        work: fn(&Service, I) -> Result<O, Error>,
    );

    /// One that answers something else, of this type.
    fn hear_other<I: Input, F>(
        &mut self,
        operation: Operation,
        content_type: &'static str,
        answer: fn(Arc<Service>, Asked, HeaderMap) -> F,
    ) where
        F: Future<Output = Result<Response, Problem>> + Send + 'static;
}

/// The routes of operations.
pub(crate) struct Routes(pub(crate) Router<Arc<Service>>);

/// The route that was taken, for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route(pub(crate) &'static str);

/// What of a request an operation may read.
pub(crate) struct Asked {
    pub(crate) uri: Uri,
    /// The variable part of the path.
    pub(crate) place: Option<String>,
    pub(crate) body: Bytes,
}

impl Operation {
    /// One whose work takes microseconds.
    pub(crate) fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            problems: &[],
            pace: Pace::Quick,
        }
    }

    /// Its work takes longer.
    pub(crate) fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// It may have these problems, too.
    pub(crate) fn problems(self, problems: &'static [StatusCode]) -> Self {
        Self { problems, ..self }
    }
}

impl Hearer for Routes {
    fn hear<I: Input, O: Serialize + JsonSchema + 'static>(
        &mut self,
        operation: Operation,
        work: fn(&Service, I) -> Result<O, Error>,
    ) {
        let Operation { path, id, pace, .. } = operation;
        let handler = async move |State(service): State<Arc<Service>>,
                                  place: Result<Option<Path<String>>, PathRejection>,
                                  request: axum::extract::Request| {
            let answered = answer(&service, id, pace, work, place, request).await;
            named(answered.unwrap_or_else(IntoResponse::into_response), path)
        };
        self.add(&operation, on(filter(&operation.method), handler));
    }

    fn hear_other<I: Input, F>(
        &mut self,
        operation: Operation,
        _: &'static str,
        answer: fn(Arc<Service>, Asked, HeaderMap) -> F,
    ) where
        F: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let path = operation.path;
        let handler = async move |State(service): State<Arc<Service>>,
                                  request: axum::extract::Request| {
            let (parts, _) = request.into_parts();
            let asked = Asked {
                uri: parts.uri,
                place: None,
                body: Bytes::new(),
            };
            let answered = match guard::token(&service, &parts.headers) {
                Ok(()) => answer(service, asked, parts.headers).await,
                Err(problem) => Err(problem),
            };
            named(answered.unwrap_or_else(IntoResponse::into_response), path)
        };
        self.add(&operation, on(filter(&operation.method), handler));
    }
}

impl Routes {
    fn add(&mut self, operation: &Operation, route: MethodRouter<Arc<Service>>) {
        let router = std::mem::take(&mut self.0);
        self.0 = router.route(operation.path, route);
    }
}

async fn answer<I: Input, O: Serialize + 'static>(
    service: &Arc<Service>,
    id: &'static str,
    pace: Pace,
    work: fn(&Service, I) -> Result<O, Error>,
    place: Result<Option<Path<String>>, PathRejection>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    guard::token(service, &parts.headers)?;
    let unreadable = |_| Problem::of_address("", "The path is no text: write it in UTF-8.");
    let place = place.map_err(unreadable)?.map(|Path(place)| place);
    let body = if I::HAS_BODY {
        read_body(&parts.headers, body).await?
    } else {
        Bytes::new()
    };
    let asked = Asked {
        uri: parts.uri,
        place,
        body,
    };
    let input = I::read(&asked)?;
    let own = Arc::clone(service);
    let done = service.workers.run(pace, move || {
        let begun = Instant::now();
        let answer = work(&own, input)?;
        own.metrics.worked(id, begun.elapsed());
        // What is answered can always be written: no map has keys that are no text.
        Ok::<_, Error>(serde_json::to_vec(&answer).unwrap_or_default())
    });
    let json = done.await??;
    Ok(json_response(json))
}

pub(crate) fn json_response(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn named(mut response: Response, path: &'static str) -> Response {
    response.extensions_mut().insert(Route(path));
    response
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "NOT_JSON",
            "Send JSON, and say so: content-type: application/json.",
        ));
    }
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST_BODY) {
        return Err(too_large());
    }
    match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "MALFORMED",
            "The body did not arrive as a whole.",
        )),
    }
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "TOO_LARGE",
        format!(
            "The body has more than {} kB: nothing that can be asked is that long.",
            LONGEST_BODY / 1024
        ),
    )
}

fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).expect("operations have the usual methods")
}
