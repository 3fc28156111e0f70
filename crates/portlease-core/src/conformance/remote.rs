//! A registry of which each opening is in a process of its own: what a store is asked, and what it answers, are lines of JSON.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;
use std::io::{BufRead as _, stdin};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Registry;
use super::processes::{Child, tell};
use crate::{
    Command, Decision, Facts, Host, Leases, Mark, Name, PortSet, Refusal, Scope, Store, StoreError,
    TransactError,
};

/// What a process is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    Transact(Host, Box<Command>, Facts),
    /// Without projects and ports, everything.
    Load(Host, Option<(Vec<Name>, PortSet)>),
    Hosts,
    Wait(Host, Option<Mark>, Duration),
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Decided(Decision),
    Loaded(Leases),
    Known(Vec<Host>),
    Waited(Mark),
    Refused(Refusal),
    Failed(StoreError),
}

/// What the process of an opening does: it answers what it is asked about its store, until nobody is left to ask.
///
/// # Panics
///
/// When it is asked by somebody else than [`Processes`].
///
/// ```no_run
/// use portlease_core::{MemoryStore, conformance};
///
/// conformance::answer(&MemoryStore::new());
/// ```
pub fn answer(store: &dyn Store) {
    for line in stdin().lock().lines() {
        let question = serde_json::from_str(&line.expect("it is text")).expect("it is a question");
        let answer = answer_to(question, store);
        tell(&serde_json::to_string(&answer).expect("it is data"));
    }
}

fn answer_to(question: Question, store: &dyn Store) -> Answer {
    match question {
        Question::Transact(host, command, facts) => match store.transact(&host, &command, &facts) {
            Ok(decision) => Answer::Decided(decision),
            Err(TransactError::Refused(refusal)) => Answer::Refused(refusal),
            Err(TransactError::Store(error)) => Answer::Failed(error),
        },
        Question::Load(host, rows) => match store.load(&host, &scope(rows)) {
            Ok(leases) => Answer::Loaded(leases),
            Err(error) => Answer::Failed(error),
        },
        Question::Hosts => match store.hosts() {
            Ok(hosts) => Answer::Known(hosts),
            Err(error) => Answer::Failed(error),
        },
        Question::Wait(host, seen, at_most) => match store.wait_for_change(&host, seen, at_most) {
            Ok(mark) => Answer::Waited(mark),
            Err(error) => Answer::Failed(error),
        },
    }
}

fn scope(rows: Option<(Vec<Name>, PortSet)>) -> Scope {
    match rows {
        None => Scope::Everything,
        Some((projects, ports)) => Scope::Rows { projects, ports },
    }
}

/// A registry that every opening has a process for, which [answers](answer) for it.
///
/// ```no_run
/// use portlease_core::conformance::{self, Child, Part, Processes};
///
/// let part = Part {
///     role: "answer".into(),
///     registry: "postgres://localhost/test".into(),
///     name: String::new(),
/// };
/// conformance::check(|| Processes::new(|| Child::start("the_work_of_a_child", &part)));
/// ```
#[derive(Debug)]
pub struct Processes<S>(S);

impl<S: Fn() -> Child + Sync> Processes<S> {
    /// A registry whose processes are started so.
    pub fn new(start: S) -> Self {
        Self(start)
    }
}

impl<S: Fn() -> Child + Sync> Registry for Processes<S> {
    fn open(&self) -> Box<dyn Store> {
        let process = Mutex::new((self.0)());
        Box::new(Remote { process })
    }
}

/// A store in another process.
struct Remote {
    process: Mutex<Child>,
}

impl Remote {
    fn ask(&self, question: &Question) -> Answer {
        let question = serde_json::to_string(question).expect("it is data");
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.ask(&question);
        let answer = process.answer().expect("the process runs");
        serde_json::from_str(&answer).expect("it is an answer")
    }
}

impl Store for Remote {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        let command = Box::new(command.clone());
        match self.ask(&Question::Transact(host.clone(), command, facts.clone())) {
            Answer::Decided(decision) => Ok(decision),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Failed(error) => Err(error.into()),
            other => unreachable!("{other:?} is no answer to a transaction"),
        }
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        let rows = match scope {
            Scope::Everything => None,
            Scope::Rows { projects, ports } => Some((projects.clone(), ports.clone())),
        };
        match self.ask(&Question::Load(host.clone(), rows)) {
            Answer::Loaded(leases) => Ok(leases),
            Answer::Failed(error) => Err(error),
            other => unreachable!("{other:?} is no answer to a load"),
        }
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        match self.ask(&Question::Hosts) {
            Answer::Known(hosts) => Ok(hosts),
            Answer::Failed(error) => Err(error),
            other => unreachable!("{other:?} are no hosts"),
        }
    }

    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        match self.ask(&Question::Wait(host.clone(), seen, at_most)) {
            Answer::Waited(mark) => Ok(mark),
            Answer::Failed(error) => Err(error),
            other => unreachable!("{other:?} is no answer to a wait"),
        }
    }
}
