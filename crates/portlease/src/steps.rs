//! Telling each step of an allocation: to `tracing`, and to people who ask for it.

use std::fmt;

use portlease_core::Trace;

/// The variable by which people ask to be told each step.
const VARIABLE: &str = "VERBOSE_PORT_ALLOCATOR";

/// Tells the steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    to_people: bool,
}

impl Steps {
    pub(crate) fn from_environment() -> Self {
        let to_people = std::env::var(VARIABLE).is_ok_and(|value| matches!(&*value, "true" | "1"));
        Self::new(to_people)
    }

    pub(crate) fn new(to_people: bool) -> Self {
        Self { to_people }
    }

    pub(crate) fn tell_trace(self, trace: &Trace) {
        for step in &trace.steps {
            self.tell(format_args!("{step}"));
        }
    }

    pub(crate) fn tell(self, step: fmt::Arguments<'_>) {
        tracing::debug!("{step}");
        if self.to_people {
            eprintln!("[portlease] {step}");
        }
    }
}
