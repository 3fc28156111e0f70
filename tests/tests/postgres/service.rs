//! The service on the registry of a fleet: ports of hosts that it does not see, which their runners confirm or decline.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portlease::core::{Facts, Host, HostSettings, Planner, Port, Timestamp, Wish};
use portlease::engines::Environment;
use portlease::{Allocator, Options, Registry, Runner, RunnerOptions};
use portlease_postgres::Report;
use portlease_tests::postgres::Cluster;
use portlease_tests::service::Served;
use serde_json::{Value, json};

use crate::support;

const LONG: Duration = Duration::from_mins(1);

fn open(url: &str, host: &str) -> Allocator {
    Allocator::open(Options {
        registry: Registry::from_url(url).unwrap(),
        host: Some(host.parse().unwrap()),
        engines: Some(Environment::of_variables(|_| None)),
        ..Options::default()
    })
    .unwrap()
}

/// Answers for a host of this name until the test ends.
struct Answering {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Answering {
    fn of(url: &str, host: &str) -> Self {
        let allocator = open(url, host);
        let runner = Runner::new(&allocator, RunnerOptions::default()).unwrap();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || runner.run(&stopped, |_| {}));
        let (fleet, host) = (allocator.fleet().unwrap(), host.parse().unwrap());
        let deadline = Instant::now() + LONG;
        while fleet.snapshot_of(&host).is_err() {
            assert!(Instant::now() < deadline, "{host} does not report");
        }
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "strangers are ordinary programs, and whoever asks for any port does not ask whether it is free"
)]
fn stranger(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap()
}

fn wish(project: &str, [first, last]: [u16; 2]) -> Value {
    json!({"projectId": project, "basePort": first, "maxPort": last})
}

/// Two neighbours of which nobody is on the first. The second may be taken by then: nobody in these tests has to have it.
fn neighbours() -> [u16; 2] {
    let first = stranger(0).local_addr().unwrap().port();
    [first, first.saturating_add(20)]
}

const ON_WORKER: &str = "/api/hosts/leases?host=worker-1";

#[test]
fn a_lease_on_a_host_that_the_service_does_not_see_comes_and_goes() {
    let url = support::fresh().url;
    let _answering = Answering::of(&url, "worker-1");
    let served = Served::of(open(&url, "control-plane"));
    let range = neighbours();
    let granted = served.done("POST", ON_WORKER, &wish("shop", range));
    let lease = &granted["granted"][0]["lease"];
    assert_eq!(lease["project"], "shop");
    assert_eq!(lease["holder"], Value::Null, "it belongs to nobody");
    let again = served.done("POST", ON_WORKER, &wish("shop", range));
    assert_eq!(
        again["granted"][0]["lease"]["generation"],
        lease["generation"]
    );

    let hosts = served.get("/api/hosts");
    let worker = hosts["hosts"].as_array().unwrap().iter();
    let worker = worker.clone().find(|it| it["host"] == "worker-1").unwrap();
    assert_eq!(worker["leases"], 1);
    assert!(
        worker["silentForSeconds"].as_u64().unwrap() < 60,
        "{worker}"
    );

    let all = served.get("/api/hosts/leases?project=shop");
    assert_eq!(all["leases"]["worker-1"][0]["port"], lease["port"]);
    let own = served.get("/api/hosts/leases?host=control-plane");
    assert_eq!(own["leases"], json!({"control-plane": []}));
    let stats = served.get("/api/hosts/stats");
    assert_eq!(stats["stats"]["worker-1"]["counters"]["grants"], 1);

    let released = served.done("DELETE", ON_WORKER, &json!({"project": "shop"}));
    assert_eq!(released["leases"][0]["port"], lease["port"]);
    let twice = served.done("DELETE", ON_WORKER, &json!({"project": "shop"}));
    assert_eq!(twice["leases"], json!([]));
    let nowhere = "/api/hosts/leases?host=nowhere";
    served.done("DELETE", nowhere, &json!({"project": "shop"}));
    let hosts = served.get("/api/hosts");
    assert!(!hosts.to_string().contains("nowhere"), "{hosts}");
}

