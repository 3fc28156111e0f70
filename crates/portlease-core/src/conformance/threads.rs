//! Transactions of one host happen one after the other, whoever they come from.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Registry;
use super::leasing::{at, at_death_of, insisting, numbered, process, reserve, service, suspects};
use super::opening::{Opening, Problem, holds, only, same};
use super::storm::{self, THREADS, at_once};
use crate::{
    Command, Counters, Generation, LeaseKey, Leases, Port, PortRange, PortSet, Release, Request,
    Scope, Strategy,
};

pub(super) fn a_fresh_registry_can_be_opened_by_many_at_once(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    at_once(THREADS, |number| {
        let opening = Opening::of(registry);
        let wanted = service("web", 3000, 3100);
        let request = Request::new(numbered("thread", number), [wanted].into());
        only(opening.reserve(request, &at(1_000))?)
    })?;
    let leases = Opening::of(registry).everything()?;
    same("the number of leases", &leases.len(), &THREADS)
}

pub(super) fn no_port_is_leased_twice_at_any_moment(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    for host in storm::run(registry)?.hosts {
        let ports: BTreeSet<Port> = host.kept.iter().map(|lease| lease.port).collect();
        same("the number of ports", &ports.len(), &host.kept.len())?;
        same("the number of leases", &host.left.len(), &ports.len())?;
        for lease in &host.kept {
            same(
                "a lease that was kept",
                &host.left.at(lease.port),
                &Some(lease),
            )?;
        }
    }
    Ok(())
}

pub(super) fn no_change_is_lost(registry: &dyn Registry) -> Result<(), Problem> {
    for host in storm::run(registry)?.hosts {
        let grants = host.grants.iter().map(Vec::len).sum::<usize>() as u64;
        let counters = Counters {
            grants,
            releases: host.releases,
            ..Counters::default()
        };
        same("the counters", &host.left.counters(), &counters)?;
        let uses = host.left.usage().iter().map(|usage| usage.grants).sum();
        same("the uses of all ports", &grants, &uses)?;
        same(
            "the last generation",
            &host.left.last_generation(),
            &Generation::new(grants),
        )?;
    }
    Ok(())
}

pub(super) fn generations_only_grow_among_threads(registry: &dyn Registry) -> Result<(), Problem> {
    for host in storm::run(registry)?.hosts {
        let grow = |grants: &Vec<Generation>| grants.is_sorted_by(|before, after| before < after);
        holds(
            "the generations of a thread grow",
            host.grants.iter().all(grow),
        )?;
        let count = host.grants.iter().map(Vec::len).sum::<usize>();
        let different: BTreeSet<&Generation> = host.grants.iter().flatten().collect();
        same("the number of generations", &different.len(), &count)?;
    }
    Ok(())
}

pub(super) fn a_port_that_all_insist_on_goes_to_one(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    const PORTS: u16 = 25;
    let openings = [Opening::of(registry), Opening::of(registry)];
    let won = at_once(THREADS, |number| {
        let mut won = Vec::new();
        for port in (3000..).take(usize::from(PORTS)) {
            let wanted = insisting(&format!("on-{port}"), port);
            let mut request = Request::new(numbered("thread", number), [wanted].into());
            request.strategy = Strategy::Conservative;
            let answer = openings[number % 2].answer(&reserve(request), &at(1_000))?;
            won.extend(answer.is_ok().then_some(port));
        }
        Ok(won)
    })?;
    let mut winners = won.concat();
    winners.sort_unstable();
    let ports: Vec<u16> = (3000..).take(usize::from(PORTS)).collect();
    same("the ports that were won", &winners, &ports)?;
    let counters = Opening::of(registry).everything()?.counters();
    let losers = (THREADS as u64 - 1) * u64::from(PORTS);
    same("the refusals", &counters.refusals, &losers)
}

