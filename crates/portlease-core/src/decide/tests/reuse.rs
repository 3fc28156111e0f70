//! B: the same port again, a new one when that cannot be, and the port that was insisted on.

use super::*;
use crate::Release;

fn released(world: World, text: &str) -> World {
    let generation = generation(&world, text);
    world.after(&Command::Release(Release::granted(key(text), generation)))
}

#[test]
fn a_lease_is_reused() {
    let world = World::new().lease("shop/web", 3005);
    check(&world, &shop([next("web")]), &["web 3005 scan reused"]);
}

#[test]
fn a_lease_whose_own_server_listens_is_reused() {
    let own = World::new()
        .live("shop/web", 3005, 7)
        .occupied_by(3005, 7)
        .dead(7);
    check(&own, &shop([next("web")]), &["web 3005 scan reused"]);
    let mut child = World::new().held("shop/web", 3005, 7).dead(7);
    let occupant = Occupant {
        holder: Some(process(8)),
        ancestors: alloc::vec![process(7)],
        ..Occupant::default()
    };
    child.facts.occupied.insert(port(3005), Some(occupant));
    check(&child, &shop([next("web")]), &["web 3005 scan reused"]);
}

#[test]
fn a_lease_whose_port_a_stranger_took_is_given_up() {
    let world = World::new().lease("shop/web", 3005).occupied_by(3005, 99);
    check(
        &world,
        &shop([next("web")]),
        &["web 3000 default reallocated"],
    );
}

#[test]
fn a_lease_outside_the_range_is_given_up() {
    let world = World::new().lease("shop/web", 3005);
    check(
        &world,
        &shop([within("web", 4000, 4010)]),
        &["web 4000 scan reallocated"],
    );
}

#[test]
fn a_lease_of_another_framework_is_given_up() {
    let world = World::new().lease("shop/web", 3005);
    let vite = Service::new(Name::literal("web"), Catalog::builtin().or_default("vite"));
    check(&world, &shop([vite]), &["web 5173 default reallocated"]);
    let node = with(next("web"), |web| web.framework = Name::literal("node"));
    check(&world, &shop([node]), &["web 3000 default reallocated"]);
}

#[test]
fn a_new_port_can_be_forced() {
    let world = World::new().lease("shop/web", 3000);
    let forced = |services| with(shop(services), |request| request.force_new = true);
    check(
        &world,
        &forced([next("web")]),
        &["web 3001 scan reallocated"],
    );
    match world.reserve(&forced([within("web", 3000, 3000)])) {
        Err(Refusal::RangeExhausted(exhausted)) => assert_eq!(exhausted.tally.leased, 1),
        other => panic!("the old port is not another port: {other:?}"),
    }
}

#[test]
fn a_released_port_is_remembered() {
    let world = released(World::new().lease("shop/web", 3005), "shop/web");
    check(&world, &shop([next("web")]), &["web 3005 remembered new"]);
    let with_start = with(next("web"), |web| web.start = Some(port(3050)));
    check(&world, &shop([with_start]), &["web 3005 remembered new"]);
}

#[test]
fn others_take_a_remembered_port_last_and_the_longest_unused_first() {
    let world = World::new()
        .memory("blog/web", 3000, 20)
        .memory("docs/web", 3001, 10)
        .memory("wiki/web", 3002, 30);
    check(
        &world,
        &shop([within("web", 3000, 3003)]),
        &["web 3003 scan new"],
    );
    let full = world.occupied([3003]);
    check(
        &full,
        &shop([within("web", 3000, 3003)]),
        &["web 3001 scan new"],
    );
    let spilling = with(within("web", 3000, 3003), |web| {
        web.spillover = alloc::vec![PortRange::literal(4000, 4001)];
    });
    check(&full, &shop([spilling]), &["web 3001 scan new"]);
    let after = full.after(&Command::Reserve(shop([within("web", 3000, 3003)])));
    assert_eq!(
        after.leases.memory(&key("docs/web")),
        None,
        "whoever lost the port does not remember it"
    );
}

#[test]
fn a_port_that_is_asked_for_by_name_may_be_remembered_by_others() {
    let world = World::new().memory("blog/web", 3000, 20);
    let web = with(next("web"), |web| web.preferred = alloc::vec![port(3000)]);
    check(&world, &shop([web]), &["web 3000 preferred new"]);
}

