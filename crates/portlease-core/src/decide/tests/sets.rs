//! C: several services at once, all or nothing, and ports that services share.

use super::*;
use crate::Capability;

fn following(name: &str, leader: &str) -> Service {
    with(next(name), |service| {
        service.inherit_from = Some(Name::literal(leader));
    })
}

#[test]
fn a_set_never_collides_with_itself() {
    let request = shop(["web", "api", "docs"].map(next));
    check(
        &World::new(),
        &request,
        &[
            "web 3000 default new",
            "api 3001 scan new",
            "docs 3002 scan new",
        ],
    );
}

#[test]
fn all_or_nothing() {
    let world = World::new().occupied([3001]);
    match world.reserve(&shop([
        within("web", 3000, 3001),
        within("api", 3000, 3001),
    ])) {
        Err(Refusal::RangeExhausted(exhausted)) => {
            assert_eq!(&*exhausted.service, "api");
            assert_eq!((exhausted.tally.claimed, exhausted.tally.occupied), (1, 1));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_port_that_was_insisted_on_is_kept_free_of_the_others() {
    let api = with(next("api"), |api| api.explicit = strict(3000));
    check(
        &World::new(),
        &shop([next("web"), api]),
        &["web 3001 scan new", "api 3000 preferred new"],
    );
}

#[test]
fn the_higher_priority_is_served_first() {
    let api = with(next("api"), |api| api.priority = 5);
    check(
        &World::new(),
        &shop([next("web"), api]),
        &["web 3001 scan new", "api 3000 default new"],
    );
}

#[test]
fn who_can_go_elsewhere_makes_room() {
    let request = shop([within("web", 3000, 3001), within("api", 3000, 3000)]);
    check(
        &World::new(),
        &request,
        &["web 3001 scan new", "api 3000 scan new"],
    );
    check_trace(
        &World::new(),
        &request,
        &[
            "web: 3000 granted (scan)",
            "api: 3000 given to another service of this request: shop/web (scan)",
            "web: 3001 granted (scan)",
            "web: 3000 given back to make room: shop/api (scan)",
            "api: 3000 granted (scan)",
        ],
    );
    let chain = shop([
        within("a", 3000, 3001),
        within("b", 3001, 3002),
        within("c", 3000, 3000),
        within("d", 3001, 3001),
    ]);
    match World::new().reserve(&chain) {
        Err(refusal) => assert_eq!(
            refusal.code(),
            "RANGE_EXHAUSTED",
            "four services, three ports"
        ),
        Ok(reserved) => panic!("{reserved:?}"),
    }
}

#[test]
fn a_service_inherits_the_port_of_another() {
    let request = shop([
        following("hmr", "socket"),
        following("socket", "web"),
        next("web"),
    ]);
    check(
        &World::new(),
        &request,
        &[
            "hmr 3000 default inherited",
            "socket 3000 default inherited",
            "web 3000 default new",
        ],
    );
}

#[test]
fn a_service_that_inherits_follows_a_move() {
    let world = World::new().after(&Command::Reserve(shop([
        next("web"),
        following("socket", "web"),
    ])));
    let stolen = world.occupied_by(3000, 99);
    check(
        &stolen,
        &shop([next("web")]),
        &["web 3001 scan reallocated"],
    );
    let moved = stolen.after(&Command::Reserve(shop([next("web")])));
    assert_eq!(
        moved.leases.get(&key("shop/socket")).unwrap().port,
        port(3001)
    );
}

#[test]
fn a_service_inherits_from_one_that_was_leased_before() {
    let world = World::new().lease("shop/web", 3005);
    check(
        &world,
        &shop([following("socket", "web")]),
        &["socket 3005 scan inherited"],
    );
    let world = world.after(&Command::Reserve(shop([following("socket", "web")])));
    check(
        &world,
        &shop([following("hmr", "socket")]),
        &["hmr 3005 scan inherited"],
    );
    check(
        &world,
        &shop([next("socket")]),
        &["socket 3000 default new"],
    );
    let parted = world.after(&Command::Reserve(shop([next("socket")])));
    assert!(
        parted
            .leases
            .get(&key("shop/web"))
            .unwrap()
            .followers
            .is_empty()
    );
}

#[test]
fn a_service_with_a_port_of_its_own_can_begin_to_inherit() {
    let world = World::new()
        .lease("shop/web", 3005)
        .lease("shop/socket", 3006);
    let world = world.after(&Command::Reserve(shop([following("socket", "web")])));
    assert_eq!(
        world.leases.get(&key("shop/socket")).unwrap().port,
        port(3005)
    );
    assert_eq!(world.leases.at(port(3006)), None);
}

#[test]
fn unknown_names_and_circles_are_refused_by_name() {
    let unknown = "UNKNOWN_SERVICE: The service socket inherits from wbe, which is neither in the request nor leased. The \
                   services are: api, web.";
    check(
        &World::new().lease("shop/api", 3000),
        &shop([next("web"), following("socket", "wbe")]),
        &[unknown],
    );
    let circle = "DEPENDENCY_CYCLE: Services inherit from each other in a circle: a → b → a. One of them needs a range of \
                  its own.";
    check(
        &World::new(),
        &shop([following("a", "b"), following("b", "a")]),
        &[circle],
    );
    let itself = "DEPENDENCY_CYCLE: Services inherit from each other in a circle: a → a. One of them needs a range of its \
                  own.";
    check(&World::new(), &shop([following("a", "a")]), &[itself]);
}

#[test]
fn services_that_must_not_share_do_not() {
    let socket = with(following("socket", "web"), |socket| {
        socket.conflicts = alloc::vec![Name::literal("web")];
    });
    let refusal = "CONFLICT_UNRESOLVED: The services socket and web must not share a port, but both would have 3000, \
                   because one inherits it. Remove `inheritFrom` or the conflict.";
    check(
        &World::new(),
        &shop([next("web"), socket.clone()]),
        &[refusal],
    );
    let apart = with(socket, |socket| socket.inherit_from = None);
    check(
        &World::new(),
        &shop([next("web"), apart]),
        &["web 3000 default new", "socket 3001 scan new"],
    );
}

#[test]
fn what_a_service_speaks_makes_its_url() {
    let socket = with(following("socket", "web"), |socket| {
        socket.requires = alloc::vec![Capability::Websocket];
    });
    let reserved = World::new().reserve(&shop([next("web"), socket])).unwrap();
    let urls: Vec<String> = reserved
        .services
        .iter()
        .map(|service| service.url("localhost"))
        .collect();
    assert_eq!(urls, ["http://localhost:3000", "ws://localhost:3000"]);
}

#[test]
fn requests_without_sense_are_refused() {
    check(
        &World::new(),
        &shop([]),
        &["NO_SERVICES: The request names no service. Name at least one."],
    );
    let twice = "DUPLICATE_SERVICE: The request names the service web twice. Give each service a name of its own.";
    check(&World::new(), &shop([next("web"), next("web")]), &[twice]);
    let both =
        ["web", "api"].map(|name| with(next(name), |service| service.explicit = strict(3000)));
    let claimed = "PORT_UNAVAILABLE: Port 3000 is given to another service of this request: shop/web. Stop it, release its \
                   lease (`portlease release`), or ask for another port.";
    check(&World::new(), &shop(both), &[claimed]);
}

#[test]
fn two_services_that_must_not_share_cannot_inherit_from_one() {
    let hmr = with(following("hmr", "web"), |hmr| {
        hmr.conflicts = alloc::vec![Name::literal("socket")];
    });
    let refusal = "CONFLICT_UNRESOLVED: The services hmr and socket must not share a port, but both would have 3000, \
                   because one inherits it. Remove `inheritFrom` or the conflict.";
    check(
        &World::new(),
        &shop([next("web"), following("socket", "web"), hmr.clone()]),
        &[refusal],
    );
    let apart = shop([next("web"), next("socket"), hmr]);
    let expected = [
        "web 3000 default new",
        "socket 3001 scan new",
        "hmr 3000 default inherited",
    ];
    check(&World::new(), &apart, &expected);
}

#[test]
fn nobody_makes_room_on_a_port_that_is_closed_to_the_other() {
    let database = with(within("database", 6000, 6001), |database| {
        database.requires = alloc::vec![Capability::Tcp];
    });
    match World::new().reserve(&shop([database, within("web", 6000, 6000)])) {
        Err(Refusal::RangeExhausted(exhausted)) => assert_eq!(exhausted.tally.browser_blocked, 1),
        other => panic!("browsers refuse port 6000: {other:?}"),
    }
}

#[test]
fn who_got_a_port_in_the_end_is_named() {
    let request = shop([
        within("web", 3000, 3001),
        within("api", 3000, 3000),
        within("docs", 3000, 3002),
    ]);
    let decision = decide(
        &Leases::default(),
        &Command::Reserve(request),
        &Facts::default(),
    )
    .unwrap();
    let lines: Vec<String> = decision
        .trace
        .steps
        .iter()
        .rev()
        .take(2)
        .map(ToString::to_string)
        .collect();
    let expected = [
        "docs: 3002 granted (scan)",
        "docs: 3000–3001 given to another service of this request: shop/api, shop/web (scan)",
    ];
    assert_eq!(lines, expected);
}
