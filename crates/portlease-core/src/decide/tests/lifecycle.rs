//! B9 and G: what becomes of leases after they were granted.

use super::*;
use crate::{
    Confirm, Evidence, LeaseStatus, NamedRange, Release, Renew, Stats, StatsQuery, Suspect, Sweep,
    Validate,
};

#[track_caller]
fn check_refused(world: &World, command: &Command, expected: &str) {
    let refusal = decide(&world.leases, command, &world.facts).expect_err("the command is refused");
    assert_eq!(alloc::format!("{}: {refusal}", refusal.code()), expected);
}

fn release(text: &str, generation: Generation) -> Command {
    Command::Release(Release::granted(key(text), generation))
}

#[test]
fn releasing_twice_is_harmless() {
    let world = World::new().lease("shop/web", 3000);
    let command = release("shop/web", generation(&world, "shop/web"));
    let once = world.after(&command);
    assert!(once.leases.is_empty());
    let twice = once.clone().after(&command);
    assert_eq!(twice.leases, once.leases);
}

#[test]
fn an_old_owner_cannot_act_for_its_successor() {
    let world = World::new().held("shop/web", 3000, 7);
    let old = generation(&world, "shop/web");
    let request = with(shop([next("web")]), |request| {
        request.holder = Some(process(8));
    });
    let world = world.dead(7).after(&Command::Reserve(request));
    let refusal = "NOT_OWNER: The lease of shop/web to port 3000 was granted anew (generation 2). Whoever had it before \
                   cannot act for it any more.";
    check_refused(&world, &release("shop/web", old), refusal);
    let renew = Renew {
        key: key("shop/web"),
        generation: old,
        holder: None,
    };
    check_refused(&world, &Command::Renew(renew), refusal);
    let confirm = Confirm {
        key: key("shop/web"),
        generation: old,
        listener: None,
        port: None,
    };
    check_refused(&world, &Command::Confirm(confirm), refusal);
}

#[test]
fn what_runs_is_released_by_its_holder_or_by_force() {
    let world = World::new().live("shop/web", 3000, 7);
    let by_project = Release::by_project(Name::literal("shop"));
    let refusal = "NOT_OWNER: The lease of shop/web to port 3000 belongs to pid 7, which runs. Stop it first, or use \
                   `--force`.";
    check_refused(&world, &Command::Release(by_project.clone()), refusal);
    for allowed in [
        with(by_project.clone(), |release| {
            release.holder = Some(process(7));
        }),
        with(by_project.clone(), |release| release.force = true),
    ] {
        assert!(
            world
                .clone()
                .after(&Command::Release(allowed))
                .leases
                .is_empty()
        );
    }
    assert!(
        world
            .dead(7)
            .after(&Command::Release(by_project))
            .leases
            .is_empty()
    );
}

