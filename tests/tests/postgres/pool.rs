//! A registry behind a real pgbouncer, which many connections share.

use std::time::{Duration, Instant};

use portlease_core::conformance::{self, Processes, Registry};
use portlease_core::{Facts, Store, StoreErrorKind};
use portlease_postgres::{Answered, Inbox};
use portlease_tests::chaos::{self, Fault, Plan};
use portlease_tests::pgbouncer::{Mode, Pgbouncer, knows_statements};
use portlease_tests::postgres::Cluster;

use crate::processes::start;
use crate::support::{RANGE, everything, host, open, request, reserve_in};

/// A registry of which each opening is a store of its own, behind a pool.
struct Behind(String);

impl Registry for Behind {
    fn open(&self) -> Box<dyn Store> {
        Box::new(open(&self.0))
    }
}

/// The laws to which it matters that several connections are used. The others were tried once, and would take long.
const LAWS: &[&str] = &[
    "whoever_waits_misses_no_change",
    "nobody_waits_longer_than_asked_to",
    "a_fresh_registry_can_be_opened_by_many_at_once",
    "no_port_is_leased_twice_at_any_moment",
    "no_change_is_lost",
    "a_port_that_all_insist_on_goes_to_one",
    "a_load_never_shows_half_a_decision",
];

/// What a store promises is as true behind a pool.
fn check(mode: Mode) {
    let cluster = Cluster::reckless();
    let pool = Pgbouncer::in_front_of(&cluster, mode);
    let fresh = || pool.url(&cluster.database().name);
    let laws = conformance::LAWS.iter();
    let kept = laws
        .filter(|law| LAWS.contains(&law.name()))
        .map(|law| law.check(&Behind(fresh())));
    assert_eq!(kept.collect::<Vec<_>>(), vec![Ok(()); LAWS.len()]);
    conformance::check_histories(&Behind(fresh()), 16);
    let url = fresh();
    conformance::check_histories(&Processes::new(|| start("answer", &url, "")), 32);
    changes_are_seen_soon(&fresh());
    questions_arrive_soon(&fresh());
}

/// As soon as they are looked for, that is, if nobody is told of them.
fn changes_are_seen_soon(url: &str) {
    let (store, other) = (open(url), open(url));
    reserve_in(&store, &host(), "before", RANGE).unwrap();
    let seen = store
        .wait_for_change(&host(), None, Duration::ZERO)
        .unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| store.wait_for_change(&host(), Some(seen), Duration::from_mins(1)));
        reserve_in(&other, &host(), "shop", RANGE).unwrap();
        assert_ne!(waiting.join().unwrap().unwrap(), seen);
    });
    // Three seconds, and what a busy machine may add.
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

/// They are looked for, where no bell rings for them.
fn questions_arrive_soon(url: &str) {
    let (runner, planner) = (&open(url), open(url));
    let mut inbox = runner.inbox(&host()).unwrap();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| planner.ask_runner(&host(), "where?", Duration::from_mins(1)));
        let inbox = &mut inbox;
        let take = |inbox: &mut Inbox, answer: &str| {
            let questions = runner.take_questions(inbox, Duration::from_mins(1))?;
            runner.answer_question(&host(), &questions[0], answer)
        };
        take(inbox, "here").unwrap();
        let answered = asking.join().unwrap().unwrap();
        assert_eq!(answered, Answered::With("here".to_owned()));
        // And if somebody waits for them already.
        let answering = scope.spawn(move || take(inbox, "there"));
        let answered = planner
            .ask_runner(&host(), "and now?", Duration::from_mins(1))
            .unwrap();
        assert_eq!(answered, Answered::With("there".to_owned()));
        answering.join().unwrap().unwrap();
    });
    // Four times three seconds, and what a busy machine may add.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

/// Nothing is lost or granted twice when what is on either side of a pool breaks.
fn check_under_faults(mode: Mode) {
    let faults = Fault::ALL.iter().filter(|fault| **fault != Fault::Promoted);
    let counts = chaos::run(&Plan {
        time: Duration::from_secs(5),
        faults: faults.copied().collect(),
        pool: Some(mode),
        ..Plan::default()
    });
    assert!(counts.are_well(), "{counts:?}");
    assert!(counts.faults >= 3 && counts.requests > 50, "{counts:?}");
}

#[test]
fn a_pool_of_sessions_is_as_good_as_the_server() {
    check(Mode::Session);
}

#[test]
fn a_fleet_behind_a_pool_of_sessions_loses_nothing() {
    check_under_faults(Mode::Session);
}

#[test]
fn a_pool_of_transactions_is_as_good_if_it_knows_prepared_statements() {
    if knows_statements() {
        check(Mode::Transaction);
    } else {
        check_that_it_is_refused();
    }
}

#[test]
fn a_fleet_behind_a_pool_of_transactions_loses_nothing() {
    if knows_statements() {
        check_under_faults(Mode::Transaction);
    } else {
        check_that_it_is_refused();
    }
}

/// While somebody else has the connection on which it prepared its statements, a store gets another one.
fn check_that_it_is_refused() {
    let cluster = Cluster::reckless();
    let pool = Pgbouncer::in_front_of(&cluster, Mode::Transaction);
    let url = pool.url(&cluster.database().name);
    let (store, other) = (open(&url), open(&url));
    reserve_in(&store, &host(), "before", RANGE).unwrap();
    let mut refused = None;
    let (command, mut facts) = (request("shop", RANGE), Facts::default());
    store
        .transact_observing(&host(), &command, &mut facts, &mut |_, _| {
            refused = everything(&other).err();
        })
        .unwrap();
    let error = refused.expect("another connection knows no statements");
    assert_eq!(error.kind, StoreErrorKind::Unsuitable, "{error}");
    assert!(error.remedy.contains("max_prepared_statements"), "{error}");
}
