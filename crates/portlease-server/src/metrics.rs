//! Numbers for Prometheus: what this server did, and what the registry tells.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use portlease::asking::{Counting, Selection};
use portlease::core::LeaseStatus;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::problem::Problem;
use crate::routes::Asked;
use crate::server::Service;
use crate::workers::Pace;

pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a tenth of a millisecond to ten seconds.
const BUCKETS: [f64; 15] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];

/// What this server counts itself.
pub(crate) struct Metrics {
    requests: Family<OfRequest, Counter>,
    latencies: Family<OfRoute, Histogram, fn() -> Histogram>,
    problems: Family<OfCode, Counter>,
    work: Family<OfOperation, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCode {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStatus {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRange {
    range: String,
    state: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        Self {
            requests: Family::default(),
            latencies: Family::new_with_constructor(histogram),
            problems: Family::default(),
            work: Family::new_with_constructor(histogram),
        }
    }

    /// A request was answered.
    pub(crate) fn answered(
        &self,
        route: &'static str,
        status: u16,
        code: Option<&'static str>,
        took: Duration,
    ) {
        self.requests
            .get_or_create(&OfRequest { route, status })
            .inc();
        self.latencies
            .get_or_create(&OfRoute { route })
            .observe(took.as_secs_f64());
        if let Some(code) = code {
            self.problems.get_or_create(&OfCode { code }).inc();
        }
    }

    /// An operation was carried out, which is less than its request took.
    pub(crate) fn worked(&self, operation: &'static str, took: Duration) {
        self.work
            .get_or_create(&OfOperation { operation })
            .observe(took.as_secs_f64());
    }
}

/// All numbers, as they are now.
fn text(service: &Service) -> Result<String, portlease::Error> {
    let mut registry = Registry::with_prefix("portlease");
    let metrics = &service.metrics;
    registry.register(
        "http_requests",
        "Requests by route and status",
        metrics.requests.clone(),
    );
    registry.register_with_unit(
        "http_request_duration",
        "How long requests took, by route",
        Unit::Seconds,
        metrics.latencies.clone(),
    );
    registry.register(
        "problems",
        "Answers that told a problem, by its code",
        metrics.problems.clone(),
    );
    registry.register_with_unit(
        "operation_duration",
        "How long operations took themselves, such as a reserve",
        Unit::Seconds,
        metrics.work.clone(),
    );
    let stats = service.desk.stats(&Counting::default())?;
    let counters = stats.counters;
    for (name, help, value) in [
        ("grants", "Leases that were granted", counters.grants),
        (
            "reuses",
            "Requests that were answered with the lease that was there",
            counters.reuses,
        ),
        (
            "conflicts",
            "Wanted ports that belonged to another service",
            counters.conflicts,
        ),
        ("moves", "Services that had to make way", counters.moves),
        ("refusals", "Requests that were refused", counters.refusals),
        ("releases", "Leases that were given back", counters.releases),
        (
            "swept",
            "Leases that were removed because their owners were gone",
            counters.swept,
        ),
    ] {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    }
    let leases: Family<OfStatus, Gauge> = Family::default();
    for validated in service.desk.validate(&Selection::default())? {
        let status = status(validated.status);
        leases.get_or_create(&OfStatus { status }).inc();
    }
    registry.register("leases", "Leases by what is true of them", leases);
    let usage: Family<OfRange, Gauge> = Family::default();
    for range in stats.ranges {
        for (state, ports) in [
            ("leased", range.leased),
            ("occupied", range.occupied),
            ("free", range.free),
        ] {
            let of = OfRange {
                range: range.name.to_string(),
                state,
            };
            usage.get_or_create(&of).set(ports.into());
        }
    }
    registry.register("ports", "Ports of each range by their use", usage);
    for (name, help, value) in [
        (
            "listeners",
            "Callers that listen to events",
            service.hub.listeners(),
        ),
        (
            "connections",
            "Open connections",
            service.connections.count(),
        ),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    }
    let mut text = String::new();
    // A text takes everything.
    let _ = encode(&mut text, &registry);
    Ok(text)
}

fn status(status: LeaseStatus) -> &'static str {
    match status {
        LeaseStatus::Live => "live",
        LeaseStatus::Idle => "idle",
        LeaseStatus::Stale => "stale",
        LeaseStatus::Hijacked => "hijacked",
    }
}

pub(crate) async fn serve(
    service: Arc<Service>,
    _: Asked,
    _: HeaderMap,
) -> Result<Response, Problem> {
    let own = Arc::clone(&service);
    let text = service
        .workers
        .run(Pace::Quick, move || text(&own))
        .await??;
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
