//! The OpenAPI document: what every operation says of itself, and what its types are. `cargo xtask generate` writes it down; a program
//! that serves has what was written, and nothing of what makes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portlease::Error;
use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::inputs::{Input, Parameter};
use crate::operations;
use crate::options::LONGEST_BODY;
use crate::problem::{self, Problem};
use crate::routes::{Asked, Hearer, Operation, json_response};
use crate::server::Service;

/// Where the document keeps its schemas.
const SCHEMAS: &str = "/components/schemas";

/// The OpenAPI document of the API.
///
/// ```
/// let document = portlease_server::openapi();
/// assert_eq!(document["openapi"], "3.1.0");
/// assert!(document["paths"]["/api/leases"]["post"].is_object());
/// ```
pub fn openapi() -> Json {
    let mut described = Described {
        paths: Map::new(),
        // A type that is asked with says less than the same type that is answered: what may be left out has to be there.
        asked: generator(Contract::Deserialize),
        answered: generator(Contract::Serialize),
    };
    let answered = &mut described.answered;
    answered.subschema_for::<problem::Written>();
    // What the stream of events tells, line by line.
    answered.subschema_for::<portlease::Event>();
    operations::tell(&mut described);
    let Described {
        mut paths,
        mut asked,
        mut answered,
    } = described;
    let mut schemas = answered.take_definitions(true);
    let asked = asked.take_definitions(true);
    let others = differing(&asked, &schemas);
    for operation in paths
        .values_mut()
        .filter_map(Json::as_object_mut)
        .flat_map(Map::values_mut)
    {
        for part in ["parameters", "requestBody"] {
            if let Some(part) = operation.get_mut(part) {
                rename(part, &others);
            }
        }
    }
    for (name, mut schema) in asked {
        rename(&mut schema, &others);
        let name = if others.contains(&name) {
            asked_name(&name)
        } else {
            name
        };
        schemas.insert(name, schema);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portlease",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Leases ports of one machine to dev servers, services and containers.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        // A server that only this machine can reach may have no token.
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    });
    describe_for_all(&mut document);
    document
}

fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.into_generator()
}

/// What was told of operations so far.
struct Described {
    paths: Map<String, Json>,
    asked: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Hearer for Described {
    fn hear<I: Input, O: Serialize + JsonSchema + 'static>(
        &mut self,
        operation: Operation,
        _: fn(&Service, I) -> Result<O, Error>,
    ) {
        let schema = self.answered.subschema_for::<O>();
        self.add::<I>(&operation, "application/json", &schema);
    }

    fn hear_other<I: Input, F>(
        &mut self,
        operation: Operation,
        content_type: &'static str,
        _: fn(Arc<Service>, Asked, HeaderMap) -> F,
    ) {
        let kind = content_type.split(';').next().unwrap_or(content_type);
        let schema = match kind {
            "application/json" => json_schema!({"type": "object"}),
            _ => json_schema!({"type": "string"}),
        };
        self.add::<I>(&operation, kind, &schema);
    }
}

impl Described {
    fn add<I: Input>(&mut self, operation: &Operation, kind: &str, answer: &Schema) {
        let parameters = I::parameters(&mut self.asked);
        let described = describe(
            operation,
            parameters,
            I::body(&mut self.asked),
            kind,
            answer,
        );
        let methods = self
            .paths
            .entry(operation.path)
            .or_insert_with(|| json!({}));
        methods[operation.method.as_str().to_lowercase()] = described;
    }
}