pub(super) fn of_many_sweepers_one_removes(registry: &dyn Registry) -> Result<(), Problem> {
    const ROUNDS: usize = 10;
    const SERVICES: usize = 8;
    let openings = [Opening::of(registry), Opening::of(registry)];
    for round in 0..ROUNDS {
        let services =
            (0..SERVICES).map(|number| service(&numbered("service", number), 3000, 3100));
        let mut request = Request::new(numbered("project", round), services.collect());
        request.holder = Some(process(1));
        let seen = suspects(&openings[0].reserve(request, &at(1_000))?);
        let removed = at_once(THREADS, |number| {
            let swept = openings[number % 2].sweep(&seen, &at_death_of(2_000, process(1)))?;
            Ok(swept.removed.len())
        })?;
        let removed: usize = removed.iter().sum();
        same(
            "the removed leases, as the sweepers tell",
            &removed,
            &SERVICES,
        )?;
    }
    let leases = openings[1].everything()?;
    same("the leases that are left", &leases.len(), &0)?;
    let swept = (ROUNDS * SERVICES) as u64;
    same("the counted removals", &leases.counters().swept, &swept)
}

pub(super) fn a_load_never_shows_half_a_decision(registry: &dyn Registry) -> Result<(), Problem> {
    const WRITERS: usize = 2;
    const READERS: usize = 2;
    const LOADS: usize = 50;
    let openings = [Opening::of(registry), Opening::of(registry)];
    for number in 0..WRITERS {
        come_and_go(&openings[0], number)?;
    }
    let rows = Scope::Rows {
        projects: alloc::vec![numbered("thread", 0)],
        ports: PortSet::from(PortRange::literal(3000, 3100)),
    };
    let begun = AtomicUsize::new(0);
    let reading = AtomicUsize::new(READERS);
    at_once(WRITERS + READERS, |number| {
        let opening = &openings[number % 2];
        if number >= WRITERS {
            let _ends = Ends(&reading);
            for _ in 0..LOADS {
                for scope in [&Scope::Everything, &rows] {
                    begun.fetch_add(1, Ordering::AcqRel);
                    check_whole(&opening.load(scope)?)?;
                }
            }
            return Ok(());
        }
        // The moment to write is when somebody has just begun to read.
        let mut seen = 0;
        while reading.load(Ordering::Acquire) > 0 {
            let now = begun.load(Ordering::Acquire);
            if now == seen {
                thread::yield_now();
            } else {
                seen = now;
                come_and_go(opening, number)?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Counts a reader off when it ends, even by a panic of the store: the writers wait for that.
struct Ends<'a>(&'a AtomicUsize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// How many services come and go together.
const FAMILY: usize = 5;

fn come_and_go(opening: &Opening, number: usize) -> Result<(), Problem> {
    let services = (0..FAMILY).map(|number| service(&numbered("service", number), 3000, 3100));
    let request = Request::new(numbered("thread", number), services.collect());
    opening.reserve(request, &at(1_000))?;
    let all = Command::Release(Release::by_project(numbered("thread", number)));
    opening.decision(&all, &at(2_000))?;
    Ok(())
}

/// A project's services are all there, or all are remembered.
fn check_whole(leases: &Leases) -> Result<(), Problem> {
    if let Err(invalid) = leases.check() {
        return Err(format!("a load shows what never was: {invalid}"));
    }
    for number in 0..2 {
        let project = numbered("thread", number);
        let key = |service| LeaseKey::new(project.clone(), numbered("service", service));
        let leased = (0..FAMILY).filter(|service| leases.get(&key(*service)).is_some());
        let remembered = (0..FAMILY).filter(|service| leases.memory(&key(*service)).is_some());
        let counts = (leased.count(), remembered.count());
        if ![(FAMILY, 0), (0, FAMILY)].contains(&counts) {
            return Err(format!(
                "a load shows {} leases and {} memories of {FAMILY} services that come and go together",
                counts.0, counts.1
            ));
        }
    }
    Ok(())
}
