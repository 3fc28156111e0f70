//! A store in the memory of one process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::{
    Command, Decision, Facts, Host, Leases, Scope, Store, StoreError, TransactError, decide,
    refused,
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
    hosts: Mutex<HashMap<Host, Leases>>,
}

impl MemoryStore {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Host, Leases>> {
        // Deciding happens before any change, so a panic in it leaves the leases whole.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        let mut hosts = self.hosts();
        let leases = hosts.entry_ref(host).or_default();
        match decide(leases, command, facts) {
            Ok(decision) => {
                leases.apply_all(&decision.changes);
                Ok(decision)
            }
            Err(refusal) => {
                leases.apply_all(refused(command).as_slice());
                Err(refusal.into())
            }
        }
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        Ok(self
            .hosts()
            .get(host)
            .map(|leases| leases.within(scope))
            .unwrap_or_default())
    }
}
