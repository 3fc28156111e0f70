//! Whoever waits for a change gets to know of it, whoever made it.

#![expect(
    clippy::disallowed_methods,
    reason = "these laws are about how long something takes"
)]

use alloc::format;
use core::time::Duration;
use std::thread;
use std::time::Instant;

use super::Registry;
use super::leasing::{at, numbered, service};
use super::opening::{Opening, Problem, holds, only};
use crate::{Lease, Mark, Request};

const CHANGES: usize = 5;
/// So long nobody has to wait for a change that happens.
const LONG: Duration = Duration::from_secs(5);
/// So long the others go on when nothing changes, give or take what a busy machine takes.
const SHORT: Duration = Duration::from_millis(40);

pub(super) fn whoever_waits_misses_no_change(registry: &dyn Registry) -> Result<(), Problem> {
    let [writer, reader] = [Opening::of(registry), Opening::of(registry)];
    let begun = Instant::now();
    let mut seen = reader.wait(None, LONG)?;
    holds(
        "whoever saw nothing yet is answered at once",
        begun.elapsed() < LONG,
    )?;
    for number in 0..CHANGES {
        // Before the wait, and while it lasts.
        let lease = thread::scope(|scope| -> Result<Lease, Problem> {
            let reserve = || reserve(&writer, number);
            if number % 2 == 0 {
                let lease = reserve()?;
                wait_for(&reader, &mut seen, number + 1)?;
                Ok(lease)
            } else {
                let reserving = scope.spawn(reserve);
                wait_for(&reader, &mut seen, number + 1)?;
                reserving.join().map_err(|_| "the writer panicked")?
            }
        })?;
        let leases = reader.everything()?;
        holds(
            "what was waited for is there",
            leases.get(&lease.key) == Some(&lease),
        )?;
    }
    Ok(())
}

fn reserve(writer: &Opening, number: usize) -> Result<Lease, Problem> {
    let wanted = service("web", 3000, 3100);
    let request = Request::new(numbered("project", number), [wanted].into());
    only(writer.reserve(request, &at(1_000))?)
}

/// Waits until there are so many leases. A wait may end early, and then another one begins where it ended.
fn wait_for(reader: &Opening, seen: &mut Mark, count: usize) -> Result<(), Problem> {
    let begun = Instant::now();
    loop {
        *seen = reader.wait(Some(*seen), LONG)?;
        if begun.elapsed() >= LONG {
            return Err(format!("lease {count} was not noticed within {LONG:?}"));
        }
        if reader.everything()?.len() == count {
            return Ok(());
        }
    }
}

pub(super) fn nobody_waits_longer_than_asked_to(registry: &dyn Registry) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let seen = opening.wait(None, LONG)?;
    let begun = Instant::now();
    let _unchanged = opening.wait(Some(seen), SHORT)?;
    holds("a wait ends in time", begun.elapsed() < LONG)
}
