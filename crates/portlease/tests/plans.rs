//! Plans that are made where the machine cannot be seen, and confirmed where it can.

#![expect(
    clippy::disallowed_methods,
    reason = "the strangers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use portlease::core::{Host, HostSnapshot, Name, Plan, Planner, Verdict, Wish};
use portlease::{Allocator, Error, PlanOutdated};
use support::{free_ports, memory, request, within};

/// The wish for one service in these ports, as a planner reads it.
fn wish(project: &str, ports: &Range<u16>) -> Wish {
    let (first, last) = (ports.start, ports.end - 1);
    Wish::read(&format!(
        r#"{{"projectId": "{project}", "basePort": {first}, "maxPort": {last}}}"#
    ))
    .unwrap()
}

/// Plans with nothing but what crosses a network.
fn plan(snapshot: &HostSnapshot, wish: &Wish) -> Plan {
    let snapshot = serde_json::to_string(snapshot).unwrap();
    let planner = Planner::new(serde_json::from_str(&snapshot).unwrap()).unwrap();
    let plan = planner
        .plan(wish.request(planner.settings()).unwrap())
        .unwrap();
    serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap()
}

fn seat(plan: &Plan) -> u16 {
    plan.planned.seats[0].port.get()
}

fn outdated(allocator: &Allocator, plan: &Plan) -> PlanOutdated {
    match allocator.confirm_plan(plan) {
        Err(Error::PlanOutdated(outdated)) => *outdated,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_is_confirmed_with_a_hold_and_a_lease() {
    let ports = free_ports();
    let allocator = memory();
    let plan = plan(&allocator.snapshot().unwrap(), &wish("shop", &ports));
    let grants = allocator.confirm_plan(&plan).unwrap();
    let grant = grants.get("web").unwrap();
    assert_eq!(grant.port().get(), ports.start);
    assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start)).is_err());
    let leases = allocator.list(None).unwrap();
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].generation, grant.lease().generation);
}

#[test]
fn the_second_confirmation_of_a_plan_takes_nothing() {
    let ports = free_ports();
    let allocator = memory();
    let plan = plan(&allocator.snapshot().unwrap(), &wish("shop", &ports));
    let first = allocator.confirm_plan(&plan).unwrap();
    let second = outdated(&allocator, &plan);
    assert_eq!(second.outdated.wrong[0].verdict, Verdict::Leased);
    let leases = allocator.list(None).unwrap();
    assert_eq!(leases, [first.get("web").unwrap().lease().clone()]);
}

#[test]
fn a_port_that_a_stranger_took_is_planned_around() {
    let ports = free_ports();
    let allocator = memory();
    let wish = wish("shop", &ports);
    let snapshot = allocator.snapshot().unwrap();
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start)).unwrap();
    let answer = outdated(&allocator, &plan(&snapshot, &wish));
    assert_eq!(answer.outdated.wrong[0].port.get(), ports.start);
    assert_eq!(answer.outdated.wrong[0].verdict, Verdict::Occupied);
    assert!(allocator.list(None).unwrap().is_empty());
    drop(stranger);
    // It is free again, but in this exchange it was refused once.
    let again = plan(&answer.snapshot, &wish);
    assert_eq!(seat(&again), ports.start + 1);
    allocator.confirm_plan(&again).unwrap();
    assert_eq!(
        seat(&plan(&allocator.snapshot().unwrap(), &wish)),
        ports.start + 1
    );
}

#[test]
fn planning_from_the_registry_alone_ends_too() {
    let ports = free_ports();
    let allocator = memory();
    let strangers: Vec<TcpListener> = (ports.start..ports.start + 3)
        .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap())
        .collect();
    let (first, last) = (ports.start, ports.end - 1);
    let wish = Wish::read(&format!(
        r#"{{"projectId": "shop", "basePort": {first}, "maxPort": {last}, "skipPortCheck": true}}"#
    ))
    .unwrap();
    let mut snapshot = HostSnapshot::of(allocator.host().clone());
    let mut turns = 0;
    let grants = loop {
        turns += 1;
        match allocator.confirm_plan(&plan(&snapshot, &wish)) {
            Ok(grants) => break grants,
            Err(Error::PlanOutdated(outdated)) => snapshot = outdated.snapshot,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(grants.get("web").unwrap().port().get(), ports.start + 3);
    assert_eq!(turns, 2, "the first answer names all that are in use");
    drop(strangers);
}

#[test]
fn a_port_that_was_leased_meanwhile_stays_where_it_is() {
    let ports = free_ports();
    let allocator = memory();
    let wish = wish("shop", &ports);
    let old = allocator.snapshot().unwrap();
    let blog = allocator.reserve(&request("blog", &ports)).unwrap();
    let answer = outdated(&allocator, &plan(&old, &wish));
    assert_eq!(answer.outdated.wrong[0].verdict, Verdict::Leased);
    let shop = allocator
        .confirm_plan(&plan(&answer.snapshot, &wish))
        .unwrap();
    let shop = shop.get("web").unwrap();
    assert_eq!(shop.port().get(), ports.start + 1);
    assert_eq!(
        allocator.list(None).unwrap(),
        [blog.lease().clone(), shop.lease().clone()]
    );
}

#[test]
fn a_plan_that_fails_at_one_port_keeps_what_was_there() {
    let ports = free_ports();
    let allocator = memory();
    let before = allocator
        .reserve(&within("shop", &ports).service("api").build().unwrap())
        .unwrap();
    let (first, last) = (ports.start, ports.end - 1);
    let wish = Wish::read(&format!(
        r#"{{"projectId": "shop", "forceNew": true, "services": [
            {{"service": "api", "basePort": {first}, "maxPort": {last}}},
            {{"service": "web", "basePort": {first}, "maxPort": {last}}}]}}"#
    ))
    .unwrap();
    let plan = plan(&allocator.snapshot().unwrap(), &wish);
    let web = plan.planned.seats[1].port.get();
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, web)).unwrap();
    let answer = outdated(&allocator, &plan);
    assert_eq!(answer.outdated.wrong.len(), 1);
    assert_eq!(allocator.list(None).unwrap(), [before.lease().clone()]);
    let api = plan.planned.seats[0].port.get();
    TcpListener::bind((Ipv4Addr::LOCALHOST, api)).expect("the hold of a failed plan is let go");
    drop(stranger);
}

#[test]
fn a_plan_for_another_host_is_refused_by_name() {
    let allocator = memory();
    let elsewhere = HostSnapshot::of(Host::new(Name::literal("elsewhere")));
    let ports = free_ports();
    let error = allocator
        .confirm_plan(&plan(&elsewhere, &wish("shop", &ports)))
        .unwrap_err();
    assert_eq!(error.code(), "OTHER_HOST");
    assert!(error.to_string().contains("elsewhere"), "{error}");
}
