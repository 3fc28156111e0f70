//! The blocking face: what is asynchronous here waits on the caller's own thread, while one thread of the store moves the bytes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use portlease_core::{StoreError, StoreErrorKind};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The thread that moves the bytes of a store. It ends with the store.
#[derive(Debug)]
pub(crate) struct Driver {
    handle: Handle,
    _ends_when_dropped: oneshot::Sender<()>,
}

impl Driver {
    pub(crate) fn start() -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let (alive, end) = oneshot::channel::<()>();
        let drive = move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => {
                    if sender.send(Ok(runtime.handle().clone())).is_ok() {
                        // Nothing is ever sent: it ends when the other side is gone.
                        let _ = runtime.block_on(end);
                        runtime.shutdown_background();
                    }
                }
                Err(error) => drop(sender.send(Err(error))),
            }
        };
        thread::Builder::new()
            .name("portlease-postgres".to_owned())
            .spawn(drive)
            .map_err(|error| not_started(&error))?;
        let started = receiver.recv().expect("the thread answers first of all");
        Ok(Self {
            handle: started.map_err(|error| not_started(&error))?,
            _ends_when_dropped: alive,
        })
    }

    /// Waits for something on this thread, whatever thread it is: `Runtime::block_on` would panic on one that belongs to another
    /// runtime.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let _sockets_and_timers = self.handle.enter();
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn not_started(error: &std::io::Error) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Failed,
        problem: format!("The system gives no thread for the connections to PostgreSQL: {error}."),
        remedy: "Raise the limits of this user (`ulimit -u`, `ulimit -n`).".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_of_another_runtime_may_wait() {
        let driver = Driver::start().unwrap();
        let other = Builder::new_current_thread().build().unwrap();
        let slept = other.block_on(async {
            driver.wait(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                7
            })
        });
        assert_eq!(slept, 7);
    }
}
