//! The conformance suite is worth something only if it fails for stores that are wrong: each fault
//! here is caught by the law that is there for it, and each law is there for some fault.
#![cfg(feature = "conformance")]

mod fault;
mod fields;
mod histories;
mod meeting;
mod memory_store;
mod store;

use portlease_core::conformance::{self, LAWS};
use portlease_core::{PortSet, Scope, Timestamp};

use fault::Fault;
use store::BrokenRegistry;

/// A store with the fault is told so by each of these laws.
fn check(fault: Fault, laws: &[&str]) {
    for law in laws {
        let found = LAWS.iter().find(|candidate| candidate.name() == *law);
        let outcome = found
            .unwrap_or_else(|| panic!("there is no law {law}"))
            .check(&BrokenRegistry::with(fault));
        let broken = outcome.expect_err(&format!("{law} lets {fault:?} pass"));
        assert_eq!(broken.law, *law);
        assert!(!broken.problem.starts_with("panicked"), "{broken}");
    }
}

macro_rules! caught {
    ($($test:ident: $fault:expr => $($law:ident),+;)*) => {
        $(
            #[test]
            fn $test() {
                check($fault, &[$(stringify!($law)),+]);
            }
        )*

        const LAWS_THAT_CAUGHT: &[&str] = &[$($(stringify!($law)),+),*];
    };
}

caught! {
    a_lost_update: Fault::LosesUpdates =>
        no_change_is_lost,
        no_port_is_leased_twice_at_any_moment,
        generations_only_grow_among_threads,
        a_port_that_all_insist_on_goes_to_one,
        of_many_sweepers_one_removes;
    half_a_decision: Fault::AppliesHalf => all_services_of_a_request_come_together;
    a_decision_applied_twice: Fault::AppliesTwice =>
        what_was_acknowledged_outlives_the_opening,
        no_change_is_lost;
    a_row_left_behind: Fault::LeavesTheOldRow =>
        a_server_on_another_port_takes_its_lease_there;
    a_move_of_one: Fault::ChangesOneProject => a_move_changes_both_leases;
    an_ignored_generation: Fault::IgnoresGenerations => an_old_generation_owns_nothing;
    a_sweep_by_name: Fault::SweepsByName => a_sweep_removes_only_what_it_looked_at;
    a_stale_read: Fault::ReadsStale =>
        what_is_granted_is_there_for_everybody,
        no_port_is_leased_twice_at_any_moment;
    a_registry_that_is_gone_when_closed: Fault::ForgetsWhenClosed =>
        what_was_acknowledged_outlives_the_opening;
    a_registry_made_twice: Fault::MakesItTwice =>
        a_fresh_registry_can_be_opened_by_many_at_once;
    a_host_that_begins_with_something: Fault::BeginsWithAGrant => a_fresh_host_is_empty;
    generations_counted_by_leases: Fault::CountsGenerationsByLeases =>
        a_generation_is_never_given_twice;
    a_load_in_two_parts: Fault::TearsLoads => a_load_never_shows_half_a_decision;
    uncounted_refusals: Fault::CountsNoRefusals => a_refusal_changes_nothing_but_its_counter;
    counted_questions: Fault::CountsQuestions => asking_changes_nothing;
    hosts_taken_for_one: Fault::FoldsHosts => hosts_do_not_see_each_other;
    projects_taken_for_one: Fault::FoldsProjects => odd_names_are_kept_apart_and_whole;
    a_trace_cut_off: Fault::CutsTraces => a_long_history_ends_as_the_decisions_say;
    a_load_without_the_ports: Fault::Loads(only_projects) =>
        a_load_holds_its_scope_and_nothing_wrong,
        the_scope_of_a_command_is_enough_to_decide;
    a_load_without_the_projects: Fault::Loads(only_ports) =>
        a_load_holds_its_scope_and_nothing_wrong,
        the_scope_of_a_command_is_enough_to_decide;
    a_decision_without_the_ports: Fault::DecidesOn(only_projects) =>
        no_port_is_leased_twice_at_any_moment;
    a_change_that_nobody_is_told_of: Fault::KeepsChangesSecret =>
        whoever_waits_misses_no_change;
    hosts_that_are_not_told_of: Fault::ForgetsHosts => whoever_leases_is_a_known_host;
    a_wait_without_an_end: Fault::WaitsTooLong => nobody_waits_longer_than_asked_to;
    ignored_observations: Fault::IgnoresObservations => what_is_observed_on_the_way_is_decided_on;
    observations_of_nothing: Fault::ShowsNothing => what_is_observed_on_the_way_is_decided_on;
    a_load_with_a_limit: Fault::LoadsAtMost(500) => a_thousand_leases_are_no_trouble;
    forgotten_followers: Fault::StoresLease(|lease| lease.followers.clear()) =>
        services_that_inherit_share_a_lease_until_they_leave;
    forgotten_times_of_release: Fault::StoresMemory(|memory| {
        memory.released_at = Timestamp::default();
    }) =>
        released_ports_are_remembered_and_the_longest_unused_goes_first;
    times_in_seconds: Fault::StoresLease(|lease| {
        let seconds = lease.renewed_at.as_millis() / 1_000;
        lease.renewed_at = Timestamp::from_millis(seconds * 1_000);
    }) => extreme_values_come_back_as_they_were;
}

fn only_projects(scope: &Scope) -> Scope {
    match scope {
        Scope::Everything => Scope::Everything,
        Scope::Rows { projects, .. } => Scope::Rows {
            projects: projects.clone(),
            ports: PortSet::new(),
        },
    }
}

fn only_ports(scope: &Scope) -> Scope {
    match scope {
        Scope::Everything => Scope::Everything,
        Scope::Rows { ports, .. } => Scope::Rows {
            projects: Vec::new(),
            ports: ports.clone(),
        },
    }
}

#[test]
fn each_law_catches_a_broken_store() {
    let idle = LAWS
        .iter()
        .map(conformance::Law::name)
        .filter(|law| !LAWS_THAT_CAUGHT.contains(law));
    assert_eq!(idle.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_same_store_without_a_fault_keeps_every_law() {
    conformance::check(|| BrokenRegistry::with(Fault::None));
}

#[test]
fn a_store_that_panics_does_not_end_the_suite() {
    let broken = conformance::broken(|| BrokenRegistry::with(Fault::Panics));
    let laws = broken.iter().map(|broken| broken.law);
    let all_but_the_empty_host = LAWS.iter().skip(1).map(conformance::Law::name);
    assert!(laws.eq(all_but_the_empty_host), "{broken:#?}");
    for broken in broken {
        assert_eq!(broken.problem, "panicked: the store panics");
    }
}

#[test]
#[should_panic(expected = "the store breaks 30 of 31 laws
- what_is_granted_is_there_for_everybody: the store broke: No room is left. Make some.
- what_was")]
fn the_report_names_every_broken_law_and_its_problem() {
    conformance::check(|| BrokenRegistry::with(Fault::Breaks));
}
