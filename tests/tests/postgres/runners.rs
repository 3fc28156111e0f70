//! Hosts that cannot be seen: what their runners tell, what becomes of those that tell nothing, and how they are asked.

use std::thread;
use std::time::Duration;

use portlease_core::{
    Command, Confirm, Facts, Host, Name, Port, PortRange, Scope, Store, Timestamp, TransactError,
};
use portlease_postgres::{Answered, HostOverview, PostgresStore, Question, Report};
use portlease_tests::postgres::{Cluster, Database};

use crate::support::{fresh, open, reserve_in};

const LONG: Duration = Duration::from_secs(20);
const RANGE: PortRange = PortRange::literal(3000, 3010);

fn host(name: &str) -> Host {
    Host::new(Name::literal(name))
}

fn report(gives_up_after: Option<Duration>) -> Report {
    Report {
        gives_up_after,
        ..Report::default()
    }
}

/// Waits until the host is given up, and answers which of its services were swept.
fn given_up(store: &PostgresStore) -> Vec<String> {
    loop {
        // Each look is a round trip, and the silence ends by the clock of the database.
        let ended = store.give_up_silent_hosts(Duration::ZERO).unwrap();
        if let Some((_, swept)) = ended.first() {
            let key = |it: &portlease_core::SweptLease| it.lease.key.to_string();
            return swept.removed.iter().map(key).collect();
        }
    }
}

/// What a runner that starts now finds in its inbox.
fn waiting(store: &PostgresStore, host: &Host) -> Vec<Question> {
    let mut inbox = store.inbox(host).unwrap();
    store.take_questions(&mut inbox, Duration::ZERO).unwrap()
}

