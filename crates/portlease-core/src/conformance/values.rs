//! Values that a store is tempted to fold, cut, round or leave out.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::Registry;
use super::leasing::{at, at_death_of, numbered, process, reserve, service, suspects};
use super::opening::{Opening, Problem, same};
use super::twin::Twin;
use crate::{
    Capability, Command, Confirm, Container, Facts, Generation, Holder, Lease, LeaseKey, Name,
    PortRange, Process, Release, Renew, Request, Scope, Service, Suspect, Sweep, Timestamp,
};

/// The largest whole number that JSON keeps in every language.
const MAX_EXACT: u64 = (1 << 53) - 1;
/// The largest number of most databases. Windows counts the start of a process in steps so small
/// that it needs them.
const MAX_SIGNED: u64 = i64::MAX as u64;

/// Names that a careless store takes for each other, for a pattern, or for a part of its language.
fn odd_names() -> Vec<Name> {
    let long = |last: char| format!("{}{last}", "x".repeat(Name::MAX_BYTES - 1));
    let mut names: Vec<String> = [
        "shop",
        "Shop",
        "SHOP",
        " shop",
        "shop ",
        "sho%",
        "sh_p",
        "*",
        "?",
        "NULL",
        "0",
        "00",
        "1e3",
        "true",
        "'; DROP TABLE leases; --",
        "\"",
        "'",
        "''",
        "`",
        "\\",
        "\\'",
        "$1",
        "?1",
        ":name",
        "{}",
        "[1,2]",
        "a/b",
        "a//b",
        "/home/ada/my shop",
        "C:\\Users\\ada",
        "a#2",
        "a,b",
        "größe",
        "gro\u{308}ße",
        "GRÖSSE",
        "ﬁ",
        "fi",
        "İ",
        "i\u{307}",
        "пример",
        "例え",
        "🦀",
        "👩\u{200d}💻",
        "\u{feff}shop",
        "a\u{a0}b",
        "\u{202e}pohs",
        "\u{10ffff}",
    ]
    .map(ToString::to_string)
    .to_vec();
    names.extend([long('a'), long('b'), "é".repeat(Name::MAX_BYTES / 2)]);
    names.iter().map(|name| Name::literal(name)).collect()
}

pub(super) fn odd_names_are_kept_apart_and_whole(registry: &dyn Registry) -> Result<(), Problem> {
    let [opening, other] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    let names = odd_names();
    for name in &names {
        let mut odd = service(name, 3000, 3999);
        odd.framework = name.clone();
        let mut follower = service("follower", 3000, 3999);
        follower.inherit_from = Some(name.clone());
        let mut request = Request::new(name.clone(), vec![odd, follower]);
        request.holder = Some(Holder::Container(Container {
            engine: name.clone(),
            id: name.clone(),
        }));
        let _granted_or_refused = twin.tell(&opening, &reserve(request), &at(1_000))?;
    }
    twin.compare(&other)?;
    same("the number of leases", &twin.leases().len(), &names.len())?;

    for name in &names {
        let key = LeaseKey::new(name.clone(), name.clone());
        let lease = twin.leases().get(&key).ok_or("a lease is gone")?;
        let confirm = Confirm {
            generation: lease.generation,
            key,
            listener: Some(Holder::Process(Process {
                boot: Some(name.clone()),
                pid: 1,
                started: None,
                namespace: None,
            })),
            port: None,
        };
        let _granted_or_refused = twin.tell(&other, &Command::Confirm(confirm), &at(2_000))?;
        let elsewhere = at(1 << 40);
        let host = opening.at(name);
        let mut there = Twin::default();
        let alone = reserve(Request::new(name.clone(), vec![service(name, 3000, 3000)]));
        there.granted(&host, &alone, &elsewhere)?;
    }
    twin.compare(&opening)?;
    for name in names.iter().step_by(2) {
        let release = Release {
            force: true,
            ..Release::by_project(name.clone())
        };
        let _granted_or_refused = twin.tell(&opening, &Command::Release(release), &at(3_000))?;
    }
    twin.compare(&other)
}

