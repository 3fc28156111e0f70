//! Every operation of the API.

use axum::http::{Method, StatusCode};
use portlease::asking::{Abandoned, Confirmation, Counting, Releasing, Renewal, Selection};
use portlease::core::{Plan, Port, PortNumber, PortsWish, Validated, ValidatedLease, Wish};
use portlease::{Error, PortPresence, Seen};
use schemars::JsonSchema;
use serde::Serialize;

use crate::inputs::{
    Available, ContainerId, Counted, FromBody, FromPath, FromQuery, Input, OfProject, Resumed,
    Scanned,
};
use crate::routes::Operation;
use crate::server::Service;
use crate::views::{HealthReport, HealthView, LeaseView, Leases, PortMap, PortOrNone, Ports, Scan};
use crate::workers::Pace;
use crate::{containers, document, events, metrics, views};

/// All of them, in the order of the document.
pub(crate) fn all() -> Vec<Operation> {
    let mut all = leases();
    all.extend(ports());
    all.extend(machine());
    all.extend(service());
    all
}

fn leases() -> Vec<Operation> {
    vec![
        get(
            "/api/ports",
            "ports",
            "The ports and addresses of all services",
            |service, query: FromQuery<OfProject>| {
                let project = query.0.project.as_deref();
                service.ports.get(service.desk.allocator(), project, || {
                    let leases = service.desk.list(&selection(&query.0))?;
                    let environment = service.desk.config().profile();
                    Ok(Ports::of(&leases, project.is_some(), environment))
                })
            },
        ),
        get(
            "/api/leases",
            "leases",
            "All leases, and what is true of them",
            |service, query: FromQuery<OfProject>| {
                let validated = service.desk.validate(&selection(&query.0))?;
                let look = service.desk.allocator().containers();
                let mut healths = service.healths();
                let view = |validated: ValidatedLease| {
                    let health = healths.remove(&validated.lease.key);
                    LeaseView::of(validated, health, &look)
                };
                Ok(Leases {
                    leases: validated.into_iter().map(view).collect(),
                })
            },
        ),
        post(
            "/api/leases",
            "reserve",
            "Lease the port of a service, or find it leased",
            |service, wish: FromBody<Wish>| {
                let wished = service.desk.wished(wish.0)?;
                service.desk.reserve_or_reallocate_port(&wished)
            },
        )
        .problems(&[StatusCode::CONFLICT]),
        post(
            "/api/leases/set",
            "reserveSet",
            "Lease the ports of several services, or of none",
            |service, wish: FromBody<Wish>| {
                service
                    .desk
                    .allocate_multiple_ports(&service.desk.wished(wish.0)?)
            },
        )
        .problems(&[StatusCode::CONFLICT]),
        post(
            "/api/leases/confirm",
            "confirm",
            "Say that a server listens on its port",
            |service, body: FromBody<Confirmation>| service.desk.confirm(&body.0),
        )
        .problems(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT]),
        post(
            "/api/leases/renew",
            "renew",
            "Say that a lease is still in use",
            |service, body: FromBody<Renewal>| service.desk.renew(&body.0),
        )
        .problems(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT]),
        operation(
            Method::DELETE,
            "/api/leases",
            "release",
            "Give leases back",
            |service, body: FromBody<Releasing>| service.desk.release(&body.0),
        )
        .problems(&[StatusCode::CONFLICT]),
        get(
            "/api/validate",
            "validate",
            "What is true of the leases",
            |service, query: FromQuery<OfProject>| {
                let leases = service.desk.validate(&selection(&query.0))?;
                Ok(Validated { leases })
            },
        ),
        post(
            "/api/cleanup",
            "cleanup",
            "Remove leases whose owners are gone",
            |service, body: FromBody<Abandoned>| service.desk.cleanup(&body.0),
        ),
    ]
}

