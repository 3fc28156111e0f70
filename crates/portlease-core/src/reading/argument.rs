//! What callers of other languages say, as JSON, with the place of whatever is wrong in it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write as _};
use core::iter::Map;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{Problem, Step, Tree, View, read};

/// The reason why what a caller says cannot be used.
///
/// ```
/// let error = portlease_core::Wish::read(r#"{"projectId": "shop", "prefered": [4000]}"#).unwrap_err();
/// assert_eq!(error.to_string(), r#"prefered: There is no key "prefered". Did you mean "preferred"?"#);
/// assert_eq!(error.nearest.as_deref(), Some("preferred"));
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

impl InvalidArgument {
    /// The stable code.
    pub const CODE: &'static str = "INVALID_ARGUMENT";

    /// What is wrong with the value at a path. Of long values, the beginning is shown.
    #[must_use]
    pub fn new(path: &str, value: Option<&Json>, problem: &Problem) -> Self {
        Self {
            path: path.to_owned(),
            value: value.map(shortened),
            problem: format!("{problem}"),
            nearest: problem.nearest().map(str::to_owned),
        }
    }

    /// What the code is about, as data.
    #[must_use]
    pub fn details(&self) -> Json {
        serde_json::json!({"path": self.path, "value": self.value, "nearest": self.nearest})
    }
}

impl fmt::Display for InvalidArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.problem)
    }
}

impl core::error::Error for InvalidArgument {}

/// Reads a value of the type.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Question { days: u32 }
///
/// let question: Question = portlease_core::read_argument(r#"{"days": 7}"#)?;
/// assert_eq!(question.days, 7);
/// let error = portlease_core::read_argument::<Question>(r#"{"days": "soon"}"#).err().unwrap();
/// assert_eq!(error.path, "days");
/// # Ok::<(), portlease_core::InvalidArgument>(())
/// ```
pub fn read_argument<T: DeserializeOwned>(json: &str) -> Result<T, InvalidArgument> {
    let value = self::json(json)?;
    read(&value).map_err(|problem| place(&problem, &value))
}

/// The text as JSON.
pub(crate) fn json(text: &str) -> Result<Json, InvalidArgument> {
    serde_json::from_str(text).map_err(|error| {
        let problem = Problem::new(format!("This is not JSON: {error}."));
        InvalidArgument::new("", None, &problem)
    })
}

/// The problem with its path and what stands there.
pub(crate) fn place(problem: &Problem, whole: &Json) -> InvalidArgument {
    let mut path = String::new();
    let mut value = Some(whole);
    for step in problem.path() {
        value = value.and_then(|value| match step {
            Step::Element(index) => value.get(index),
            Step::Value(key) | Step::Key(key) => value.get(key),
        });
        write_step(&mut path, step);
    }
    InvalidArgument::new(&path, value, problem)
}

fn write_step(path: &mut String, step: &Step) {
    match step {
        Step::Element(index) => write!(path, "[{index}]").expect("a text takes everything"),
        Step::Value(key) | Step::Key(key) => {
            if !path.is_empty() {
                path.push('.');
            }
            path.extend(key.chars().take(LONGEST_TEXT));
        }
    }
}

type Entry<'a> = fn((&'a String, &'a Json)) -> (&'a str, &'a Json);

impl Tree for Json {
    type Entries<'a> = Map<serde_json::map::Iter<'a>, Entry<'a>>;

    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Null,
            Self::Bool(value) => View::Bool(*value),
            Self::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => View::Integer(number),
                (None, Some(number)) => View::Float(number),
                (None, None) => View::Other("so large a number"),
            },
            Self::String(text) => View::Text(text),
            Self::Array(list) => View::List(list),
            Self::Object(table) => {
                let entry: Entry<'_> = |(key, value)| (key, value);
                View::Table(table.iter().map(entry))
            }
        }
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
