//! A: where a request looks, in which order, and what it never takes.

use super::*;
use crate::{Capability, Pool, Pools};

#[test]
fn the_default_of_the_range_comes_first() {
    check(
        &World::new(),
        &shop([next("web")]),
        &["web 3000 default new"],
    );
}

#[test]
fn the_search_goes_upward_and_wraps_to_the_low_end() {
    let world = World::new().occupied([3000]).lease("blog/web", 3001);
    check(&world, &shop([next("web")]), &["web 3002 scan new"]);
    let from_the_end = with(within("web", 3000, 3005), |web| {
        web.start = Some(port(3004));
    });
    check(
        &World::new(),
        &shop([from_the_end.clone()]),
        &["web 3004 scan new"],
    );
    check(
        &World::new().occupied([3004, 3005]),
        &shop([from_the_end]),
        &["web 3000 scan new"],
    );
}

#[test]
fn both_ends_of_a_range_are_included() {
    check(
        &World::new().occupied(3001..=3003),
        &shop([within("web", 3001, 3004)]),
        &["web 3004 scan new"],
    );
    check(
        &World::new().occupied(3002..=3004),
        &shop([within("web", 3001, 3004)]),
        &["web 3001 scan new"],
    );
    check(
        &World::new(),
        &shop([within("web", 65535, 65535)]),
        &["web 65535 scan new"],
    );
}

#[test]
fn preferred_ports_come_in_their_order() {
    let web = with(next("web"), |web| {
        web.preferred = [4000, 3050, 3000].map(port).to_vec();
    });
    check(
        &World::new(),
        &shop([web.clone()]),
        &["web 4000 preferred new"],
    );
    check(
        &World::new().occupied([4000]),
        &shop([web.clone()]),
        &["web 3050 preferred new"],
    );
    check(
        &World::new().occupied([4000, 3050, 3000]),
        &shop([web]),
        &["web 3001 scan new"],
    );
}

#[test]
fn a_port_named_by_the_environment_comes_before_all_others() {
    let web = with(next("web"), |web| {
        web.explicit = wanted(5000);
        web.preferred = alloc::vec![port(4000)];
    });
    check(
        &World::new(),
        &shop([web.clone()]),
        &["web 5000 preferred new"],
    );
    check(
        &World::new().lease("shop/web", 3007),
        &shop([web.clone()]),
        &["web 5000 preferred reallocated"],
    );
    check(
        &World::new().occupied([5000]),
        &shop([web.clone()]),
        &["web 4000 preferred new"],
    );
    let busy = World::new().lease("shop/web", 3007).occupied([5000]);
    check(&busy, &shop([web]), &["web 3007 scan reused"]);
}

#[test]
fn further_ranges_are_used_only_when_they_are_named() {
    let full = World::new().occupied(3000..=3001);
    let exhausted = "RANGE_EXHAUSTED: All ports in 3000–3001 are taken: 2 in use by other programs. In use: 3000 another \
                     program, 3001 another program. Stop a dev server (`portlease ports`), release stale leases \
                     (`portlease cleanup`) or widen the range in portlease.toml.";
    check(&full, &shop([within("web", 3000, 3001)]), &[exhausted]);
    let web = with(within("web", 3000, 3001), |web| {
        web.spillover = alloc::vec![
            PortRange::literal(4000, 4001),
            PortRange::literal(5000, 5001)
        ];
        web.emergency = Some(PortRange::literal(9000, 9001));
    });
    check(&full, &shop([web.clone()]), &["web 4000 spillover new"]);
    let fuller = full.occupied(4000..=4001);
    check(&fuller, &shop([web.clone()]), &["web 5000 spillover new"]);
    check(
        &fuller.occupied(5000..=5001),
        &shop([web]),
        &["web 9000 emergency new"],
    );
}

