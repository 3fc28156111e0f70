//! The commands that report, with real servers.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Running, Sandbox, check, stale, until};

/// The range of the sandbox as an argument.
fn range(sandbox: &Sandbox) -> String {
    format!("{}-{}", sandbox.ports.start, sandbox.ports.end - 1)
}

#[test]
fn a_scan_tells_who_is_where() {
    let sandbox = Sandbox::new();
    let leased = sandbox.get("shop");
    let served = sandbox.get("blog");
    let foreign = sandbox.ports.start + 5;
    let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, served)).unwrap();
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, foreign)).unwrap();

    let (code, scan) = sandbox.json(&["scan", &range(&sandbox)]);
    assert_eq!(code, Some(0));
    let own = std::process::id();
    let found = |index: usize| {
        let found = &scan["ports"][index];
        let pid = &found["occupants"][0]["pid"];
        (
            found["port"].clone(),
            pid.clone(),
            found["lease"]["project"].clone(),
        )
    };
    assert_eq!(found(0), (json!(leased), Value::Null, json!("shop")));
    assert_eq!(found(1), (json!(served), json!(own), json!("blog")));
    assert_eq!(found(2), (json!(foreign), json!(own), Value::Null));
    let ends = [sandbox.ports.start, sandbox.ports.end - 1];
    let counts = json!([{"range": ends, "leased": 2, "occupied": 1, "free": 7}]);
    assert_eq!(scan["ranges"], counts);

    let plain = sandbox.ended(&["scan", &range(&sandbox)]);
    let lines: Vec<&str> = plain.stdout.lines().collect();
    assert_eq!(lines[0], "PORT\tSTATUS\tPROGRAM\tLEASED TO");
    assert_eq!(lines[1], format!("{leased}\tidle\t–\tshop/web"));
    let row = |line: &str, port: u16, status: &str, end: &str| {
        assert!(line.starts_with(&format!("{port}\t{status}\t")), "{line}");
        assert!(line.ends_with(&format!("(pid {own})\t{end}")), "{line}");
    };
    row(lines[2], served, "leased", "blog/web");
    row(lines[3], foreign, "occupied", "–");
    check(
        &plain,
        0,
        "10 ports: 2 leased, 1 occupied by others, 7 free",
    );
}

#[test]
fn a_scan_is_of_the_known_ranges_unless_another_is_named() {
    let sandbox = Sandbox::new();
    let (_, scan) = sandbox.json(&["scan"]);
    let ranges = scan["ranges"].as_array().unwrap();
    for known in [[3000, 3100], [5173, 5273], [24678, 24778], [8000, 8181]] {
        let is_known = |count: &Value| count["range"] == json!(known);
        assert!(ranges.iter().any(is_known), "{known:?}: {ranges:?}");
    }
    let one = sandbox.ports.start.to_string();
    let two = sandbox.ports.start + 2;
    let (_, scan) = sandbox.json(&["scan", &one, &format!("{two}-{two}")]);
    assert_eq!(scan["ranges"].as_array().unwrap().len(), 2);
    check(&sandbox.ended(&["scan", "3100-3000"]), 2, "3100-3000");
    check(&sandbox.ended(&["scan", "x"]), 2, "'x'");
}

#[test]
fn watches_end_when_nobody_reads() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    for watch in [
        &["ports", "--watch"][..],
        &["ports", "--watch", "--json"],
        &["health", "--watch"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = sandbox.portlease(watch);
        command.stdout(writer).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        drop(command);
        let status = until("it ends", || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{watch:?}");
    }
}

#[test]
fn ports_are_listed_of_one_project() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    sandbox.get("blog");
    let (_, leases) = sandbox.json(&["ports", "--project=blog"]);
    assert_eq!(leases.as_array().unwrap().len(), 1);
    assert_eq!(leases[0]["lease"]["project"], "blog");
    check(
        &sandbox.ended(&["ports", "--project=nobody"]),
        0,
        "No port is leased",
    );
}

#[test]
fn a_watched_list_is_printed_when_it_changes() {
    let sandbox = Sandbox::new();
    let mut watch = Running::of(sandbox.portlease(&["ports", "--watch=3600", "--json"]));
    assert_eq!(watch.hear(""), "[]");
    let mut plain = Running::of(sandbox.portlease(&["ports", "--watch=3600"]));
    plain.hear("PORT\tSERVICE");
    sandbox.get("shop");
    let leases: Value = serde_json::from_str(&watch.hear("")).unwrap();
    assert_eq!(leases[0]["lease"]["project"], "shop");
    assert_eq!(plain.hear(""), "", "a gap between two lists");
    plain.hear("PORT\tSERVICE");
    plain.hear("\tshop\t");
}

#[test]
fn stats_count() {
    let sandbox = Sandbox::new();
    let port = sandbox.get("shop");
    sandbox.get("shop");
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).unwrap();
    let (code, stats) = sandbox.json(&["stats", &range(&sandbox), "--top=1"]);
    assert_eq!(code, Some(0));
    let usage = &stats["ranges"][0];
    let counts = ["leased", "occupied", "free"].map(|name| usage[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 8]);
    assert_eq!(stats["busiest"], json!([{"port": port, "grants": 1}]));
    assert_eq!(stats["leastUsed"], stats["busiest"]);
    let counted = |name: &str| stats["counters"][name].clone();
    assert_eq!([counted("grants"), counted("reuses")], [1, 1]);

    let plain = sandbox.ended(&["stats", &range(&sandbox)]).stdout;
    for line in [
        &*format!("busiest\t{port} (1×)"),
        "grants\t1",
        "conflicts\t0",
    ] {
        assert!(plain.lines().any(|said| said == line), "{line:?}: {plain}");
    }
    let flag = format!("--port={}", port + 1);
    check(
        &sandbox.ended(&["get", "--project=blog", &flag]),
        3,
        "(pid ",
    );
    let (_, stats) = sandbox.json(&["stats"]);
    assert_eq!(stats["counters"]["refusals"], 1);
    let all = sandbox.ended(&["stats"]).stdout;
    assert!(all.contains("5173–5273\tvite\t0\t"), "{all}");
}

#[test]
fn a_lease_is_idle_or_live() {
    let sandbox = Sandbox::new();
    let port = sandbox.get("shop");
    let validated = sandbox.ended(&["validate"]);
    check(&validated, 0, "1 lease, 0 of them stale or hijacked");
    let row = format!("{port}\tweb\tshop\tidle\t–");
    assert!(
        validated.stdout.lines().any(|line| line == row),
        "{validated:?}"
    );
    let _server = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (code, leases) = sandbox.json(&["validate", "--project=shop"]);
    assert_eq!((code, &leases[0]["status"]), (Some(0), &json!("live")));
    let (_, none) = sandbox.json(&["validate", "--project=blog"]);
    assert_eq!(none, json!([]));
}

#[test]
fn a_lease_is_stale_or_hijacked() {
    let sandbox = Sandbox::new();
    let port = stale(&sandbox);
    let (code, leases) = sandbox.json(&["validate"]);
    assert_eq!((code, &leases[0]["status"]), (Some(4), &json!("stale")));
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let validated = sandbox.ended(&["validate"]);
    check(
        &validated,
        4,
        "1 of them stale or hijacked: `portlease cleanup`",
    );
    let by = format!("(pid {})", std::process::id());
    let row = validated.stdout.lines().nth(1).unwrap();
    assert!(row.contains("\thijacked\t") && row.ends_with(&by), "{row}");
}
