//! Names of projects, services, frameworks, pools and hosts.

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a project, service, framework, pool or host: text of 1 to 1,024 bytes without
/// control characters. A path is a usual name of a project. Cloning costs no memory.
///
/// ```
/// use portlease_core::Name;
///
/// let project: Name = "/home/ada/shop".parse()?;
/// assert_eq!(project.as_str(), "/home/ada/shop");
/// assert!("".parse::<Name>().is_err());
/// # Ok::<(), portlease_core::InvalidName>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// A name that is written in code.
    ///
    /// # Panics
    ///
    /// When the text is empty, too long, or has control characters.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        text.parse().expect("a name written in code is a name")
    }

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The reason why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a name: a name has 1 to 1024 bytes and no control characters")]
pub struct InvalidName {
    /// The beginning of the text as it was given.
    pub value: String,
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let fits = !text.trim().is_empty() && text.len() <= Self::MAX_BYTES;
        if fits && !text.contains(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName {
                value: text.chars().take(40).collect(),
            })
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, is_name: bool) {
        assert_eq!(text.parse::<Name>().is_ok(), is_name, "{text:?}");
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(
            serde_json::from_str::<Name>(&json).is_ok(),
            is_name,
            "{json}"
        );
    }

    #[test]
    fn text_is_a_name_or_an_error() {
        for name in [
            "web",
            "/home/ada/my shop",
            "<b>",
            "größe",
            &"x".repeat(1024),
        ] {
            check(name, true);
        }
        for unusable in ["", "  ", "a\0b", "a\nb", "\u{1b}[31m", &"x".repeat(1025)] {
            check(unusable, false);
        }
    }

    #[test]
    fn the_error_shows_only_the_beginning() {
        let error = "x".repeat(2000).parse::<Name>().unwrap_err();
        assert_eq!(error.value, "x".repeat(40));
    }
}
