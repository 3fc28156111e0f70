//! Random histories meet the mistakes of stores, and are made short enough to be read.

use portlease_core::conformance::{broken_history, check_histories};
use portlease_core::{Counters, Tier};

use crate::fault::Fault;
use crate::store::BrokenRegistry;
use crate::{only_ports, only_projects};

/// So few events show any of the faults. One or two do; what is left besides is what cannot be taken out by itself.
const SHORT: usize = 8;

/// A store with the fault goes another way than the decisions say, which a short history shows.
#[track_caller]
fn check(fault: Fault) {
    let broken = broken_history(&BrokenRegistry::with(fault), 1);
    let broken = broken.unwrap_or_else(|| panic!("{fault:?} is not noticed"));
    assert!(broken.events.len() <= SHORT, "{broken}");
    assert!(!broken.problem.contains("panicked"), "{broken}");
}

macro_rules! met {
    ($($test:ident: $fault:expr;)*) => {
        $(
            #[test]
            fn $test() {
                check($fault);
            }
        )*
    };
}

met! {
    a_store_that_breaks: Fault::Breaks;
    uncounted_refusals: Fault::CountsNoRefusals;
    forgotten_usage: Fault::ForgetsUsage;
    a_tier_that_is_not_kept: Fault::StoresLease(|lease| lease.tier = Tier::Emergency);
    uncounted_releases: Fault::Counts(|counters| *counters = Counters {
        releases: 0,
        ..*counters
    });
    hosts_taken_for_one: Fault::FoldsHosts;
    an_opening_that_trusts_what_it_saw: Fault::ReadsStale;
    an_ignored_generation: Fault::IgnoresGenerations;
    a_decision_without_the_ports: Fault::DecidesOn(only_projects);
    a_decision_without_the_projects: Fault::DecidesOn(only_ports);
}

#[test]
fn the_same_store_without_a_fault_lives_through_every_history() {
    check_histories(&BrokenRegistry::with(Fault::None), 1);
}
