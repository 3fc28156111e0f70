//! Where threads of a broken store wait for each other, so that its fault shows every time and not
//! only when the scheduler happens to be unkind.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A gap in which threads meet.
#[derive(Default)]
pub(crate) struct Meeting {
    traffic: Mutex<Traffic>,
    has_moved: Condvar,
}

/// How often anybody came to a gap, and how often anybody wrote.
#[derive(Default)]
struct Traffic {
    reads: usize,
    writes: usize,
    lost_updates: usize,
    waits_in_vain: usize,
}

impl Meeting {
    /// Widens the gap between reading and writing until somebody else stands in it too.
    pub(crate) fn waits_for_another_reader(&self) {
        let mut traffic = self.traffic();
        traffic.reads += 1;
        let own = traffic.reads;
        self.has_moved.notify_all();
        self.waits_while(traffic, |traffic| traffic.reads <= own);
    }

    /// Widens the gap between two reads until somebody writes.
    pub(crate) fn waits_for_a_writer(&self) {
        let traffic = self.traffic();
        let before = traffic.writes;
        self.waits_while(traffic, |traffic| traffic.writes <= before);
    }

    pub(crate) fn has_lost(&self, update: bool) {
        self.traffic().lost_updates += usize::from(update);
    }

    pub(crate) fn has_written(&self) {
        self.traffic().writes += 1;
        self.has_moved.notify_all();
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for others, unless the fault has shown itself often enough, or nobody comes any more.
    fn waits_while(
        &self,
        traffic: MutexGuard<'_, Traffic>,
        nobody_came: impl Fn(&mut Traffic) -> bool,
    ) {
        if traffic.lost_updates > ENOUGH_LOST || traffic.waits_in_vain > ENOUGH_IN_VAIN {
            return;
        }
        let waited = self
            .has_moved
            .wait_timeout_while(traffic, DEADLINE, nobody_came);
        let (mut traffic, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        traffic.waits_in_vain += usize::from(timeout.timed_out());
    }
}

const ENOUGH_LOST: usize = 50;
const ENOUGH_IN_VAIN: usize = 3;
/// Long enough for a thread to come when the machine is busy.
const DEADLINE: Duration = Duration::from_millis(300);
