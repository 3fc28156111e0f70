//! Work for a thread of Node's pool.

use std::fmt;

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use crate::failure::{Failure, Result, guarded};

/// Work that is done once.
pub struct Job<T>(Option<Work<T>>);

/// The work itself.
type Work<T> = Box<dyn FnOnce() -> Result<T> + Send>;

/// The promise of some work.
pub type Promised<T> = AsyncTask<Job<T>>;

/// Promises the work. What is wrong before it begins is told by the promise as well.
pub(crate) fn promise<T, W>(work: Result<W>) -> Promised<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
    W: FnOnce() -> Result<T> + Send + 'static,
{
    AsyncTask::new(Job(Some(match work {
        Ok(work) => Box::new(work),
        Err(failure) => Box::new(|| Err(failure)),
    })))
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Job").finish_non_exhaustive()
    }
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Job<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        let work = self.0.take();
        let work = work.ok_or_else(|| Failure::new("INTERNAL", "A job was done twice."))?;
        Ok(guarded(work)?)
    }

    fn resolve(&mut self, _: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }
}
