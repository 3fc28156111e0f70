//! Threads that may wait: for the registry, for the system, for a disk.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::problem::Problem;

/// A number of threads for work that waits. Whoever finds all of them busy waits in line, in order, and not for ever.
pub(crate) struct Workers {
    /// For what is decided in microseconds.
    quick: Arc<Semaphore>,
    /// For what may take seconds, so that the rest is not kept waiting by it.
    slow: Arc<Semaphore>,
    /// For what waits for somebody on another host, and does nothing meanwhile.
    patient: Arc<Semaphore>,
    patience: Duration,
}

/// How long work takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Quick,
    Slow,
    Patient,
}

impl Workers {
    pub(crate) fn new(patience: Duration) -> Self {
        let processors = thread::available_parallelism().map_or(4, NonZero::get);
        Self {
            quick: Arc::new(Semaphore::new(processors.clamp(4, 16))),
            slow: Arc::new(Semaphore::new(2)),
            patient: Arc::new(Semaphore::new(16)),
            patience,
        }
    }

    /// Does the work, which goes on although nobody may wait for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        pace: Pace,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let line = match pace {
            Pace::Quick => &self.quick,
            Pace::Slow => &self.slow,
            Pace::Patient => &self.patient,
        };
        let turn = timeout(self.patience, Arc::clone(line).acquire_owned());
        let Ok(Ok(permit)) = turn.await else {
            return Err(Problem::busy());
        };
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|_| Problem::internal())
    }
}
