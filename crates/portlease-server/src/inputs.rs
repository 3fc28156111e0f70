//! Where in a request it stands what is asked: in the body, in the query, in the path.

use axum::extract::Query;
use portlease::asking::{Abandoned, Confirmation, Counting, Releasing, Renewal};
use portlease::core::{InvalidArgument, Plan, Port, PortNumber, PortRange, PortsWish, Wish};
use portlease::read_argument;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::problem::Problem;
use crate::routes::Asked;

/// What an operation takes.
pub(crate) trait Input: Send + Sized + 'static {
    const HAS_BODY: bool = false;

    fn parameters(_: &mut SchemaGenerator) -> Vec<Parameter> {
        Vec::new()
    }

    fn body(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }

    fn read(asked: &Asked) -> Result<Self, Problem>;
}

/// A part of the address.
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `query` or `path`.
    pub(crate) place: &'static str,
    pub(crate) is_required: bool,
    pub(crate) schema: Json,
}

/// Nothing is asked with.
impl Input for () {
    fn read(_: &Asked) -> Result<Self, Problem> {
        Ok(())
    }
}

/// Part of what is asked with stands in one place, part in another.
impl<A: Input, B: Input> Input for (A, B) {
    const HAS_BODY: bool = A::HAS_BODY || B::HAS_BODY;

    fn parameters(generator: &mut SchemaGenerator) -> Vec<Parameter> {
        let mut parameters = A::parameters(generator);
        parameters.extend(B::parameters(generator));
        parameters
    }

    fn body(generator: &mut SchemaGenerator) -> Option<Schema> {
        A::body(generator).or_else(|| B::body(generator))
    }

    fn read(asked: &Asked) -> Result<Self, Problem> {
        Ok((A::read(asked)?, B::read(asked)?))
    }
}

/// What stands in the body as JSON.
pub(crate) struct FromBody<T>(pub(crate) T);

/// What can stand in a body.
pub(crate) trait Argument: JsonSchema + Send + Sized + 'static {
    fn of_json(json: &str) -> Result<Self, InvalidArgument>;
}

impl Argument for Wish {
    fn of_json(json: &str) -> Result<Self, InvalidArgument> {
        Self::read(json)
    }
}

macro_rules! arguments {
    ($($type:ty),*) => {
        $(impl Argument for $type {
            fn of_json(json: &str) -> Result<Self, InvalidArgument> {
                read_argument(json)
            }
        })*
    };
}

arguments!(Abandoned, Confirmation, Plan, Releasing, Renewal);

impl<T: Argument> Input for FromBody<T> {
    const HAS_BODY: bool = true;

    fn body(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }

    fn read(asked: &Asked) -> Result<Self, Problem> {
        let not_json = |problem: &str| InvalidArgument {
            path: String::new(),
            value: None,
            problem: problem.to_owned(),
            nearest: None,
        };
        let json = str::from_utf8(&asked.body)
            .map_err(|_| Problem::malformed(&not_json("This is not UTF-8.")))?;
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(json) {
            let problem = format!("This is not JSON: {error}.");
            return Err(Problem::malformed(&not_json(&problem)));
        }
        let read = T::of_json(json);
        Ok(Self(read.map_err(portlease::Error::from)?))
    }
}

/// What stands after the question mark of the address.
pub(crate) struct FromQuery<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for FromQuery<T> {
    fn parameters(generator: &mut SchemaGenerator) -> Vec<Parameter> {
        let schema = T::json_schema(generator);
        let required = schema.get("required").and_then(Json::as_array);
        let is_required =
            |name: &String| required.is_some_and(|all| all.contains(&(&**name).into()));
        let properties = schema.get("properties").and_then(Json::as_object);
        let parameter = |(name, schema): (&String, &Json)| {
            let mut schema = schema.clone();
            // What is not said is not there, and not nothing.
            schema
                .as_object_mut()
                .and_then(|schema| schema.remove("default"));
            Parameter {
                name: name.clone(),
                place: "query",
                is_required: is_required(name),
                schema,
            }
        };
        properties.into_iter().flatten().map(parameter).collect()
    }

