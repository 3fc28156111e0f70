//! `portlease health`

use std::time::Duration;

use portlease::core::{Lease, LeaseKey, Port};
use portlease::{
    Allocator, Error, HealthChange, HealthCheck, HealthMonitor, HealthStatus, check_health,
};
use serde::Serialize;
use serde_json::json;

use crate::arguments::Health;
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{self, Cell};
use crate::{selection, subjects};

pub(crate) fn run(task: &Health) -> Result<u8, Failure> {
    health(task).map_err(|failure| failure.told_as_json(task.json))
}

fn health(task: &Health) -> Result<u8, Failure> {
    let allocator = selection::open_here()?;
    let servers = servers(task, &allocator)?;
    for server in servers
        .iter()
        .filter(|server| server.check(task).is_encrypted())
    {
        if task.http.is_some() {
            output::warning(format_args!(
                "{} speaks HTTPS, and this check does not: only its connection is checked.",
                server.name()
            ));
        }
    }
    match task.watch {
        None => Ok(once(task, &servers)),
        Some(pause) => {
            watch(task, &allocator, servers, pause);
            Ok(Code::Done.into())
        }
    }
}

/// A port to ask, and whose it is.
struct Server {
    port: Port,
    lease: Option<Lease>,
}

impl Server {
    fn of(lease: &Lease) -> Self {
        Self {
            port: lease.port,
            lease: Some(lease.clone()),
        }
    }

    fn check(&self, task: &Health) -> HealthCheck {
        let check = self
            .lease
            .as_ref()
            .map_or(HealthCheck::of(self.port), HealthCheck::of_lease)
            .timeout(task.timeout);
        match &task.http {
            Some(path) => check.get(path.clone()),
            None => check,
        }
    }

    fn key(&self) -> Option<&LeaseKey> {
        self.lease.as_ref().map(|lease| &lease.key)
    }

    fn name(&self) -> String {
        match &self.lease {
            Some(lease) => subjects::label(lease),
            None => "–".to_owned(),
        }
    }
}

/// Whom the user asks about, each port once.
fn servers(task: &Health, allocator: &Allocator) -> Result<Vec<Server>, Failure> {
    let leases = allocator.list(task.project.as_ref())?;
    let mut servers: Vec<Server> = Vec::new();
    if task.targets.is_empty() {
        servers.extend(leases.iter().map(Server::of));
    }
    for target in &task.targets {
        servers.extend(named(target, &leases)?);
    }
    let mut seen = portlease::core::PortSet::new();
    servers.retain(|server| seen.insert(server.port));
    Ok(servers)
}

fn named(target: &str, leases: &[Lease]) -> Result<Vec<Server>, Failure> {
    if target.bytes().all(|letter| letter.is_ascii_digit()) {
        let port: Port = target
            .parse()
            .map_err(|error: portlease::core::InvalidPort| Error::Refused(error.into()))?;
        let lease = leases.iter().find(|lease| lease.port == port).cloned();
        return Ok(vec![Server { port, lease }]);
    }
    let is_meant = |lease: &&Lease| {
        let followers = lease.followers.iter().map(|follower| &follower.service);
        let mut services = followers.chain([&lease.key.service]);
        services.any(|service| **service == *target)
    };
    let found: Vec<Server> = leases.iter().filter(is_meant).map(Server::of).collect();
    if found.is_empty() {
        let message =
            format!("No service {target:?} is leased. `portlease ports` lists those that are.");
        return Err(Failure::new(Code::Nothing, "NOT_LEASED", message));
    }
    Ok(found)
}

/// What is told of a server, with the lease that it has.
#[derive(Serialize)]
struct Told<'a, T> {
    #[serde(flatten)]
    key: Option<&'a LeaseKey>,
    #[serde(flatten)]
    health: &'a T,
}

fn once(task: &Health, servers: &[Server]) -> u8 {
    let checks: Vec<HealthCheck> = servers.iter().map(|server| server.check(task)).collect();
    let healths = check_health(&checks);
    let both = || servers.iter().zip(&healths);
    if task.json {
        let told = both().map(|(server, health)| Told {
            key: server.key(),
            health,
        });
        output::json(&told.collect::<Vec<_>>());
    } else if healths.is_empty() {
        output::note(format_args!(
            "No port is leased, so there is nobody to ask."
        ));
    } else {
        let rows: Vec<Vec<Cell>> = both().map(|(server, health)| row(server, health)).collect();
        output::table(&["PORT", "SERVICE", "STATUS", "LATENCY"], &rows);
    }
    let all_are_well = healths.iter().all(portlease::Health::is_healthy);
    if all_are_well {
        Code::Done
    } else {
        Code::Unwell
    }
    .into()
}

fn row(server: &Server, health: &portlease::Health) -> Vec<Cell> {
    let text = status(health);
    vec![
        health.port.to_string().into(),
        server.name().into(),
        match health.status {
            HealthStatus::Healthy => Cell::well(text),
            _ => Cell::bad(text),
        },
        latency(health).into(),
    ]
}

fn status(health: &portlease::Health) -> String {
    match (health.http_status, &health.problem) {
        (Some(status), _) if !health.is_healthy() => format!("HTTP {status}"),
        (_, Some(problem)) => problem.clone(),
        _ => health.status.to_string(),
    }
}

/// `0.3 ms`
fn latency(health: &portlease::Health) -> String {
    match health.latency_micros {
        Some(micros) => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        None => "–".to_owned(),
    }
}

/// Tells what changes until somebody presses Ctrl-C, which ends this process as any other, or
/// nobody reads any more.
fn watch(task: &Health, allocator: &Allocator, mut servers_now: Vec<Server>, pause: Duration) {
    let (asked, registry) = (task.clone(), allocator.clone());
    let checks = move || {
        // Leases come and go. When they cannot be read for once, the last ones are asked again.
        if let Ok(servers) = servers(&asked, &registry) {
            servers_now = servers;
        }
        let check = |server: &Server| server.check(&asked);
        servers_now.iter().map(check).collect()
    };
    for change in HealthMonitor::new().watch(pause, checks) {
        let leases = allocator.list(None).unwrap_or_default();
        let port = change.health.port;
        let server = Server {
            port,
            lease: leases.into_iter().find(|lease| lease.port == port),
        };
        if tell(task, &server, &change).is_err() {
            return;
        }
    }
}

fn tell(task: &Health, server: &Server, change: &HealthChange) -> std::io::Result<()> {
    let health = &change.health;
    if task.json {
        let told = Told {
            key: server.key(),
            health: change,
        };
        return output::print(format_args!("{}", json!(told)));
    }
    let previous = change.previous.map(|status| status.to_string());
    let (now, latency) = (status(health), latency(health));
    if !output::is_terminal() {
        let previous = previous.unwrap_or_else(|| "–".to_owned());
        let (port, name) = (health.port, server.name());
        return output::print(format_args!("{port}\t{name}\t{previous}\t{now}\t{latency}"));
    }
    let style = if health.is_healthy() {
        output::GREEN
    } else {
        output::RED
    };
    let before = previous.map_or_else(String::new, |previous| format!("{previous} → "));
    output::print(format_args!(
        "{} {}: {before}{style}{now}{style:#} {latency}",
        health.port,
        server.name()
    ))
}
