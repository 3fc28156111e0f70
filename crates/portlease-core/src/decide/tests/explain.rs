//! M2: why a request came out as it did.

use super::*;

#[track_caller]
fn check_explained(world: &World, request: &Request, expected: &[&str]) {
    let decision = decide(
        &world.leases,
        &Command::Explain(request.clone()),
        &world.facts,
    )
    .unwrap();
    assert!(decision.changes.is_empty(), "explaining changes nothing");
    assert_eq!(
        decision.trace.to_string().lines().collect::<Vec<_>>(),
        expected
    );
    let Reply::Explained(explained) = decision.reply else {
        panic!("an explanation is answered so")
    };
    assert_eq!(explained.reserved, world.reserve(request).ok());
    assert_eq!(
        explained.refusal.map(|refusal| refusal.code()),
        world.reserve(request).err().map(|refusal| refusal.code())
    );
}

fn busy() -> World {
    World::new()
        .live("blog/web", 3000, 7)
        .lease("docs/web", 3001)
        .occupied_by(3002, 9)
        .memory("wiki/web", 3003, 1)
}

#[test]
fn each_candidate_has_its_reason() {
    let request = with(shop([next("web")]), |request| {
        request.exclude.extend([port(3004)]);
    });
    let expected = [
        "web: 3000 leased: blog/web (pid 7) (scan)",
        "web: 3001 leased: docs/web (scan)",
        "web: 3002 in use: node (pid 9) (scan)",
        "web: 3003 remembered by another service, taken last: wiki/web (scan)",
        "web: 3004 excluded by configuration (scan)",
        "web: 3005 granted (scan)",
    ];
    check_explained(&busy(), &request, &expected);
}

#[test]
fn a_reserve_tells_neighbours_together() {
    let world = (3002..3060).fold(busy(), |world, number| {
        world.lease(&alloc::format!("p{number}/web"), number)
    });
    let expected = [
        "web: 3000–3059 leased: blog/web (pid 7), docs/web, p3002/web and 57 more (scan)",
        "web: 3060 granted (scan)",
    ];
    check_trace(&world, &shop([next("web")]), &expected);
}

#[test]
fn a_refusal_is_explained_too() {
    let request = shop([within("web", 3000, 3001)]);
    let expected = [
        "web: 3000 leased: blog/web (pid 7) (scan)",
        "web: 3001 leased: docs/web (scan)",
    ];
    check_explained(&busy(), &request, &expected);
}

#[test]
fn a_long_search_is_summed_up() {
    let world = World::new().occupied((3000..=9999).step_by(2));
    let world = (3001..=3999).step_by(2).fold(world, |world, number| {
        world.lease(&alloc::format!("p{number}/web"), number)
    });
    let request = shop([within("web", 3000, 4999)]);
    let decision = decide(
        &world.leases,
        &Command::Reserve(request.clone()),
        &world.facts,
    )
    .unwrap();
    assert!(
        decision.trace.steps.len() < 40,
        "{} steps",
        decision.trace.steps.len()
    );
    let lines: Vec<String> = decision
        .trace
        .steps
        .iter()
        .rev()
        .take(2)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            "web: 4001 granted (scan)",
            "web: 3032–4000 taken, for several reasons (scan)"
        ]
    );
}

#[test]
fn a_last_run_keeps_its_reason() {
    let occupied = World::new().occupied((3000..=3032).step_by(2));
    let world = (3001..=3031).step_by(2).fold(occupied, |world, number| {
        world.lease(&alloc::format!("p{number}/web"), number)
    });
    let decision = decide(
        &world.leases,
        &Command::Reserve(shop([next("web")])),
        &world.facts,
    )
    .unwrap();
    let lines: Vec<String> = decision
        .trace
        .steps
        .iter()
        .rev()
        .take(3)
        .map(ToString::to_string)
        .collect();
    let expected = [
        "web: 3033 granted (scan)",
        "web: 3032 in use (scan)",
        "web: 3031 leased: p3031/web (scan)",
    ];
    assert_eq!(lines, expected);
}
