//! What one engine says about its containers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::IntoIter;

use portlease_core::{Container, Name, Timestamp};

use crate::api::{Answer, Connection, HostConfig, Inspected, Listed};
use crate::container::{ContainerDetails, Published};
use crate::endpoint::Endpoint;
use crate::fault::FaultKind;

/// How long all inspections of a look may take.
const INSPECTION_LIMIT: Duration = Duration::from_secs(1);
/// How long a container has to end by itself, in seconds, as with `docker stop`.
const GRACE: u64 = 10;
/// How long an engine has to stop or remove a container beyond that.
const ACTION_LIMIT: Duration = Duration::from_secs(10);
/// How many containers are inspected at once.
const AT_ONCE: usize = 32;

/// The containers of one engine, by their id. What stopped containers publish cannot change, so
/// each is inspected once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) containers: BTreeMap<Name, Arc<ContainerDetails>>,
}

/// Asks the engine for all containers, and inspects those about which the list does not say
/// enough. None, when no engine is there.
pub(crate) fn ask(
    endpoint: &Endpoint,
    earlier: &Known,
    deadline: Instant,
) -> Result<Option<Known>, FaultKind> {
    let mut connection = match Connection::open(endpoint, deadline) {
        Ok(connection) => connection,
        Err(None) => return Ok(None),
        Err(Some(fault)) => return Err(fault),
    };
    let Some(Answer { value, is_podman }) =
        connection.ask::<Vec<Listed>>("/containers/json?all=1")?
    else {
        return Err(FaultKind::Refused(404));
    };
    let (mut known, unclear) = sort(value, &endpoint.name(), is_podman, earlier)?;
    for details in inspect_all(endpoint, unclear)? {
        let id = details.identity.id.clone();
        known.containers.insert(id, Arc::new(details));
    }
    Ok(Some(known))
}

/// Those that the list says enough about, or that were inspected earlier, and the others.
pub(crate) fn sort(
    list: Vec<Listed>,
    engine: &Name,
    is_podman: bool,
    earlier: &Known,
) -> Result<(Known, Vec<ContainerDetails>), FaultKind> {
    let mut known = Known::default();
    let mut unclear = Vec::new();
    for listed in list {
        let Ok(id) = listed.id.parse::<Name>() else {
            return Err(FaultKind::Nonsense("a container without an id".to_owned()));
        };
        let mut details = read(listed, engine, &id);
        // Docker lists no ports of containers that are stopped, Podman only the first of several in a row.
        if is_podman || !matches!(details.state.as_str(), "running" | "paused") {
            match earlier.containers.get(&id) {
                Some(earlier) if earlier.state == details.state && earlier.is_clear => {
                    details.publishes.clone_from(&earlier.publishes);
                    details.is_on_host_network = earlier.is_on_host_network;
                }
                _ => {
                    unclear.push(details);
                    continue;
                }
            }
        }
        known.containers.insert(id, Arc::new(details));
    }
    Ok((known, unclear))
}

/// Adds what inspections tell, some at once, each on a connection of its own: an engine lets those wait who ask about a
/// container that it is starting. Such a one stays unclear. One that is gone by now publishes nothing.
fn inspect_all(
    endpoint: &Endpoint,
    unclear: Vec<ContainerDetails>,
) -> Result<Vec<ContainerDetails>, FaultKind> {
    let deadline = Instant::now() + INSPECTION_LIMIT;
    let workers = unclear.len().min(AT_ONCE);
    let rest = Mutex::new(unclear.into_iter());
    let work = || inspect_some(endpoint, &rest, deadline);
    let inspected: Vec<_> = thread::scope(|scope| {
        // The caller works as well, so that a system without another thread has one.
        let others: Vec<_> = (1..workers)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let own = (workers > 0).then(work);
        let others = others.into_iter().filter_map(|worker| worker.join().ok());
        own.into_iter().chain(others).collect()
    });
    let mut clear = Vec::new();
    for some in inspected {
        clear.extend(some?);
    }
    Ok(clear)
}

/// Inspects one after the other, until none is left.
fn inspect_some(
    endpoint: &Endpoint,
    rest: &Mutex<IntoIter<ContainerDetails>>,
    deadline: Instant,
) -> Result<Vec<ContainerDetails>, FaultKind> {
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    let mut clear = Vec::new();
    while let Some(details) = next() {
        match inspect(endpoint, &details, deadline) {
            Ok(Some(config)) => clear.push(completed(details, config)),
            Ok(None) => {}
            Err(FaultKind::TimedOut) => clear.push(ContainerDetails {
                is_clear: false,
                ..details
            }),
            Err(fault) => return Err(fault),
        }
    }
    Ok(clear)
}

fn inspect(
    endpoint: &Endpoint,
    details: &ContainerDetails,
    deadline: Instant,
) -> Result<Option<HostConfig>, FaultKind> {
    let connection = Connection::open(endpoint, deadline);
    let gone = || FaultKind::Unreachable("it is gone".to_owned());
    let mut connection = connection.map_err(|fault| fault.unwrap_or_else(gone))?;
    let path = format!("/containers/{}/json", details.identity.id);
    let answer = connection.ask::<Inspected>(&path)?;
    Ok(answer.map(|answer| answer.value.host_config.unwrap_or_default()))
}

