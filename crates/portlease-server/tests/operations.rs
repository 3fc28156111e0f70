//! Every operation, and every way in which it says no.

mod support;

use portlease::core::LeaseKey;
use serde_json::{Value, json};
use support::{Served, free_ports, listener};

fn wish(project: &str) -> Value {
    json!({"projectId": project, "framework": "vite"})
}

#[test]
fn a_lease_comes_stays_and_goes() {
    let served = Served::new();
    let first = served.post("/api/leases", wish("shop")).json();
    assert_eq!(
        (&first["outcome"], &first["framework"]),
        (&json!("new"), &json!("vite"))
    );
    let again = served.post("/api/leases", wish("shop")).json();
    assert_eq!(
        (&again["outcome"], &again["port"]),
        (&json!("reused"), &first["port"])
    );

    let leases = served.get("/api/leases").json();
    let [lease] = leases["leases"].as_array().unwrap().as_slice() else {
        panic!("{leases}")
    };
    assert_eq!(lease["lease"]["port"], first["port"]);
    assert_eq!(
        lease["lease"]["holder"],
        Value::Null,
        "it belongs to nobody, and not to the server"
    );
    assert_eq!(lease["status"], "idle");
    assert_eq!(
        served.get("/api/leases?project=other").json(),
        json!({"leases": []})
    );

    let released = served
        .send("DELETE", "/api/leases", &json!({"project": "shop"}))
        .json();
    assert_eq!(released["leases"][0]["port"], first["port"]);
    let twice = served
        .send("DELETE", "/api/leases", &json!({"project": "shop"}))
        .json();
    assert_eq!(twice, json!({"leases": []}));
}

#[test]
fn ports_have_the_shape_that_was_promised() {
    let served = Served::new();
    let services = json!({"projectId": "shop", "services": [
        {"service": "web", "framework": "vite", "requires": ["https"]},
        {"service": "hmr", "inheritFrom": "web"},
        {"service": "api", "framework": "node"},
    ]});
    let set = served.post("/api/leases/set", services).json();
    let (web, api) = (&set["ports"]["web"], &set["ports"]["api"]);
    assert_eq!(set["ports"]["hmr"], *web);
    let ports = served.get("/api/ports?project=shop").json();
    assert_eq!(
        ports,
        json!({
            "success": true,
            "data": {"web": web, "hmr": web, "api": api},
            "environment": "development",
            "urls": {
                "web": {"http": format!("https://localhost:{web}"), "ws": format!("wss://localhost:{web}")},
                "hmr": {"http": format!("http://localhost:{web}"), "ws": format!("ws://localhost:{web}")},
                "api": {"http": format!("http://localhost:{api}"), "ws": format!("ws://localhost:{api}")},
            },
        })
    );
    let all = served.get("/api/ports").json();
    assert_eq!(all["data"]["shop/api"], *api);
}

#[test]
fn all_ports_taken_is_a_conflict_that_says_who_has_them() {
    let served = Served::new();
    let port = served.post("/api/leases", wish("first")).json()["port"].clone();
    let only = json!({"projectId": "second", "basePort": port, "maxPort": port});
    let details = served
        .post("/api/leases", only)
        .problem(409, "RANGE_EXHAUSTED");
    assert_eq!(details["leasedTo"][0]["port"], port);
    let strict = json!({"projectId": "second", "port": port, "strategy": "conservative"});
    let details = served
        .post("/api/leases", strict)
        .problem(409, "PORT_UNAVAILABLE");
    assert_eq!(details["port"], port);
    let both = json!({"projectId": "second", "services": [
        {"service": "web", "framework": "vite"}, {"service": "api", "port": port},
    ]});
    served
        .post("/api/leases/set", both)
        .problem(409, "PORT_UNAVAILABLE");
    assert_eq!(
        served.get("/api/leases?project=second").json(),
        json!({"leases": []})
    );
}

#[test]
fn a_move_is_told_to_who_caused_it() {
    let served = Served::new();
    let port = served.post("/api/leases", wish("meek")).json()["port"].clone();
    let bold = json!({"projectId": "bold", "port": port, "strategy": "aggressive"});
    let granted = served.post("/api/leases", bold).json();
    assert_eq!(granted["port"], port);
    let moved = &granted["moves"][0];
    assert_eq!((&moved["project"], &moved["from"]), (&json!("meek"), &port));
    let meek = served.get("/api/ports?project=meek").json();
    assert_eq!(meek["data"]["web"], moved["to"]);
}