/// Lets time pass in the database, in which this happens to a row that says when something was.
fn pass(database: &Database, minutes: u32, columns: &[&str]) {
    for column in columns {
        let (table, column) = column.split_once('.').unwrap();
        let change = format!(
            "UPDATE portlease.{table} SET {column} = {column} - interval '{minutes} minutes'"
        );
        Cluster::shared().sql(&database.name, &change);
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const NOTHING: Duration = Duration::ZERO;

#[test]
fn an_outage_of_the_database_is_no_silence_of_the_hosts() {
    let database = fresh();
    let store = open(&database.url);
    let hosts = ["first", "second", "third"].map(host);
    for host in &hosts {
        reserve_in(&store, host, "shop", RANGE).unwrap();
        store.report(host, &report(Some(MINUTE))).unwrap();
    }
    // Nobody could do anything for ten minutes, and then one runner is faster than the others.
    let everything = [
        "runner.reported_at",
        "attention.looked_at",
        "attention.since",
    ];
    pass(&database, 10, &everything);
    let told = store.report(&hosts[0], &report(Some(MINUTE))).unwrap();
    assert!(told.looked_ago >= 10 * MINUTE, "{told:?}");
    assert_eq!(store.give_up_silent_hosts(NOTHING), Ok(Vec::new()));
    // It goes on looking, and the second one is heard as well. Only the third one is silent.
    store.report(&hosts[1], &report(Some(MINUTE))).unwrap();
    assert_eq!(store.give_up_silent_hosts(NOTHING), Ok(Vec::new()));
    pass(&database, 2, &["attention.since"]);
    let ended = store.give_up_silent_hosts(NOTHING).unwrap();
    let ended: Vec<&Host> = ended.iter().map(|(host, _)| host).collect();
    assert_eq!(ended, [&hosts[2]]);
}

#[test]
fn a_standby_whose_clock_is_behind_gives_nobody_up() {
    let database = fresh();
    let store = open(&database.url);
    let worker = host("worker");
    reserve_in(&store, &worker, "shop", RANGE).unwrap();
    store.report(&worker, &report(Some(MINUTE))).unwrap();
    // The primary looked in an hour from now; the host had been silent for half a minute then.
    let behind = "UPDATE portlease.attention SET looked_at = clock_timestamp() + interval '1 hour'";
    Cluster::shared().sql(&database.name, behind);
    pass(&database, 2, &["runner.reported_at", "attention.since"]);
    let told = store.report(&host("other"), &report(None)).unwrap();
    assert!(told.looked_ago > 59 * MINUTE, "{told:?}");
    assert_eq!(store.give_up_silent_hosts(NOTHING), Ok(Vec::new()));
}

#[test]
fn of_many_that_look_for_silent_hosts_one_is_enough() {
    let database = fresh();
    let store = open(&database.url);
    let silent = host("silent");
    reserve_in(&store, &silent, "shop", RANGE).unwrap();
    store.report(&silent, &report(Some(MINUTE))).unwrap();
    pass(&database, 2, &["runner.reported_at", "attention.since"]);
    assert_eq!(store.give_up_silent_hosts(10 * MINUTE), Ok(Vec::new()));
    assert_eq!(store.give_up_silent_hosts(NOTHING).unwrap().len(), 1);
}

#[test]
fn what_is_told_again_is_not_written_again() {
    let database = fresh();
    let store = open(&database.url);
    let worker = host("worker");
    let mut told = report(None);
    let version = || Cluster::shared().sql(&database.name, "SELECT xmin FROM portlease.report");
    let mut tell = |millis, port| {
        told.facts.now = Timestamp::from_millis(millis);
        told.facts.occupied.insert(Port::literal(port), None);
        store.report(&worker, &told).unwrap();
        let reported = store.reported(&worker).unwrap().unwrap();
        assert_eq!(reported.report, told);
        version()
    };
    let first = tell(1, 3000);
    assert_eq!(tell(2, 3000), first);
    assert_ne!(tell(3, 3001), first);
}

#[test]
fn a_host_that_agreed_to_let_go_loses_its_leases_when_it_is_silent() {
    let database = fresh();
    let [one, other] = [open(&database.url), open(&database.url)];
    let (silent, steady) = (host("silent"), host("steady"));
    let lease = reserve_in(&one, &silent, "shop", RANGE).unwrap();
    reserve_in(&one, &steady, "blog", RANGE).unwrap();
    let before = one
        .report(&silent, &report(Some(Duration::from_millis(1))))
        .unwrap();
    other.report(&steady, &report(Some(LONG * 100))).unwrap();

    assert_eq!(given_up(&other), ["shop/web"]);
    assert_eq!(other.load(&silent, &Scope::Everything).unwrap().len(), 0);
    assert_eq!(other.load(&steady, &Scope::Everything).unwrap().len(), 1);

    // It comes back, and finds out: by what it is told, and by the generation of its lease.
    let after = one.report(&silent, &report(None)).unwrap();
    assert_eq!(after.given_up, before.given_up + 1);
    let confirm = Command::Confirm(Confirm {
        key: lease.key.clone(),
        generation: lease.generation,
        listener: None,
        port: None,
    });
    let facts = Facts::at(Timestamp::from_millis(2_000));
    let refused = one.transact(&silent, &confirm, &facts).unwrap_err();
    assert!(matches!(refused, TransactError::Refused(_)), "{refused:?}");
    // Nobody else wanted the port.
    let again = reserve_in(&one, &silent, "shop", RANGE).unwrap();
    assert_eq!(again.port, lease.port);
    assert!(again.generation > lease.generation);
}

#[test]
fn a_host_that_agreed_to_nothing_keeps_its_leases() {
    let database = fresh();
    let store = open(&database.url);
    let silent = host("silent");
    reserve_in(&store, &silent, "shop", RANGE).unwrap();
    assert_eq!(store.give_up_silent_hosts(Duration::ZERO), Ok(Vec::new()));
    store.report(&silent, &report(None)).unwrap();
    assert_eq!(store.give_up_silent_hosts(Duration::ZERO), Ok(Vec::new()));
    assert_eq!(store.load(&silent, &Scope::Everything).unwrap().len(), 1);
}

#[test]
fn clocks_may_be_an_hour_apart() {
    const HOUR: u64 = 3_600_000;
    let database = fresh();
    let store = open(&database.url);
    let now = portlease::now().as_millis();
    // One host is an hour behind, the other an hour ahead, and the clock of the database is the only one that counts.
    for (name, clock) in [("behind", now - HOUR), ("ahead", now + HOUR)] {
        let host = host(name);
        reserve_in(&store, &host, "shop", RANGE).unwrap();
        let mut told = report(Some(Duration::from_millis(HOUR / 2)));
        told.facts.now = Timestamp::from_millis(clock);
        store.report(&host, &told).unwrap();
        assert_eq!(
            store.give_up_silent_hosts(Duration::ZERO),
            Ok(Vec::new()),
            "{name}"
        );
        let reported = store.reported(&host).unwrap().unwrap();
        assert!(reported.silent_for < LONG, "{name}: {reported:?}");
    }
}

#[test]
fn what_a_runner_tells_is_there_for_everybody() {
    let database = fresh();
    let [runner, planner] = [open(&database.url), open(&database.url)];
    let worker = host("worker");
    assert_eq!(planner.reported(&worker), Ok(None));
    let mut told = report(Some(LONG));
    told.facts.occupied.insert(Port::literal(3000), None);
    told.settings.exclude.insert(Port::literal(3001));
    runner.report(&worker, &told).unwrap();
    let reported = planner.reported(&worker).unwrap().unwrap();
    assert_eq!((reported.report, reported.given_up), (told, 0));
    assert!(reported.silent_for < LONG);
}

#[test]
fn a_question_reaches_the_runner_and_its_answer_comes_back() {
    let database = fresh();
    let [runner, planner] = [open(&database.url), open(&database.url)];
    let worker = host("worker");
    thread::scope(|scope| {
        let answering = scope.spawn(|| {
            let mut inbox = runner.inbox(&worker).unwrap();
            let questions = runner.take_questions(&mut inbox, LONG).unwrap();
            assert_eq!(questions.len(), 1);
            assert_eq!(questions[0].text, "may I?");
            // The next runner takes what the first one did not answer.
            assert_eq!(waiting(&runner, &worker), questions);
            runner
                .answer_question(&worker, &questions[0], "you may")
                .unwrap();
            runner
                .answer_question(&worker, &questions[0], "too late")
                .unwrap();
        });
        let answered = planner.ask_runner(&worker, "may I?", LONG);
        assert_eq!(answered, Ok(Answered::With("you may".to_owned())));
        answering.join().unwrap();
    });
    assert_eq!(waiting(&runner, &worker), []);
}

#[test]
fn both_sides_may_say_that_they_wait_for_ever() {
    let database = fresh();
    let store = open(&database.url);
    let worker = host("worker");
    thread::scope(|scope| {
        let asking = scope.spawn(|| store.ask_runner(&worker, "may I?", Duration::MAX));
        let mut inbox = store.inbox(&worker).unwrap();
        let questions = store.take_questions(&mut inbox, Duration::MAX).unwrap();
        store
            .answer_question(&worker, &questions[0], "you may")
            .unwrap();
        let answered = asking.join().unwrap();
        assert_eq!(answered, Ok(Answered::With("you may".to_owned())));
    });
}

#[test]
fn a_question_that_nobody_takes_is_taken_back() {
    let database = fresh();
    let store = open(&database.url);
    let worker = host("worker");
    let answered = store.ask_runner(&worker, "may I?", Duration::from_millis(50));
    assert_eq!(answered, Ok(Answered::NotTaken));
    assert_eq!(waiting(&store, &worker), []);
}

#[test]
fn a_question_that_is_taken_and_not_answered_is_in_doubt() {
    let database = fresh();
    let [runner, planner] = [open(&database.url), open(&database.url)];
    let worker = host("worker");
    thread::scope(|scope| {
        let taking = scope.spawn(|| {
            let mut inbox = runner.inbox(&worker).unwrap();
            runner.take_questions(&mut inbox, LONG).unwrap().len()
        });
        let answered = planner.ask_runner(&worker, "may I?", Duration::from_secs(2));
        assert_eq!(taking.join().unwrap(), 1);
        assert_eq!(answered, Ok(Answered::NotYet));
    });
}

#[test]
fn a_host_with_a_runner_is_known_before_anything_is_leased_there() {
    let database = fresh();
    let store = open(&database.url);
    let [idle, busy] = ["idle", "busy"].map(host);
    assert_eq!(store.overview(), Ok(Vec::new()));
    store.report(&idle, &report(Some(MINUTE))).unwrap();
    reserve_in(&store, &busy, "shop", RANGE).unwrap();
    reserve_in(&store, &busy, "blog", RANGE).unwrap();
    assert_eq!(store.hosts().unwrap(), [busy.clone(), idle.clone()]);
    let [of_busy, of_idle] = store.overview().unwrap().try_into().unwrap();
    let without_runner = HostOverview {
        host: busy,
        leases: 2,
        silent_for: None,
        gives_up_after: None,
    };
    assert_eq!(of_busy, without_runner);
    assert!(
        of_idle.silent_for.is_some_and(|it| it < LONG),
        "{of_idle:?}"
    );
    assert_eq!((of_idle.host, of_idle.leases), (idle, 0));
    assert_eq!(of_idle.gives_up_after, Some(MINUTE));
}
