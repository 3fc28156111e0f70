//! Values that are written in a form of their own.

use std::borrow::Cow;
use std::fmt;

use portlease_core::{Port, PortRange};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error, IntoDeserializer as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range, written `"4000-4100"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range(pub PortRange);

/// Ports that are not to be used: one, written as a number, or a range, written `"4000-4010"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excluded(pub PortRange);

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct VariableName(String);

impl VariableName {
    /// The name, if a variable can have it.
    pub fn new(name: String) -> Option<Self> {
        let is_usable = !name.trim().is_empty() && !name.contains(['=', '\0']);
        is_usable.then_some(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = RangeVisitor {
            takes_numbers: false,
        };
        deserializer.deserialize_any(visitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Excluded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = RangeVisitor {
            takes_numbers: true,
        };
        deserializer.deserialize_any(visitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for VariableName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let message = format!("{name:?} is not the name of an environment variable");
        Self::new(name).ok_or_else(|| D::Error::custom(message))
    }
}

struct RangeVisitor {
    takes_numbers: bool,
}

impl Visitor<'_> for RangeVisitor {
    type Value = PortRange;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.takes_numbers {
            "a port such as 4000 or a range such as \"4000-4010\""
        } else {
            "a range such as \"4000-4100\""
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PortRange, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<PortRange, E> {
        if !self.takes_numbers {
            return Err(E::invalid_type(Unexpected::Unsigned(number), &self));
        }
        Port::try_from(number)
            .map(PortRange::only)
            .map_err(E::custom)
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (first, last) = (self.0.first(), self.0.last());
        serializer.collect_str(&format_args!("{first}-{last}"))
    }
}

impl Serialize for Excluded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.len() == 1 {
            self.0.first().serialize(serializer)
        } else {
            Range(self.0).serialize(serializer)
        }
    }
}

impl JsonSchema for Range {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^ *[0-9]{1,5} *([-–] *[0-9]{1,5} *)?$"})
    }
}

impl JsonSchema for Excluded {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Excluded".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [port(generator), Range::json_schema(generator)]})
    }
}

impl JsonSchema for VariableName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "VariableName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[^=]+$"})
    }
}

/// The schema of a port.
pub(super) fn port(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 1, "maximum": 65535})
}

/// The schema of a list of ports.
pub(super) fn ports(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": port(generator)})
}

/// The schema of a type that is one of several words.
pub(super) fn choice<T: DeserializeOwned>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": choices::<T>()})
}

/// The schema of a list of such words.
pub(super) fn choice_list<T: DeserializeOwned>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": choice::<T>(generator)})
}

/// The words that a type can be, asked of the type itself: it names them when it is given none of them.
fn choices<T: DeserializeOwned>() -> &'static [&'static str] {
    let nothing: StrDeserializer<'_, Choices> = "".into_deserializer();
    match T::deserialize(nothing) {
        Ok(_) => &[],
        Err(Choices(choices)) => choices,
    }
}

#[derive(Debug)]
struct Choices(&'static [&'static str]);

impl fmt::Display for Choices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Choices {}

impl Error for Choices {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, choices: &'static [&'static str]) -> Self {
        Self(choices)
    }
}