#[test]
fn what_is_wrong_with_a_wish_is_told_with_its_place() {
    let served = Served::new();
    let ask = |wish: Value, code| served.post("/api/leases", wish).problem(422, code);
    let details = ask(
        json!({"projectId": "shop", "prefered": [4000]}),
        "INVALID_ARGUMENT",
    );
    assert_eq!(details["nearest"], "preferred");
    ask(
        json!({"projectId": "shop", "framework": "vit"}),
        "INVALID_ARGUMENT",
    );
    ask(json!({"projectId": "shop", "port": 70_000}), "INVALID_PORT");
    ask(
        json!({"projectId": "shop", "basePort": 4010, "maxPort": 4000}),
        "INVALID_RANGE",
    );
    ask(json!({"projectId": "a\u{0}b"}), "INVALID_NAME");
    ask(json!({"projectId": "shop", "services": []}), "NO_SERVICES");
    ask(
        json!({"projectId": "shop", "inheritFrom": "api"}),
        "UNKNOWN_SERVICE",
    );
    ask(json!({"projectId": "shop", "pool": "team"}), "UNKNOWN_POOL");
    ask(
        json!({"projectId": "shop", "preset": "none"}),
        "UNKNOWN_PRESET",
    );
    ask(
        json!({"projectId": "shop", "holder": {"pid": 4_000_000_000_u32}}),
        "INVALID_ARGUMENT",
    );
    ask(json!([1]), "INVALID_ARGUMENT");
}

#[test]
fn what_goes_without_saying_in_a_library_has_to_be_said() {
    let served = Served::new();
    let ask = |wish: Value| {
        served
            .post("/api/leases", wish)
            .problem(422, "INVALID_ARGUMENT")["path"]
            .clone()
    };
    assert_eq!(ask(json!({})), "projectId");
    assert_eq!(ask(json!({"cwd": "."})), "cwd");
    assert_eq!(
        ask(json!({"projectId": "shop", "holder": "self"})),
        "holder"
    );
    let many: Vec<Value> = (0..101)
        .map(|n| json!({"service": format!("s{n}")}))
        .collect();
    assert_eq!(
        ask(json!({"projectId": "shop", "services": many})),
        "services"
    );
    std::fs::write(served.folder.path().join("vite.config.js"), "").unwrap();
    let here = served
        .post("/api/leases", json!({"cwd": served.folder.path()}))
        .json();
    assert_eq!(here["framework"], "vite");
}

#[test]
fn variables_of_the_server_are_nobody_elses() {
    let served = Served::new();
    let wish = json!({"projectId": "shop", "envVar": {"name": "PATH"}});
    let granted = served.post("/api/leases", wish).json();
    assert_eq!(granted["warnings"], json!([]));
    let said = json!({"projectId": "shop", "envVar": {"name": "PORT", "value": "abc"}});
    let warned = served.post("/api/leases", said).json();
    assert!(
        warned["warnings"][0]
            .as_str()
            .unwrap()
            .starts_with("PORT is \"abc\"")
    );
}

#[test]
fn who_acts_for_a_lease_names_its_generation() {
    let served = Served::new();
    let granted = served.post("/api/leases", wish("shop")).json();
    let lease =
        |generation: &Value| json!({"project": "shop", "service": "web", "generation": generation});
    let confirmed = served
        .post("/api/leases/confirm", lease(&granted["generation"]))
        .json();
    assert_eq!(confirmed["state"], "live");
    let renewed = served
        .post("/api/leases/renew", lease(&granted["generation"]))
        .json();
    assert!(renewed["renewedAt"].as_u64() >= confirmed["renewedAt"].as_u64());
    for path in ["/api/leases/confirm", "/api/leases/renew"] {
        served
            .post(path, lease(&json!(99)))
            .problem(409, "NOT_OWNER");
        let unknown = json!({"project": "none", "service": "web", "generation": 1});
        served.post(path, unknown).problem(404, "LEASE_NOT_FOUND");
        served
            .post(path, json!({"project": "shop"}))
            .problem(422, "INVALID_ARGUMENT");
    }
}

#[test]
fn what_belongs_to_a_process_that_runs_is_released_by_force_alone() {
    let served = Served::new();
    let wish = json!({"projectId": "shop", "holder": {"pid": std::process::id()}});
    served.post("/api/leases", wish).json();
    // The server is this very process, and still not the one that asks.
    let release = |force| {
        served.send(
            "DELETE",
            "/api/leases",
            &json!({"project": "shop", "force": force}),
        )
    };
    release(false).problem(409, "NOT_OWNER");
    assert_eq!(release(true).json()["leases"][0]["project"], "shop");
}

