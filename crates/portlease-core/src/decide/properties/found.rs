//! Counterexamples that the properties found, as small as they became. Each was decided otherwise
//! once.

use alloc::string::String;
use alloc::vec::Vec;

use super::bounded::explain;
use super::situations::Situation;
use crate::histories::requests::process;
use crate::{
    Explicit, Facts, Follower, Generation, IfRunning, Lease, LeaseKey, LeaseState, Leases, Name,
    Port, PortRange, Request, Service, Strategy, Tier, Timestamp,
};

fn name(text: &str) -> Name {
    Name::literal(text)
}

fn lease(project: &str, service: &str, port: u16, last: u16) -> Lease {
    Lease {
        key: LeaseKey::new(name(project), name(service)),
        port: Port::literal(port),
        framework: name("default"),
        generation: Generation::new(1),
        state: LeaseState::Reserved,
        holder: None,
        listener: None,
        range: PortRange::literal(3000, last),
        tier: Tier::Scan,
        priority: 0,
        requires: Vec::new(),
        followers: Vec::new(),
        granted_at: Timestamp::from_millis(0),
        renewed_at: Timestamp::from_millis(0),
    }
}

fn followed(lease: Lease, service: &str) -> Lease {
    let followers = alloc::vec![Follower {
        service: name(service),
        requires: Vec::new(),
    }];
    Lease { followers, ..lease }
}

fn service(text: &str, last: u16) -> Service {
    Service::in_range(name(text), PortRange::literal(3000, last))
}

fn asking(text: &str, last: u16, port: u16, strict: bool) -> Service {
    let port = Port::literal(port);
    Service {
        explicit: Some(Explicit { port, strict }),
        ..service(text, last)
    }
}

fn preferring(text: &str, last: u16, port: u16) -> Service {
    Service {
        preferred: alloc::vec![Port::literal(port)],
        ..service(text, last)
    }
}

fn inheriting(text: &str, from: &str) -> Service {
    Service {
        inherit_from: Some(name(from)),
        ..service(text, 3009)
    }
}

/// The project `shop` asks.
fn situation<const N: usize>(
    strategy: Strategy,
    leases: &[Lease],
    services: [Service; N],
) -> Situation {
    let snapshot = serde_json::json!({ "leases": leases, "lastGeneration": 1 });
    let request = Request::new(name("shop"), services.into());
    Situation {
        leases: serde_json::from_value::<Leases>(snapshot).expect("ports and keys stand once"),
        request: Request {
            strategy,
            ..request
        },
        facts: Facts::default(),
    }
}

/// Who gets which port, how, and who moves; or why nobody gets anything.
#[track_caller]
fn check(situation: &Situation, expected: &[&str]) {
    let lines: Vec<String> = match (situation.decide(), situation.success()) {
        (_, Some(success)) => {
            assert_eq!(success.after.check(), Ok(()));
            for moved in &success.reserved.moves {
                let after = success.after.get(&moved.key);
                assert_eq!(after.map(|lease| lease.port), moved.to, "{}", moved.key);
            }
            let services = success.reserved.services.iter();
            let services = services.map(|granted| {
                alloc::format!(
                    "{} {} {:?}",
                    granted.service,
                    granted.port(),
                    granted.outcome
                )
            });
            let moves = success.reserved.moves.iter();
            let moves = moves.map(|moved| match moved.to {
                Some(to) => alloc::format!("{} from {} to {to}", moved.key, moved.from),
                None => alloc::format!("{} from {}, evicted", moved.key, moved.from),
            });
            services.chain(moves).collect()
        }
        (Err(refusal), None) => alloc::vec![refusal.code().into()],
        (Ok(_), None) => panic!("what is granted succeeds"),
    };
    assert_eq!(lines, expected);
}

#[test]
fn a_port_that_a_sibling_keeps_is_not_given_to_whoever_prefers_it() {
    let services = [service("web", 3009), preferring("api", 3009, 3003)];
    let leases = [lease("shop", "web", 3003, 3009)];
    check(
        &situation(Strategy::Aggressive, &leases, services),
        &["web 3003 Reused", "api 3000 New"],
    );
}

#[test]
fn a_strict_port_is_not_taken_from_a_sibling_that_insists_on_it_too() {
    let services = [
        asking("web", 3009, 3003, true),
        asking("api", 3009, 3003, true),
    ];
    let leases = [lease("shop", "web", 3003, 3009)];
    check(
        &situation(Strategy::Minimal, &leases, services),
        &["PORT_UNAVAILABLE"],
    );
}

#[test]
fn a_port_that_a_sibling_gives_up_can_be_had_by_whoever_asks_for_it() {
    let services = [
        asking("api", 3000, 3000, false),
        asking("web", 3000, 3005, false),
    ];
    let leases = [lease("shop", "web", 3000, 3000)];
    check(
        &situation(Strategy::Minimal, &leases, services),
        &["api 3000 New", "web 3005 Reallocated"],
    );
}

