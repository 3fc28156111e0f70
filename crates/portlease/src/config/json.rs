//! The part of a `package.json` that is about ports, with the place of everything.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ConfigError;
use super::origin::Origin;
use super::tree::{Entry, Node, Table, Value};

/// The key of `package.json` whose value is configuration.
const KEY: &str = "portlease";
/// Configuration is a few tables deep. What is deeper was not written by a person.
const DEEPEST: usize = 32;

/// Reads what the text says below the key, if it has it; `locate` makes an origin of a place.
pub(super) fn read(
    text: &str,
    locate: &dyn Fn(Range<usize>) -> Origin,
) -> Result<Option<Node>, ConfigError> {
    // What says nothing about ports is not for us to judge.
    if !text.contains("\"portlease\"") {
        return Ok(None);
    }
    let reader = Reader { text, locate };
    let Members(members) = reader.parse(text, 0)?;
    let mut found = members
        .into_iter()
        .filter(|(key, _)| key.get() == "\"portlease\"");
    match (found.next(), found.next()) {
        (_, Some((key, _))) => Err(twice(KEY).at(&reader.origin(key))),
        (Some((_, value)), None) => reader.node(value, 0).map(Some),
        (None, None) => Ok(None),
    }
}

struct Reader<'a> {
    text: &'a str,
    locate: &'a dyn Fn(Range<usize>) -> Origin,
}

/// The keys and values of an object, as they are written.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Reader<'a> {
    /// Reads a part of the text that begins at `start`.
    fn parse<T: Deserialize<'a>>(&self, part: &'a str, start: usize) -> Result<T, ConfigError> {
        serde_json::from_str(part).map_err(|error| {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or_default();
            let place = start + offset(part, error.line(), error.column());
            ConfigError::new(format!("This is not JSON: {what}.")).at(&(self.locate)(place..place))
        })
    }

    fn start(&self, raw: &RawValue) -> usize {
        // The raw value is a part of the text, so the difference is its place there.
        raw.get().as_ptr() as usize - self.text.as_ptr() as usize
    }

    fn origin(&self, raw: &RawValue) -> Origin {
        let start = self.start(raw);
        (self.locate)(start..start + raw.get().len())
    }

    fn node(&self, raw: &'a RawValue, depth: usize) -> Result<Node, ConfigError> {
        let origin = self.origin(raw);
        if depth > DEEPEST {
            return Err(ConfigError::new("This is nested too deeply.").at(&origin));
        }
        let (text, start) = (raw.get(), self.start(raw));
        let value = match text.as_bytes().first() {
            Some(b'{') => Value::Table(self.table(self.parse(text, start)?, depth)?),
            Some(b'[') => {
                let list: Vec<&RawValue> = self.parse(text, start)?;
                let nodes = list.into_iter().map(|raw| self.node(raw, depth + 1));
                Value::List(nodes.collect::<Result<_, _>>()?)
            }
            Some(b'"') => Value::Text(self.parse(text, start)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            _ => match (text.parse(), text.parse::<f64>()) {
                (Ok(number), _) => Value::Integer(number),
                (_, Ok(number)) if number.is_finite() => Value::Float(number),
                _ => Value::Other("so large a number"),
            },
        };
        Ok(Node { value, origin })
    }

    fn table(&self, Members(members): Members<'a>, depth: usize) -> Result<Table, ConfigError> {
        let mut table = Table::new();
        for (key, value) in members {
            let name: String = self.parse(key.get(), self.start(key))?;
            let entry = Entry {
                key: self.origin(key),
                node: self.node(value, depth + 1)?,
            };
            if table.contains_key(&name) {
                return Err(twice(&name).at(&entry.key));
            }
            table.insert(name, entry);
        }
        Ok(table)
    }
}

impl<'a> Deserialize<'a> for Members<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'a> Visitor<'a> for MembersVisitor {
    type Value = Members<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

fn twice(key: &str) -> ConfigError {
    ConfigError::new(format!("The key {key:?} is there twice.")).with_help("Keep one of them.")
}

/// The place of a line and a column, both counted from 1, which may lie just behind the end.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let place = (before + column.saturating_sub(1)).min(text.len());
    (0..=place)
        .rev()
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or(0)
}
