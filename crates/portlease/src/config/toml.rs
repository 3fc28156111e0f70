//! TOML, with the place of everything.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::ConfigError;
use super::origin::Origin;
use super::tree::{Entry, Node, Table, Value};

/// Reads a text; `locate` makes an origin of a place in it.
pub(super) fn read(
    text: &str,
    locate: &dyn Fn(Range<usize>) -> Origin,
) -> Result<Node, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let message = format!(
            "This is not TOML: {}.",
            error.message().trim_end_matches('.')
        );
        ConfigError::new(message).at(&locate(error.span().unwrap_or(0..0)))
    })?;
    Ok(Node {
        value: Value::Table(entries(table.get_ref(), locate)),
        origin: locate(0..0),
    })
}

fn entries(table: &DeTable<'_>, locate: &dyn Fn(Range<usize>) -> Origin) -> Table {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entry = |key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>| Entry {
        key: locate(key.span()),
        node: node(value, locate),
    };
    entries
        .into_iter()
        .map(|(key, value)| (key.get_ref().to_string(), entry(key, value)))
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, locate: &dyn Fn(Range<usize>) -> Origin) -> Node {
    let origin = locate(value.span());
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("so large a number"), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or(Value::Other("so large a number"), Value::Float),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(list) => Value::List(list.iter().map(|value| node(value, locate)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, locate)),
    };
    Node { value, origin }
}