fn ports() -> Vec<Operation> {
    vec![
        post(
            "/api/explain",
            "explain",
            "Tell what a wish would get, and why",
            |service, wish: FromBody<Wish>| service.desk.explain(&service.desk.wished(wish.0)?),
        ),
        get(
            "/api/available",
            "available",
            "A port that could be had now",
            |service, query: FromQuery<Available>| {
                let port = service
                    .desk
                    .find_available_port(&service.desk.wished(available(&query.0))?)?;
                Ok(PortOrNone { port })
            },
        ),
        slow(
            "/api/who/{port}",
            "who",
            "Who is on a port, and to whom it is leased",
            |service, place: FromPath<Port>| {
                let who = service.desk.allocator().who(place.0)?;
                Ok(service.shown(PortPresence::from(who)))
            },
        ),
        slow(
            "/api/scan",
            "scan",
            "Who is on the ports of a range, and to whom they are leased",
            |service, query: FromQuery<Scanned>| {
                let found = service.desk.allocator().scan(&query.0.range.0.into())?;
                let found = found.into_iter().map(PortPresence::from);
                Ok(Scan {
                    ports: found.map(|presence| service.shown(presence)).collect(),
                })
            },
        ),
        get(
            "/api/stats",
            "stats",
            "How the ports are used",
            |service, query: FromQuery<Counted>| {
                let range = |range: &crate::inputs::RangeText| {
                    let [first, last] = [range.0.first(), range.0.last()].map(PortNumber::from);
                    vec![PortsWish::Ends(vec![first, last])]
                };
                service.desk.stats(&Counting {
                    ranges: query.0.range.as_ref().map(range),
                    top: query.0.top.map(u32::from),
                })
            },
        ),
        get(
            "/api/map",
            "map",
            "All ports in one look",
            |service, (): ()| Ok(PortMap::of(service.desk.allocator().snapshot()?)),
        ),
    ]
}

fn machine() -> Vec<Operation> {
    vec![
        get(
            "/api/health",
            "health",
            "Whether the servers of the leases are well",
            |service, (): ()| {
                let health = |seen: &Seen| seen.leases().map(HealthView::from).collect();
                Ok(HealthReport {
                    health: service.watch.seen(health),
                })
            },
        ),
        get(
            "/api/containers",
            "containers",
            "The containers of this machine and their ports",
            |service, (): ()| {
                let look = service.desk.allocator().containers();
                let containers = look.containers().iter().map(Into::into).collect();
                Ok(views::Containers { containers })
            },
        ),
        get(
            "/api/containers/info/{id}",
            "container",
            "Whether a container runs, and on which port",
            |service, place: FromPath<ContainerId>| containers::info(service, &place.0.0),
        ),
        get(
            "/api/snapshot",
            "snapshot",
            "This machine, for a planner elsewhere",
            |service, (): ()| service.desk.allocator().snapshot(),
        ),
        post(
            "/api/plans",
            "confirmPlan",
            "Take the ports of a plan that was made elsewhere",
            |service, plan: FromBody<Plan>| service.desk.confirm_plan(&plan.0),
        )
        .problems(&[StatusCode::CONFLICT]),
    ]
}

fn service() -> Vec<Operation> {
    vec![
        Operation::other::<FromQuery<Resumed>, _>(
            "/api/events",
            "events",
            "Everything that changes, as it happens",
            events::CONTENT_TYPE,
            events::listen,
        ),
        Operation::other::<(), _>(
            "/api/openapi.json",
            "openapi",
            "This document",
            "application/json",
            document::serve,
        ),
        Operation::other::<(), _>(
            "/metrics",
            "metrics",
            "Numbers for Prometheus",
            metrics::CONTENT_TYPE,
            metrics::serve,
        ),
    ]
}

/// What is asked of the machine in microseconds.
fn get<I: Input, O: Serialize + JsonSchema + 'static>(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    work: fn(&Service, I) -> Result<O, Error>,
) -> Operation {
    operation(Method::GET, path, id, summary, work)
}

/// What may search through all processes or wait for servers.
fn slow<I: Input, O: Serialize + JsonSchema + 'static>(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    work: fn(&Service, I) -> Result<O, Error>,
) -> Operation {
    Operation::new(Method::GET, path, id, summary, Pace::Slow, work)
}

fn post<I: Input, O: Serialize + JsonSchema + 'static>(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    work: fn(&Service, I) -> Result<O, Error>,
) -> Operation {
    operation(Method::POST, path, id, summary, work)
}

fn operation<I: Input, O: Serialize + JsonSchema + 'static>(
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    work: fn(&Service, I) -> Result<O, Error>,
) -> Operation {
    Operation::new(method, path, id, summary, Pace::Quick, work)
}

fn selection(query: &OfProject) -> Selection {
    Selection {
        project_id: query.project.clone(),
    }
}

/// The wish of somebody who wants no lease.
fn available(query: &Available) -> Wish {
    let mut wish = Wish::default();
    wish.request.project_id = Some("(nobody)".to_owned());
    wish.service.framework.clone_from(&query.framework);
    if let Some(range) = &query.range {
        wish.service.base_port = Some(range.0.first().into());
        wish.service.max_port = Some(range.0.last().into());
    }
    wish.service.start_port = query.start.map(Into::into);
    wish
}
