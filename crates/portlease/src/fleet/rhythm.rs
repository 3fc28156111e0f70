//! When a runner reports. A database that was away finds all runners of a fleet waiting for it; they are not to come all at one moment,
//! and not to stay in step afterwards.

use std::time::Duration;

/// When a runner reports. It has no clock and no chance of its own, so that a fleet of them can be simulated.
///
/// ```
/// use std::time::Duration;
/// use portlease::Rhythm;
///
/// let mut rhythm = Rhythm::new(Duration::from_secs(60));
/// let just_now = Duration::ZERO;
/// // Somewhere in the first minute, and once a minute from then on.
/// assert_eq!(rhythm.after_report(just_now, 0.5), Duration::from_secs(30));
/// assert_eq!(rhythm.after_report(just_now, 0.5), Duration::from_secs(60));
/// // Where nobody else looks for silent hosts, it has to.
/// assert_eq!(rhythm.after_report(Rhythm::LOOK_EVERY, 0.5), Duration::from_secs(6));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    every: Duration,
    /// Whether it has its place in the time between two reports.
    is_placed: bool,
    failed: u32,
}

/// The pause after a failure is this part of the time between two reports; each that follows is twice as long, up to that time.
const FIRST_PAUSE: u32 = 8;

/// How often a runner reports that looks for silent hosts. By a clock of the database that is a little slow, it still is not too early.
const ALONE: Duration = Duration::from_secs(6);

impl Rhythm {
    /// So often some runner has to look for silent hosts: the one that finds that nobody did for so long.
    pub const LOOK_EVERY: Duration = Duration::from_secs(5);

    /// The rhythm of a runner that is to report so often.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Self {
            every,
            is_placed: false,
            failed: 0,
        }
    }

    /// How long to wait after a report, which told how long ago somebody looked for silent hosts. `chance` is from 0 to 1.
    pub fn after_report(&mut self, looked_ago: Duration, chance: f64) -> Duration {
        self.failed = 0;
        let every = if looked_ago < Self::LOOK_EVERY {
            self.every
        } else {
            self.every.min(ALONE)
        };
        if std::mem::replace(&mut self.is_placed, true) {
            every
        } else {
            every.mul_f64(chance)
        }
    }

    /// How long to wait after a failure.
    pub fn after_failure(&mut self, chance: f64) -> Duration {
        let part = FIRST_PAUSE >> self.failed.min(FIRST_PAUSE.ilog2());
        self.is_placed = false;
        self.failed += 1;
        (self.every / part).mul_f64(0.5 + chance / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_fail_again_and_again_pause_longer_and_are_placed_anew() {
        let mut rhythm = Rhythm::new(Duration::from_secs(80));
        rhythm.after_report(Duration::ZERO, 1.0);
        let pauses: Vec<u64> = (0..5)
            .map(|_| rhythm.after_failure(1.0).as_secs())
            .collect();
        assert_eq!(pauses, [10, 20, 40, 80, 80]);
        assert_eq!(
            rhythm.after_report(Duration::ZERO, 0.25),
            Duration::from_secs(20)
        );
        assert_eq!(rhythm.after_failure(0.0), Duration::from_secs(5));
    }
}
