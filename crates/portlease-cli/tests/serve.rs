//! `portlease serve`: it starts, answers, stops, and can be killed at any moment.

#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{LONG, Running, Sandbox, check};

/// Begins to serve on a port of the sandbox, or wherever the flags say; answers its URL.
fn serve(sandbox: &Sandbox, flags: &[&str]) -> (Running, String) {
    let mut command = sandbox.portlease(&[&["serve"], flags].concat());
    command.env_remove("PORTLEASE_TOKEN");
    let mut running = Running::of(command);
    let url = running.hear("http://");
    (running, url)
}

fn strict(sandbox: &Sandbox) -> String {
    format!("--port={}", sandbox.ports.start)
}

/// Asks; answers the status and the body, or nothing when there is no answer.
fn ask(url: &str, method: &str, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).ok()?;
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}");
    if !body.is_empty() {
        let length = body.len();
        write!(
            request,
            "content-type: application/json\r\ncontent-length: {length}\r\n"
        )
        .unwrap();
    }
    stream
        .write_all(format!("{request}\r\n{body}").as_bytes())
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    // What breaks off is no answer.
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    (length.parse() == Ok(body.len())).then(|| (status, body.to_owned()))
}

fn get(url: &str, path: &str) -> Value {
    let (status, body) = ask(url, "GET", path, "", "").unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn it_leases_its_own_port_and_gives_it_back() {
    let sandbox = Sandbox::new();
    let (running, url) = serve(&sandbox, &[&strict(&sandbox)]);
    assert_eq!(url, format!("http://localhost:{}", sandbox.ports.start));
    let ports = get(&url, "/api/ports?project=portlease");
    assert_eq!(ports["data"], json!({"serve": sandbox.ports.start}));
    let lease = &sandbox.leases()[0]["lease"];
    assert_eq!(
        (&lease["state"], &lease["holder"]["pid"]),
        (&json!("live"), &json!(running.pid()))
    );
    running.signal(Signal::TERM);
    let (status, heard) = running.end();
    assert_eq!((status.code(), heard), (Some(0), vec![url]));
    assert_eq!(sandbox.leases(), Vec::<Value>::new());
}

#[test]
fn ctrl_c_ends_it_and_who_listens_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let (running, url) = serve(&sandbox, &["--json", &strict(&sandbox)]);
    let told: Value = serde_json::from_str(&url).unwrap();
    assert_eq!(told["port"], sandbox.ports.start);
    assert_eq!(told["pid"], running.pid());
    let mut events = TcpStream::connect(("127.0.0.1", sandbox.ports.start)).unwrap();
    events
        .write_all(b"GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut begin = [0; 512];
    assert_ne!(events.read(&mut begin).unwrap(), 0);
    running.signal(Signal::INT);
    let begun = std::time::Instant::now();
    assert_eq!(running.end().0.code(), Some(0));
    assert!(begun.elapsed() < LONG / 12, "{:?}", begun.elapsed());
}

#[test]
fn two_serve_one_registry_each_on_a_port_of_its_own() {
    let sandbox = Sandbox::new();
    let (first, one) = serve(&sandbox, &[]);
    let (_second, two) = serve(&sandbox, &[]);
    assert_ne!(one, two);
    let wish = json!({"projectId": "shop", "framework": "vite"}).to_string();
    let (status, _) = ask(&one, "POST", "/api/leases", "", &wish).unwrap();
    assert_eq!(status, 200);
    assert_eq!(get(&one, "/api/ports"), get(&two, "/api/ports"));
    first.signal(Signal::TERM);
    first.end();
    assert_eq!(get(&two, "/api/ports?project=shop")["success"], true);
}

#[test]
fn a_port_that_is_insisted_on_is_that_one_or_none() {
    let sandbox = Sandbox::new();
    let (_running, _) = serve(&sandbox, &[&strict(&sandbox)]);
    let refused = sandbox.ended(&["serve", &strict(&sandbox)]);
    check(
        &refused,
        3,
        &format!("Port {} is leased: portlease/serve", sandbox.ports.start),
    );
    let (code, told) = sandbox.json(&["serve", &strict(&sandbox)]);
    assert_eq!(
        (code, &told["error"]["code"]),
        (Some(3), &json!("PORT_UNAVAILABLE"))
    );
}

#[test]
fn elsewhere_it_needs_a_token() {
    let sandbox = Sandbox::new();
    let port = strict(&sandbox);
    let everywhere = ["serve", &port, "--listen", "0.0.0.0"];
    check(&sandbox.ended(&everywhere), 2, "has no token");
    sandbox.write("short", "secret\n");
    sandbox.write("token", "correct-horse-battery-staple\n");
    let with = |file| sandbox.ended(&[&everywhere[..], &["--token-file", file]].concat());
    check(&with("short"), 2, "short: The token has 6 characters");
    check(&with("none"), 2, "none cannot be read");
    assert_eq!(
        sandbox.leases(),
        Vec::<Value>::new(),
        "nothing was leased for nothing"
    );

    let mut command = sandbox.portlease(&["serve", &port]);
    command.env("PORTLEASE_TOKEN", "correct-horse-battery-staple");
    let mut running = Running::of(command);
    let url = running.hear("http://");
    let status = |header: &str| ask(&url, "GET", "/api/ports", header, "").unwrap().0;
    assert_eq!(status(""), 401);
    assert_eq!(
        status("authorization: Bearer correct-horse-battery-staple\r\n"),
        200
    );
    let shown = std::fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&shown).contains("staple"));
}

