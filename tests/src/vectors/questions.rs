//! What can be asked besides: sets of ports, usage, settings, the host itself.

use serde_json::json;

use super::Case;
use super::situation::{facts, lease, leased, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = sets();
    cases.extend(hosts());
    cases
}

fn sets() -> Vec<Case> {
    vec![
        Case::new("A6", "ports of several sets")
            .ask(&json!({"union": [["3000-3010"], [3011, [4000, 4001]]]}))
            .expects(json!({"is": [[3000, 3011], [4000, 4001]]})),
        Case::new("A6", "ports that all sets have")
            .ask(&json!({"intersection": [[[3000, 3100]], ["3050-4000"], [3060, 3061, 4000]]}))
            .expects(json!({"is": [[3060, 3061]]})),
        Case::new("A6", "ports that only the first set has")
            .ask(&json!({"difference": [[[3000, 3010]], [3000, 3005], ["3010-65535"]]}))
            .expects(json!({"is": [[3001, 3004], [3006, 3009]]})),
        Case::new("A6", "no sets have no ports")
            .ask(&json!({"union": []}))
            .expects(json!({"is": []})),
        Case::new("A6", "all ports without one")
            .ask(&json!({"difference": [[[1, 65_535]], [32_768]]}))
            .expects(json!({"is": [[1, 32_767], [32_769, 65_535]]})),
        Case::new("A6", "no port is no part of a set")
            .ask(&json!({"union": [[3000, 0]]}))
            .expects(json!({"code": "INVALID_PORT", "details": {"value": "0"}})),
        Case::new("A1 A3", "what every host can choose from")
            .ask(&json!({"settings": {}}))
            .expects(
                json!({"/ok/catalog/0/name": "next", "/ok/catalog/0/range": [3000, 3100],
                "/ok/presets/0/service": "webServer", "/ok/pools": [], "/ok/exclude": []}),
            ),
    ]
}

fn hosts() -> Vec<Case> {
    let small = json!({"catalog": [{"name": "default", "range": [9000, 9009], "default": 9000}], "presets": []});
    let host = with(
        leased(&[lease("blog/web", 3000), lease("blog/api", 3001)]),
        &json!({"facts": facts([3005])}),
    );
    vec![
        Case::new("B7", "how full the ranges are")
            .on(&host)
            .ask(&json!({"stats": {"ranges": ["3000-3009"], "top": 1}}))
            .expects(json!({"/ok/ranges/0/leased": 2, "/ok/ranges/0/occupied": 1, "/ok/ranges/0/free": 7})),
        Case::new("A1", "how full the ranges of frameworks are")
            .on(&host)
            .ask(&json!({"stats": {}}))
            .expects(json!({"/ok/ranges/0/name": "parcel", "/ok/ranges/0/leased": 0, "/ok/ranges/2/range": [3000, 3100], "/ok/ranges/2/leased": 2})),
        Case::new("J2", "the host as the planner sees it")
            .on(&json!({"host": "runner-7", "facts": facts([3005]), "settings": small}))
            .ask(&json!({"snapshot": {}}))
            .expects(json!({"/ok/host": "runner-7", "/ok/facts/occupied": [{"port": 3005}], "/ok/registry/leases": []})),
        Case::new("J2", "what was planned is part of it")
            .on(&json!({"host": "runner-7", "settings": small}))
            .ask(&json!({"applyChanges": [{"kind": "remember", "project": "shop", "service": "web", "port": 3000, "releasedAt": 1}]}))
            .ask(&json!({"snapshot": {}}))
            .expects(json!({"/ok/registry/memories": [{"project": "shop", "service": "web", "port": 3000, "releasedAt": 1}]})),
        Case::new("J2", "a host whose catalogue is as small as can be")
            .on(&json!({"host": "runner-7", "settings": small}))
            .plan(&json!({}))
            .expects(json!({"port": 9000})),
        Case::new("J2", "changes that were not made on these leases are not applied")
            .on(&host)
            .ask(&json!({"applyChanges": [{"kind": "grant", "project": "shop", "service": "web", "port": 3001,
                "framework": "next", "generation": 70_000, "state": "reserved", "range": [3000, 3100], "tier": "scan",
                "grantedAt": 0, "renewedAt": 0}, {"kind": "remember", "project": "shop", "service": "web", "port": 3001, "releasedAt": 1}]}))
            .expects(json!({"code": "INVALID_SNAPSHOT"})),
    ]
}