#[test]
fn the_last_of_seven_thousand_ports_is_found_and_then_none() {
    let web = with(within("web", 3000, 3999), |web| {
        web.spillover = alloc::vec![
            PortRange::literal(4000, 4999),
            PortRange::literal(5000, 9999)
        ];
    });
    check(
        &World::new().occupied(3000..=9998),
        &shop([web.clone()]),
        &["web 9999 spillover new"],
    );
    let full = World::new()
        .occupied((3000..=9999).step_by(2))
        .lease("blog/web", 3001);
    let full = full.occupied((3003..=9999).step_by(2));
    match full.reserve(&shop([web])) {
        Err(Refusal::RangeExhausted(exhausted)) => {
            assert_eq!(
                (exhausted.tally.leased, exhausted.tally.occupied),
                (1, 6985)
            );
            assert_eq!(exhausted.tally.browser_blocked, 14);
            assert!(
                exhausted.trace.steps.len() <= 99,
                "{} steps",
                exhausted.trace.steps.len()
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn excluded_ports_are_never_taken() {
    let request = with(shop([within("web", 3000, 3003)]), |request| {
        request.exclude = [port(3000), port(3002)].into_iter().collect();
    });
    check(&World::new(), &request, &["web 3001 scan new"]);
    check(
        &World::new().occupied([3001]),
        &request,
        &["web 3003 scan new"],
    );
    let insisting = with(request, |request| {
        request.services[0].explicit = strict(3002);
    });
    let refusal = "PORT_UNAVAILABLE: Port 3002 is excluded by configuration. Ask for another port, or change the \
                   configuration that keeps it.";
    check(&World::new(), &insisting, &[refusal]);
}

#[test]
fn ports_that_browsers_refuse_serve_only_what_no_browser_opens() {
    let pages = within("web", 6000, 6001);
    check(
        &World::new(),
        &shop([pages.clone()]),
        &["web 6001 scan new"],
    );
    let database = with(pages, |database| {
        database.requires = alloc::vec![Capability::Tcp];
    });
    check(&World::new(), &shop([database]), &["web 6000 scan new"]);
}

#[test]
fn what_the_system_keeps_is_not_taken() {
    let mut world = World::new();
    world.facts.system_reserved = PortRange::literal(3000, 3004).into();
    check(&world, &shop([next("web")]), &["web 3005 scan new"]);
    world.facts.unprivileged_start = Some(port(3007));
    check(&world, &shop([next("web")]), &["web 3007 scan new"]);
    let insisting = with(next("web"), |web| web.explicit = strict(3006));
    let refusal = "PORT_UNAVAILABLE: Port 3006 is not permitted without privileges. Ask for a higher port, or run with \
                   the privilege to bind it.";
    check(&world, &shop([insisting]), &[refusal]);
}

#[test]
fn another_machine_is_decided_from_the_registry_alone() {
    let mut world = World::new().occupied([3000]).lease("blog/web", 3001);
    world.facts.unprivileged_start = Some(port(3090));
    world.facts.system_reserved = PortRange::literal(3000, 3100).into();
    let request = with(shop([next("web")]), |request| {
        request.skip_port_check = true;
    });
    check(&world, &request, &["web 3000 default new"]);
    check(
        &World::new().lease("blog/web", 3000),
        &request,
        &["web 3001 scan new"],
    );
}

#[test]
fn pools_are_for_those_who_ask_for_them() {
    let pool = |name, first, last| Pool {
        name: Name::literal(name),
        range: PortRange::literal(first, last),
    };
    let pools = Pools::new(alloc::vec![
        pool("red", 3000, 3033),
        pool("blue", 3034, 3066)
    ])
    .unwrap();
    let asking = |name: Option<&str>| {
        with(shop([next("web")]), |request| {
            request.pools = pools.clone();
            request.pool = name.map(Name::literal);
        })
    };
    check(
        &World::new(),
        &asking(Some("red")),
        &["web 3000 default new"],
    );
    check(&World::new(), &asking(Some("blue")), &["web 3034 scan new"]);
    check(&World::new(), &asking(None), &["web 3067 scan new"]);
    check(
        &World::new(),
        &asking(Some("green")),
        &["UNKNOWN_POOL: There is no pool green. The pools are: red, blue."],
    );
    let insisting = with(asking(None), |request| {
        request.services[0].explicit = strict(3005);
    });
    let refusal = "PORT_UNAVAILABLE: Port 3005 is outside the pool: pool red. Ask for another port, or change the \
                   configuration that keeps it.";
    check(&World::new(), &insisting, &[refusal]);
    let full = World::new().occupied(3034..=3066);
    match full.reserve(&asking(Some("blue"))) {
        Err(Refusal::RangeExhausted(exhausted)) => {
            assert_eq!((exhausted.tally.occupied, exhausted.tally.pooled), (33, 68));
        }
        other => panic!("a pool does not spill over: {other:?}"),
    }
}
