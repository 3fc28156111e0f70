//! An inclusive range of ports.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Port;

/// An inclusive range of ports. It cannot be empty, reversed, or contain port 0.
///
/// In JSON it is a pair, `[3000, 3100]`; as text it is `3000-3100`, or one port alone.
///
/// ```
/// use portlease_core::{Port, PortRange};
///
/// let range: PortRange = "3000-3100".parse()?;
/// assert_eq!(range.len(), 101);
/// assert!(range.contains(Port::literal(3100)));
/// assert!("3100-3000".parse::<PortRange>().is_err());
/// # Ok::<(), portlease_core::InvalidRange>(())
/// ```
#[cfg_attr(
    feature = "typescript",
    derive(ts_rs::TS),
    ts(type = "[first: Port, last: Port]")
)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(Port, Port)")]
pub struct PortRange {
    first: Port,
    last: Port,
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self {
        first: Port::MIN,
        last: Port::MAX,
    };

    /// The range from `first` to `last`, both included, or `None` when they are reversed.
    #[must_use]
    pub const fn new(first: Port, last: Port) -> Option<Self> {
        if first.get() <= last.get() {
            Some(Self { first, last })
        } else {
            None
        }
    }

    /// A range for tables that are written in code.
    ///
    /// # Panics
    ///
    /// When an end is 0 or the ends are reversed, which in a constant is an error of the compiler.
    #[must_use]
    pub const fn literal(first: u16, last: u16) -> Self {
        Self::new(Port::literal(first), Port::literal(last)).expect("a range runs upward")
    }

    /// The range that holds one port.
    #[must_use]
    pub const fn only(port: Port) -> Self {
        Self {
            first: port,
            last: port,
        }
    }

    /// The range of `count` ports from `first` on, cut off at the highest port.
    #[must_use]
    pub const fn starting_at(first: Port, count: u16) -> Self {
        let last = first.get().saturating_add(count.saturating_sub(1));
        Self {
            first,
            last: Port::literal(last),
        }
    }

    /// The lowest port.
    #[must_use]
    pub const fn first(self) -> Port {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub const fn last(self) -> Port {
        self.last
    }

    /// How many ports the range holds: at least one.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    #[must_use]
    pub const fn len(self) -> u32 {
        self.last.get() as u32 - self.first.get() as u32 + 1
    }

    /// Whether the port lies between the ends, both included.
    #[must_use]
    pub const fn contains(self, port: Port) -> bool {
        self.first.get() <= port.get() && port.get() <= self.last.get()
    }

    /// The ports that are in both ranges.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// The port in this range that lies nearest to `port`.
    #[must_use]
    pub fn clamp(self, port: Port) -> Port {
        port.clamp(self.first, self.last)
    }

    /// All ports, upward.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Port> {
        (self.first.get()..=self.last.get()).filter_map(Port::new)
    }

    /// The order in which a range is searched: from `start` up to the end, then from the low end
    /// up to just before `start`.
    #[must_use]
    pub fn wrapped_at(self, start: Port) -> (Self, Option<Self>) {
        let start = self.clamp(start);
        let upper = Self {
            first: start,
            last: self.last,
        };
        let lower = start.previous().and_then(|end| Self::new(self.first, end));
        (upper, lower)
    }
}

/// The reason why a value is not a range of ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{value:?} is not a range of ports: write first-last, both from 1 to 65535 and the lower one first"
)]
pub struct InvalidRange {
    /// The value as it was given.
    pub value: String,
}

impl TryFrom<(u64, u64)> for PortRange {
    type Error = InvalidRange;

    fn try_from((first, last): (u64, u64)) -> Result<Self, InvalidRange> {
        let ports = Port::try_from(first).ok().zip(Port::try_from(last).ok());
        ports
            .and_then(|(first, last)| Self::new(first, last))
            .ok_or_else(|| InvalidRange {
                value: alloc::format!("{first}-{last}"),
            })
    }
}

impl From<PortRange> for (Port, Port) {
    fn from(range: PortRange) -> Self {
        (range.first, range.last)
    }
}

