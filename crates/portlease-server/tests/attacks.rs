//! What strangers try, and whether everybody else still gets answers meanwhile.

#![cfg(unix)]

mod support;

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portlease_server::{Rate, ServeOptions, Token};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use support::{LONG, Reply, Served, until};

const TOKEN: &str = "correct-horse-battery-staple";

fn with_token() -> Served {
    Served::with(ServeOptions {
        token: Some(Token::new(TOKEN).unwrap()),
        ..ServeOptions::default()
    })
}

#[test]
fn a_name_that_somebody_made_point_here_is_refused() {
    let served = Served::new();
    let ask = |host: &str| served.ask("GET", "/api/ports", &[("host", host)], "");
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "localhost:1",
        "192.0.2.1",
        "",
        "a b",
    ] {
        let reply = ask(host);
        // What is no host at all is refused before it is looked at.
        assert!(matches!(reply.status, 403 | 400), "{host}: {reply:?}");
    }
    ask("evil.example").problem(403, "FOREIGN_HOST");
    assert_eq!(ask("localhost").status, 200);
    let none = served.raw(b"GET /api/ports HTTP/1.1\r\nconnection: close\r\n\r\n");
    assert!(matches!(none.status, 403 | 400), "{none:?}");
    let two = "GET /api/ports HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(matches!(served.raw(two.as_bytes()).status, 403 | 400));
    let absolute = "GET http://evil.example/api/ports HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    served.raw(absolute.as_bytes()).problem(403, "FOREIGN_HOST");
}

#[test]
fn pages_of_other_sites_may_not_ask() {
    let served = Served::new();
    let own = format!("http://{}", served.address);
    let ask = |header: (&str, &str)| served.ask("GET", "/api/ports", &[header], "").status;
    assert_eq!(ask(("origin", "https://evil.example")), 403);
    assert_eq!(ask(("origin", "http://localhost:3000")), 403);
    assert_eq!(ask(("origin", "null")), 403);
    assert_eq!(ask(("sec-fetch-site", "cross-site")), 403);
    assert_eq!(ask(("sec-fetch-site", "same-site")), 403);
    assert_eq!(ask(("origin", &own)), 200);
    assert_eq!(ask(("sec-fetch-site", "same-origin")), 200);
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
    ];
    let reply = served.ask("OPTIONS", "/api/leases", &preflight, "");
    reply.problem(403, "FOREIGN_ORIGIN");
    assert_eq!(reply.header("access-control-allow-origin"), None);
    // What a form or an image of another page can send says no JSON, or no method that changes anything.
    let form = [("content-type", "text/plain")];
    served
        .ask("POST", "/api/leases", &form, "{\"projectId\":\"evil\"}")
        .problem(415, "NOT_JSON");
    assert_eq!(served.get("/api/leases").json(), json!({"leases": []}));
}

#[test]
fn the_token_is_needed_by_everything_that_tells_something() {
    let served = with_token();
    let right = format!("Bearer {TOKEN}");
    let document = portlease_server::openapi();
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("{port}", "3000").replace("{id}", "x");
            let method = method.to_uppercase();
            let ask = |said: &str| served.ask(&method, &path, &[("authorization", said)], "");
            served
                .ask(&method, &path, &[], "")
                .problem(401, "UNAUTHORIZED");
            for wrong in [
                "",
                "Bearer",
                "Bearer ",
                TOKEN,
                "Bearer correct-horse-battery-stapl",
                "Bearer correct-horse-battery-staplE",
                "Basic eDp5",
            ] {
                let reply = ask(wrong);
                reply.problem(401, "UNAUTHORIZED");
                assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            }
            if path != "/api/events" {
                assert_ne!(ask(&right).status, 401, "{method} {path}");
            }
        }
    }
    assert_eq!(served.get("/healthz").status, 200);
    served
        .get("/api/leases?token=correct-horse-battery-staple")
        .problem(401, "UNAUTHORIZED");
}

