//! The operations for the other hosts that share the registry: what is leased there, and ports of theirs, which their runners confirm.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use portlease::HostStatus;
use portlease::asking::{Counting, Everywhere, OfHost, OnHost, Patience, Releasing};
use portlease::core::{Host, Lease, Plan, Stats, Wish};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inputs::{Counted, FromBody, FromQuery};
use crate::operations::{post, slow};
use crate::routes::{Hearer, Operation};
use crate::workers::Pace;

/// Why a runner does not confirm: nobody answers there, or the ports are taken.
const BY_RUNNERS: &[StatusCode] = &[StatusCode::CONFLICT];

pub(crate) fn tell(hearer: &mut impl Hearer) {
    hearer.hear(
        slow(
            "/api/hosts",
            "hosts",
            "The hosts that share the registry, and when each was last heard of",
        ),
        |service, (): ()| {
            let hosts = service.desk.hosts()?;
            Ok(Hosts { hosts })
        },
    );
    hearer.hear(
        slow(
            "/api/hosts/leases",
            "leasesEverywhere",
            "The leases of every host; whether they are true, only each host can see",
        ),
        |service, query: FromQuery<OfHosts>| {
            let OfHosts { host, project } = query.0;
            let leases = service.desk.list_everywhere(&Everywhere {
                host,
                project_id: project,
            })?;
            Ok(LeasesEverywhere { leases })
        },
    );
    hearer.hear(
        slow(
            "/api/hosts/stats",
            "statsEverywhere",
            "How the ports of every host are used, as far as the registry tells",
        ),
        |service, query: FromQuery<Counted>| {
            let stats = service.desk.stats_everywhere(&Counting::from(&query.0))?;
            Ok(StatsEverywhere { stats })
        },
    );
    hearer.hear(
        slow(
            "/api/hosts/snapshot",
            "snapshotOf",
            "Another host as its runner saw it last, for a planner",
        )
        .problems(BY_RUNNERS),
        |service, query: FromQuery<OfHost>| service.desk.snapshot_of(&query.0),
    );
    hearer.hear(
        post(
            "/api/hosts/leases",
            "reserveOn",
            "Lease ports on another host, whose runner confirms them",
        )
        .pace(Pace::Patient)
        .problems(BY_RUNNERS),
        |service, (on, wish): (FromQuery<OnHost>, FromBody<Wish>)| {
            service.desk.reserve_on(&on.0, &wish.0)
        },
    );
    hearer.hear(
        post(
            "/api/hosts/plans",
            "confirmPlanOn",
            "Have a plan for another host confirmed by its runner",
        )
        .pace(Pace::Patient)
        .problems(BY_RUNNERS),
        |service, (patience, plan): (FromQuery<Patience>, FromBody<Plan>)| {
            service.desk.confirm_plan_on(&plan.0, &patience.0)
        },
    );
    hearer.hear(
        Operation::new(
            Method::DELETE,
            "/api/hosts/leases",
            "releaseOn",
            "Give leases of another host back",
        )
        .problems(&[StatusCode::CONFLICT]),
        |service, (on, leases): (FromQuery<OfHost>, FromBody<Releasing>)| {
            service.desk.release_on(&on.0, &leases.0)
        },
    );
}

/// Which leases are meant.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OfHosts {
    /// The host; all of them when nothing is said.
    #[schemars(with = "Host")]
    host: Option<Host>,
    /// The project; all of them when nothing is said.
    #[schemars(with = "portlease::core::Name")]
    project: Option<String>,
}

/// The hosts that share the registry.
#[derive(Debug, Serialize, JsonSchema)]
struct Hosts {
    /// One entry for each, by name.
    hosts: Vec<HostStatus>,
}

/// The leases of hosts.
#[derive(Debug, Serialize, JsonSchema)]
struct LeasesEverywhere {
    /// The leases of each host, by port.
    #[schemars(with = "BTreeMap<String, Vec<Lease>>")]
    leases: BTreeMap<Host, Vec<Lease>>,
}

/// How the ports of hosts are used.
#[derive(Debug, Serialize, JsonSchema)]
struct StatsEverywhere {
    /// How those of each host are.
    #[schemars(with = "BTreeMap<String, Stats>")]
    stats: BTreeMap<Host, Stats>,
}
