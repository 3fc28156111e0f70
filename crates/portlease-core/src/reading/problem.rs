//! What is wrong with something that was written, where, and what was probably meant.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Expected, Unexpected};
use serde_json::Value as Json;

use super::nearest::nearest;

/// What is longer is not quoted as a whole.
const LONGEST_QUOTE: usize = 80;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: Box<str>,
    help: Option<Box<str>>,
    nearest: Option<Box<str>>,
    /// The way from the value that is wrong to the whole.
    way: Vec<Step>,
}

/// One step into a tree of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the element of a list.
    Element(usize),
    /// To the value of a key.
    Value(String),
    /// To a key itself.
    Key(String),
}

impl Problem {
    /// What is wrong, in a sentence.
    pub fn new(message: impl Into<Box<str>>) -> Self {
        Self {
            message: message.into(),
            help: None,
            nearest: None,
            way: Vec::new(),
        }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Box<str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A name that nobody knows, and the one that is nearest to it.
    pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let problem = Self::new(format!("There is no {what} {}.", quoted(name)));
        match nearest(name, &known) {
            Some(near) => Self {
                nearest: Some(near.into()),
                ..problem.with_help(format!("Did you mean {near:?}?"))
            },
            None if known.is_empty() => problem,
            None => problem.with_help(format!("There are: {}.", known.join(", "))),
        }
    }

    /// The same, seen from one step further out.
    #[must_use]
    pub fn below(mut self, step: Step) -> Self {
        self.way.push(step);
        self
    }

    /// What is wrong, in a sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The known name that was probably meant.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// Where it is, seen from the whole.
    pub fn path(&self) -> impl Iterator<Item = &Step> {
        self.way.iter().rev()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, " {help}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Problem {}

/// What serde finds, in the words of people who write configuration and not Rust.
impl serde::de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(sentence(&message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        Self::new(format!(
            "Here belongs {}, not {}.",
            kind(&expected),
            Found(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::unknown("key", field, known.iter().copied())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("The key {field:?} is missing."))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::unknown("choice", variant, known.iter().copied())
    }
}

/// The text in quotes, or as much of it as a sentence can bear.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

/// What Rust's types are called by people.
fn kind(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a port from 1 to 65535",
        "i32" => "a whole number",
        "a string" => "a text",
        "a sequence" => "a list",
        "a map" => "a table",
        _ if expected.starts_with("struct ") => "a table",
        other => other,
    }
}

/// With a capital letter and a full stop.
pub fn sentence(message: &str) -> String {
    let end = if message.ends_with('.') { "" } else { "." };
    let mut sentence = format!("{message}{end}");
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

/// A value that does not belong where it is.
struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => write!(formatter, "{value}"),
            Unexpected::Unsigned(value) => write!(formatter, "{value}"),
            Unexpected::Signed(value) => write!(formatter, "{value}"),
            Unexpected::Float(value) => write!(formatter, "{}", Json::from(value)),
            Unexpected::Str(value) => write!(formatter, "the text {}", quoted(value)),
            Unexpected::Unit => formatter.write_str("null"),
            Unexpected::Seq => formatter.write_str("a list"),
            Unexpected::Map => formatter.write_str("a table"),
            Unexpected::Other(what) => formatter.write_str(what),
            _ => formatter.write_str("something else"),
        }
    }
}
