//! Every operation of the API.

use axum::http::{Method, StatusCode};
use portlease::asking::{Abandoned, Confirmation, Counting, Releasing, Renewal, Selection};
use portlease::core::{Plan, Port, Validated, ValidatedLease, Wish};
use portlease::{PortPresence, Seen};

use crate::inputs::{
    Available, ContainerId, Counted, FromBody, FromPath, FromQuery, OfProject, Resumed, Scanned,
};
use crate::routes::{Hearer, Operation};
use crate::views::{HealthReport, HealthView, LeaseView, Leases, PortMap, PortOrNone, Ports, Scan};
use crate::workers::Pace;
use crate::{containers, document, events, hosts, metrics, views};

/// Tells of all of them, in the order of the document.
pub(crate) fn tell(hearer: &mut impl Hearer) {
    leases(hearer);
    ports(hearer);
    machine(hearer);
    hosts::tell(hearer);
    service(hearer);
}

fn leases(hearer: &mut impl Hearer) {
    hearer.hear(
        get(
            "/api/ports",
            "ports",
            "The ports and addresses of all services",
        ),
        |service, query: FromQuery<OfProject>| {
            let project = query.0.project.as_deref();
            service.ports.get(service.desk.allocator(), project, || {
                let leases = service.desk.list(&selection(&query.0))?;
                let environment = service.desk.config().profile();
                Ok(Ports::of(&leases, project.is_some(), environment))
            })
        },
    );
    hearer.hear(
        get(
            "/api/leases",
            "leases",
            "All leases, and what is true of them",
        ),
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
    );
    hearer.hear(
        post(
            "/api/leases",
            "reserve",
            "Lease the port of a service, or find it leased",
        )
        .problems(&[StatusCode::CONFLICT]),
        |service, wish: FromBody<Wish>| {
            let wished = service.desk.wished(wish.0)?;
            service.desk.reserve_or_reallocate_port(&wished)
        },
    );
    hearer.hear(
        post(
            "/api/leases/set",
            "reserveSet",
            "Lease the ports of several services, or of none",
        )
        .problems(&[StatusCode::CONFLICT]),
        |service, wish: FromBody<Wish>| {
            service
                .desk
                .allocate_multiple_ports(&service.desk.wished(wish.0)?)
        },
    );
    hearer.hear(
        post(
            "/api/leases/confirm",
            "confirm",
            "Say that a server listens on its port",
        )
        .problems(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT]),
        |service, body: FromBody<Confirmation>| service.desk.confirm(&body.0),
    );
    hearer.hear(
        post(
            "/api/leases/renew",
            "renew",
            "Say that a lease is still in use",
        )
        .problems(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT]),
        |service, body: FromBody<Renewal>| service.desk.renew(&body.0),
    );
    hearer.hear(
        Operation::new(Method::DELETE, "/api/leases", "release", "Give leases back")
            .problems(&[StatusCode::CONFLICT]),
        |service, body: FromBody<Releasing>| service.desk.release(&body.0),
    );
    hearer.hear(
        get("/api/validate", "validate", "What is true of the leases"),
        |service, query: FromQuery<OfProject>| {
            let leases = service.desk.validate(&selection(&query.0))?;
            Ok(Validated { leases })
        },
    );
    hearer.hear(
        post(
            "/api/cleanup",
            "cleanup",
            "Remove leases whose owners are gone",
        ),
        |service, body: FromBody<Abandoned>| service.desk.cleanup(&body.0),
    );
}

fn ports(hearer: &mut impl Hearer) {
    hearer.hear(
        post(
            "/api/explain",
            "explain",
            "Tell what a wish would get, and why",
        ),
        |service, wish: FromBody<Wish>| service.desk.explain(&service.desk.wished(wish.0)?),
    );
    hearer.hear(
        get(
            "/api/available",
            "available",
            "A port that could be had now",
        ),
        |service, query: FromQuery<Available>| {
            let port = service
                .desk
                .find_available_port(&service.desk.wished(available(&query.0))?)?;
            Ok(PortOrNone { port })
        },
    );
    hearer.hear(
        slow(
            "/api/who/{port}",
            "who",
            "Who is on a port, and to whom it is leased",
        ),
        |service, place: FromPath<Port>| {
            let who = service.desk.allocator().who(place.0)?;
            Ok(service.shown(PortPresence::from(who)))
        },
    );
    hearer.hear(
        slow(
            "/api/scan",
            "scan",
            "Who is on the ports of a range, and to whom they are leased",
        ),
        |service, query: FromQuery<Scanned>| {
            let found = service.desk.allocator().scan(&query.0.range.0.into())?;
            let found = found.into_iter().map(PortPresence::from);
            Ok(Scan {
                ports: found.map(|presence| service.shown(presence)).collect(),
            })
        },
    );
    hearer.hear(
        get("/api/stats", "stats", "How the ports are used"),
        |service, query: FromQuery<Counted>| service.desk.stats(&Counting::from(&query.0)),
    );
    hearer.hear(
        get("/api/map", "map", "All ports in one look"),
        |service, (): ()| Ok(PortMap::of(service.desk.allocator().snapshot()?)),
    );
}

fn machine(hearer: &mut impl Hearer) {
    hearer.hear(
        get(
            "/api/health",
            "health",
            "Whether the servers of the leases are well",
        ),
        |service, (): ()| {
            let health = |seen: &Seen| seen.leases().map(HealthView::from).collect();
            Ok(HealthReport {
                health: service.watch.seen(health),
            })
        },
    );
    hearer.hear(
        get(
            "/api/containers",
            "containers",
            "The containers of this machine and their ports",
        ),
        |service, (): ()| {
            let look = service.desk.allocator().containers();
            let containers = look.containers().iter().map(Into::into).collect();
            Ok(views::Containers { containers })
        },
    );
    hearer.hear(
        get(
            "/api/containers/info/{id}",
            "container",
            "Whether a container runs, and on which port",
        ),
        |service, place: FromPath<ContainerId>| containers::info(service, &place.0.0),
    );
    hearer.hear(
        get(
            "/api/snapshot",
            "snapshot",
            "This machine, for a planner elsewhere",
        ),
        |service, (): ()| service.desk.allocator().snapshot(),
    );
    hearer.hear(
        post(
            "/api/plans",
            "confirmPlan",
            "Take the ports of a plan that was made elsewhere",
        )
        .problems(&[StatusCode::CONFLICT]),
        |service, plan: FromBody<Plan>| service.desk.confirm_plan(&plan.0),
    );
}

fn service(hearer: &mut impl Hearer) {
    hearer.hear_other::<FromQuery<Resumed>, _>(
        get(
            "/api/events",
            "events",
            "Everything that changes, as it happens",
        ),
        events::CONTENT_TYPE,
        events::listen,
    );
    hearer.hear_other::<(), _>(
        get("/api/openapi.json", "openapi", "This document"),
        "application/json",
        document::serve,
    );
    hearer.hear_other::<(), _>(
        get("/metrics", "metrics", "Numbers for Prometheus"),
        metrics::CONTENT_TYPE,
        metrics::serve,
    );
}

/// What is asked of the machine in microseconds.
fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::GET, path, id, summary)
}

/// What may search through all processes or wait for servers.
pub(crate) fn slow(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    get(path, id, summary).pace(Pace::Slow)
}

pub(crate) fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Method::POST, path, id, summary)
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
