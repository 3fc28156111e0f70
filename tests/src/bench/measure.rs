//! Times single operations.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How often an operation is timed.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// How often it is run before it is measured, so that caches and branch predictors are as they
    /// are in a running program.
    pub(crate) warm_up: usize,
    /// How many operations are timed, each on its own, so that the tail is that of single ones.
    pub(crate) samples: usize,
}

/// The median and the tail of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Timing {
    /// Sums up operations that were timed one by one.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub(crate) fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let last = samples.len() - 1;
        Self {
            p50: samples[last / 2],
            p99: samples[last * 99 / 100],
            max: samples[last],
        }
    }
}

/// Times `operation` on what `prepare` makes for each turn; `restore` undoes it. Only `operation`
/// is timed.
pub(crate) fn time<T, R>(
    effort: Effort,
    mut prepare: impl FnMut(usize) -> T,
    mut operation: impl FnMut(&T) -> R,
    mut restore: impl FnMut(T, R),
) -> Timing {
    let mut samples = Vec::with_capacity(effort.samples);
    for turn in 0..effort.warm_up + effort.samples {
        let input = prepare(turn);
        let start = Instant::now();
        let output = black_box(operation(black_box(&input)));
        let elapsed = start.elapsed();
        restore(input, output);
        if turn >= effort.warm_up {
            samples.push(elapsed);
        }
    }
    Timing::of(samples)
}
