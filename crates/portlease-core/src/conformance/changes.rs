//! What a decision changes, it changes altogether: rows that depend on each other never come apart.

use alloc::string::ToString;
use alloc::vec;

use super::Registry;
use super::leasing::{at, insisting, one, process, reserve, service};
use super::opening::{Opening, Problem, holds, only, same};
use super::twin::Twin;
use crate::{
    Capability, Command, Confirm, Name, Port, Release, Reply, Request, Strategy, Timestamp,
};

pub(super) fn all_services_of_a_request_come_together(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let mut twin = Twin::default();
    let names = ["web", "api", "db", "admin", "docs"];
    let services = names.map(|name| service(name, 3000, 3010));
    let request = Request::new(Name::literal("shop"), services.to_vec());
    twin.granted(&opening, &reserve(request), &at(1_000))?;
    same(
        "the number of leases",
        &opening.everything()?.len(),
        &names.len(),
    )?;

    // All leave at once, and each leaves a memory.
    let all = Command::Release(Release::by_project(Name::literal("shop")));
    twin.granted(&opening, &all, &at(2_000))?;
    let left = opening.everything()?;
    same("the number of leases", &left.len(), &0)?;
    same(
        "the number of memories",
        &left.memories().count(),
        &names.len(),
    )?;

    // Whoever gets a port that another remembers makes that one forget it.
    let crowd = (0..11).map(|number| service(&alloc::format!("crowd-{number}"), 3000, 3010));
    let request = Request::new(Name::literal("crowd"), crowd.collect());
    twin.granted(&opening, &reserve(request), &at(3_000))?;
    same(
        "the memories of leased ports",
        &opening.everything()?.memories().count(),
        &0,
    )
}

pub(super) fn a_move_changes_both_leases(registry: &dyn Registry) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let mut twin = Twin::default();
    twin.granted(
        &opening,
        &reserve(one("shop", service("web", 3000, 3001))),
        &at(1_000),
    )?;
    let insists = reserve(one("blog", insisting("web", 3000)));
    twin.granted(&opening, &insists, &at(2_000))?;
    let leases = opening.everything()?;
    let owner = |port| {
        leases
            .at(Port::literal(port))
            .map(|lease| lease.key.to_string())
    };
    same("the owner of 3000", &owner(3000), &Some("blog/web".into()))?;
    same("the owner of 3001", &owner(3001), &Some("shop/web".into()))?;
    same("the moves", &leases.counters().moves, &1)?;

    // Two that exchange their ports are each in the other's way.
    let mut exchange = Request::new(
        Name::literal("desk"),
        vec![insisting("left", 3000), insisting("right", 3001)],
    );
    exchange.strategy = Strategy::Aggressive;
    twin.granted(&opening, &reserve(exchange.clone()), &at(3_000))?;
    for (service, port) in exchange.services.iter_mut().zip([3001, 3000]) {
        *service = insisting(&service.name, port);
    }
    twin.granted(&opening, &reserve(exchange), &at(4_000))?;
    let leases = opening.everything()?;
    let owner = |port| {
        leases
            .at(Port::literal(port))
            .map(|lease| lease.key.to_string())
    };
    same(
        "the owner of 3000",
        &owner(3000),
        &Some("desk/right".into()),
    )?;
    same("the owner of 3001", &owner(3001), &Some("desk/left".into()))
}

pub(super) fn a_server_on_another_port_takes_its_lease_there(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let mut twin = Twin::default();
    for project in ["shop", "blog"] {
        twin.granted(
            &opening,
            &reserve(one(project, service("web", 3000, 3010))),
            &at(1_000),
        )?;
    }
    let all_of_blog = Command::Release(Release::by_project(Name::literal("blog")));
    twin.granted(&opening, &all_of_blog, &at(2_000))?;
    let lease = twin
        .leases()
        .iter()
        .next()
        .cloned()
        .ok_or("the lease is gone")?;
    let elsewhere = |port| {
        Command::Confirm(Confirm {
            key: lease.key.clone(),
            generation: lease.generation,
            listener: Some(process(7)),
            port: Some(Port::literal(port)),
        })
    };
    // The first port is one that another project remembers, the second is outside of the range.
    for port in [3001, 4500] {
        twin.granted(&opening, &elsewhere(port), &at(3_000))?;
        let leases = opening.everything()?;
        same("the number of leases", &leases.len(), &1)?;
        let key = leases.at(Port::literal(port)).map(|lease| &lease.key);
        same("the owner of the port", &key, &Some(&lease.key))?;
    }
    Ok(())
}

