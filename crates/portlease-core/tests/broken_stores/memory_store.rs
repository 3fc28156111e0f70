//! The store in memory keeps all laws, and so shows what the suite costs a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portlease_core::conformance;
use portlease_core::{
    Command, Decision, Facts, Host, Leases, Mark, MemoryStore, Scope, Store, StoreError,
    TransactError,
};

#[test]
fn the_store_in_memory_keeps_every_law() {
    conformance::check(|| Arc::new(MemoryStore::new()));
}

#[test]
fn the_store_in_memory_lives_through_random_histories() {
    conformance::check_histories(&Arc::new(MemoryStore::new()), 1);
}

/// Counts how often it is asked for anything.
struct Counted {
    store: MemoryStore,
    calls: Arc<AtomicUsize>,
}

impl Store for Counted {
    fn transact(
        &self,
        host: &Host,
        command: &Command,
        facts: &Facts,
    ) -> Result<Decision, TransactError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.store.transact(host, command, facts)
    }

    fn load(&self, host: &Host, scope: &Scope) -> Result<Leases, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.store.load(host, scope)
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.store.hosts()
    }

    fn wait_for_change(
        &self,
        host: &Host,
        seen: Option<Mark>,
        at_most: Duration,
    ) -> Result<Mark, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.store.wait_for_change(host, seen, at_most)
    }
}

#[test]
fn the_suite_asks_as_little_as_it_says() {
    let calls = Arc::<AtomicUsize>::default();
    conformance::check(|| {
        let calls = Arc::clone(&calls);
        let store = MemoryStore::new();
        Arc::new(Counted { store, calls })
    });
    let calls = calls.load(Ordering::Relaxed);
    println!("calls={calls}");
    assert!(calls < 10_000, "{calls} calls");
}