#[test]
fn a_release_names_the_project_the_service_or_the_instance() {
    let world = World::new()
        .lease("shop/web", 3000)
        .lease("shop/web#2", 3001)
        .lease("shop/api", 3002)
        .lease("blog/web", 3003);
    let left = |service: Option<&str>, instance| {
        let release = with(Release::by_project(Name::literal("shop")), |release| {
            release.service = service.map(Name::literal);
            release.instance = instance;
        });
        let world = world.clone().after(&Command::Release(release));
        world
            .leases
            .iter()
            .map(|lease| lease.key.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(left(None, None), ["blog/web"]);
    assert_eq!(left(Some("web"), None), ["shop/api", "blog/web"]);
    assert_eq!(
        left(Some("web"), Some(2)),
        ["shop/web", "shop/api", "blog/web"]
    );
    assert_eq!(left(Some("docs"), None).len(), 4);
}

#[test]
fn a_service_that_shares_a_port_leaves_alone() {
    let socket = with(next("socket"), |socket| {
        socket.inherit_from = Some(Name::literal("web"));
    });
    let world = World::new().after(&Command::Reserve(shop([next("web"), socket])));
    let command = release("shop/socket", generation(&world, "shop/web"));
    let world = world.after(&command);
    assert_eq!(world.leases.get(&key("shop/socket")), None);
    assert!(
        world
            .leases
            .get(&key("shop/web"))
            .unwrap()
            .followers
            .is_empty()
    );
}

#[test]
fn a_confirmed_lease_is_live() {
    let world = World::new().held("shop/web", 3000, 7);
    let confirm = Confirm {
        key: key("shop/web"),
        generation: generation(&world, "shop/web"),
        listener: Some(process(8)),
        port: None,
    };
    let world = world.after(&Command::Confirm(confirm));
    let lease = world.leases.get(&key("shop/web")).unwrap();
    assert_eq!(
        (lease.state, lease.listener.clone()),
        (LeaseState::Live, Some(process(8)))
    );
    assert_eq!(lease.renewed_at.as_millis(), NOW);
}

#[test]
fn a_server_that_drifted_is_recorded_where_it_really_listens() {
    let world = World::new()
        .held("shop/web", 3000, 7)
        .lease("blog/web", 3002);
    let to = |number| {
        let generation = generation(&world, "shop/web");
        Command::Confirm(Confirm {
            key: key("shop/web"),
            generation,
            listener: None,
            port: Some(port(number)),
        })
    };
    let drifted = world.clone().after(&to(3001));
    assert_eq!(
        drifted.leases.get(&key("shop/web")).unwrap().port,
        port(3001)
    );
    assert_eq!(drifted.leases.at(port(3000)), None);
    let refusal = "PORT_UNAVAILABLE: Port 3002 is leased: blog/web. Stop it, release its lease (`portlease release`), or \
                   ask for another port.";
    check_refused(&world, &to(3002), refusal);
}

#[test]
fn a_renewed_lease_can_be_passed_on() {
    let world = World::new().held("shop/web", 3000, 7);
    let generation = generation(&world, "shop/web");
    let world = world.after(&Command::Renew(Renew {
        key: key("shop/web"),
        generation,
        holder: Some(process(8)),
    }));
    let lease = world.leases.get(&key("shop/web")).unwrap();
    assert_eq!(
        (
            lease.holder.clone(),
            lease.generation,
            lease.renewed_at.as_millis()
        ),
        (Some(process(8)), generation, NOW)
    );
    let gone = Renew {
        key: key("shop/api"),
        generation,
        holder: None,
    };
    check_refused(
        &world,
        &Command::Renew(gone),
        "LEASE_NOT_FOUND: shop/api has no lease: it was released or swept. Reserve again.",
    );
}

/// Sweeps everything that is leased, after the facts changed to those given.
#[track_caller]
fn check_swept(world: World, abandoned_after_millis: Option<u64>, expected: &[(&str, Evidence)]) {
    let suspects = world
        .leases
        .iter()
        .map(|lease| Suspect {
            key: lease.key.clone(),
            generation: lease.generation,
        })
        .collect();
    let command = Command::Sweep(Sweep {
        suspects,
        abandoned_after_millis,
    });
    let decision = decide(&world.leases, &command, &world.facts).unwrap();
    let Reply::Swept(swept) = decision.reply else {
        panic!("a sweep is answered so")
    };
    let removed: Vec<(String, Evidence)> = swept
        .removed
        .iter()
        .map(|swept| (swept.lease.key.to_string(), swept.evidence))
        .collect();
    let expected: Vec<(String, Evidence)> = expected
        .iter()
        .map(|(key, evidence)| ((*key).to_string(), *evidence))
        .collect();
    assert_eq!(removed, expected);
    let after = world.after(&command);
    assert!(
        expected
            .iter()
            .all(|(text, _)| after.leases.get(&key(text)).is_none())
    );
}

#[test]
fn a_lease_of_the_dead_is_swept() {
    let world = World::new()
        .live("shop/web", 3000, 7)
        .live("blog/web", 3001, 8)
        .lease("docs/web", 3002);
    check_swept(world.clone(), None, &[]);
    check_swept(world.clone().dead(7), None, &[("shop/web", Evidence::Dead)]);
    check_swept(world.dead(7).occupied([3000]), None, &[]);
}

#[test]
fn a_lease_is_kept_while_its_listener_lives() {
    let world = World::new().lease_with("shop/web", 3000, |lease| {
        lease.holder = Some(process(7));
        lease.listener = Some(process(8));
    });
    check_swept(world.clone().dead(7), None, &[]);
    check_swept(world.dead(7).dead(8), None, &[("shop/web", Evidence::Dead)]);
}

#[test]
fn a_lease_of_nobody_is_swept_when_it_is_abandoned() {
    let world = World::new()
        .lease("shop/web", 3000)
        .live("blog/web", 3001, 8);
    check_swept(world.clone(), Some(NOW), &[]);
    check_swept(
        world.clone(),
        Some(NOW - 1),
        &[("shop/web", Evidence::Abandoned)],
    );
    check_swept(world.occupied([3000]), Some(NOW - 1), &[]);
}

#[test]
fn every_lease_of_a_host_that_is_gone_is_swept() {
    let mut world = World::new()
        .lease("shop/web", 3000)
        .live("blog/web", 3001, 8)
        .occupied([3000]);
    world.facts.host_is_gone = true;
    check_swept(
        world,
        None,
        &[
            ("shop/web", Evidence::HostGone),
            ("blog/web", Evidence::HostGone),
        ],
    );
}

#[test]
fn a_lease_that_changed_hands_since_the_look_is_not_swept() {
    let world = World::new().live("shop/web", 3000, 7);
    let suspect = Suspect {
        key: key("shop/web"),
        generation: generation(&world, "shop/web"),
    };
    let request = with(shop([next("web")]), |request| {
        request.holder = Some(process(8));
    });
    let world = world.dead(7).after(&Command::Reserve(request)).dead(8);
    let sweep = Sweep {
        suspects: alloc::vec![suspect.clone(), suspect],
        abandoned_after_millis: Some(0),
    };
    let after = world.clone().after(&Command::Sweep(sweep));
    assert!(after.leases.iter().eq(world.leases.iter()));
}

#[test]
fn a_sweep_that_finds_nothing_is_a_sweep() {
    let world = World::new().lease("shop/web", 3000);
    assert!(world.leases.is_sweep_due(world.facts.now));
    let after = world.after(&Command::Sweep(Sweep::default()));
    assert!(!after.leases.is_sweep_due(after.facts.now));
}

#[test]
fn a_swept_port_is_remembered_since_its_last_use() {
    let world = World::new().live("shop/web", 3005, 7).dead(7);
    let suspects = alloc::vec![Suspect {
        key: key("shop/web"),
        generation: generation(&world, "shop/web")
    }];
    let world = world.after(&Command::Sweep(Sweep {
        suspects,
        abandoned_after_millis: None,
    }));
    assert_eq!(
        world
            .leases
            .memory(&key("shop/web"))
            .unwrap()
            .released_at
            .as_millis(),
        1
    );
    check(&world, &shop([next("web")]), &["web 3005 remembered new"]);
}

#[track_caller]
fn check_status(world: &World, expected: LeaseStatus) {
    let decision = decide(
        &world.leases,
        &Command::Validate(Validate::default()),
        &world.facts,
    )
    .unwrap();
    let Reply::Validated(validated) = decision.reply else {
        panic!("a validation is answered so")
    };
    assert_eq!(validated.leases[0].status, expected);
}

#[test]
fn each_lease_is_live_idle_stale_or_hijacked() {
    let live = World::new().live("shop/web", 3000, 7);
    check_status(&live.clone().occupied_by(3000, 7), LeaseStatus::Live);
    check_status(&live.clone().occupied([3000]), LeaseStatus::Live);
    check_status(&live, LeaseStatus::Idle);
    check_status(&live.clone().dead(7), LeaseStatus::Stale);
    check_status(&live.clone().occupied_by(3000, 99), LeaseStatus::Hijacked);
    check_status(
        &live.clone().dead(7).occupied([3000]),
        LeaseStatus::Hijacked,
    );
    let nobodys = World::new().lease("shop/web", 3000);
    check_status(&nobodys, LeaseStatus::Idle);
    check_status(&nobodys.occupied_by(3000, 99), LeaseStatus::Live);
}

#[test]
fn usage_is_counted() {
    let world = World::new()
        .occupied([3000, 3050, 9000])
        .after(&Command::Reserve(shop([next("web")])));
    let world = world
        .clone()
        .after(&release("shop/web", generation(&world, "shop/web")));
    let world = world
        .after(&Command::Reserve(shop([next("web")])))
        .after(&Command::Reserve(shop([next("web")])));
    let world = world.after(&Command::Reserve(shop([next("api")])));
    let ranges = alloc::vec![NamedRange {
        name: Name::literal("next"),
        range: PortRange::literal(3000, 3100)
    }];
    let decision = decide(
        &world.leases,
        &Command::Stats(StatsQuery { ranges, top: 1 }),
        &world.facts,
    )
    .unwrap();
    let Reply::Stats(Stats {
        ranges,
        busiest,
        least_used,
        counters,
    }) = decision.reply
    else {
        panic!("so")
    };
    assert_eq!(
        (ranges[0].leased, ranges[0].occupied, ranges[0].free),
        (2, 2, 97)
    );
    assert_eq!((busiest[0].port, busiest[0].grants), (port(3001), 2));
    assert_eq!((least_used[0].port, least_used[0].grants), (port(3002), 1));
    assert_eq!(
        (counters.grants, counters.reuses, counters.releases),
        (3, 1, 1)
    );
}

#[test]
fn what_is_swept_is_counted() {
    let sweep = |world: World| {
        let leases = world.leases.iter();
        let suspect = |lease: &Lease| Suspect {
            key: lease.key.clone(),
            generation: lease.generation,
        };
        let suspects = leases.map(suspect).collect();
        world.after(&Command::Sweep(Sweep {
            suspects,
            abandoned_after_millis: None,
        }))
    };
    let world = sweep(
        World::new()
            .live("shop/web", 3000, 7)
            .live("blog/web", 3001, 8)
            .dead(7),
    );
    assert_eq!(world.leases.counters().swept, 1);
    assert_eq!(sweep(world).leases.counters().swept, 1);
}
