//! Times single operations.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How often each case is run before it is measured, so that caches and branch predictors are as
/// they are in a running program.
const WARM_UP: usize = 500;
/// How many operations are timed, each on its own, so that the tail is that of single operations.
const SAMPLES: usize = 20_000;

/// The median and the tail of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// Times `operation` on what `prepare` makes for each turn; `restore` undoes it. Only `operation`
/// is timed.
pub(crate) fn time<T, R>(
    mut prepare: impl FnMut(usize) -> T,
    mut operation: impl FnMut(&T) -> R,
    mut restore: impl FnMut(T, R),
) -> Timing {
    let mut samples = Vec::with_capacity(SAMPLES);
    for turn in 0..WARM_UP + SAMPLES {
        let input = prepare(turn);
        let start = Instant::now();
        let output = black_box(operation(black_box(&input)));
        let elapsed = start.elapsed();
        restore(input, output);
        if turn >= WARM_UP {
            samples.push(elapsed);
        }
    }
    samples.sort_unstable();
    Timing {
        p50: samples[SAMPLES / 2],
        p99: samples[SAMPLES / 100 * 99],
        max: samples[SAMPLES - 1],
    }
}
