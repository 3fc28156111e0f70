//! How long a request may take, and how it tries again within that time.

use std::future::Future;
use std::time::Duration;

use portlease_core::StoreError;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::address::Address;
use crate::trouble::{Hope, Trouble};

/// The time of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    begin: Instant,
    end: Instant,
}

/// The first pause before another try; the next ones are up to twice as long each.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Limit {
    pub(crate) fn begin(time: Duration) -> Self {
        let begin = Instant::now();
        Self {
            begin,
            end: begin + time,
        }
    }

    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits for something at most until the end.
    pub(crate) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        match timeout_at(self.end, work).await {
            Ok(done) => done,
            Err(_) => Err(Trouble::NoAnswer),
        }
    }

    /// The same with an earlier end, which leaves some of the time for asking what became of it.
    pub(crate) async fn within_most<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        match timeout_at(self.most(), work).await {
            Ok(done) => done,
            Err(_) => Err(Trouble::NoAnswer),
        }
    }

    /// When everything is over.
    pub(crate) fn end(&self) -> Instant {
        self.end
    }

    /// When everything is over but asking what became of it.
    pub(crate) fn most(&self) -> Instant {
        self.begin + (self.end - self.begin).mul_f64(TRIED_FOR)
    }

    /// After how many milliseconds the server itself ends what takes too long: early enough that its reason arrives here. Never
    /// none, which would mean never.
    pub(crate) fn for_server(&self) -> u128 {
        let end = self.begin + (self.end - self.begin).mul_f64(0.7);
        let left = end.saturating_duration_since(Instant::now());
        left.as_millis().max(1)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Tries<'a> {
    limit: Limit,
    until: Instant,
    address: &'a Address,
    failed: u32,
    /// What went wrong first: what follows when the time is over says less.
    last: Option<Trouble>,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(limit: Limit, address: &'a Address) -> Self {
        Self {
            limit,
            until: limit.most(),
            address,
            failed: 0,
            last: None,
        }
    }

    /// Tries that also use the time that is kept for them.
    pub(crate) fn to_the_end(limit: Limit, address: &'a Address) -> Self {
        Self {
            until: limit.end,
            ..Self::new(limit, address)
        }
    }

    /// Pauses before another try, or says why there is none.
    pub(crate) async fn again(&mut self, trouble: Trouble) -> Result<(), StoreError> {
        let hope = trouble.hope();
        let told = |trouble: Trouble| trouble.explain(self.address, self.limit.elapsed());
        if hope == Hope::None {
            return Err(told(trouble));
        }
        let longest = if hope == Hope::Soon {
            LONGEST_PAUSE / 5
        } else {
            LONGEST_PAUSE
        };
        let next = Instant::now() + pause(self.failed, longest, fastrand::f64());
        if next >= self.until {
            let is_silence = matches!(trouble, Trouble::NoAnswer | Trouble::NoConnection);
            let worth_telling = match self.last.take() {
                Some(earlier) if is_silence => earlier,
                _ => trouble,
            };
            return Err(told(worth_telling));
        }
        self.failed += 1;
        self.last = Some(trouble);
        sleep_until(next).await;
        Ok(())
    }
}

/// The pause after so many failures. It is at random, so that those who were stopped by one accident do not all come back at one
/// moment; `chance` is from 0 to 1.
fn pause(failed: u32, longest: Duration, chance: f64) -> Duration {
    let doubled = FIRST_PAUSE * 2_u32.saturating_pow(failed.min(10));
    doubled.min(longest).mul_f64(0.5 + chance / 2.0)
}

/// When a command is tried again while the server is away, for whoever simulates that.
#[doc(hidden)]
#[must_use]
pub fn pause_while_away(failed: u32, chance: f64) -> Duration {
    pause(failed, LONGEST_PAUSE, chance)
}

/// The part of its time after which a command begins no other try, for whoever simulates that.
#[doc(hidden)]
pub const TRIED_FOR: f64 = 0.8;