#[test]
fn a_server_that_others_can_reach_has_a_token_or_is_none() {
    let exposed = ServeOptions::default().check("0.0.0.0".parse().unwrap());
    assert!(exposed.unwrap_err().to_string().contains("--token-file"));
    assert!(
        ServeOptions::default()
            .check("::1".parse().unwrap())
            .is_ok()
    );
    assert!(
        ServeOptions::default()
            .check("::ffff:127.0.0.1".parse().unwrap())
            .is_ok()
    );
}

#[test]
fn paths_lead_nowhere_but_where_they_say() {
    let served = with_token();
    for path in [
        "/../../etc/passwd",
        "/api/../metrics",
        "/%2e%2e/etc/passwd",
        "/api%2fleases",
        "//api/leases",
        "/API/leases",
        "/api/leases/",
        "/api//leases",
        "/api/leases;x",
        "/plan/../../Cargo.toml",
        "/..%5c..%5cwindows",
        "/api/leases%00",
        "/api/who/3000/..",
        "/%",
    ] {
        let reply = served.get(path);
        assert!(matches!(reply.status, 400 | 401 | 404), "{path}: {reply:?}");
        assert!(!reply.body.contains("root:"), "{path}");
    }
    let long = format!("/{}", "a".repeat(200_000));
    let reply = served.get(&long);
    assert!(
        matches!(reply.status, 0 | 404 | 414 | 431),
        "{}",
        reply.status
    );
}

#[test]
fn what_is_too_large_is_not_read() {
    let served = Served::new();
    let json = [("content-type", "application/json")];
    let large = "x".repeat(10 << 20);
    served
        .ask("POST", "/api/leases", &json, &large)
        .problem(413, "TOO_LARGE");
    let mut chunked = String::from(
        "POST /api/leases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    chunked += &format!("10000\r\n{}\r\n", "y".repeat(0x10000)).repeat(160);
    served.raw(chunked.as_bytes()).problem(413, "TOO_LARGE");
    let head = format!(
        "GET /api/ports HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "z".repeat(1 << 20)
    );
    let reply = served.raw(head.as_bytes());
    assert!(matches!(reply.status, 0 | 431), "{}", reply.status);
    let many = "x: y\r\n".repeat(5_000);
    let reply =
        served.raw(format!("GET /api/ports HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").as_bytes());
    assert!(matches!(reply.status, 0 | 431), "{}", reply.status);
    served.get("/api/ports").json();
}

#[test]
fn requests_that_could_be_two_are_none() {
    let served = Served::new();
    for smuggled in [
        "POST /api/leases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "POST /api/leases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\ntransfer-encoding: identity\r\n\r\n{}",
        "GET /api/ports HTTP/1.1\r\nhost: localhost\r\n bad: folded\r\n\r\n",
        "GET /api/ports HTTP/9.9\r\nhost: localhost\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        let reply = served.raw(smuggled.as_bytes());
        assert!(matches!(reply.status, 0 | 400), "{smuggled:?}: {reply:?}");
    }
}

#[test]
fn html_in_names_stays_text() {
    let served = Served::new();
    let mut events = served.events(None);
    let evil = "<script>alert(1)</script>\"'&\u{2028}\u{202e}";
    served
        .post(
            "/api/leases",
            json!({"projectId": evil, "service": "<img src=x>"}),
        )
        .json();
    for path in ["/api/leases", "/api/ports", "/api/validate"] {
        let reply = served.get(path);
        reply.json();
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert!(reply.body.contains("<script>"), "{path}");
    }
    let (_, event) = events.hear("leaseGranted");
    assert_eq!(event["lease"]["project"], evil);
}

#[test]
fn one_address_may_ask_so_often_and_not_more() {
    let rate = Rate {
        per_second: 0.1,
        burst: 5.0,
    };
    let served = Served::with(ServeOptions {
        local_rate: rate,
        ..ServeOptions::default()
    });
    let statuses: Vec<u16> = (0..8).map(|_| served.get("/healthz").status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    let refused = served.get("/api/ports");
    refused.problem(429, "TOO_MANY_REQUESTS");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
}

fn hasty() -> ServeOptions {
    ServeOptions {
        head_timeout: Duration::from_millis(500),
        request_timeout: Duration::from_secs(1),
        write_timeout: Duration::from_millis(500),
        ..ServeOptions::default()
    }
}

/// Reads until the other end closes; answers how long that took.
fn closed(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new());
    begun.elapsed()
}

#[test]
fn who_says_nothing_or_little_is_not_waited_for() {
    let served = Served::with(hasty());
    let mut silent = served.connect();
    let mut slow = served.connect();
    slow.write_all(b"GET /api/ports HTTP/1.1\r\nhost: loc")
        .unwrap();
    let mut kept = served.connect();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    for stream in [&mut silent, &mut slow, &mut kept] {
        assert!(closed(stream) < LONG / 2);
    }
    // Drop by drop.
    let mut dripping = served.connect();
    let begun = Instant::now();
    let ended = until("it is closed", || {
        let sent = dripping.write_all(b"x");
        let mut buffer = [0];
        dripping
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let read = dripping.read(&mut buffer);
        (sent.is_err() || matches!(read, Ok(0))).then(|| begun.elapsed())
    });
    assert!(ended < LONG / 2, "{ended:?}");
    let mut body = served.connect();
    body.write_all(b"POST /api/leases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").unwrap();
    Reply::read(&mut BufReader::new(body)).problem(408, "TOO_SLOW");
}

/// How many connections this process may open, besides some for itself. The limit is raised as far as it can be.
fn descriptors() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    let current = getrlimit(Resource::Nofile).current;
    let current = current.map_or(1 << 20, |limit| usize::try_from(limit).unwrap());
    // The server closes its ends of most of them; other tests run in this process, too.
    current.saturating_sub(3_000)
}

