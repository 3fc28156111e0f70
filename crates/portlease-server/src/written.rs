//! Answers that were written once, and hold until the registry changes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use portlease::core::Mark;
use portlease::{Allocator, Error};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// So many answers are kept. Nobody asks for more projects than that again and again.
const MOST: usize = 64;

/// Answers that follow from the leases alone, by the project they are about.
pub(crate) struct Cache<T> {
    answers: Mutex<Answers<T>>,
}

/// With how far the registry had come when each was written.
type Answers<T> = HashMap<Option<String>, (Mark, Written<T>)>;

/// An answer as JSON.
pub(crate) struct Written<T> {
    json: Arc<RawValue>,
    answer: PhantomData<fn() -> T>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
        }
    }
}

impl<T: Serialize> Cache<T> {
    /// The answer that was written before, if no lease changed since. Whoever is answered sees all that was acknowledged before he
    /// asked.
    pub(crate) fn get(
        &self,
        allocator: &Allocator,
        project: Option<&str>,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<Written<T>, Error> {
        let mark = allocator.mark()?;
        let known = || {
            let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let (written_at, answer) = answers.get(&project.map(str::to_owned))?;
            (*written_at == mark).then(|| answer.clone())
        };
        if let Some(answer) = known() {
            return Ok(answer);
        }
        // What is answered can always be written: no map has keys that are no text.
        let json = to_raw_value(&make()?).unwrap_or_default();
        let answer = Written {
            json: json.into(),
            answer: PhantomData,
        };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(project.map(str::to_owned), (mark, answer.clone()));
        Ok(answer)
    }
}

impl<T> Clone for Written<T> {
    fn clone(&self) -> Self {
        Self {
            json: Arc::clone(&self.json),
            answer: PhantomData,
        }
    }
}

impl<T> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Written<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
