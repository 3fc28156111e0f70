//! A TCP port that a program can listen on.

use alloc::string::String;
use core::fmt;
use core::num::NonZeroU16;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A TCP port from 1 to 65535. Port 0 means "any port" to an operating system and is not a port.
///
/// ```
/// use portlease_core::Port;
///
/// let port: Port = "3000".parse()?;
/// assert_eq!(port.get(), 3000);
/// assert!(Port::new(0).is_none());
/// # Ok::<(), portlease_core::InvalidPort>(())
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "number"))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u16")]
pub struct Port(NonZeroU16);

impl Port {
    /// The lowest port.
    pub const MIN: Self = Self(NonZeroU16::MIN);
    /// The highest port.
    pub const MAX: Self = Self(NonZeroU16::MAX);

    /// The port with this number, or `None` for 0.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The port with this number, for tables that are written in code.
    ///
    /// # Panics
    ///
    /// When the number is 0, which in a constant is an error of the compiler.
    #[must_use]
    pub const fn literal(number: u16) -> Self {
        Self::new(number).expect("port 0 cannot be listened on")
    }

    /// The number of the port.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The port after this one, or `None` after the highest.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The port before this one, or `None` before the lowest.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        Self::new(self.get() - 1)
    }
}

/// The reason why a value is not a port. It keeps the value, so that the message can show it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a port: a port is a whole number from 1 to 65535")]
pub struct InvalidPort {
    /// The value as it was given.
    pub value: String,
}

impl TryFrom<u64> for Port {
    type Error = InvalidPort;

    fn try_from(number: u64) -> Result<Self, InvalidPort> {
        u16::try_from(number)
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| InvalidPort {
                value: alloc::format!("{number}"),
            })
    }
}

impl TryFrom<u16> for Port {
    type Error = InvalidPort;

    fn try_from(number: u16) -> Result<Self, InvalidPort> {
        u64::from(number).try_into()
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.get()
    }
}

impl FromStr for Port {
    type Err = InvalidPort;

    /// Reads decimal digits, and white space around them: nothing else, in particular no sign.
    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        let digits = text.trim();
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        all_digits
            .then(|| digits.parse().ok())
            .flatten()
            .and_then(Self::new)
            .ok_or_else(|| InvalidPort { value: text.into() })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u16>) {
        assert_eq!(
            text.parse::<Port>().ok().map(Port::get),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn text_is_a_port_or_an_error() {
        check("1", Some(1));
        check(" 3000\n", Some(3000));
        check("65535", Some(65535));
        for unusable in [
            "",
            " ",
            "0",
            "65536",
            "70000",
            "99999999999",
            "-1",
            "+80",
            "abc",
            "80.0",
            "0x50",
        ] {
            check(unusable, None);
        }
    }

    #[test]
    fn the_error_names_the_value() {
        let error = "abc".parse::<Port>().unwrap_err();
        assert_eq!(
            alloc::format!("{error}"),
            "\"abc\" is not a port: a port is a whole number from 1 to 65535"
        );
    }

    #[test]
    fn json_is_a_number() {
        assert_eq!(serde_json::to_string(&Port::literal(3000)).unwrap(), "3000");
        assert_eq!(serde_json::from_str::<Port>("65535").unwrap(), Port::MAX);
        for unusable in ["0", "65536", "-1", "3000.5", "\"3000\"", "null"] {
            assert!(
                serde_json::from_str::<Port>(unusable).is_err(),
                "{unusable}"
            );
        }
    }

    #[test]
    fn neighbours_end_at_the_ends() {
        assert_eq!(Port::MIN.previous(), None);
        assert_eq!(Port::MAX.next(), None);
        assert_eq!(Port::literal(80).next(), Some(Port::literal(81)));
        assert_eq!(Port::literal(80).previous(), Some(Port::literal(79)));
    }
}
