//! Planners that are asked at random, by a seed, on hosts so small that everybody is in everybody's way.

use fastrand::Rng;
use serde_json::{Map, Value as Json, json};

use super::Case;
use super::situation::process;

const CASES: u64 = 100;
const FIRST: u16 = 4000;
const LAST: u16 = 4015;
const PROJECTS: [&str; 4] = ["shop", "blog", "größe", "/srv/docs"];
const SERVICES: [&str; 4] = ["web", "api", "live", "worker"];

pub(super) fn cases() -> Vec<Case> {
    (0..CASES).map(case).collect()
}

/// One planner that plans several times and takes each plan into account for the next.
fn case(seed: u64) -> Case {
    let mut dice = Rng::with_seed(seed);
    let mut case = Case::new("J3", &format!("at random, seed {seed}")).on(&host(&mut dice));
    for _ in 0..dice.usize(1..=4) {
        let wish = wish(&mut dice);
        if dice.u8(..8) == 0 {
            case = case.ask(&json!({"explain": wish}));
            continue;
        }
        case = case.ask(&json!({"plan": wish}));
        let answer = case.answered().pop().unwrap_or_default();
        let answer: Json = serde_json::from_str(&answer).expect("an answer is JSON");
        if let Some(changes) = answer.pointer("/ok/changes") {
            case = case.ask(&json!({"applyChanges": changes}));
        }
    }
    case.ask(&json!({"stats": {"ranges": [[FIRST, LAST]]}}))
        .expects(json!({}))
}

fn host(dice: &mut Rng) -> Json {
    let mut occupied = Vec::new();
    for port in FIRST..=LAST {
        match dice.u8(..10) {
            0 => occupied.push(json!({"port": port})),
            1 => occupied.push(json!({"port": port, "occupant": {"holder": process(dice.u32(1..4)), "name": "node"}})),
            _ => {}
        }
    }
    let mut facts = json!({"now": dice.u32(..), "occupied": occupied});
    if dice.u8(..4) == 0 {
        facts["dead"] = json!([process(dice.u32(1..4))]);
    }
    if dice.u8(..4) == 0 {
        facts["systemReserved"] = json!([port(dice)]);
    }
    let mut settings = Map::new();
    if dice.u8(..4) == 0 {
        settings.insert("exclude".to_owned(), json!([port(dice), ends(dice)]));
    }
    if dice.u8(..3) == 0 {
        let middle = dice.u16(FIRST + 1..LAST);
        let pools = json!([{"name": "low", "range": [FIRST, middle - 1]}, {"name": "high", "range": [middle, middle + 1]}]);
        settings.insert("pools".to_owned(), pools);
    }
    json!({"host": "runner-7", "facts": facts, "settings": settings, "registry": registry(dice)})
}

fn registry(dice: &mut Rng) -> Json {
    let mut ports: Vec<u16> = (FIRST..=LAST).collect();
    let mut keys: Vec<(&str, &str)> = PROJECTS
        .iter()
        .flat_map(|project| SERVICES.iter().map(|service| (*project, *service)))
        .collect();
    dice.shuffle(&mut ports);
    dice.shuffle(&mut keys);
    let mut rows = ports.into_iter().zip(keys);
    let count = dice.usize(..6);
    let leases: Vec<Json> = rows
        .by_ref()
        .take(count)
        .map(|row| lease(dice, row))
        .collect();
    let count = dice.usize(..5);
    let memories: Vec<Json> = rows
        .take(count)
        .map(|(port, (project, service))| {
            json!({"project": project, "service": service, "port": port, "releasedAt": dice.u32(..100)})
        })
        .collect();
    json!({"leases": leases, "memories": memories, "lastGeneration": 20})
}

fn lease(dice: &mut Rng, (port, (project, service)): (u16, (&str, &str))) -> Json {
    let mut lease = json!({
        "project": project, "service": service, "port": port, "framework": "default",
        "generation": dice.u32(1..=20), "state": if dice.bool() { "live" } else { "reserved" },
        "range": if dice.bool() { json!([FIRST, LAST]) } else { json!([port, port]) }, "tier": "scan",
        "priority": dice.i32(-1..=1), "grantedAt": 1, "renewedAt": dice.u32(1..100),
    });
    if dice.bool() {
        lease["holder"] = process(dice.u32(1..4));
    }
    lease
}

fn wish(dice: &mut Rng) -> Json {
    let mut wish = json!({"projectId": dice.choice(PROJECTS)});
    let mut say = |often: u8, key: &str, value: &mut dyn FnMut(&mut Rng) -> Json| {
        if dice.u8(..10) < often {
            wish[key] = value(dice);
        }
    };
    say(2, "strategy", &mut |dice| {
        json!(dice.choice(["conservative", "minimal", "aggressive"]))
    });
    say(1, "autoReassign", &mut |dice| json!(dice.bool()));
    say(1, "forceNew", &mut |_| json!(true));
    say(1, "skipPortCheck", &mut |_| json!(true));
    say(3, "ifRunning", &mut |dice| {
        json!(dice.choice(["attach", "another", "takeover"]))
    });
    say(2, "exclude", &mut |dice| json!([port(dice), ends(dice)]));
    say(1, "pool", &mut |dice| json!(dice.choice(["low", "high"])));
    let several = dice.bool();
    if several {
        let mut names = SERVICES;
        dice.shuffle(&mut names);
        let count = dice.usize(1..=3);
        let services: Vec<Json> = names[..count]
            .iter()
            .map(|name| service(dice, name))
            .collect();
        wish["services"] = json!(services);
    } else {
        let name = dice.choice(SERVICES).expect("there are some");
        let service = service(dice, name);
        wish.as_object_mut()
            .expect("it is an object")
            .extend(service.as_object().expect("it is one, too").clone());
    }
    wish
}

fn service(dice: &mut Rng, name: &str) -> Json {
    let [first, last] = ends(dice);
    let mut service = json!({"service": name, "basePort": first, "maxPort": last});
    let mut say = |often: u8, key: &str, value: &mut dyn FnMut(&mut Rng) -> Json| {
        if dice.u8(..10) < often {
            service[key] = value(dice);
        }
    };
    say(2, "port", &mut |dice| json!(port(dice)));
    say(3, "preferred", &mut |dice| json!([port(dice), port(dice)]));
    say(2, "startPort", &mut |dice| json!(port(dice)));
    say(2, "spillover", &mut |dice| json!([ends(dice)]));
    say(2, "emergency", &mut |dice| json!(ends(dice)));
    say(3, "priority", &mut |dice| json!(dice.i32(-1..=1)));
    say(2, "requires", &mut |dice| {
        json!([dice.choice(["http", "https", "websocket", "tcp"])])
    });
    say(1, "conflicts", &mut |dice| json!([dice.choice(SERVICES)]));
    say(2, "inheritFrom", &mut |dice| json!(dice.choice(SERVICES)));
    say(
        2,
        "envVar",
        &mut |dice| json!({"name": "PORT", "value": dice.choice(["4001", " 4002 ", "abc", "70000"])}),
    );
    service
}

fn port(dice: &mut Rng) -> u16 {
    dice.u16(FIRST..=LAST)
}

fn ends(dice: &mut Rng) -> [u16; 2] {
    let (one, other) = (port(dice), port(dice));
    [one.min(other), one.max(other)]
}