/// Stops and removes a container. One that is paused cannot end by itself.
pub(crate) fn remove(endpoint: &Endpoint, container: &ContainerDetails) -> Result<(), FaultKind> {
    let path = format!("/containers/{}", container.identity.id);
    let act = |method: &str, path: &str| {
        let deadline = Instant::now() + Duration::from_secs(GRACE) + ACTION_LIMIT;
        match Connection::open(endpoint, deadline) {
            Ok(mut connection) => connection.act(method, path),
            // Without its engine it is on no port.
            Err(None) => Ok(()),
            Err(Some(fault)) => Err(fault),
        }
    };
    if matches!(container.state.as_str(), "running" | "restarting") {
        act("POST", &format!("{path}/stop?t={GRACE}"))?;
    }
    act("DELETE", &format!("{path}?force=true"))
}

fn read(listed: Listed, engine: &Name, id: &Name) -> ContainerDetails {
    let name = listed.names.into_iter().flatten().next();
    let name = name.and_then(|name| name.trim_start_matches('/').parse().ok());
    let state = listed.state.and_then(|state| state.parse().ok());
    let published = listed.ports.into_iter().flatten().filter_map(|port| {
        let protocol = port.r#type.as_deref().unwrap_or("tcp");
        Published::listed(
            port.public_port?,
            protocol,
            port.ip.as_deref().unwrap_or(""),
        )
    });
    let network = listed.host_config.and_then(|config| config.network_mode);
    ContainerDetails {
        identity: Container {
            engine: engine.clone(),
            id: id.clone(),
        },
        name: name.unwrap_or_else(|| id.clone()),
        state: state.unwrap_or_else(|| Name::literal("unknown")),
        created_at: listed
            .created
            .map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1_000))),
        is_clear: true,
        labels: listed.labels.unwrap_or_default(),
        is_on_host_network: network.as_deref() == Some("host"),
        publishes: published.collect(),
    }
}

/// With what an inspection tells more than the list.
pub(crate) fn completed(mut details: ContainerDetails, config: HostConfig) -> ContainerDetails {
    details.is_on_host_network |= config.network_mode.as_deref() == Some("host");
    for (inside, bindings) in config.port_bindings.unwrap_or_default() {
        for binding in bindings.unwrap_or_default() {
            let address = binding.host_ip.unwrap_or_default();
            let ports = binding.host_port.unwrap_or_default();
            let Some(published) = Published::bound(&inside, &address, &ports) else {
                continue;
            };
            // What the engine chose of several ports stands in the list.
            let is_told = details.publishes.iter().any(|told| {
                told.protocol == published.protocol
                    && told.ports.intersection(published.ports).is_some()
            });
            if !is_told {
                details.publishes.push(published);
            }
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Protocol;

    /// What is read from a container in a list and its inspection, told as a line.
    fn check(listed: &str, inspected: &str, expected: &str) {
        let listed: Listed = serde_json::from_str(listed).unwrap();
        let details = read(listed, &Name::literal("docker"), &Name::literal("0123"));
        let inspected: Inspected = serde_json::from_str(inspected).unwrap();
        let details = completed(details, inspected.host_config.unwrap_or_default());
        let told: Vec<String> = details.publishes.iter().map(tell).collect();
        assert_eq!(format!("{details}: {}", told.join(", ")), expected);
    }

    fn tell(published: &Published) -> String {
        let protocol = match published.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Other => "other",
        };
        match published.address {
            Some(address) => format!("{} {protocol} on {address}", published.ports),
            None => format!("{} {protocol}", published.ports),
        }
    }

    #[test]
    fn a_running_container_of_docker_is_told_by_the_list() {
        check(
            r#"{"Id":"0123","Names":["/web-1"],"State":"running","Ports":[
                {"IP":"127.0.0.1","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                {"PrivatePort":443,"Type":"tcp"},
                {"IP":"::1","PrivatePort":53,"PublicPort":8053,"Type":"udp"}],"New":{}}"#,
            "{}",
            "container web-1 (docker, running): 8080 tcp on 127.0.0.1, 8053 udp on ::1",
        );
    }

    #[test]
    fn a_stopped_container_of_docker_is_told_by_its_inspection() {
        check(
            r#"{"Id":"0123","Names":["/web-1"],"State":"exited","Ports":[]}"#,
            r#"{"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}],
                "81/tcp":[{"HostIp":"","HostPort":""}],"82/tcp":null,
                "53/udp":[{"HostIp":"0.0.0.0","HostPort":"8000-8010"}]}}}"#,
            "container web-1 (docker, exited): 8000–8010 udp, 8080 tcp",
        );
    }

    #[test]
    fn podman_lists_the_first_of_a_range_and_inspection_tells_the_others() {
        check(
            r#"{"Id":"0123","Names":["/web-1"],"State":"stopped","Labels":null,"Ports":[
                {"PrivatePort":80,"PublicPort":8080,"Type":"tcp"}]}"#,
            r#"{"HostConfig":{"NetworkMode":"bridge","PortBindings":{
                "80/tcp":[{"HostIp":"","HostPort":"8080"}],"81/tcp":[{"HostIp":"","HostPort":"8081"}]}}}"#,
            "container web-1 (docker, stopped): 8080 tcp, 8081 tcp",
        );
    }

    #[test]
    fn what_the_engine_chose_of_several_ports_is_the_only_one() {
        check(
            r#"{"Id":"0123","Names":["/web-1"],"State":"running","Ports":[
                {"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8003,"Type":"tcp"}]}"#,
            r#"{"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8000-8010"}]}}}"#,
            "container web-1 (docker, running): 8003 tcp",
        );
    }

    #[test]
    fn nameless_and_stateless_containers_are_containers() {
        check(
            r#"{"Id":"0123"}"#,
            "{}",
            "container 0123 (docker, unknown): ",
        );
    }
}