pub(super) fn extreme_values_come_back_as_they_were(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let [opening, other] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    for request in extreme_requests() {
        for moment in [0, MAX_EXACT] {
            twin.granted(&opening, &reserve(request.clone()), &at(moment))?;
            twin.compare(&other)?;
        }
    }
    let leases: Vec<Lease> = twin.leases().iter().cloned().collect();
    same("the number of leases", &leases.len(), &4)?;
    for lease in &leases {
        let renew = Renew {
            key: lease.key.clone(),
            generation: lease.generation,
            holder: Some(extreme_process()),
        };
        twin.granted(&other, &Command::Renew(renew), &at(0))?;
        let confirm = Confirm {
            key: lease.key.clone(),
            generation: lease.generation,
            listener: Some(process(u32::MAX)),
            port: None,
        };
        twin.granted(&opening, &Command::Confirm(confirm), &at(MAX_EXACT))?;
        let release = Release {
            generation: Some(Generation::new(u64::MAX)),
            instance: Some(u32::MAX),
            ..Release::by_project(lease.key.project.clone())
        };
        twin.granted(&other, &Command::Release(release), &at(0))?;
    }
    let mut facts = at_death_of(MAX_EXACT, extreme_process());
    facts.dead.insert(process(u32::MAX));
    let sweep = Sweep {
        suspects: suspects(&leases),
        abandoned_after_millis: Some(u64::MAX),
    };
    twin.granted(&opening, &Command::Sweep(sweep), &facts)?;
    twin.compare(&other)?;
    same("the leases that are left", &twin.leases().len(), &0)
}

/// Requests at the ends of everything that has an end.
fn extreme_requests() -> Vec<Request> {
    let services = [(1, 1, i32::MIN), (65535, 65535, i32::MAX), (1, 65535, 0)];
    let services = services.map(|(first, last, priority)| {
        let mut service = service(&format!("{first}-{last}"), first, last);
        service.priority = priority;
        service.requires = vec![Capability::Tcp];
        service
    });
    let mut sparse = Request::new(Name::literal("sparse"), services.to_vec());
    sparse.holder = Some(extreme_process());

    let mut rich = Service::in_range(Name::literal("rich"), PortRange::ALL);
    rich.requires = vec![
        Capability::Websocket,
        Capability::Https,
        Capability::Tcp,
        Capability::Http,
    ];
    let followers = (0..40).map(|number| {
        let mut follower = Service::in_range(numbered("follower", number), PortRange::ALL);
        follower.inherit_from = Some(rich.name.clone());
        follower.requires = rich.requires[..number % 5].to_vec();
        follower
    });
    let services = core::iter::once(rich.clone()).chain(followers).collect();
    vec![sparse, Request::new(Name::literal("rich"), services)]
}

fn extreme_process() -> Holder {
    Holder::Process(Process {
        pid: u32::MAX,
        started: Some(MAX_SIGNED),
        boot: None,
        namespace: Some(MAX_SIGNED),
    })
}

pub(super) fn a_thousand_leases_are_no_trouble(registry: &dyn Registry) -> Result<(), Problem> {
    let [opening, other] = [Opening::of(registry), Opening::of(registry)];
    let mut twin = Twin::default();
    for project in 0..200 {
        let services = (0..5).map(|number| service(&format!("service-{number}"), 3000, 6999));
        let request = Request::new(numbered("project", project), services.collect());
        let _granted_or_refused = twin.tell(&opening, &reserve(request), &at(1_000))?;
    }
    twin.compare(&other)?;
    same("the number of leases", &twin.leases().len(), &1_000)?;
    let odd_ports = PortRange::ALL.iter().filter(|port| port.get() % 2 == 1);
    let scattered = Scope::Rows {
        projects: (0..2_000)
            .map(|number| numbered("project", number))
            .collect(),
        ports: odd_ports.collect(),
    };
    same(
        "the leases of a large scope",
        &other.load(&scattered)?.len(),
        &1_000,
    )?;

    // Two of three leave at once, among many suspects of which nothing is known.
    let leases: Vec<Lease> = twin.leases().iter().cloned().collect();
    let mut seen = suspects(&leases);
    let outdated = seen.iter_mut().step_by(3);
    outdated.for_each(|suspect| suspect.generation = suspect.generation.next());
    let stranger = |number| Suspect {
        key: LeaseKey::new(numbered("stranger", number), Name::literal("web")),
        generation: Generation::new(1),
    };
    seen.extend((0..1_500).map(stranger));
    let sweep = Sweep {
        suspects: seen,
        abandoned_after_millis: Some(1_000),
    };
    let facts = Facts::at(Timestamp::from_millis(2_000));
    twin.granted(&other, &Command::Sweep(sweep), &facts)?;
    twin.compare(&opening)?;
    same("the leases that are left", &twin.leases().len(), &334)
}
