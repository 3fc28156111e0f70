//! The laws of every store, on databases.

use portlease_core::Store;
use portlease_core::conformance::{self, Processes, Registry};
use portlease_tests::postgres::Database;

use crate::processes::start;
use crate::support::{fresh, open};

/// A registry of which each opening is a store of its own, as in a process of its own.
struct Shared(Database);

impl Registry for Shared {
    fn open(&self) -> Box<dyn Store> {
        Box::new(open(&self.0.url))
    }
}

#[test]
fn a_database_keeps_the_laws() {
    conformance::check(|| Shared(fresh()));
}

#[test]
fn a_database_keeps_the_laws_among_processes() {
    conformance::check(|| {
        let database = fresh();
        Processes::new(move || start("answer", &database.url, ""))
    });
}

#[test]
fn a_database_lives_through_random_histories() {
    conformance::check_histories(&Shared(fresh()), 8);
}
