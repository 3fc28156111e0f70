//! C3 and C4: what happens when a wanted port belongs to another service.

use super::*;
use crate::Strategy;

fn wants(strategy: Strategy, service: Service) -> Request {
    with(shop([service]), |request| request.strategy = strategy)
}

fn insisting() -> Service {
    with(next("web"), |web| web.explicit = strict(3000))
}

fn preferring() -> Service {
    with(next("web"), |web| web.preferred = alloc::vec![port(3000)])
}

fn unavailable(because: &str) -> String {
    alloc::format!(
        "PORT_UNAVAILABLE: Port 3000 is leased: {because} Stop it, release its lease (`portlease release`), or ask for \
         another port."
    )
}

#[test]
fn conservative_moves_nobody() {
    let world = World::new().lease("blog/web", 3000);
    let refusal = unavailable("blog/web, and the conservative strategy moves nobody.");
    check(
        &world,
        &wants(Strategy::Conservative, insisting()),
        &[&refusal],
    );
    check(
        &world,
        &wants(Strategy::Conservative, preferring()),
        &["web 3001 scan new"],
    );
}

#[test]
fn minimal_moves_one_that_does_not_run_for_one_that_insists() {
    let world = World::new().lease("blog/web", 3000);
    let moved = ["web 3000 preferred new", "blog/web moves from 3000 to 3001"];
    check(&world, &wants(Strategy::Minimal, insisting()), &moved);
    check(
        &world,
        &wants(Strategy::Minimal, preferring()),
        &["web 3001 scan new"],
    );
    let ended = World::new().live("blog/web", 3000, 7).dead(7);
    check(&ended, &wants(Strategy::Minimal, insisting()), &moved);
}

#[test]
fn minimal_moves_nobody_who_runs_or_matters_more_or_has_nowhere_to_go() {
    let live = World::new().live("blog/web", 3000, 7);
    check(
        &live,
        &wants(Strategy::Minimal, insisting()),
        &[&unavailable("blog/web (pid 7), which runs.")],
    );
    let served = World::new().held("blog/web", 3000, 7).occupied_by(3000, 7);
    check(
        &served,
        &wants(Strategy::Minimal, insisting()),
        &[&unavailable("blog/web (pid 7), which runs.")],
    );
    let higher = World::new().lease_with("blog/web", 3000, |lease| lease.priority = 1);
    let refusal = unavailable("blog/web, which has a higher priority.");
    check(&higher, &wants(Strategy::Minimal, insisting()), &[&refusal]);
    let equal = with(insisting(), |web| web.priority = 1);
    let moved = ["web 3000 preferred new", "blog/web moves from 3000 to 3001"];
    check(&higher, &wants(Strategy::Minimal, equal), &moved);
    let cornered = World::new().lease_with("blog/web", 3000, |lease| {
        lease.range = PortRange::literal(3000, 3000);
    });
    let refusal = unavailable("blog/web, whose own range has no other free port.");
    check(
        &cornered,
        &wants(Strategy::Minimal, insisting()),
        &[&refusal],
    );
}

#[test]
fn aggressive_takes_it_from_everybody() {
    let live = World::new().live("blog/web", 3000, 7).occupied_by(3000, 7);
    let moved = ["web 3000 preferred new", "blog/web moves from 3000 to 3001"];
    check(&live, &wants(Strategy::Aggressive, insisting()), &moved);
    check(&live, &wants(Strategy::Aggressive, preferring()), &moved);
    let cornered = World::new().lease_with("blog/web", 3000, |lease| {
        lease.range = PortRange::literal(3000, 3000);
    });
    let evicted = ["web 3000 preferred new", "blog/web is evicted from 3000"];
    check(
        &cornered,
        &wants(Strategy::Aggressive, insisting()),
        &evicted,
    );
    let after = cornered.after(&Command::Reserve(wants(Strategy::Aggressive, insisting())));
    assert_eq!(after.leases.get(&key("blog/web")), None);
}

#[test]
fn aggressive_does_not_search_in_the_leases_of_others() {
    let world = World::new().lease("blog/web", 3000).lease("docs/web", 3001);
    check(
        &world,
        &wants(Strategy::Aggressive, within("web", 3000, 3002)),
        &["web 3002 scan new"],
    );
    match world.reserve(&wants(Strategy::Aggressive, within("web", 3000, 3001))) {
        Err(refusal) => assert_eq!(refusal.code(), "RANGE_EXHAUSTED"),
        Ok(reserved) => panic!("nobody asked for a port by name: {reserved:?}"),
    }
}