#[test]
fn explanations_change_nothing_and_hold_for_nobody() {
    let served = Served::new();
    let explained = served.post("/api/explain", wish("shop")).json();
    let lease = &explained["reserved"]["services"][0]["lease"];
    assert!(lease["port"].is_u64(), "{explained}");
    assert_eq!(lease["holder"], Value::Null);
    assert!(!explained["trace"].as_array().unwrap().is_empty());
    assert_eq!(served.get("/api/leases").json(), json!({"leases": []}));
    let unknown = json!({"projectId": "shop", "framework": "none"});
    served
        .post("/api/explain", unknown)
        .problem(422, "INVALID_ARGUMENT");
}

#[test]
fn a_free_port_is_found_where_it_is_looked_for() {
    let served = Served::new();
    let port = |query: &str| served.get(&format!("/api/available?{query}")).json()["port"].clone();
    let vite = port("framework=vite").as_u64().unwrap();
    assert!((5173..=5273).contains(&vite));
    let later = port("framework=vite&start=5250").as_u64().unwrap();
    assert!((5173..=5273).contains(&later));
    let taken = listener();
    let taken = taken.local_addr().unwrap().port();
    assert_eq!(port(&format!("range={taken}")), Value::Null);
    for query in [
        "framework=none",
        "range=9-1",
        "range=x",
        "start=0",
        "start=70000",
        "more=1",
    ] {
        let reply = served.get(&format!("/api/available?{query}"));
        reply.problem(422, "INVALID_ARGUMENT");
    }
}

#[test]
fn who_is_on_a_port_is_told() {
    let served = Served::new();
    let port = served.address.port();
    let who = served.get(&format!("/api/who/{port}")).json();
    assert_eq!(who["occupants"][0]["pid"], std::process::id());
    let scan = served.get(&format!("/api/scan?range={port}")).json();
    assert_eq!(scan["ports"], json!([who]));
    served.get("/api/who/0").problem(422, "INVALID_PORT");
    served.get("/api/who/web").problem(422, "INVALID_PORT");
    served.get("/api/scan").problem(422, "INVALID_ARGUMENT");
    served
        .get("/api/scan?range=1-2&range=3")
        .problem(422, "INVALID_ARGUMENT");
}

#[test]
fn the_machine_is_described() {
    let served = Served::new();
    let ports = free_ports();
    let (first, last) = (ports.start, ports.end - 1);
    let wish = json!({"projectId": "shop", "basePort": first, "maxPort": last});
    let port = served.post("/api/leases", wish).json()["port"].clone();
    let stats = served
        .get(&format!("/api/stats?range={first}-{last}&top=1"))
        .json();
    assert_eq!(stats["ranges"][0]["leased"], 1);
    assert_eq!(stats["busiest"][0]["port"], port);
    let validated = served.get("/api/validate?project=shop").json();
    assert_eq!(validated["leases"][0]["status"], "idle");
    let map = served.get("/api/map").json();
    assert_eq!(map["leased"], json!([[port, 1]]));
    let vite = map["ranges"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "vite")
        .unwrap();
    assert_eq!(
        (&vite["first"], &vite["last"], &vite["default"]),
        (&json!(5173), &json!(5273), &json!(5173))
    );
    let own = &map["ranges"].as_array().unwrap().last().unwrap();
    assert_eq!(
        **own,
        json!({"name": "portlease", "first": 7787, "last": 7887, "default": 7787})
    );
    assert_eq!(served.get("/api/snapshot").json()["host"], map["host"]);
    assert_eq!(
        served.get("/api/containers").json(),
        json!({"containers": []})
    );
    let unknown = served.get("/api/containers/info/none").json();
    assert_eq!(unknown, json!({"isRunning": false, "port": null}));
    let leased = served.get("/api/containers/info/shop").json();
    assert_eq!(leased, json!({"isRunning": false, "port": port}));
    assert_eq!(served.get("/healthz").body, "ok\n");
}