impl FromStr for PortRange {
    type Err = InvalidRange;

    /// Reads `3000-3100`, the same with an en dash, or one port.
    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        let (first, last) = text.split_once(['-', '–']).unwrap_or((text, text));
        let ports = first.parse().ok().zip(last.parse().ok());
        ports
            .and_then(|(first, last)| Self::new(first, last))
            .ok_or_else(|| InvalidRange { value: text.into() })
    }
}

impl fmt::Display for PortRange {
    /// Writes the range for people: `3000–3100`, or the port when there is only one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(formatter, "{}", self.first)
        } else {
            write!(formatter, "{}–{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for PortRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<(u16, u16)>) {
        let range = text.parse::<PortRange>().ok();
        assert_eq!(
            range.map(|range| (range.first().get(), range.last().get())),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn text_is_a_range_or_an_error() {
        check("3000-3100", Some((3000, 3100)));
        check("3000–3100", Some((3000, 3100)));
        check(" 3000 - 3100 ", Some((3000, 3100)));
        check("8080", Some((8080, 8080)));
        check("1-65535", Some((1, 65535)));
        for unusable in [
            "",
            "-",
            "3000-",
            "-3000",
            "3100-3000",
            "0-10",
            "1-65536",
            "1-2-3",
            "a-b",
        ] {
            check(unusable, None);
        }
    }

    #[test]
    fn json_is_a_pair() {
        let range = PortRange::literal(3000, 3100);
        assert_eq!(serde_json::to_string(&range).unwrap(), "[3000,3100]");
        assert_eq!(
            serde_json::from_str::<PortRange>("[3000,3100]").unwrap(),
            range
        );
        for unusable in [
            "[3100,3000]",
            "[0,5]",
            "[1,65536]",
            "[1]",
            "[1,2,3]",
            "\"1-2\"",
        ] {
            assert!(
                serde_json::from_str::<PortRange>(unusable).is_err(),
                "{unusable}"
            );
        }
    }

    #[test]
    fn a_count_is_cut_off_at_the_highest_port() {
        assert_eq!(
            PortRange::starting_at(Port::literal(65500), 101),
            PortRange::literal(65500, 65535)
        );
        assert_eq!(
            PortRange::starting_at(Port::literal(3000), 101),
            PortRange::literal(3000, 3100)
        );
        assert_eq!(
            PortRange::starting_at(Port::literal(3000), 1),
            PortRange::only(Port::literal(3000))
        );
    }

    fn any_range() -> impl Strategy<Value = PortRange> {
        (1_u16.., 1_u16..)
            .prop_map(|(one, other)| PortRange::literal(one.min(other), one.max(other)))
    }

    proptest! {
        #[test]
        fn prop_both_ends_are_included(range in any_range()) {
            prop_assert!(range.contains(range.first()) && range.contains(range.last()));
            prop_assert!(range.first().previous().is_none_or(|port| !range.contains(port)));
            prop_assert!(range.last().next().is_none_or(|port| !range.contains(port)));
        }

        #[test]
        fn prop_wrapping_visits_each_port_once(
            (first, count) in (1_u16..=65000, 1_u16..=300),
            start in 1_u16..,
        ) {
            let range = PortRange::starting_at(Port::literal(first), count);
            let (upper, lower) = range.wrapped_at(Port::literal(start));
            let mut visited: Vec<Port> = upper.iter().chain(lower.into_iter().flat_map(PortRange::iter)).collect();
            prop_assert_eq!(visited[0], range.clamp(Port::literal(start)));
            visited.sort_unstable();
            prop_assert_eq!(visited, range.iter().collect::<Vec<_>>());
        }

        #[test]
        fn prop_text_and_json_keep_a_range(range in any_range()) {
            prop_assert_eq!(alloc::format!("{range}").parse::<PortRange>(), Ok(range));
            let json = serde_json::to_string(&range).unwrap();
            prop_assert_eq!(serde_json::from_str::<PortRange>(&json).unwrap(), range);
        }
    }
}
