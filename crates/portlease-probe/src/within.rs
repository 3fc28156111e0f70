//! A bound on the time of calls that may wait for the kernel, for a sandbox or for a module to load.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;
use std::{io, panic, thread};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    TimedOut,
    /// The system had no thread to spare.
    NoThread(io::Error),
}

/// Does the work on a thread of its own and waits for it no longer than the limit.
///
/// A system call cannot be taken back, so work that takes too long goes on, and its result is
/// dropped. The thread is in the network namespace of the caller.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NoAnswer> {
    let (sender, receiver) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("portlease-probe".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more.
            let _ = sender.send(work());
        })
        .map_err(NoAnswer::NoThread)?;
    match receiver.recv_timeout(limit) {
        Ok(answer) => Ok(answer),
        Err(RecvTimeoutError::Timeout) => Err(NoAnswer::TimedOut),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => panic::resume_unwind(payload),
            Ok(()) => unreachable!("the work answers before its thread ends"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn an_answer_in_time_is_passed_on() {
        assert_eq!(within(Duration::from_mins(1), || 7).ok(), Some(7));
    }

    #[test]
    fn work_that_never_ends_is_given_up() {
        let (_open, never) = channel::<()>();
        let answer = within(Duration::from_millis(20), move || never.recv().is_ok());
        assert!(matches!(answer, Err(NoAnswer::TimedOut)));
    }

    #[test]
    #[should_panic(expected = "inside the work")]
    fn a_panic_reaches_the_caller() {
        let _ = within(Duration::from_mins(1), || panic!("inside the work"));
    }
}
