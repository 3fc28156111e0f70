//! What everybody sees after a command was answered.

use alloc::vec;

use super::Registry;
use super::leasing::{at, impossible, one, process, reserve, service};
use super::opening::{Opening, Problem, only, same, same_leases};
use crate::{
    Command, Confirm, Counters, Facts, Leases, Name, NamedRange, PortRange, PortSet, Release,
    Renew, Reply, Scope, StatsQuery, Validate,
};

pub(super) fn a_fresh_host_is_empty(registry: &dyn Registry) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let rows = Scope::Rows {
        projects: vec![Name::literal("shop")],
        ports: PortSet::from(PortRange::ALL),
    };
    for scope in [Scope::Everything, rows] {
        same_leases("a new host", &opening.load(&scope)?, &Leases::default())?;
    }
    same_leases(
        "a new host, looked at once more",
        &Opening::of(registry).everything()?,
        &Leases::default(),
    )
}

pub(super) fn what_is_granted_is_there_for_everybody(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let openings = [Opening::of(registry), Opening::of(registry)];
    // Both look before there is anything, so that whatever they keep of it is outdated.
    for opening in &openings {
        opening.everything()?;
    }
    for (round, writer) in openings.iter().chain(&openings).enumerate() {
        let name = alloc::format!("service-{round}");
        let request = one("shop", service(&name, 3000, 3100));
        let granted = only(writer.reserve(request, &at(1_000))?)?;
        for opening in &openings {
            let leases = opening.everything()?;
            same(
                "the granted lease",
                &leases.get(&granted.key),
                &Some(&granted),
            )?;
            same(
                "the lease of its port",
                &leases.at(granted.port),
                &Some(&granted),
            )?;
            same("the number of leases", &leases.len(), &(round + 1))?;
        }
    }
    let [reader, other] = &openings;
    let lease = reader.everything()?.iter().next().cloned();
    let lease = lease.ok_or("the leases are gone")?;
    other.release(&lease, &at(2_000))?;
    same(
        "a lease that was given back through the other opening",
        &reader.everything()?.get(&lease.key),
        &None,
    )
}

/// A process gets the lease of another one only when that is seen to have ended.
pub(super) fn what_is_observed_on_the_way_is_decided_on(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let openings = [Opening::of(registry), Opening::of(registry)];
    let request = |pid| {
        let mut request = one("shop", service("web", 3000, 3100));
        request.holder = Some(process(pid));
        request
    };
    let [opening, other] = &openings;
    opening.everything()?;
    let first = only(other.reserve(request(1), &at(1_000))?)?;
    let mut seen = None;
    let mut observe = |leases: &Leases, facts: &mut Facts| {
        seen = leases.get(&first.key).cloned();
        facts.dead.insert(process(1));
    };
    let command = reserve(request(2));
    let decision = opening.decision_observing(&command, &at(2_000), &mut observe)?;
    same("the lease that was shown", &seen.as_ref(), &Some(&first))?;
    let Reply::Reserved(reserved) = decision.reply else {
        return Err(alloc::format!(
            "a reserve was answered with {:?}",
            decision.reply
        ));
    };
    same("the instance", &reserved.instance, &1)?;
    let lease = other.everything()?.get(&first.key).cloned();
    let holder = lease.and_then(|lease| lease.holder);
    same("the holder of the lease", &holder, &Some(process(2)))
}

pub(super) fn what_was_acknowledged_outlives_the_opening(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let mut acknowledged = Leases::default();
    for round in 0..4_u64 {
        let opening = Opening::of(registry);
        same_leases("opened again", &opening.everything()?, &acknowledged)?;
        let name = alloc::format!("service-{round}");
        let command = reserve(one("shop", service(&name, 3000, 3100)));
        let decision = opening.decision(&command, &at(round))?;
        acknowledged.apply_all(&decision.changes);
        let releases = Command::Release(Release {
            service: Some(Name::literal("service-1")),
            ..Release::by_project(Name::literal("shop"))
        });
        let decision = opening.decision(&releases, &at(round))?;
        acknowledged.apply_all(&decision.changes);
    }
    Ok(())
}

pub(super) fn a_refusal_changes_nothing_but_its_counter(
    registry: &dyn Registry,
) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    let mut request = one("shop", service("web", 3000, 3010));
    request.holder = Some(process(1));
    let lease = only(opening.reserve(request, &at(1_000))?)?;
    let before = opening.everything()?;

    let stranger = Release {
        holder: Some(process(2)),
        ..Release::by_project(Name::literal("shop"))
    };
    let unknown = lease.key.sibling(Name::literal("unknown"));
    let renew = Renew {
        key: unknown.clone(),
        generation: lease.generation,
        holder: None,
    };
    let confirm = Confirm {
        key: unknown,
        generation: lease.generation,
        listener: None,
        port: None,
    };
    for command in [
        Command::Release(stranger),
        Command::Renew(renew),
        Command::Confirm(confirm),
    ] {
        opening.refusal(&command, &at(2_000))?;
        same_leases("after a refusal", &opening.everything()?, &before)?;
    }

    // The first service of the set could have its port; the second cannot.
    let mut set = impossible("shop");
    set.services.insert(0, service("api", 4000, 4010));
    set.services[1].name = Name::literal("admin");
    let mut expected = before;
    for request in [impossible("blog"), set] {
        opening.refusal(&reserve(request), &at(3_000))?;
        expected.apply(&crate::Change::Count(Counters {
            refusals: 1,
            ..Counters::default()
        }));
        same_leases("after a refused request", &opening.everything()?, &expected)?;
    }
    Ok(())
}

pub(super) fn asking_changes_nothing(registry: &dyn Registry) -> Result<(), Problem> {
    let opening = Opening::of(registry);
    only(opening.reserve(one("shop", service("web", 3000, 3010)), &at(1_000))?)?;
    let before = opening.everything()?;
    let stats = StatsQuery {
        ranges: vec![NamedRange {
            name: Name::literal("all"),
            range: PortRange::ALL,
        }],
        top: 3,
    };
    let questions = [
        Command::Explain(one("shop", service("web", 3000, 3010))),
        Command::Explain(one("blog", service("web", 3000, 3010))),
        Command::Explain(impossible("blog")),
        Command::Validate(Validate::default()),
        Command::Validate(Validate {
            project: Some(Name::literal("shop")),
        }),
        Command::Stats(stats),
    ];
    for question in questions {
        let decision = opening.decision(&question, &at(2_000))?;
        same("the changes of a question", &decision.changes, &vec![])?;
        same_leases("after a question", &opening.everything()?, &before)?;
    }
    Ok(())
}