#[test]
fn a_stranger_on_the_port_stays_whatever_the_strategy() {
    let hijacked = World::new().lease("blog/web", 3000).occupied_by(3000, 99);
    let refusal = "PORT_UNAVAILABLE: Port 3000 is in use: node (pid 99). Stop it (`portlease who` shows the process), or \
                   ask for another port.";
    check(
        &hijacked,
        &wants(Strategy::Aggressive, insisting()),
        &[refusal],
    );
}

#[test]
fn moves_can_be_switched_off() {
    let world = World::new().lease("blog/web", 3000);
    let request = |strategy, service| {
        with(wants(strategy, service), |request| {
            request.auto_reassign = false;
        })
    };
    let refusal = unavailable("blog/web, and the request does not allow moves.");
    check(
        &world,
        &request(Strategy::Minimal, insisting()),
        &[&refusal],
    );
    check(
        &world,
        &request(Strategy::Aggressive, insisting()),
        &[&refusal],
    );
    check(
        &world,
        &request(Strategy::Aggressive, preferring()),
        &["web 3001 scan new"],
    );
}

#[test]
fn the_moved_one_keeps_its_holder_and_takes_its_followers_along() {
    let follower = |name| crate::Follower {
        service: Name::literal(name),
        requires: Vec::new(),
    };
    let world = World::new().lease_with("blog/web", 3000, |lease| {
        lease.holder = Some(process(7));
        lease.followers = alloc::vec![follower("socket")];
    });
    let request = wants(Strategy::Minimal, insisting());
    let moves = [
        "web 3000 preferred new",
        "blog/web moves from 3000 to 3001",
        "blog/socket moves from 3000 to 3001",
    ];
    check(&world, &request, &moves);
    let after = world.clone().after(&Command::Reserve(request));
    let moved = after.leases.get(&key("blog/socket")).unwrap();
    assert_eq!(
        (moved.port, moved.holder.clone()),
        (port(3001), Some(process(7)))
    );
    assert!(
        moved.generation > generation(&world, "blog/web"),
        "the old owner learns that it moved"
    );
}

#[test]
fn a_sibling_that_has_to_make_way_is_served_in_the_same_request() {
    let world = World::new().lease("shop/api", 3000);
    let request = shop([insisting(), next("api")]);
    let moved = [
        "web 3000 preferred new",
        "api 3001 scan reallocated",
        "shop/api moves from 3000 to 3001",
    ];
    check(&world, &request, &moved);
}

#[test]
fn two_services_exchange_their_ports() {
    let world = World::new().lease("shop/web", 3000).lease("shop/api", 3001);
    let web = with(next("web"), |web| web.explicit = strict(3001));
    let api = with(next("api"), |api| api.explicit = strict(3000));
    check(
        &world,
        &shop([web, api]),
        &[
            "web 3001 preferred reallocated",
            "api 3000 preferred reallocated",
        ],
    );
}

#[test]
fn only_an_instance_beside_which_one_wants_to_run_is_safe_from_aggression() {
    let another = |service| {
        with(wants(Strategy::Aggressive, service), |request| {
            request.if_running = crate::IfRunning::Another;
        })
    };
    let strangers = World::new().live("blog/web#2", 3000, 7);
    let moved = [
        "web 3000 preferred new",
        "blog/web #2 moves from 3000 to 3001",
    ];
    check(&strangers, &another(insisting()), &moved);
    let neighbour = World::new().live("shop/api", 3000, 7);
    let moved = ["web 3000 preferred new", "shop/api moves from 3000 to 3001"];
    check(&neighbour, &another(insisting()), &moved);
    let first = World::new().live("shop/web", 3000, 7);
    check(
        &first,
        &another(insisting()),
        &[&unavailable("shop/web (pid 7), which runs.")],
    );
}

#[test]
fn a_move_is_reported_with_its_reason_and_counted() {
    let world = World::new().lease("blog/web", 3000);
    let reason = |strategy| {
        world.reserve(&wants(strategy, insisting())).unwrap().moves[0]
            .reason
            .clone()
    };
    assert_eq!(
        reason(Strategy::Minimal),
        "shop/web wants port 3000: it insists on it, and nobody runs there"
    );
    assert_eq!(
        reason(Strategy::Aggressive),
        "shop/web wants port 3000: the aggressive strategy gives it to whoever wants it"
    );
    let after = world.after(&Command::Reserve(wants(Strategy::Minimal, insisting())));
    let counters = after.leases.counters();
    assert_eq!((counters.conflicts, counters.moves), (1, 1));
}

#[test]
fn a_service_follows_the_one_that_its_own_request_displaced() {
    let world = World::new().lease("shop/api", 3000);
    let socket = with(next("socket"), |socket| {
        socket.inherit_from = Some(Name::literal("api"));
    });
    let expected = [
        "web 3000 preferred new",
        "socket 3001 scan inherited",
        "shop/api moves from 3000 to 3001",
    ];
    check(&world, &shop([insisting(), socket]), &expected);
}