fn describe(
    operation: &Operation,
    parameters: Vec<Parameter>,
    body: Option<Schema>,
    kind: &str,
    answer: &Schema,
) -> Json {
    let mut described = json!({"operationId": operation.id, "summary": operation.summary});
    let takes_something = body.is_some() || !parameters.is_empty();
    if !parameters.is_empty() {
        let parameters = parameters.into_iter().map(|parameter| {
            let mut schema = parameter.schema;
            let description = schema
                .as_object_mut()
                .and_then(|schema| schema.remove("description"));
            let mut written = json!({
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.is_required,
                "schema": schema,
            });
            if let Some(description) = description {
                written["description"] = description;
            }
            written
        });
        described["parameters"] = parameters.collect();
    }
    let mut statuses = BTreeSet::from([
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ]);
    statuses.extend(operation.problems);
    if takes_something {
        statuses.insert(StatusCode::UNPROCESSABLE_ENTITY);
    }
    if let Some(body) = body {
        described["requestBody"] = json!({
            "required": true,
            "description": format!("Up to {} kB.", LONGEST_BODY / 1024),
            "content": {"application/json": {"schema": body}},
        });
        statuses.extend([
            StatusCode::BAD_REQUEST,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ]);
    }
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({
            "description": "It is done.",
            "content": {kind: {"schema": answer}},
        }),
    );
    for status in statuses {
        responses.insert(status.as_str().to_owned(), json!({
            "description": status.canonical_reason(),
            "content": {problem::CONTENT_TYPE: {"schema": {"$ref": format!("#{SCHEMAS}/Problem")}}},
        }));
    }
    described["responses"] = responses.into();
    described
}

/// The names that mean something else when they are asked with, by themselves or by what they are made of.
fn differing(asked: &Map<String, Json>, answered: &Map<String, Json>) -> BTreeSet<String> {
    let mut differing: BTreeSet<String> = BTreeSet::new();
    loop {
        let differs = |(name, schema): &(&String, &Json)| {
            let Some(other) = answered.get(*name) else {
                return false;
            };
            other != *schema || refers_to(schema, &differing)
        };
        let all: BTreeSet<String> = asked
            .iter()
            .filter(differs)
            .map(|(name, _)| name.clone())
            .collect();
        if all == differing {
            return differing;
        }
        differing = all;
    }
}

fn refers_to(schema: &Json, names: &BTreeSet<String>) -> bool {
    match schema {
        Json::Object(table) => table.iter().any(|(key, value)| match value.as_str() {
            Some(target) if key == "$ref" => {
                name_of(target).is_some_and(|name| names.contains(name))
            }
            _ => refers_to(value, names),
        }),
        Json::Array(list) => list.iter().any(|value| refers_to(value, names)),
        _ => false,
    }
}

fn rename(schema: &mut Json, names: &BTreeSet<String>) {
    match schema {
        Json::Object(table) => {
            for (key, value) in table {
                let target = value.as_str().filter(|_| key == "$ref").and_then(name_of);
                match target.filter(|name| names.contains(*name)) {
                    Some(name) => *value = format!("#{SCHEMAS}/{}", asked_name(name)).into(),
                    None => rename(value, names),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| rename(value, names)),
        _ => {}
    }
}

/// Leaves examples in Rust and its links out of the descriptions, which lead nowhere from here, and defaults that are nothing: generators
/// take what has a default for something that is always there.
fn describe_for_all(part: &mut Json) {
    match part {
        Json::Object(table) => {
            table.retain(|key, value| !(key == "default" && value.is_null()));
            for (key, value) in table {
                match value.as_str().filter(|_| key == "description") {
                    Some(text) => *value = without_rust(text).into(),
                    None => describe_for_all(value),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(describe_for_all),
        _ => {}
    }
}

fn without_rust(text: &str) -> String {
    let outside = text.split("```").step_by(2).map(str::trim);
    let mut rest = outside.collect::<Vec<_>>().join("\n").trim().to_owned();
    while let Some((before, after)) = rest.split_once("](") {
        let Some((_, after)) = after.split_once(')') else {
            break;
        };
        rest = format!("{before}]{after}");
    }
    rest.replace("[`", "`").replace("`]", "`")
}

fn name_of(target: &str) -> Option<&str> {
    target
        .strip_prefix('#')?
        .strip_prefix(SCHEMAS)?
        .strip_prefix('/')
}

fn asked_name(name: &str) -> String {
    format!("{name}Asked")
}

pub(crate) async fn serve(_: Arc<Service>, _: Asked, _: HeaderMap) -> Result<Response, Problem> {
    Ok(json_response(WRITTEN))
}

/// The document as it was written down, without its line ends (`build.rs`).
const WRITTEN: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
