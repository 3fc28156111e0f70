//! A registry of which each opening is in a process of its own.

use std::io::{BufRead as _, stdin};
use std::sync::Mutex;
use std::time::Duration;

use portlease_core::conformance::Registry;
use portlease_core::{
    Command, Decision, Facts, Host, Leases, Mark, Name, PortSet, Refusal, Scope, Store, StoreError,
    TransactError,
};
use portlease_tests::postgres::Database;
use serde::{Deserialize, Serialize};

use crate::processes::{Child, tell};
use crate::support::open;

/// What the process is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    Transact(Host, Box<Command>, Facts),
    /// Without projects and ports, everything.
    Load(Host, Option<(Vec<Name>, PortSet)>),
    Hosts,
    Wait(Host, Option<Mark>, Duration),
}

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Decided(Decision),
    Loaded(Leases),
    Known(Vec<Host>),
    Waited(Mark),
    Refused(Refusal),
    Failed(StoreError),
}

/// Not a test, but what the process does: answers questions until nobody is left to ask.
pub(crate) fn answer(registry: &str) {
    let store = open(registry);
    for line in stdin().lock().lines() {
        let question = serde_json::from_str(&line.expect("it is text")).expect("it is a question");
        let answer = match question {
            Question::Transact(host, command, facts) => {
                match store.transact(&host, &command, &facts) {
                    Ok(decision) => Answer::Decided(decision),
                    Err(TransactError::Refused(refusal)) => Answer::Refused(refusal),
                    Err(TransactError::Store(error)) => Answer::Failed(error),
                }
            }
            Question::Hosts => match store.hosts() {
                Ok(hosts) => Answer::Known(hosts),
                Err(error) => Answer::Failed(error),
            },
            Question::Wait(host, seen, at_most) => {
                match store.wait_for_change(&host, seen, at_most) {
                    Ok(mark) => Answer::Waited(mark),
                    Err(error) => Answer::Failed(error),
                }
            }
            Question::Load(host, rows) => match store.load(&host, &scope(rows)) {
                Ok(leases) => Answer::Loaded(leases),
                Err(error) => Answer::Failed(error),
            },
        };
        tell(&serde_json::to_string(&answer).expect("it is data"));
    }
}

fn scope(rows: Option<(Vec<Name>, PortSet)>) -> Scope {
    match rows {
        None => Scope::Everything,
        Some((projects, ports)) => Scope::Rows { projects, ports },
    }
}

/// A store in another process.
struct Remote {
    process: Mutex<Child>,
}

impl Remote {
    fn ask(&self, question: &Question) -> Answer {
        let mut process = self.process.lock().expect("nobody panicked here before");
        process.ask(&serde_json::to_string(question).expect("it is data"));
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
        match self.ask(&Question::Transact(
            host.clone(),
            Box::new(command.clone()),
            facts.clone(),
        )) {
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

/// A database that every opening has a process for.
pub(crate) struct Processes(pub(crate) Database);

impl Registry for Processes {
    fn open(&self) -> Box<dyn Store> {
        let process = Child::start("answer", &self.0.url, "");
        Box::new(Remote {
            process: Mutex::new(process),
        })
    }
}
