//! Removing the containers of a project itself from the ports that it is about to get.

use std::collections::BTreeSet;
use std::sync::Arc;

use portlease_containers::{ContainerDetails, Look};
use portlease_core::{
    Command, Facts, Granted, Holder, Party, PortRange, PortSet, Reply, Request, Step, Verdict,
};

use crate::allocator::Inner;
use crate::{Error, containers};

/// What was done, and why.
#[derive(Debug, Default)]
pub(crate) struct Reclaimed {
    pub(crate) steps: Vec<Step>,
    pub(crate) warnings: Vec<String>,
}

/// Stops and removes them. Only labels prove whose a container is; without them, nothing is touched.
pub(crate) fn reclaim(inner: &Inner, request: &Request) -> Result<Reclaimed, Error> {
    let look = inner.observer.containers_now();
    let own = of_project(&look, request);
    if own.is_empty() {
        return Ok(Reclaimed::default());
    }
    let mut reclaimed = Reclaimed::default();
    let mut gone = BTreeSet::new();
    for granted in granted_without(inner, request, &look, &own)? {
        let on_port = own.iter().filter(|it| it.ports().contains(granted.port()));
        let on_port: Vec<_> = on_port.collect();
        if !is_worth_it(inner, &granted, &on_port)? {
            continue;
        }
        for container in on_port {
            if !gone.insert(&container.identity) {
                continue;
            }
            let (port, owner) = (granted.port(), &granted.lease.key);
            let text = match inner.observer.remove(container) {
                Ok(()) => {
                    reclaimed.steps.push(step(&granted, container));
                    format!(
                        "port {port} is for {owner}: {container}, which was on it, was stopped and removed"
                    )
                }
                Err(fault) => format!(
                    "port {port} is for {owner}, but {container} could not be removed from it: {fault}"
                ),
            };
            inner.observer.tell(&text);
            reclaimed.warnings.push(text);
        }
    }
    if !gone.is_empty() {
        inner.observer.containers_now();
    }
    for step in &reclaimed.steps {
        inner.steps.tell(format_args!("{step}"));
    }
    Ok(reclaimed)
}

/// The containers that say they are the project's own.
pub(crate) fn of_project(look: &Look, request: &Request) -> Vec<Arc<ContainerDetails>> {
    let is_own = |it: &&Arc<ContainerDetails>| containers::is_of(it, &request.project);
    look.containers().iter().filter(is_own).cloned().collect()
}

/// What the request would get if these containers were gone.
fn granted_without(
    inner: &Inner,
    request: &Request,
    look: &Look,
    own: &[Arc<ContainerDetails>],
) -> Result<Vec<Granted>, Error> {
    let mut facts: Facts = inner.observer.facts();
    claim_without(&mut facts, look, request, own);
    let explained = inner.transact(&Command::Explain(request.clone()), &facts)?;
    Ok(match explained.reply {
        Reply::Explained(explained) => explained.reserved.map_or(Vec::new(), |it| it.services),
        reply => unreachable!("an explanation is not answered with {reply:?}"),
    })
}

/// Adds which of the ports containers claim, as if these were gone.
pub(crate) fn claim_without(
    facts: &mut Facts,
    look: &Look,
    request: &Request,
    gone: &[Arc<ContainerDetails>],
) {
    let (candidates, project) = (request.candidates(), &request.project);
    if gone.is_empty() {
        return containers::claim(facts, look, &candidates, project);
    }
    containers::claim_by_others(facts, look, &candidates, project);
    let holder = |it: &Arc<ContainerDetails>| Holder::Container(it.identity.clone());
    facts.dead.extend(gone.iter().map(holder));
}

/// What would be done for these grants.
pub(crate) fn steps(granted: &[Granted], own: &[Arc<ContainerDetails>]) -> Vec<Step> {
    let on = |port| own.iter().filter(move |it| it.ports().contains(port));
    granted
        .iter()
        .flat_map(|granted| on(granted.port()).map(|it| step(granted, it)))
        .collect()
}

/// Whether the port can be had when they are gone: where none of them runs, nobody else may listen.
fn is_worth_it(
    inner: &Inner,
    granted: &Granted,
    own: &[&Arc<ContainerDetails>],
) -> Result<bool, Error> {
    let port: PortSet = PortRange::only(granted.port()).into();
    Ok(own.iter().any(|container| container.is_running())
        || inner.observer.probe().listening(&port)?.is_empty())
}

fn step(granted: &Granted, container: &ContainerDetails) -> Step {
    Step {
        service: granted.service.clone(),
        tier: granted.lease.tier,
        ports: PortRange::only(granted.port()),
        verdict: Verdict::Reclaimed,
        by: vec![Party::Occupant(container.occupant())],
    }
}