    fn read(asked: &Asked) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&asked.uri) {
            Ok(Query(read)) => Ok(Self(read)),
            Err(rejection) => {
                let problem = std::error::Error::source(&rejection)
                    .map_or_else(|| rejection.to_string(), ToString::to_string);
                let problem =
                    format!("What stands after the question mark cannot be used: {problem}.");
                Err(Problem::of_address("", &problem))
            }
        }
    }
}

/// What stands in the variable part of the path.
pub(crate) struct FromPath<T>(pub(crate) T);

/// What can stand there.
pub(crate) trait Place: Send + Sized + 'static {
    const NAME: &'static str;

    fn schema(generator: &mut SchemaGenerator) -> Schema;

    fn of_text(text: &str) -> Result<Self, Problem>;
}

impl Place for Port {
    const NAME: &'static str = "port";

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }

    fn of_text(text: &str) -> Result<Self, Problem> {
        text.parse().map_err(|error: portlease::core::InvalidPort| {
            portlease::Error::Refused(error.into()).into()
        })
    }
}

/// The id of a container, its name, or that of the application in it.
pub(crate) struct ContainerId(pub(crate) String);

impl Place for ContainerId {
    const NAME: &'static str = "id";

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1})
    }

    fn of_text(text: &str) -> Result<Self, Problem> {
        Ok(Self(text.to_owned()))
    }
}

impl<T: Place> Input for FromPath<T> {
    fn parameters(generator: &mut SchemaGenerator) -> Vec<Parameter> {
        vec![Parameter {
            name: T::NAME.to_owned(),
            place: "path",
            is_required: true,
            schema: T::schema(generator).into(),
        }]
    }

    fn read(asked: &Asked) -> Result<Self, Problem> {
        T::of_text(asked.place.as_deref().unwrap_or_default()).map(Self)
    }
}

/// Which project is meant.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OfProject {
    /// The project; all of them when nothing is said.
    #[schemars(with = "portlease::core::Name")]
    pub(crate) project: Option<String>,
}

/// Where a port is looked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Available {
    /// The framework in whose range it is.
    #[schemars(with = "portlease::core::Name")]
    pub(crate) framework: Option<String>,
    /// The range itself, such as 3000-3100.
    #[schemars(with = "RangeText")]
    pub(crate) range: Option<RangeText>,
    /// Where the search starts.
    #[schemars(with = "Port")]
    pub(crate) start: Option<Port>,
}

/// Which ports are meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scanned {
    /// A range, such as 3000-3100, or one port.
    pub(crate) range: RangeText,
}

/// What is counted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Counted {
    /// The range, such as 3000-3100; those of the frameworks when nothing is said.
    #[schemars(with = "RangeText")]
    pub(crate) range: Option<RangeText>,
    /// How many of the busiest and least used ports are named.
    #[schemars(with = "u16")]
    pub(crate) top: Option<u16>,
}

impl From<&Counted> for Counting {
    fn from(counted: &Counted) -> Self {
        let range = |range: &RangeText| {
            let [first, last] = [range.0.first(), range.0.last()].map(PortNumber::from);
            vec![PortsWish::Ends(vec![first, last])]
        };
        Self {
            ranges: counted.range.as_ref().map(range),
            top: counted.top.map(u32::from),
        }
    }
}

/// Where a listener stopped.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(crate) struct Resumed {
    /// The id of the last event that was heard, for those who cannot send the header Last-Event-ID.
    #[schemars(with = "String")]
    pub(crate) last_event_id: Option<String>,
}

/// A range as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RangeText(pub(crate) PortRange);

impl TryFrom<String> for RangeText {
    type Error = portlease::core::InvalidRange;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl JsonSchema for RangeText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RangeText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?$"})
    }
}