#[test]
fn a_port_that_was_asked_for_once_does_not_replace_the_usual_one() {
    let once = with(next("web"), |web| web.explicit = wanted(4000));
    let world = World::new()
        .memory("shop/web", 3005, 10)
        .after(&Command::Reserve(shop([once])));
    let world = released(world, "shop/web");
    check(&world, &shop([next("web")]), &["web 3005 remembered new"]);
}

#[test]
fn the_port_that_was_insisted_on_or_none() {
    let insisting = shop([with(next("web"), |web| web.explicit = strict(4000))]);
    check(&World::new(), &insisting, &["web 4000 preferred new"]);
    check(
        &World::new().lease("shop/web", 3000),
        &insisting,
        &["web 4000 preferred reallocated"],
    );
    check(
        &World::new().lease("shop/web", 4000),
        &insisting,
        &["web 4000 scan reused"],
    );
    let leased = "PORT_UNAVAILABLE: Port 4000 is leased: blog/web (pid 7), which runs. Stop it, release its lease \
                  (`portlease release`), or ask for another port.";
    check(
        &World::new().live("blog/web", 4000, 7),
        &insisting,
        &[leased],
    );
    let occupied = "PORT_UNAVAILABLE: Port 4000 is in use: node (pid 9). Stop it (`portlease who` shows the process), or \
                    ask for another port.";
    check(&World::new().occupied_by(4000, 9), &insisting, &[occupied]);
    check(
        &World::new().lease("shop/web", 4000).occupied_by(4000, 9),
        &insisting,
        &[occupied],
    );
}

#[test]
fn a_refusal_names_who_has_the_ports() {
    let world = World::new().live("blog/web", 3000, 7).occupied_by(3001, 9);
    let request = with(shop([within("web", 3000, 3002)]), |request| {
        request.exclude.extend([port(3002)]);
    });
    let refusal = "RANGE_EXHAUSTED: All ports in 3000–3002 are taken: 1 leased, 1 in use by other programs, 1 excluded. \
                   Leased: 3000 blog/web (pid 7). In use: 3001 node (pid 9). Stop a dev server (`portlease ports`), \
                   release stale leases (`portlease cleanup`) or widen the range in portlease.toml.";
    check(&world, &request, &[refusal]);
    check_trace(
        &world,
        &request,
        &[
            "web: 3000 leased: blog/web (pid 7) (scan)",
            "web: 3001 in use: node (pid 9) (scan)",
            "web: 3002 excluded by configuration (scan)",
        ],
    );
}

#[test]
fn the_same_holder_keeps_its_generation_and_another_gets_a_new_one() {
    let request = |pid| {
        with(shop([next("web")]), |request| {
            request.holder = Some(process(pid));
        })
    };
    let world = World::new().after(&Command::Reserve(request(7)));
    let again = world.clone().after(&Command::Reserve(request(7)));
    assert_eq!(
        generation(&again, "shop/web"),
        generation(&world, "shop/web")
    );
    let other = world.clone().dead(7).after(&Command::Reserve(request(8)));
    assert!(generation(&other, "shop/web") > generation(&world, "shop/web"));
    assert_eq!(
        other.leases.get(&key("shop/web")).unwrap().holder,
        Some(process(8))
    );
}

#[test]
fn a_port_that_the_search_found_replaces_the_remembered_one() {
    let world = World::new().memory("shop/web", 3005, 1).occupied([3005]);
    check(&world, &shop([next("web")]), &["web 3006 scan new"]);
    let after = world.after(&Command::Reserve(shop([next("web")])));
    assert_eq!(after.leases.memory(&key("shop/web")), None);
}

#[test]
fn a_reuse_renews_the_lease() {
    let world = World::new().lease("shop/web", 3005);
    let after = world.after(&Command::Reserve(shop([next("web")])));
    assert_eq!(
        after
            .leases
            .get(&key("shop/web"))
            .unwrap()
            .renewed_at
            .as_millis(),
        NOW
    );
}

#[test]
fn a_port_that_was_asked_for_is_remembered_when_nothing_else_is() {
    let request = shop([with(next("web"), |web| web.explicit = wanted(4000))]);
    let world = World::new().after(&Command::Reserve(request.clone()));
    let world = released(world, "shop/web");
    assert_eq!(
        world.leases.memory(&key("shop/web")).unwrap().port,
        port(4000)
    );
    check(&world, &request, &["web 4000 preferred new"]);
}
