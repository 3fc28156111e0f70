//! A store in the memory of one process.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::vec::Vec;

use hashbrown::HashMap;

use crate::{
    Change, Command, Decision, Facts, Host, Leases, Mark, Scope, Store, StoreError, TransactError,
    decide, refused,
};

/// A registry in the memory of one process: for tests, for planning, and as the smallest example
/// of a store.
///
/// ```
/// use portlease_core::{Command, Facts, Host, MemoryStore, Name, Store, Validate};
///
/// let store = MemoryStore::new();
/// let host = Host::new(Name::literal("laptop"));
/// let decision = store.transact(&host, &Command::Validate(Validate::default()), &Facts::default())?;
/// assert!(decision.changes.is_empty());
/// # Ok::<(), portlease_core::TransactError>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    hosts: Mutex<HashMap<Host, Kept>>,
    has_changed: Condvar,
}

/// What is kept of one host.
#[derive(Debug, Default)]
struct Kept {
    leases: Leases,
    changes: u64,
}

impl MemoryStore {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Host, Kept>> {
        // Deciding happens before any change, so a panic in it leaves the leases whole.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, kept: &mut Kept, changes: &[Change]) {
        if !changes.is_empty() {
            kept.leases.apply_all(changes);
            kept.changes += 1;
            self.has_changed.notify_all();
        }
    }
}

fn mark(hosts: &HashMap<Host, Kept>, host: &Host) -> Mark {
    Mark::new(0, hosts.get(host).map_or(0, |kept| kept.changes))
}

impl Store for MemoryStore {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        let mut hosts = self.kept();
        let kept = hosts.entry_ref(host).or_default();
        match decide(&kept.leases, command, facts) {
            Ok(decision) => {
                self.make(kept, &decision.changes);
                Ok(decision)
            }
            Err(refusal) => {
                self.make(kept, refused(command).as_slice());
                Err(refusal.into())
            }
        }
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        Ok(self
            .kept()
            .get(host)
            .map(|kept| kept.leases.within(scope))
            .unwrap_or_default())
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        let mut hosts: Vec<Host> = self.kept().keys().cloned().collect();
        hosts.sort();
        Ok(hosts)
    }

    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        let waited = self
            .has_changed
            .wait_timeout_while(self.kept(), at_most, |hosts| {
                Some(mark(hosts, host)) == seen
            });
        let (hosts, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Ok(mark(&hosts, host))
    }
}