#[test]
fn a_configured_name_is_answered() {
    let sandbox = Sandbox::new();
    let (_running, url) = serve(&sandbox, &[&strict(&sandbox), "--allow-host", "build.test"]);
    let as_name = |name: &str| {
        let own = url.replace("localhost", "127.0.0.1");
        let mut stream = TcpStream::connect(own.trim_start_matches("http://")).unwrap();
        let head = format!("GET /healthz HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.contains(" 200 OK")
    };
    assert_eq!(
        [as_name("build.test"), as_name("other.test")],
        [true, false]
    );
}

#[test]
fn its_own_folder_says_nothing_about_others() {
    let sandbox = Sandbox::new();
    sandbox.write("package.json", r#"{"scripts": {"dev": "vite"}}"#);
    let (_running, url) = serve(&sandbox, &[&strict(&sandbox)]);
    let framework = |wish: Value| {
        let (_, body) = ask(&url, "POST", "/api/explain", "", &wish.to_string()).unwrap();
        let explained: Value = serde_json::from_str(&body).unwrap();
        explained["reserved"]["services"][0]["lease"]["framework"].clone()
    };
    let wish = json!({"projectId": "other", "runCommand": "npm run dev"});
    assert_eq!(framework(wish), "default");
    let there = json!({"cwd": sandbox.project(), "runCommand": "npm run dev"});
    assert_eq!(framework(there), "vite");
    let command = json!({"projectId": "other", "runCommand": "npx astro dev"});
    assert_eq!(framework(command), "astro");
}

#[test]
fn a_server_that_is_killed_loses_nothing_and_gives_nothing_twice() {
    const REQUESTS: usize = 1_000;
    let sandbox = Sandbox::new();
    let (running, url) = serve(&sandbox, &[&strict(&sandbox)]);
    let acknowledged = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    let running = Mutex::new(Some(running));
    let lease = |url: &str, number: usize| {
        let wish =
            json!({"projectId": format!("p{number}"), "basePort": 20_000, "maxPort": 29_999});
        let (status, body) = ask(url, "POST", "/api/leases", "", &wish.to_string())?;
        assert_eq!(status, 200, "{body}");
        let granted: Value = serde_json::from_str(&body).unwrap();
        Some(granted["port"].as_u64().unwrap())
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= REQUESTS {
                        return;
                    }
                    if let Some(port) = lease(&url, number) {
                        acknowledged.lock().unwrap().insert(number, port);
                    }
                    // In the middle, with requests of all others under way.
                    if number == REQUESTS / 2 {
                        running.lock().unwrap().take().unwrap().kill();
                    }
                }
            });
        }
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    println!("{} of {REQUESTS} were acknowledged", acknowledged.len());
    assert!(
        (REQUESTS / 4..REQUESTS).contains(&acknowledged.len()),
        "{}",
        acknowledged.len()
    );
    let check = |leased: &[Value]| {
        let mut ports = BTreeMap::new();
        for lease in leased {
            let (project, port) = (
                lease["lease"]["project"].clone(),
                lease["lease"]["port"].as_u64().unwrap(),
            );
            assert_eq!(
                ports.insert(port, project.clone()),
                None,
                "port {port} twice"
            );
        }
        for (number, port) in &acknowledged {
            assert_eq!(ports[port], json!(format!("p{number}")), "lost");
        }
    };
    check(&sandbox.leases());

    let (_running, url) = serve(&sandbox, &[&strict(&sandbox)]);
    for number in 0..REQUESTS {
        let port = lease(&url, number).unwrap();
        if let Some(before) = acknowledged.get(&number) {
            assert_eq!(port, *before, "p{number} has another port than before");
        }
    }
    let leases = sandbox.leases();
    assert_eq!(leases.len(), REQUESTS + 1);
    check(&leases);
}

#[test]
fn the_help_says_how_to_be_safe() {
    let sandbox = Sandbox::new();
    let help = sandbox.ended(&["serve", "--help"]);
    assert!(help.stdout.contains("PORTLEASE_TOKEN"), "{help:?}");
    assert!(
        !help.stdout.contains("--token "),
        "others see what stands in a command line"
    );
}
