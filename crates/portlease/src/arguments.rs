//! What callers of other languages say, as JSON, with the place of whatever is wrong in it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::Error;
use crate::config::tree::{Entry, Node, Table, Value};
use crate::config::typed::typed;
use crate::config::{ConfigError, Origin};

/// The reason why what a caller says cannot be used.
///
/// ```
/// let error = portlease::Wish::read(r#"{"projectId": "shop", "prefered": [4000]}"#).unwrap_err();
/// assert_eq!(error.to_string(), r#"prefered: There is no key "prefered". Did you mean "preferred"?"#);
/// assert_eq!(error.details()["nearest"], "preferred");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidArgument {
    /// Where it is, such as `services[0].preferred`; empty when it is the whole.
    pub path: String,
    /// What stands there.
    pub value: Option<Json>,
    /// What is wrong with it, in a sentence.
    pub problem: String,
    /// The valid name that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for InvalidArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.problem)
    }
}

impl std::error::Error for InvalidArgument {}

/// Reads a value of the type.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Question { days: u32 }
///
/// let question: Question = portlease::read_argument(r#"{"days": 7}"#)?;
/// assert_eq!(question.days, 7);
/// let error = portlease::read_argument::<Question>(r#"{"days": "soon"}"#).err().unwrap();
/// assert_eq!(error.code(), "INVALID_ARGUMENT");
/// # Ok::<(), portlease::Error>(())
/// ```
pub fn read_argument<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    read_with(json, typed)
}

/// Reads what `read` makes of the value.
pub(crate) fn read_with<T>(
    json: &str,
    read: impl Fn(&Node) -> Result<T, ConfigError>,
) -> Result<T, Error> {
    let value: Json = serde_json::from_str(json).map_err(|error| InvalidArgument {
        path: String::new(),
        value: None,
        problem: format!("This is not JSON: {error}."),
        nearest: None,
    })?;
    // Nobody asks where something is as long as nothing is wrong.
    if let Ok(answer) = read(&unplaced(&value)) {
        return Ok(answer);
    }
    let mut values = BTreeMap::new();
    let error = match read(&placed(&value, String::new(), &mut values)) {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let path = error.origin().map(ToString::to_string).unwrap_or_default();
    let value = values.get(&path).copied().cloned();
    Err(Error::Argument(InvalidArgument::new(path, value, &error)))
}

impl InvalidArgument {
    pub(crate) fn new(path: String, value: Option<Json>, error: &ConfigError) -> Self {
        let problem = match error.help() {
            Some(help) => format!("{} {help}", error.message()),
            None => error.message().to_owned(),
        };
        Self {
            path,
            value: value.map(|value| shortened(&value)),
            problem,
            nearest: error.nearest().map(str::to_owned),
        }
    }
}

fn unplaced(json: &Json) -> Node {
    let entry = |(key, value): (&String, &Json)| {
        let (key, node) = (key.clone(), unplaced(value));
        let entry = Entry {
            key: Origin::Default,
            node,
        };
        (key, entry)
    };
    let value = match json {
        Json::Array(list) => Value::List(list.iter().map(unplaced).collect()),
        Json::Object(table) => Value::Table(table.iter().map(entry).collect()),
        scalar => self::scalar(scalar),
    };
    Node {
        value,
        origin: Origin::Default,
    }
}

fn placed<'a>(json: &'a Json, path: String, values: &mut BTreeMap<String, &'a Json>) -> Node {
    let value = match json {
        Json::Array(list) => {
            let node = |(index, item)| placed(item, format!("{path}[{index}]"), values);
            Value::List(list.iter().enumerate().map(node).collect())
        }
        Json::Object(table) => {
            let mut entries = Table::new();
            for (key, value) in table {
                let name: String = key.chars().take(LONGEST_TEXT).collect();
                let place = if path.is_empty() {
                    name
                } else {
                    format!("{path}.{name}")
                };
                let entry = Entry {
                    key: Origin::Argument(place.clone()),
                    node: placed(value, place, values),
                };
                entries.insert(key.clone(), entry);
            }
            Value::Table(entries)
        }
        scalar => self::scalar(scalar),
    };
    values.insert(path.clone(), json);
    Node {
        value,
        origin: Origin::Argument(path),
    }
}

fn scalar(json: &Json) -> Value {
    match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Integer(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Other("so large a number"),
        },
        Json::String(text) => Value::Text(text.clone()),
        _ => Value::Null,
    }
}

/// Errors are for people and logs, whatever was given.
const LONGEST_TEXT: usize = 80;

fn shortened(value: &Json) -> Json {
    match value {
        Json::String(text) => text.chars().take(LONGEST_TEXT).collect::<String>().into(),
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
        scalar => scalar.clone(),
    }
}
