//! Live events, heard as browsers hear them.

mod support;

use serde_json::{Value, json};
use support::{LONG, Served, listener};

#[test]
fn a_lease_is_seen_to_come_go_live_and_end() {
    let served = Served::new();
    let mut events = served.events(None);
    assert_eq!(events.status, 200);
    let kind = ("content-type".to_owned(), "text/event-stream".to_owned());
    assert!(events.headers.contains(&kind));
    let (_, snapshot) = events.next().unwrap();
    assert_eq!(
        snapshot,
        json!({"type": "snapshot", "leases": [], "containers": []})
    );

    let server = listener();
    let port = server.local_addr().unwrap().port();
    drop(server);
    let wish = json!({"projectId": "shop", "port": port});
    let granted = served.post("/api/leases", wish).json();
    let (_, event) = events.hear("leaseGranted");
    assert_eq!(
        (&event["lease"]["project"], &event["lease"]["port"]),
        (&json!("shop"), &json!(port))
    );

    let lease = json!({"project": "shop", "service": "web", "generation": granted["generation"]});
    served.post("/api/leases/confirm", lease).json();
    let (_, event) = events.hear("leaseChanged");
    assert_eq!(event["lease"]["state"], "live");

    served
        .send("DELETE", "/api/leases", &json!({"project": "shop"}))
        .json();
    let (_, event) = events.hear("leaseEnded");
    assert_eq!(event["lease"]["port"], port);
}

#[test]
fn who_comes_back_goes_on_where_it_stopped() {
    let served = Served::new();
    let mut events = served.events(None);
    let (begin, _) = events.next().unwrap();
    for project in ["one", "two"] {
        served
            .post("/api/leases", json!({"projectId": project}))
            .json();
        events.hear("leaseGranted");
    }
    drop(events);
    let projects = |mut events: support::Events| {
        let mut heard = Vec::new();
        while heard.len() < 2 {
            let (_, event) = events.next().unwrap();
            assert_ne!(event["type"], "snapshot");
            if event["type"] == "leaseGranted" {
                heard.push(event["lease"]["project"].clone());
            }
        }
        heard
    };
    assert_eq!(projects(served.events(Some(&begin))), ["one", "two"]);
    let (_, event) = served.events(Some("another-1")).next().unwrap();
    assert_eq!(event["type"], "snapshot");
    assert_eq!(event["leases"].as_array().map(Vec::len), Some(2));
}

#[test]
fn whoever_changed_it_is_heard() {
    let served = Served::new();
    let mut events = served.events(None);
    events.next().unwrap();
    let reservation = portlease::Reservation::of("elsewhere").framework("vite");
    served
        .allocator
        .reserve_or_reallocate_port(reservation)
        .unwrap();
    let (_, event) = events.hear("leaseGranted");
    assert_eq!(event["lease"]["project"], "elsewhere");
}

#[test]
fn a_moved_service_runs_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("moved");
    let command = format!(
        "echo \"$PORTLEASE_PROJECT|$PORTLEASE_SERVICE|$PORTLEASE_FROM|$PORTLEASE_TO\" > {0}.new && mv {0}.new {0}",
        file.display()
    );
    let served = Served::with(portlease_server::ServeOptions {
        on_move: Some(command.into()),
        ..Default::default()
    });
    let evil = "a\"; $(touch gone) `touch gone` '";
    let mut events = served.events(None);
    let port = served
        .post("/api/leases", json!({"projectId": evil}))
        .json()["port"]
        .clone();
    events.hear("leaseGranted");
    let bold = json!({"projectId": "bold", "port": port, "strategy": "aggressive"});
    let granted = served.post("/api/leases", bold).json();
    let (_, event) = events.hear("leaseMoved");
    assert_eq!(
        (&event["from"], &event["lease"]["project"]),
        (&port, &json!(evil))
    );
    let told = support::until("the command runs", || std::fs::read_to_string(&file).ok());
    let to = &granted["moves"][0]["to"];
    assert_eq!(told, format!("{evil}|web|{port}|{to}\n"));
}

#[test]
fn listeners_are_sent_away_when_the_server_stops() {
    let mut served = Served::new();
    let mut events = served.events(None);
    events.next().unwrap();
    let begun = std::time::Instant::now();
    served.stop().unwrap();
    while let Some((_, event)) = events.next() {
        assert_ne!(event, Value::Null);
    }
    assert!(begun.elapsed() < LONG / 12, "{:?}", begun.elapsed());
}