#[test]
fn a_plan_that_does_not_fit_is_answered_with_what_is_occupied() {
    let url = support::fresh().url;
    let _answering = Answering::of(&url, "worker-1");
    let served = Served::of(open(&url, "control-plane"));
    let wish = wish("shop", neighbours()).to_string();
    let plan = |snapshot: &Value| {
        let planner = Planner::new(serde_json::from_value(snapshot.clone()).unwrap()).unwrap();
        let request = Wish::read(&wish).unwrap().request(planner.settings());
        planner.plan(request.unwrap()).unwrap()
    };
    let snapshot = served.get("/api/hosts/snapshot?host=worker-1");
    let first = plan(&snapshot);
    let taken: Port = first.planned.seats[0].port;
    let _stranger = stranger(taken.get());
    let (status, details) =
        served.refused("POST", "/api/hosts/plans", &json!(first), "PLAN_OUTDATED");
    assert_eq!(status, 409);
    let wrong = &details["wrong"][0];
    assert_eq!(
        (&wrong["port"], &wrong["verdict"]),
        (&json!(taken), &json!("occupied"))
    );
    let mut snapshot = details["snapshot"].clone();
    let granted = loop {
        let plan = json!(plan(&snapshot));
        match served.ask("POST", "/api/hosts/plans", &plan) {
            (200, granted) => break granted,
            // Somebody else may be on the next one as well.
            (_, mut declined) => snapshot = declined["details"]["snapshot"].take(),
        }
    };
    assert_ne!(granted["granted"][0]["lease"]["port"], json!(taken));
}

#[test]
fn hosts_for_which_nobody_answers_are_told_of() {
    let url = support::fresh().url;
    let served = Served::of(open(&url, "control-plane"));
    let wish = wish("shop", [5173, 5273]);
    let ask = |host: &str, code: &str| {
        let path = format!("/api/hosts/leases?host={host}&timeout=300");
        served.refused("POST", &path, &wish, code)
    };
    let (status, details) = ask("nowhere", "NO_RUNNER");
    assert_eq!((status, &details["silentForMillis"]), (409, &Value::Null));

    let store = support::open(&url);
    let silent: Host = "silent".parse().unwrap();
    let report = Report {
        facts: Facts::at(Timestamp::from_millis(1_000)),
        settings: HostSettings::default(),
        gives_up_after: None,
    };
    store.report(&silent, &report).unwrap();
    let (status, details) = ask("silent", "NO_RUNNER");
    assert_eq!(status, 409);
    assert!(details["silentForMillis"].is_u64(), "{details}");

    // A runner that takes the plan and says no more.
    let mut inbox = store.inbox(&silent).unwrap();
    let asked = thread::spawn(move || store.take_questions(&mut inbox, LONG).unwrap().len());
    let (status, details) = loop {
        let path = "/api/hosts/leases?host=silent&timeout=3000";
        let (status, mut answer) = served.ask("POST", path, &wish);
        if answer["code"] != "NO_RUNNER" {
            assert_eq!(answer["code"], "RUNNER_IN_DOUBT", "{answer}");
            break (status, answer["details"].take());
        }
    };
    assert_eq!((status, &details["host"]), (503, &json!("silent")));
    assert_eq!(asked.join().unwrap(), 1);

    let (status, details) = served.refused(
        "POST",
        "/api/hosts/leases?host=silent&timeout=3600000",
        &wish,
        "INVALID_ARGUMENT",
    );
    assert_eq!((status, &details["path"]), (422, &json!("timeout")));
    let here = json!({"cwd": "/", "projectId": "shop"});
    let (status, details) = served.refused(
        "POST",
        "/api/hosts/leases?host=silent",
        &here,
        "INVALID_ARGUMENT",
    );
    assert_eq!((status, &details["path"]), (422, &json!("cwd")));
}

#[test]
fn a_database_that_is_gone_is_told_of_without_its_password() {
    let mut cluster = Cluster::reckless();
    let url = cluster.database().url;
    let served = Served::of(open(&url, "control-plane"));
    served.done("GET", "/api/hosts", &Value::Null);
    cluster.kill();
    let wish = wish("shop", neighbours());
    // What the server had begun may still be done.
    let (status, answer) = loop {
        match served.ask("POST", "/api/leases", &wish) {
            (200, _) => {}
            answered => break answered,
        }
    };
    assert_eq!(
        (status, &answer["code"]),
        (503, &json!("UNAVAILABLE")),
        "{answer}"
    );
    let password = url.split(['@']).next().and_then(|it| it.rsplit(':').next());
    assert!(!answer.to_string().contains(password.unwrap()), "{answer}");
}
