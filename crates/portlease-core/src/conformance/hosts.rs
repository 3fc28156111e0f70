//! Each host has ports, generations and counters of its own.

use alloc::vec;
use alloc::vec::Vec;

use super::Registry;
use super::leasing::{at, at_death_of, impossible, one, process, reserve, service};
use super::opening::{Opening, Problem, holds, only};
use super::twin::Twin;
use crate::{Command, Generation, Host, LeaseKey, Name, Release, Suspect, Sweep};

/// Hosts that a careless comparison takes for one.
const HOSTS: &[&str] = &["laptop", "Laptop", "laptop ", "laptop%", "l_ptop", "лaptop"];

pub(super) fn hosts_do_not_see_each_other(registry: &dyn Registry) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let mut hosts: Vec<(Opening, Twin)> = HOSTS
        .iter()
        .map(|name| (opening.at(&Name::literal(name)), Twin::default()))
        .collect();
    let mut request = one("shop", service("web", 3000, 3000));
    request.holder = Some(process(1));
    let release = Command::Release(Release {
        force: true,
        ..Release::by_project(Name::literal("shop"))
    });
    let sweep = Command::Sweep(Sweep {
        suspects: vec![Suspect {
            key: LeaseKey::new(Name::literal("shop"), Name::literal("web")),
            generation: Generation::new(1),
        }],
        abandoned_after_millis: None,
    });
    let facts = at_death_of(1_000, process(1));
    let commands = [
        reserve(request),
        reserve(impossible("shop")),
        sweep,
        reserve(one("shop", service("api", 3000, 3000))),
        release,
    ];
    // Each host is some commands behind the one before it, so that they are in different states.
    for round in 0..commands.len() + HOSTS.len() {
        for (position, (host, twin)) in hosts.iter_mut().enumerate() {
            let command = round
                .checked_sub(position)
                .and_then(|index| commands.get(index));
            if let Some(command) = command {
                // Both answers are right here, as long as they are those of this host.
                let _granted_or_refused = twin.tell(host, command, &facts)?;
            }
        }
        for (host, twin) in &hosts {
            twin.compare(host)?;
        }
    }
    Ok(())
}

pub(super) fn whoever_leases_is_a_known_host(registry: &dyn Registry) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    for name in HOSTS {
        let host = opening.at(&Name::literal(name));
        only(host.reserve(one("shop", service("web", 3000, 3000)), &at(1_000))?)?;
    }
    let known = Opening::of(registry).hosts()?;
    for name in HOSTS {
        let host = Host::new(Name::literal(name));
        holds("a host with a lease is known", known.contains(&host))?;
    }
    holds("hosts are told by name", known.is_sorted())
}
