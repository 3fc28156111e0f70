//! Time as a value: the core has no clock.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since the beginning of 1970, UTC, by the clock of whoever gathered the
/// facts.
///
/// ```
/// use core::time::Duration;
/// use portlease_core::Timestamp;
///
/// let earlier = Timestamp::from_millis(1_000);
/// let later = Timestamp::from_millis(4_000);
/// assert_eq!(later.since(earlier), Duration::from_secs(3));
/// assert_eq!(earlier.since(later), Duration::ZERO, "a clock that jumped back counts as no time");
/// ```
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "number"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment so many milliseconds after the beginning of 1970.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the beginning of 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`; zero when the clock went backwards in between.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ms", self.0)
    }
}
