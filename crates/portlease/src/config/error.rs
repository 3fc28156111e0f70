//! What is wrong with a configuration, where, and what was probably meant.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::origin::{Origin, Place};

/// What is longer is no slip of a known name, and is not quoted as a whole.
const LONGEST_NAME: usize = 100;
const LONGEST_QUOTE: usize = 80;

/// Why a configuration cannot be used.
///
/// As text it is one line: the place, what is wrong there, and what to do about it.
#[derive(Debug, Clone)]
pub struct ConfigError {
    message: String,
    help: Option<String>,
    nearest: Option<String>,
    /// Unknown until the value is met that the message is about.
    origin: Option<Origin>,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            nearest: None,
            origin: None,
        }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Places the error, unless it has a more exact place already.
    pub(crate) fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// A name that nobody knows, and the one that is nearest to it.
    pub(crate) fn unknown<'a>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let error = Self::new(format!("There is no {what} {}.", quoted(name)));
        match nearest(name, &known) {
            Some(near) => Self {
                nearest: Some(near.to_owned()),
                ..error.with_help(format!("Did you mean {near:?}?"))
            },
            None if known.is_empty() => error,
            None => error.with_help(format!("There are: {}.", known.join(", "))),
        }
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

    /// Who said what is wrong.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The place in a file, when it is one that could be read.
    pub fn place(&self) -> Option<&Place> {
        match &self.origin {
            Some(Origin::File(place)) => Some(place),
            _ => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(Origin::File(place)) => write!(formatter, "{place}: ")?,
            Some(origin) => write!(formatter, "{origin}: ")?,
            None => {}
        }
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, " {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What serde finds, in the words of people who write configuration and not Rust.
impl serde::de::Error for ConfigError {
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
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

/// The known name that the given one is most likely a slip of.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_lowercase();
    let distance = |known: &&str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    let near = known.iter().copied().min_by_key(distance)?;
    // A third of the letters may be wrong; what differs by more is another word.
    let is_near = distance(&near) <= (near.chars().count() / 3).max(1);
    is_near.then_some(near)
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
pub(super) fn sentence(message: &str) -> String {
    let end = if message.ends_with('.') { "" } else { "." };
    let mut letters = message.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

/// A value that does not belong where it is.
struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => write!(formatter, "{value}"),
            Unexpected::Unsigned(value) => write!(formatter, "{value}"),
            Unexpected::Signed(value) => write!(formatter, "{value}"),
            Unexpected::Float(value) => write!(formatter, "{value}"),
            Unexpected::Str(value) => write!(formatter, "the text {}", quoted(value)),
            Unexpected::Unit => formatter.write_str("null"),
            Unexpected::Seq => formatter.write_str("a list"),
            Unexpected::Map => formatter.write_str("a table"),
            other => write!(formatter, "{other}"),
        }
    }
}
