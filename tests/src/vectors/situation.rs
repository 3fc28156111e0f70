//! Hosts to plan for.

use serde_json::{Value as Json, json};

/// A host with these leases.
pub(super) fn leased(leases: &[Json]) -> Json {
    json!({"host": "runner-7", "registry": {"leases": leases, "lastGeneration": 65_535}})
}

/// A host with these memories.
pub(super) fn remembered(memories: &[Json]) -> Json {
    json!({"host": "runner-7", "registry": {"memories": memories, "lastGeneration": 65_535}})
}

/// A host on whose ports other programs are.
pub(super) fn occupied(ports: impl IntoIterator<Item = u16>) -> Json {
    json!({"host": "runner-7", "facts": facts(ports)})
}

pub(super) fn facts(ports: impl IntoIterator<Item = u16>) -> Json {
    let occupied: Vec<Json> = ports
        .into_iter()
        .map(|port| json!({"port": port}))
        .collect();
    json!({"now": 1_000_000, "occupied": occupied})
}

/// A host with these settings.
pub(super) fn configured(settings: &Json) -> Json {
    json!({"host": "runner-7", "settings": settings})
}

/// The lease of a service such as `shop/web` to a port of Next.js. Its generation is the number of the port.
pub(super) fn lease(key: &str, port: u16) -> Json {
    let (project, service) = key.split_once('/').expect("a key has a slash");
    json!({
        "project": project, "service": service, "port": port, "framework": "next", "generation": port, "state": "reserved",
        "range": [3000, 3100], "tier": "scan", "grantedAt": 500_000, "renewedAt": 500_000,
    })
}

/// The memory of a service such as `shop/web`, which was given up at a moment.
pub(super) fn memory(key: &str, port: u16, released_at: u32) -> Json {
    let (project, service) = key.split_once('/').expect("a key has a slash");
    json!({"project": project, "service": service, "port": port, "releasedAt": released_at})
}

/// The value with more keys, or others.
pub(super) fn with(mut value: Json, more: &Json) -> Json {
    let more = more.as_object().expect("it is an object").clone();
    value.as_object_mut().expect("it is an object").extend(more);
    value
}

/// A process.
pub(super) fn process(pid: u32) -> Json {
    json!({"kind": "process", "pid": pid, "started": 170, "boot": "b7"})
}
