//! The laws that every store keeps, to be called from the tests of each.
//!
//! [`check`] runs them all, each on a fresh registry, and panics with a report that names the
//! broken ones. What a law needs to know of a store is how to open its registry once more: see
//! [`Registry`].
//!
//! The whole suite asks a store for fewer than 10,000 transactions and loads, most of them from one
//! thread, so a database that needs a millisecond for each is done within 10 seconds.
//!
//! ```
//! use std::sync::Arc;
//!
//! use portlease_core::{MemoryStore, conformance};
//!
//! conformance::check(|| Arc::new(MemoryStore::new()));
//! ```

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Store;

mod answers;
mod changes;
mod commands;
mod dice;
mod generations;
mod histories;
mod history;
mod hosts;
mod leasing;
mod loads;
mod opening;
mod processes;
mod remote;
mod storm;
mod threads;
mod twin;
mod values;
mod waiting;

pub use histories::{BrokenHistory, broken_history, check_histories};
pub use processes::{Child, Part, tell};
pub use remote::{Processes, answer};

/// A registry that can be opened more than once, as by several threads, processes or machines.
///
/// A store that keeps its leases outside of itself implements this for whatever names the place,
/// and lets `Drop` remove it. For one that is shared by all who use it, [`Arc`] does:
///
/// ```
/// use std::sync::Arc;
///
/// use portlease_core::conformance::Registry;
/// use portlease_core::{MemoryStore, Store};
///
/// struct Shelf {
///     store: Arc<MemoryStore>,
/// }
///
/// impl Registry for Shelf {
///     fn open(&self) -> Box<dyn Store> {
///         Box::new(Arc::clone(&self.store))
///     }
/// }
/// ```
pub trait Registry: Sync {
    /// Opens the registry, for the first time or once more. What one opening changed, all others
    /// see. Several threads may open it at once.
    ///
    /// # Panics
    ///
    /// When it cannot be opened, which breaks the law that is being checked.
    fn open(&self) -> Box<dyn Store>;
}

impl<S: Store + 'static> Registry for Arc<S> {
    fn open(&self) -> Box<dyn Store> {
        Box::new(Self::clone(self))
    }
}

macro_rules! laws {
    ($($module:ident::$law:ident,)*) => {
        &[$(Law { name: stringify!($law), check: $module::$law }),*]
    };
}

/// All laws, the simple ones first: the first broken one is the best place to begin.
pub const LAWS: &[Law] = laws![
    answers::a_fresh_host_is_empty,
    answers::what_is_granted_is_there_for_everybody,
    answers::what_was_acknowledged_outlives_the_opening,
    answers::a_refusal_changes_nothing_but_its_counter,
    answers::asking_changes_nothing,
    changes::all_services_of_a_request_come_together,
    changes::a_move_changes_both_leases,
    changes::a_server_on_another_port_takes_its_lease_there,
    changes::services_that_inherit_share_a_lease_until_they_leave,
    changes::released_ports_are_remembered_and_the_longest_unused_goes_first,
    generations::a_generation_is_never_given_twice,
    generations::an_old_generation_owns_nothing,
    generations::a_sweep_removes_only_what_it_looked_at,
    hosts::hosts_do_not_see_each_other,
    hosts::whoever_leases_is_a_known_host,
    values::odd_names_are_kept_apart_and_whole,
    values::extreme_values_come_back_as_they_were,
    values::a_thousand_leases_are_no_trouble,
    loads::a_load_holds_its_scope_and_nothing_wrong,
    loads::the_scope_of_a_command_is_enough_to_decide,
    waiting::whoever_waits_misses_no_change,
    waiting::nobody_waits_longer_than_asked_to,
    answers::what_is_observed_on_the_way_is_decided_on,
    history::a_long_history_ends_as_the_decisions_say,
    threads::a_fresh_registry_can_be_opened_by_many_at_once,
    threads::no_port_is_leased_twice_at_any_moment,
    threads::no_change_is_lost,
    threads::generations_only_grow_among_threads,
    threads::a_port_that_all_insist_on_goes_to_one,
    threads::of_many_sweepers_one_removes,
    threads::a_load_never_shows_half_a_decision,
];

/// Checks that a store keeps every law. `fresh` makes a registry that nobody used before.
///
/// # Panics
///
/// When a law is broken, with a report of all that are.
#[track_caller]
pub fn check<R: Registry>(fresh: impl Fn() -> R) {
    let broken = broken(fresh);
    assert!(broken.is_empty(), "{}", report(&broken));
}

/// The laws that a store breaks: none, when all is well. `fresh` makes a registry that nobody used
/// before.
pub fn broken<R: Registry>(fresh: impl Fn() -> R) -> Vec<Broken> {
    LAWS.iter()
        .filter_map(|law| law.check(&fresh()).err())
        .collect()
}

/// One promise of the [`Store`] trait.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    name: &'static str,
    check: fn(&dyn Registry) -> Result<(), String>,
}

impl Law {
    /// The law in a few words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks that a registry which nobody used before keeps this law. A panic breaks it too.
    ///
    /// # Errors
    ///
    /// How it is broken.
    pub fn check(&self, registry: &dyn Registry) -> Result<(), Broken> {
        // Nothing of the registry is used after a panic.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.check)(registry)));
        outcome
            .unwrap_or_else(|panic| Err(message_of(panic.as_ref())))
            .map_err(|problem| Broken {
                law: self.name,
                problem,
            })
    }
}

/// A law that a store does not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {problem}")]
pub struct Broken {
    /// The name of the law.
    pub law: &'static str,
    /// What was seen, and what should have been.
    pub problem: String,
}

fn report(broken: &[Broken]) -> String {
    let mut report = alloc::format!("the store breaks {} of {} laws", broken.len(), LAWS.len());
    for broken in broken {
        let _ = write!(report, "\n- {broken}");
    }
    report
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    alloc::format!("panicked: {}", message.unwrap_or("without a message"))
}
