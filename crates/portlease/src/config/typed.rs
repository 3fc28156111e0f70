//! From values with origins to types. Every error gets the place of the value that it is about.

use portlease_core::reading::{self, Problem, Step, Tree, View};
use serde::de::DeserializeOwned;

use super::error::ConfigError;
use super::origin::Origin;
use super::tree::{Entry, Node, Value};

/// Reads a value of the type.
pub(super) fn typed<T: DeserializeOwned>(node: &Node) -> Result<T, ConfigError> {
    reading::read(node).map_err(|problem| {
        let origin = origin(&problem, node).clone();
        ConfigError::from(problem).at(&origin)
    })
}

/// Who said what the problem is about.
fn origin<'a>(problem: &Problem, whole: &'a Node) -> &'a Origin {
    let mut node = whole;
    let mut origin = &whole.origin;
    for step in problem.path() {
        let (next, its_origin) = match (step, &node.value) {
            (Step::Element(index), Value::List(list)) => (&list[*index], &list[*index].origin),
            (Step::Value(key), Value::Table(table)) => {
                let entry = &table[key];
                (&entry.node, &entry.node.origin)
            }
            (Step::Key(key), Value::Table(table)) => {
                let entry = &table[key];
                (&entry.node, &entry.key)
            }
            _ => break,
        };
        (node, origin) = (next, its_origin);
    }
    origin
}

type Member<'a> = fn((&'a String, &'a Entry)) -> (&'a str, &'a Node);

impl Tree for Node {
    type Entries<'a> = std::iter::Map<indexmap::map::Iter<'a, String, Entry>, Member<'a>>;

    fn view(&self) -> View<'_, Self> {
        match &self.value {
            Value::Bool(value) => View::Bool(*value),
            Value::Integer(number) => View::Integer(*number),
            Value::Float(number) => View::Float(*number),
            Value::Text(text) => View::Text(text),
            Value::Said(text) => View::Said(text),
            Value::List(list) => View::List(list),
            Value::Table(table) => {
                let member: Member<'_> = |(key, entry)| (key, &entry.node);
                View::Table(table.iter().map(member))
            }
            Value::Null => View::Null,
            Value::Other(what) => View::Other(what),
        }
    }
}
