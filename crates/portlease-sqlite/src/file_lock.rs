//! The lock in front of those who write: one at a time among all processes and threads, in turn,
//! and with a limit to the waiting.
//!
//! `SQLite` lets those who wait sleep for ever longer and try again, which starves some of a
//! crowd. The operating system wakes them instead; but waiting for a file lock cannot be
//! given up, so a helper thread waits in place of whoever might have to.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::system::FileId;

/// What stands in the file of the lock, for whoever looks into it.
const MARK: &[u8] = b"The lock of the Portlease registry beside it. Leave it here.\n";

/// A file whose lock is waited for in turn.
#[derive(Debug)]
pub(crate) struct FileLock {
    shared: Arc<Shared>,
    id: FileId,
    saw_mark: AtomicBool,
}

#[derive(Debug)]
struct Shared {
    file: File,
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    state: State,
    /// Whoever waits, in the order in which they came.
    queue: VecDeque<u64>,
    last_ticket: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Free,
    /// The helper waits for the lock.
    Awaited,
    /// The helper has the lock, for the first of the queue.
    Arrived,
    /// The helper failed, for the first of the queue.
    Failed(io::Error),
    Held,
}

/// Why the lock could not be had.
#[derive(Debug)]
pub(crate) enum LockError {
    /// The time was up.
    TimedOut,
    /// The system refused.
    Failed(io::Error),
}

impl FileLock {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let id = FileId::of(&file.metadata()?);
        let shared = Shared {
            file,
            turn: Mutex::default(),
            changed: Condvar::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            id,
            saw_mark: AtomicBool::new(false),
        })
    }

    /// Whether the file of the lock says that there was a registry beside it.
    pub(crate) fn is_marked(&self) -> bool {
        // Nobody removes a mark, so one that was seen stays.
        if !self.saw_mark.load(Ordering::Relaxed) {
            let metadata = self.shared.file.metadata();
            let is_marked = metadata.is_ok_and(|metadata| metadata.len() > 0);
            self.saw_mark.store(is_marked, Ordering::Relaxed);
        }
        self.saw_mark.load(Ordering::Relaxed)
    }

    /// Writes into the file of the lock that there is a registry beside it, unless it says so. To
    /// be called by whoever has the lock.
    pub(crate) fn mark(&self) -> io::Result<()> {
        if self.is_marked() {
            return Ok(());
        }
        (&self.shared.file).write_all(MARK)
    }

    /// Which file it is.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// Waits for the lock until the deadline.
    pub(crate) fn acquire(&self, deadline: Instant) -> Result<Locked, LockError> {
        let shared = &self.shared;
        let mut turn = shared.turn();
        turn.last_ticket += 1;
        let ticket = turn.last_ticket;
        turn.queue.push_back(ticket);
        loop {
            if turn.queue.front() == Some(&ticket)
                && let Some(outcome) = shared.take(&mut turn)
            {
                turn.queue.pop_front();
                shared.wake(&turn);
                return outcome.map(|()| Locked {
                    shared: Arc::clone(shared),
                });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                turn.queue.retain(|waiting| *waiting != ticket);
                shared.wake(&turn);
                return Err(LockError::TimedOut);
            }
            let waited = shared.changed.wait_timeout(turn, left);
            turn = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        // Nothing that happens under this mutex can panic half-way.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock for the first of the queue, or its failure; nothing when it has to wait.
    fn take(self: &Arc<Self>, turn: &mut Turn) -> Option<Result<(), LockError>> {
        match std::mem::take(&mut turn.state) {
            State::Free => match self.file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let helper = Arc::clone(self);
                    let name = "portlease-lock".to_owned();
                    let spawned = thread::Builder::new()
                        .name(name)
                        .spawn(move || helper.wait());
                    return match spawned {
                        Ok(_) => {
                            turn.state = State::Awaited;
                            None
                        }
                        Err(error) => Some(Err(LockError::Failed(error))),
                    };
                }
                Err(TryLockError::Error(error)) => return Some(Err(LockError::Failed(error))),
            },
            State::Arrived => {}
            State::Failed(error) => return Some(Err(LockError::Failed(error))),
            waiting @ (State::Awaited | State::Held) => {
                turn.state = waiting;
                return None;
            }
        }
        turn.state = State::Held;
        Some(Ok(()))
    }

    /// Waits for the lock in place of the queue. When all of it has given up meanwhile, the lock
    /// goes back.
    fn wait(&self) {
        let outcome = self.file.lock();
        let mut turn = self.turn();
        turn.state = match outcome {
            Ok(()) if turn.queue.is_empty() => {
                self.unlock();
                State::Free
            }
            Ok(()) => State::Arrived,
            Err(_) if turn.queue.is_empty() => State::Free,
            Err(error) => State::Failed(error),
        };
        self.wake(&turn);
    }

    /// Lets whoever is the first of the queue now look at what became of the lock.
    fn wake(&self, turn: &Turn) {
        if !turn.queue.is_empty() {
            self.changed.notify_all();
        }
    }

    fn unlock(&self) {
        // It fails for a file that is not open, and this one is.
        let _ = self.file.unlock();
    }
}

/// The right to write, until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked {
    shared: Arc<Shared>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        let mut turn = self.shared.turn();
        self.shared.unlock();
        turn.state = State::Free;
        self.shared.wake(&turn);
    }
}