#[test]
fn a_follower_elsewhere_keeps_its_port_though_the_request_has_its_name() {
    let services = [asking("ws", 3009, 3003, true)];
    let leases = [followed(lease("blog", "web", 3003, 3009), "ws")];
    check(
        &situation(Strategy::Minimal, &leases, services),
        &[
            "ws 3003 New",
            "blog/web from 3003 to 3004",
            "blog/ws from 3003 to 3004",
        ],
    );
}

#[test]
fn a_follower_that_gets_a_port_of_its_own_does_not_move_along() {
    let services = [service("ws", 3000), asking("api", 3009, 3003, true)];
    let leases = [followed(lease("shop", "web", 3003, 3009), "ws")];
    check(
        &situation(Strategy::Minimal, &leases, services),
        &["ws 3000 New", "api 3003 New", "shop/web from 3003 to 3004"],
    );
}

#[test]
fn a_port_that_somebody_had_to_leave_does_not_come_back_to_it() {
    let services = [preferring("api", 3009, 3000)];
    let leases = [lease("blog", "web", 3000, 3000)];
    check(
        &situation(Strategy::Aggressive, &leases, services),
        &["api 3000 New", "blog/web from 3000, evicted"],
    );
}

#[test]
fn a_port_that_somebody_had_to_leave_goes_to_nobody_who_only_searches() {
    let services = [preferring("web", 3009, 3000), service("api", 3000)];
    let leases = [lease("blog", "web", 3000, 3009)];
    check(
        &situation(Strategy::Aggressive, &leases, services),
        &["RANGE_EXHAUSTED"],
    );
}

#[test]
fn who_makes_way_takes_no_port_that_was_asked_for_by_name() {
    let services = [
        preferring("api", 3009, 3001),
        asking("web", 3009, 3000, false),
    ];
    let leases = [lease("blog", "web", 3001, 3001)];
    check(
        &situation(Strategy::Aggressive, &leases, services),
        &[
            "api 3001 New",
            "web 3000 New",
            "blog/web from 3001, evicted",
        ],
    );
}

#[test]
fn a_wish_is_no_reason_for_a_sibling_to_move() {
    let services = || [asking("api", 3009, 3000, false), service("web", 3009)];
    let web = lease("shop", "web", 3000, 3009);
    check(
        &situation(
            Strategy::Aggressive,
            core::slice::from_ref(&web),
            services(),
        ),
        &["api 3001 New", "web 3000 Reused"],
    );
    let leases = [web, lease("shop", "api", 3001, 3009)];
    check(
        &situation(Strategy::Aggressive, &leases, services()),
        &["api 3001 Reused", "web 3000 Reused"],
    );
}

#[test]
fn a_service_that_inherits_gives_its_port_up_whatever_else_is_asked() {
    let services = [inheriting("ws", "web"), asking("web", 3009, 3003, true)];
    let leases = [lease("shop", "ws", 3003, 3009)];
    let mut situation = situation(Strategy::Minimal, &leases, services);
    situation.request.force_new = true;
    check(&situation, &["ws 3003 Inherited", "web 3003 New"]);
}

#[test]
fn who_attaches_leaves_the_lease_though_another_port_is_named() {
    let services = [asking("web", 3009, 3005, false)];
    let running = Lease {
        holder: Some(process(1)),
        ..lease("shop", "web", 3000, 3009)
    };
    check(
        &situation(Strategy::Minimal, &[running], services),
        &["web 3000 Attached"],
    );
}

#[test]
fn another_instance_does_not_drive_the_first_one_away() {
    let services = [asking("web", 3009, 3000, false)];
    let running = Lease {
        holder: Some(process(1)),
        ..lease("shop", "web", 3000, 3009)
    };
    let mut situation = situation(Strategy::Aggressive, &[running], services);
    situation.request.if_running = IfRunning::Another;
    check(&situation, &["web 3001 New"]);
}

#[test]
fn whoever_inherits_from_a_service_that_runs_does_so_each_time() {
    let running = Lease {
        holder: Some(process(1)),
        ..lease("shop", "web", 3000, 3009)
    };
    let services = || [inheriting("ws", "web")];
    for lease in [running.clone(), followed(running, "ws")] {
        let mut situation = situation(Strategy::Minimal, &[lease], services());
        situation.request.if_running = IfRunning::Another;
        check(&situation, &["ws 3000 Inherited"]);
    }
}

#[test]
fn a_start_outside_of_the_range_is_no_reason_to_pass_a_free_port() {
    let mut web = service("web", 3004);
    web.start = Some(Port::literal(3009));
    let situation = situation(Strategy::Minimal, &[], [web]);
    check(&situation, &["web 3000 New"]);
    let account = alloc::format!("{}", explain(&situation).trace);
    assert_eq!(account, "web: 3000 granted (scan)");
}