pub(super) fn services_that_inherit_share_a_lease_until_they_leave(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let [opening, other] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    let inheriting = |name: &str, requires: Capability| {
        let mut service = service(name, 3000, 3010);
        service.inherit_from = Some(Name::literal("web"));
        service.requires = vec![requires];
        service
    };
    let family = Request::new(
        Name::literal("shop"),
        vec![
            inheriting("live", Capability::Websocket),
            service("web", 3000, 3010),
            inheriting("api", Capability::Https),
        ],
    );
    twin.granted(&opening, &reserve(family.clone()), &at(1_000))?;
    let leases = other.everything()?;
    let lease = leases.iter().next().ok_or("there is no lease")?;
    for name in ["live", "api"] {
        let shared = leases.get(&lease.key.sibling(Name::literal(name)));
        same(
            "the lease of a service that inherits",
            &shared,
            &Some(lease),
        )?;
    }

    // One of them gets a port of its own, in a request that names only itself.
    let own = reserve(one("shop", service("api", 3000, 3010)));
    twin.granted(&other, &own, &at(2_000))?;
    twin.compare(&opening)?;
    // It comes back, which ends its lease.
    twin.granted(&opening, &reserve(family.clone()), &at(3_000))?;
    // It leaves again in a request in which it stands before the service that it left.
    let mut apart = family;
    apart.services.rotate_right(1);
    apart.services[0].inherit_from = None;
    twin.granted(&opening, &reserve(apart), &at(4_000))?;
    let release = |name| {
        Command::Release(Release {
            service: Some(Name::literal(name)),
            ..Release::by_project(Name::literal("shop"))
        })
    };
    for name in ["live", "web", "api"] {
        twin.granted(&other, &release(name), &at(5_000))?;
        twin.compare(&opening)?;
    }
    same("the leases that are left", &opening.everything()?.len(), &0)
}

pub(super) fn released_ports_are_remembered_and_the_longest_unused_goes_first(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let [opening, other] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    let projects = ["first", "second", "third"];
    let request = |project| reserve(one(project, service("web", 3000, 3002)));
    let mut ports = vec![];
    for project in projects {
        let reply = twin.granted(&opening, &request(project), &at(1_000))?.reply;
        if let Reply::Reserved(reserved) = reply {
            ports.extend(reserved.services.iter().map(crate::Granted::port));
        }
    }
    holds(
        "three projects have three ports",
        ports.len() == projects.len(),
    )?;
    // The second leaves first, so its port is the one that was unused for the longest time.
    for (project, moment) in [("second", 2_000), ("third", 3_000), ("first", 4_000)] {
        let release = Command::Release(Release::by_project(Name::literal(project)));
        twin.granted(&other, &release, &at(moment))?;
    }
    let left = opening.everything()?;
    for ((project, port), moment) in projects.iter().zip(&ports).zip([4_000, 2_000, 3_000]) {
        let memory = left
            .memory_at(*port)
            .ok_or("a released port is forgotten")?;
        same(
            "who remembers the port",
            &memory.key.project.as_str(),
            project,
        )?;
        let released_at = Timestamp::from_millis(moment);
        same("when it was released", &memory.released_at, &released_at)?;
    }

    let again = only(opening.reserve(one("third", service("web", 3000, 3002)), &at(5_000))?)?;
    same(
        "the port of one that returns",
        &Some(&again.port),
        &ports.get(2),
    )?;
    let newcomer = only(other.reserve(one("new", service("web", 3000, 3002)), &at(6_000))?)?;
    same(
        "the port of a newcomer",
        &Some(&newcomer.port),
        &ports.get(1),
    )?;
    let memories = opening.everything()?;
    same(
        "the memories that are left",
        &memories.remembered_ports().first().as_ref(),
        &ports.first(),
    )
}