#[test]
fn ten_thousand_connections_keep_nobody_else_out() {
    let served = Served::new();
    let many = descriptors().min(10_000);
    println!("{many} connections");
    let mut open = Vec::with_capacity(many);
    let mut worst = Duration::ZERO;
    for number in 0..many {
        // Every other one begins to say something.
        let mut stream = TcpStream::connect(served.address).unwrap();
        if number % 2 == 0 {
            let _ = stream.write_all(b"GET /api/ports HTTP/1.1\r\n");
        }
        open.push(stream);
        if number % 500 == 499 {
            let begun = Instant::now();
            served.get("/api/ports").json();
            worst = worst.max(begun.elapsed());
        }
    }
    println!("the slowest answer meanwhile took {worst:?}");
    assert!(worst < Duration::from_secs(5), "{worst:?}");
    drop(open);
    served.get("/api/ports").json();
}

#[test]
fn a_thousand_listeners_get_what_there_is_and_no_more() {
    let served = Served::new();
    let many = descriptors().min(1_000);
    let mut heard = 0;
    let mut listening = Vec::new();
    for _ in 0..many {
        let events = served.events(None);
        match events.status {
            200 => heard += 1,
            status => {
                assert_eq!(status, 503);
                assert!(events.headers.iter().any(|(name, _)| name == "retry-after"));
            }
        }
        listening.push(events);
    }
    assert_eq!(heard, 64);
    served
        .post("/api/leases", json!({"projectId": "shop"}))
        .json();
    let (_, event) = listening[0].hear("leaseGranted");
    assert_eq!(event["lease"]["project"], "shop");
    drop(listening);
    until("there is room again", || {
        (served.events(None).status == 200).then_some(())
    });
}

#[test]
fn who_does_not_read_what_was_asked_for_is_given_up() {
    let served = Served::with(hasty());
    for number in 0..40 {
        let project = format!("{number}{}", "x".repeat(1_000));
        served
            .post(
                "/api/leases",
                json!({"projectId": project, "basePort": 20_000, "maxPort": 29_999}),
            )
            .json();
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut deaf = Vec::new();
        for _ in 0..30 {
            let mut stream = served.connect();
            let ask = "GET /api/leases HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write(ask.as_bytes());
            deaf.push(stream);
        }
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                served.get("/api/ports").json();
            }
        });
        until("they are given up", || {
            let metrics = served.get("/metrics").body;
            let open = metrics
                .lines()
                .find_map(|line| line.strip_prefix("portlease_connections "));
            (open.unwrap().parse::<u32>().unwrap() < 10).then_some(())
        });
        is_over.store(true, Ordering::Relaxed);
    });
}
