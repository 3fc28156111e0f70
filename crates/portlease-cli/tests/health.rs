//! `portlease health` with servers that are well, ill, silent and gone.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Running, Sandbox, check};

/// A server of this process that answers every request so.
fn serve(port: u16, answer: &'static str) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
}

#[test]
fn health_is_asked_of_every_lease() {
    let sandbox = Sandbox::new();
    let nobody = sandbox.ended(&["health"]);
    check(&nobody, 0, "nobody to ask");
    let port = sandbox.get("shop");
    let (code, health) = sandbox.json(&["health"]);
    assert_eq!(code, Some(4));
    let refused = json!([{"project": "shop", "service": "web", "port": port, "status": "refused"}]);
    assert_eq!(health, refused);

    serve(port, "HTTP/1.1 200 OK\r\n\r\n");
    let (code, health) = sandbox.json(&["health"]);
    assert_eq!((code, &health[0]["status"]), (Some(0), &json!("healthy")));
    assert!(health[0]["latencyMicros"].is_u64(), "{health}");
    let plain = sandbox.ended(&["health"]);
    assert_eq!(plain.code, Some(0));
    let row = plain.stdout.lines().nth(1).unwrap();
    assert!(
        row.starts_with(&format!("{port}\tshop/web\thealthy\t")),
        "{row}"
    );
    assert!(row.ends_with(" ms"), "{row}");
}

#[test]
fn health_is_asked_by_http() {
    let sandbox = Sandbox::new();
    let [well, ill, silent] = [0, 1, 2].map(|index| sandbox.ports.start + index);
    serve(well, "HTTP/1.1 204 No Content\r\n\r\n");
    serve(ill, "HTTP/1.1 500 Oh\r\n\r\n");
    let _silent = TcpListener::bind((Ipv4Addr::LOCALHOST, silent)).unwrap();
    let ask = |port: u16| {
        let port = port.to_string();
        sandbox.json(&["health", &port, "--http", "/ok", "--timeout", "0.3"])
    };
    let (code, health) = ask(well);
    let http = |health: &Value| (health[0]["status"].clone(), health[0]["httpStatus"].clone());
    assert_eq!(
        (code, http(&health)),
        (Some(0), (json!("healthy"), json!(204)))
    );
    let (code, health) = ask(ill);
    assert_eq!(
        (code, http(&health)),
        (Some(4), (json!("httpError"), json!(500)))
    );
    let (code, health) = ask(silent);
    assert_eq!(
        (code, http(&health)),
        (Some(4), (json!("timedOut"), Value::Null))
    );
    let plain = sandbox.ended(&["health", &ill.to_string(), "--http=/"]);
    assert!(
        plain.stdout.contains(&format!("{ill}\t–\tHTTP 500\t")),
        "{plain:?}"
    );
}

#[test]
fn health_is_asked_of_those_who_are_named() {
    let sandbox = Sandbox::new();
    let (shop, blog) = (sandbox.get("shop"), sandbox.get("blog"));
    let asked = |arguments: &[&str]| {
        let (_, health) = sandbox.json(&[&["health"], arguments].concat());
        let health = health.as_array().unwrap().clone();
        health
            .iter()
            .map(|one| one["port"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let (shop, blog) = (u64::from(shop), u64::from(blog));
    assert_eq!(asked(&["web"]), [shop, blog]);
    assert_eq!(asked(&["web", &blog.to_string(), "--project=blog"]), [blog]);
    assert_eq!(asked(&["--project=blog"]), [blog]);
    assert_eq!(asked(&["--project=nobody"]), [0_u64; 0]);
    check(
        &sandbox.ended(&["health", "api"]),
        4,
        "No service \"api\" is leased",
    );
    let (code, error) = sandbox.json(&["health", "api"]);
    assert_eq!(
        (code, &error["error"]["code"]),
        (Some(4), &json!("NOT_LEASED"))
    );
}

#[test]
fn what_cannot_be_asked() {
    let sandbox = Sandbox::new();
    for (arguments, words) in [
        (&["health", "0"][..], "\"0\" is not a port"),
        (&["health", "70000"], "\"70000\" is not a port"),
        (&["health", "--http=x"], "is not a path of a URL"),
        (&["health", "--http=/a b"], "is not a path of a URL"),
        (&["health", "--timeout=0"], "a number of seconds above 0"),
        (&["health", "--watch=-1"], "a number of seconds above 0"),
        (&["health", "--project= "], "is not a name"),
        (&["ports", "--watch=soon"], "a number of seconds above 0"),
        (&["ports", "--project= "], "is not a name"),
        (&["validate", "--project= "], "is not a name"),
    ] {
        check(&sandbox.ended(arguments), 2, words);
    }
}

#[test]
fn an_encrypted_server_is_only_connected_to() {
    let sandbox = Sandbox::new();
    let port = sandbox.get("shop");
    let mut export = sandbox.export();
    let host = export["hosts"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .next()
        .unwrap();
    host["leases"][0]["requires"] = json!(["https"]);
    sandbox.write("encrypted.json", &export.to_string());
    let imported = sandbox.ended(&["import", "encrypted.json", "--on-conflict=replace"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let _silent = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let health = sandbox.ended(&["health", "--http=/"]);
    check(&health, 0, "shop/web speaks HTTPS");
}

#[test]
fn a_watch_tells_what_changes_in_health() {
    let sandbox = Sandbox::new();
    let port = sandbox.get("shop");
    let arguments = ["health", "--watch=0.02", "--json"];
    let mut watch = Running::of(sandbox.portlease(&arguments));
    let mut plain = Running::of(sandbox.portlease(&arguments[..2]));
    let first: Value = serde_json::from_str(&watch.hear("refused")).unwrap();
    assert_eq!(
        first,
        json!({"project": "shop", "service": "web", "port": port, "status": "refused"})
    );
    let nobody = format!("{port}\tshop/web\t–\tnobody listens\t–");
    assert_eq!(plain.hear("nobody"), nobody);

    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let second: Value = serde_json::from_str(&watch.hear("healthy")).unwrap();
    assert_eq!(second["previous"], "refused");
    let line = plain.hear("healthy");
    assert!(line.contains("\tnobody listens\thealthy\t"), "{line}");
    drop(server);
    watch.hear("refused");

    // A lease that comes meanwhile is asked about, too.
    let blog = sandbox.get("blog");
    assert!(watch.hear("blog").contains(&blog.to_string()));
    watch.signal(Signal::INT);
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&watch.end().0),
        Some(2)
    );
}
