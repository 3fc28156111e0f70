//! Old owners are told from new ones by the generation of their grant.

use super::Registry;
use super::leasing::{at, at_death_of, one, process, service, suspects};
use super::opening::{Opening, Problem, holds, only, same, same_leases};
use crate::{Command, Confirm, Generation, LeaseKey, Name, Refusal, Release, Renew, Suspect};

pub(super) fn a_generation_is_never_given_twice(registry: &dyn Registry) -> Result<(), Problem> {
    let mut last = Generation::default();
    for round in 0..12_u64 {
        // The lease with the highest generation is gone, and so is whoever gave it.
        let opening = Opening::of(registry);
        let lease = only(opening.reserve(one("shop", service("web", 3000, 3010)), &at(round))?)?;
        same("the next generation", &lease.generation, &last.next())?;
        opening.release(&lease, &at(round))?;
        last = opening.everything()?.last_generation();
        same("the last generation", &last, &lease.generation)?;
    }
    Ok(())
}

pub(super) fn an_old_generation_owns_nothing(registry: &dyn Registry) -> Result<(), Problem> {
    let [opening, other] = [Opening::of(registry), Opening::of(registry)];
    let request = |pid| {
        let mut request = one("shop", service("web", 3000, 3010));
        request.holder = Some(process(pid));
        request
    };
    let old = only(opening.reserve(request(1), &at(1_000))?)?;
    let facts = at_death_of(2_000, process(1));
    let new = only(other.reserve(request(2), &facts)?)?;
    holds("the port stays and the generation grows", {
        old.port == new.port && old.generation < new.generation
    })?;
    let before = opening.everything()?;
    let outdated = [
        old.generation,
        new.generation.next(),
        Generation::new(u64::MAX),
    ];
    for command in outdated.iter().flat_map(|old| acts(&new.key, *old)) {
        let refusal = opening.refusal(&command, &at(3_000))?;
        let is_named = matches!(refusal, Refusal::NotOwner(_));
        holds("an old owner is told so", is_named)?;
        same_leases("after an old owner", &opening.everything()?, &before)?;
    }
    // The new owner is one, through whatever opening.
    for command in acts(&new.key, new.generation) {
        opening.decision(&command, &at(4_000))?;
    }
    // A lease that is gone has no owner at all.
    let before = opening.everything()?;
    let [renew, confirm, release] = acts(&new.key, new.generation);
    for command in [renew, confirm] {
        let refusal = other.refusal(&command, &at(5_000))?;
        let is_named = matches!(refusal, Refusal::LeaseNotFound { .. });
        holds("the lease is not found", is_named)?;
    }
    other.decision(&release, &at(5_000))?;
    same_leases("after acting for nothing", &other.everything()?, &before)
}

/// What the owner of a lease can do; the last ends it.
fn acts(key: &LeaseKey, generation: Generation) -> [Command; 3] {
    let renew = Renew {
        key: key.clone(),
        generation,
        holder: Some(process(9)),
    };
    let confirm = Confirm {
        key: key.clone(),
        generation,
        listener: Some(process(10)),
        port: None,
    };
    [
        Command::Renew(renew),
        Command::Confirm(confirm),
        Command::Release(Release::granted(key.clone(), generation)),
    ]
}

pub(super) fn a_sweep_removes_only_what_it_looked_at(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let [sweeper, other] = [Opening::of(registry), Opening::of(registry)];
    let reserve = |opening: &Opening, project, pid, millis| {
        let mut request = one(project, service("web", 3000, 3010));
        request.holder = Some(process(pid));
        only(opening.reserve(request, &at_death_of(millis, process(1)))?)
    };
    let gone = reserve(&other, "gone", 1, 1_000)?;
    let looked_at = reserve(&other, "back", 1, 1_000)?;
    let alive = reserve(&other, "alive", 2, 1_000)?;
    let mut seen = suspects(&[gone.clone(), looked_at.clone(), alive]);
    seen.push(Suspect {
        key: LeaseKey::new(Name::literal("nobody"), Name::literal("web")),
        generation: Generation::new(u64::MAX),
    });
    // In between somebody gives the lease back and gets it again, for a process that ends too.
    other.release(&looked_at, &at(2_000))?;
    let back = reserve(&other, "back", 1, 3_000)?;
    holds("the port is the same again", back.port == looked_at.port)?;

    let facts = at_death_of(4_000, process(1));
    let swept = sweeper.sweep(&seen, &facts)?;
    let removed = swept.removed.iter().map(|swept| &swept.lease);
    same("what was removed", &removed.collect(), &alloc::vec![&gone])?;
    let leases = other.everything()?;
    same(
        "the lease that came back",
        &leases.get(&back.key),
        &Some(&back),
    )?;
    same("the lease of the dead", &leases.get(&gone.key), &None)?;
    let memory = leases.memory(&gone.key).map(|memory| memory.port);
    same("the memory of the dead", &memory, &Some(gone.port))?;

    let again = other.sweep(&seen, &facts)?;
    holds("nothing is removed twice", again.removed.is_empty())?;
    same_leases("after the second sweep", &sweeper.everything()?, &leases)
}
