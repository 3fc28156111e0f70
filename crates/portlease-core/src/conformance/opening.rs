//! A registry as the laws use it: every failure is a sentence that says what went wrong.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::time::Duration;

use super::Registry;
use crate::{
    Command, Decision, Facts, Host, Lease, Leases, Mark, Name, Refusal, Release, Released, Reply,
    Request, Scope, Store, Suspect, Sweep, Swept, TransactError,
};

/// How a law is broken, in a sentence.
pub(super) type Problem = String;

/// One opening of a registry, through which one host is looked at.
#[derive(Clone)]
pub(super) struct Opening {
    store: Arc<dyn Store>,
    host: Host,
}

impl Opening {
    /// Opens the registry once more, for the host that most laws are about.
    pub(super) fn of(registry: &dyn Registry) -> Self {
        Self {
            store: Arc::from(registry.open()),
            host: Host::new(Name::literal("laptop")),
        }
    }

    /// The same opening, for another host.
    pub(super) fn at(&self, host: &Name) -> Self {
        Self {
            store: Arc::clone(&self.store),
            host: Host::new(host.clone()),
        }
    }

    /// What the store answers, whether it grants or refuses.
    pub(super) fn answer(
        &self,
        command: &Command,
        facts: &Facts,
    ) -> Result<Result<Decision, Refusal>, Problem> {
        match self.store.transact(&self.host, command, facts) {
            Ok(decision) => Ok(Ok(decision)),
            Err(TransactError::Refused(refusal)) => Ok(Err(refusal)),
            Err(TransactError::Store(error)) => Err(format!("the store broke: {error}")),
        }
    }

    /// The decision about a command that has to be granted, on what is observed in the leases as well.
    pub(super) fn decision_observing(
        &self,
        command: &Command,
        facts: &Facts,
        observe: &mut dyn FnMut(&Leases, &mut Facts),
    ) -> Result<Decision, Problem> {
        let mut facts = facts.clone();
        self.store
            .transact_observing(&self.host, command, &mut facts, observe)
            .map_err(|error| format!("{command:?} was not granted: {error}"))
    }

    /// The decision about a command that has to be granted.
    pub(super) fn decision(&self, command: &Command, facts: &Facts) -> Result<Decision, Problem> {
        self.answer(command, facts)?
            .map_err(|refusal| format!("{command:?} was refused: {refusal}"))
    }

    /// The refusal of a command that has to be refused.
    pub(super) fn refusal(&self, command: &Command, facts: &Facts) -> Result<Refusal, Problem> {
        match self.answer(command, facts)? {
            Err(refusal) => Ok(refusal),
            Ok(decision) => Err(format!(
                "{command:?} should be refused and was answered with {:?}",
                decision.reply
            )),
        }
    }

    /// The leases that a request is granted, in the order of its services.
    pub(super) fn reserve(&self, request: Request, facts: &Facts) -> Result<Vec<Lease>, Problem> {
        match self.decision(&Command::Reserve(request), facts)?.reply {
            Reply::Reserved(reserved) => Ok(reserved
                .services
                .into_iter()
                .map(|granted| granted.lease)
                .collect()),
            other => Err(unfitting(&other)),
        }
    }

    /// Gives back what was granted.
    pub(super) fn release(&self, lease: &Lease, facts: &Facts) -> Result<Released, Problem> {
        let release = Release::granted(lease.key.clone(), lease.generation);
        match self.decision(&Command::Release(release), facts)?.reply {
            Reply::Released(released) => Ok(released),
            other => Err(unfitting(&other)),
        }
    }

    /// Removes those of the suspects whose holders are dead by the facts.
    pub(super) fn sweep(&self, suspects: &[Suspect], facts: &Facts) -> Result<Swept, Problem> {
        let sweep = Sweep {
            suspects: suspects.to_vec(),
            abandoned_after_millis: None,
        };
        match self.decision(&Command::Sweep(sweep), facts)?.reply {
            Reply::Swept(swept) => Ok(swept),
            other => Err(unfitting(&other)),
        }
    }

    /// The leases of the scope.
    pub(super) fn load(&self, scope: &Scope) -> Result<Leases, Problem> {
        self.store
            .load(&self.host, scope)
            .map_err(|error| format!("the store broke: {error}"))
    }

    /// The hosts that the registry knows.
    pub(super) fn hosts(&self) -> Result<Vec<Host>, Problem> {
        self.store
            .hosts()
            .map_err(|error| format!("the store broke: {error}"))
    }

    /// Waits for a change.
    pub(super) fn wait(&self, seen: Option<Mark>, at_most: Duration) -> Result<Mark, Problem> {
        self.store
            .wait_for_change(&self.host, seen, at_most)
            .map_err(|error| format!("the store broke: {error}"))
    }

    /// All leases.
    pub(super) fn everything(&self) -> Result<Leases, Problem> {
        self.load(&Scope::Everything)
    }
}

fn unfitting(reply: &Reply) -> Problem {
    format!("the reply belongs to another command: {reply:?}")
}

/// The one lease that a request for one service is granted.
pub(super) fn only(leases: Vec<Lease>) -> Result<Lease, Problem> {
    let mut leases = leases.into_iter();
    match (leases.next(), leases.next()) {
        (Some(lease), None) => Ok(lease),
        _ => Err("a request for one service was not answered with one lease".into()),
    }
}

/// A problem unless both are equal.
pub(super) fn same<T: PartialEq + Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), Problem> {
    if found == expected {
        Ok(())
    } else {
        Err(format!(
            "{what}: found {found:?} where there should be {expected:?}"
        ))
    }
}

/// A problem unless the statement holds.
pub(super) fn holds(statement: &str, is_true: bool) -> Result<(), Problem> {
    if is_true {
        Ok(())
    } else {
        Err(format!("this does not hold: {statement}"))
    }
}

/// A problem unless both are the same registry; it names the first difference, not all rows.
pub(super) fn same_leases(what: &str, found: &Leases, expected: &Leases) -> Result<(), Problem> {
    if found == expected {
        return Ok(());
    }
    same_rows(
        &format!("{what}: lease"),
        &found.iter().collect::<Vec<_>>(),
        &expected.iter().collect::<Vec<_>>(),
    )?;
    same_rows(
        &format!("{what}: memory"),
        &found.memories().collect::<Vec<_>>(),
        &expected.memories().collect::<Vec<_>>(),
    )?;
    same_rows(&format!("{what}: usage"), &found.usage(), &expected.usage())?;
    same(
        &format!("{what}: last generation"),
        &found.last_generation(),
        &expected.last_generation(),
    )?;
    same(
        &format!("{what}: counters"),
        &found.counters(),
        &expected.counters(),
    )?;
    same(
        &format!("{what}: last sweep"),
        &found.last_swept(),
        &expected.last_swept(),
    )?;
    Err(format!("{what}: the leases differ"))
}

fn same_rows<T: PartialEq + Debug>(what: &str, found: &[T], expected: &[T]) -> Result<(), Problem> {
    for index in 0..found.len().max(expected.len()) {
        same(what, &found.get(index), &expected.get(index))?;
    }
    Ok(())
}
