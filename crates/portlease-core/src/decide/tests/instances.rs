//! B10: what happens when the project runs already.

use super::*;
use crate::{IfRunning, Release};

fn by(pid: u32, if_running: IfRunning) -> Request {
    with(shop([next("web")]), |request| {
        request.holder = Some(process(pid));
        request.if_running = if_running;
    })
}

fn running() -> World {
    World::new().live("shop/web", 3000, 7).occupied_by(3000, 7)
}

#[test]
fn a_second_instance_gets_a_port_of_its_own_and_the_same_one_each_time() {
    let second = by(8, IfRunning::Another);
    check(&running(), &second, &["web 3001 scan new"]);
    let world = running().after(&Command::Reserve(second));
    assert_eq!(
        world.reserve(&by(8, IfRunning::Another)).unwrap().instance,
        2
    );
    let key = key("shop/web#2");
    let generation = world.leases.get(&key).unwrap().generation;
    let stopped = world
        .after(&Command::Release(Release::granted(key, generation)))
        .lease("blog/web", 3002);
    check(
        &stopped,
        &by(9, IfRunning::Another),
        &["web 3001 remembered new"],
    );
    assert_eq!(
        stopped
            .reserve(&by(9, IfRunning::Another))
            .unwrap()
            .instance,
        2
    );
}

#[test]
fn a_restart_is_not_a_second_instance() {
    let restarted = running().dead(7);
    check(
        &World {
            facts: restarted.facts.clone(),
            ..restarted.clone()
        },
        &by(8, IfRunning::Another),
        &["web 3000 scan reused"],
    );
    check(
        &running(),
        &by(7, IfRunning::Another),
        &["web 3000 scan reused"],
    );
}

#[test]
fn a_third_instance_takes_the_first_number_that_nobody_runs() {
    let world = running()
        .live("shop/web#2", 3001, 8)
        .live("shop/web#3", 3002, 9)
        .dead(8);
    check(
        &world,
        &by(10, IfRunning::Another),
        &["web 3001 scan reused"],
    );
}

#[test]
fn attaching_leaves_the_lease_alone() {
    check(
        &running(),
        &by(8, IfRunning::Attach),
        &["web 3000 scan attached"],
    );
    let after = running().after(&Command::Reserve(by(8, IfRunning::Attach)));
    assert_eq!(
        after.leases.get(&key("shop/web")),
        running().leases.get(&key("shop/web"))
    );
}

#[test]
fn a_takeover_says_from_whom() {
    let reserved = running().reserve(&by(8, IfRunning::Takeover)).unwrap();
    assert_eq!(granted(&reserved.services[0]), "web 3000 scan took over");
    assert_eq!(reserved.services[0].taken_from, [process(7)]);
    let after = running().after(&Command::Reserve(by(8, IfRunning::Takeover)));
    assert!(generation(&after, "shop/web") > generation(&running(), "shop/web"));
}

#[test]
fn the_first_instance_keeps_the_port_that_a_second_one_insists_on() {
    let insisting = with(by(8, IfRunning::Another), |request| {
        request.services[0].explicit = strict(3000);
    });
    let refusal = "PORT_UNAVAILABLE: Port 3000 is leased: shop/web (pid 7), which runs. Stop it, release its lease \
                   (`portlease release`), or ask for another port.";
    check(&running(), &insisting, &[refusal]);
}

#[test]
fn a_lease_is_not_taken_from_a_server_that_is_not_recognised() {
    let unrecognised = World::new().live("shop/web", 3000, 7).occupied([3000]);
    check(
        &unrecognised,
        &by(8, IfRunning::Attach),
        &["web 3000 scan attached"],
    );
    check(
        &unrecognised,
        &by(8, IfRunning::Takeover),
        &["web 3000 scan took over"],
    );
    let ended = unrecognised.dead(7);
    check(
        &ended,
        &by(8, IfRunning::Attach),
        &["web 3001 scan reallocated"],
    );
}

#[test]
fn whoever_runs_on_a_lease_that_is_given_up_is_named() {
    let elsewhere = with(by(8, IfRunning::Attach), |request| {
        request.services[0].explicit = strict(3050);
    });
    let reserved = running().reserve(&elsewhere).unwrap();
    assert_eq!(
        granted(&reserved.services[0]),
        "web 3050 preferred reallocated"
    );
    assert_eq!(reserved.services[0].taken_from, [process(7)]);
}

#[test]
fn a_process_whose_start_is_unknown_may_be_another_one_each_time() {
    let nameless = Holder::Process(Process {
        pid: 7,
        started: None,
        boot: None,
        namespace: None,
    });
    let request = with(by(7, IfRunning::Attach), |request| {
        request.holder = Some(nameless);
    });
    let first = World::new().after(&Command::Reserve(request.clone()));
    let second = first.clone().after(&Command::Reserve(request));
    assert!(generation(&second, "shop/web") > generation(&first, "shop/web"));
}