#[test]
fn stale_leases_are_removed() {
    let served = Served::new();
    let mut child = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let wish = json!({"projectId": "shop", "holder": {"pid": child.id()}});
    served.post("/api/leases", wish).json();
    assert_eq!(
        served.post("/api/cleanup", json!({})).json(),
        json!({"removed": []})
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let removed = served.post("/api/cleanup", json!({})).json();
    assert_eq!(removed["removed"][0]["evidence"], "dead");
    served
        .post("/api/leases", json!({"projectId": "nobody"}))
        .json();
    let abandoned = served.post("/api/cleanup", json!({"days": 0})).json();
    assert_eq!(abandoned["removed"][0]["evidence"], "abandoned");
    served
        .post("/api/cleanup", json!({"days": -1}))
        .problem(422, "INVALID_ARGUMENT");
}

#[test]
fn a_plan_is_confirmed_or_answered_with_what_is_otherwise() {
    let served = Served::new();
    let snapshot = serde_json::from_value(served.get("/api/snapshot").json()).unwrap();
    let planner = portlease::core::Planner::new(snapshot).unwrap();
    let wish = json!({"projectId": "shop", "basePort": free_ports().start});
    let wish = portlease::Wish::read(&wish.to_string()).unwrap();
    let plan = planner
        .plan(wish.request(planner.settings()).unwrap())
        .unwrap();
    let plan = serde_json::to_value(plan).unwrap();
    let confirmed = served.post("/api/plans", plan.clone()).json();
    let granted = &confirmed["granted"][0];
    assert_eq!(granted["service"], "web");
    assert_eq!(
        granted["lease"]["holder"],
        Value::Null,
        "it belongs to nobody, and not to the server"
    );
    let key = LeaseKey::new("shop".parse().unwrap(), "web".parse().unwrap());
    assert!(
        served
            .allocator
            .find(&key.project, &key.service)
            .unwrap()
            .is_some()
    );

    served
        .send("DELETE", "/api/leases", &json!({"project": "shop"}))
        .json();
    let other = json!({"projectId": "other", "port": granted["lease"]["port"]});
    served.post("/api/leases", other).json();
    let details = served
        .post("/api/plans", plan.clone())
        .problem(409, "PLAN_OUTDATED");
    assert!(details["snapshot"]["registry"].is_object(), "{details}");
    let mut elsewhere = plan;
    elsewhere["host"] = json!("elsewhere");
    served
        .post("/api/plans", elsewhere)
        .problem(409, "OTHER_HOST");
    served
        .post("/api/plans", json!({}))
        .problem(422, "INVALID_ARGUMENT");
}

#[test]
fn what_is_no_request_is_told_what_it_is() {
    let served = Served::new();
    let json = [("content-type", "application/json")];
    let ask = |body: &str| served.ask("POST", "/api/leases", &json, body);
    ask("{").problem(400, "MALFORMED");
    ask("").problem(400, "MALFORMED");
    ask("\u{feff}{}").problem(400, "MALFORMED");
    let deep = "[".repeat(100_000);
    ask(&deep).problem(400, "MALFORMED");
    served
        .ask("POST", "/api/leases", &[], "{}")
        .problem(415, "NOT_JSON");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    served
        .ask("POST", "/api/leases", &form, "a=b")
        .problem(415, "NOT_JSON");
    let text = [("content-type", "text/plain; application/json")];
    served
        .ask("DELETE", "/api/leases", &text, "{}")
        .problem(415, "NOT_JSON");
    served.get("/api/none").problem(404, "NO_SUCH_PATH");
    let put = served.ask("PUT", "/api/leases", &json, "{}");
    put.problem(405, "NO_SUCH_METHOD");
    assert_eq!(put.header("allow"), Some("GET,HEAD,POST,DELETE"));
    served.get("/api/who/%ff").problem(422, "INVALID_ARGUMENT");
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let served = Served::new();
    for path in ["/api/ports", "/healthz", "/nothing", "/api/who/x"] {
        let reply = served.get(path);
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"),
            "{policy}"
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            reply.header("cross-origin-resource-policy"),
            Some("same-origin")
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[test]
fn numbers_are_told_to_prometheus() {
    let served = Served::new();
    let first = free_ports().start;
    let wish = json!({"projectId": "shop", "basePort": first, "maxPort": first});
    served.post("/api/leases", wish.clone()).json();
    served.post("/api/leases", wish).json();
    served.post("/api/leases", json!({"projectId": "x", "port": 0}));
    let metrics = served.get("/metrics");
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    for line in [
        "portlease_grants_total 1",
        "portlease_reuses_total 1",
        "portlease_problems_total{code=\"INVALID_PORT\"} 1",
        "portlease_http_requests_total{route=\"/api/leases\",status=\"200\"} 2",
        "portlease_http_request_duration_seconds_count{route=\"/api/leases\"} 3",
        "portlease_operation_duration_seconds_count{operation=\"reserve\"} 2",
        "portlease_leases{status=\"idle\"} 1",
        "portlease_ports{range=\"vite\",state=\"leased\"} 0",
        "portlease_listeners 0",
        "# EOF",
    ] {
        assert!(
            metrics.body.lines().any(|it| it == line),
            "{line}\n{}",
            metrics.body
        );
    }
}

#[test]
fn the_document_that_is_served_is_the_one_that_is_made() {
    let served = Served::new();
    assert_eq!(
        served.get("/api/openapi.json").json(),
        portlease_server::openapi()
    );
}
