//! C: services that belong together, and services that are in each other's way.

use serde_json::{Value as Json, json};

use super::Case;
use super::situation::{facts, lease, leased, occupied, process, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = declared();
    cases.extend(inheritance());
    cases.extend(strategies());
    cases.extend(moves());
    cases
}

fn declared() -> Vec<Case> {
    vec![
        Case::new("C1", "a service as it is declared")
            .on_empty()
            .plan(&json!({"service": "api", "preferred": [4000], "basePort": 4100, "maxPort": 4110, "priority": 7,
                "requires": ["https", "websocket"], "conflicts": ["hmr"]}))
            .expects(json!({"port": 4000, "tier": "preferred", "/ok/reserved/services/0/lease/priority": 7,
                "/ok/reserved/services/0/lease/requires": ["https", "websocket"], "/ok/request/services/0/conflicts": ["hmr"]})),
        Case::new("C1", "a higher priority is served first")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000}, {"service": "b", "basePort": 4000, "priority": 1}]}))
            .expects(json!({"ports": [4001, 4000]})),
        Case::new("C1", "a lower priority last")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "priority": -1}, {"service": "b", "basePort": 4000}]}))
            .expects(json!({"ports": [4001, 4000]})),
        Case::new("C1", "equal ones in the order of the request")
            .on_empty()
            .plan(&json!({"services": [{"service": "z", "basePort": 4000}, {"service": "a", "basePort": 4000}]}))
            .expects(json!({"ports": [4000, 4001]})),
        Case::new("C1", "a port that a variable names comes before all priorities")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "priority": 9},
                {"service": "b", "basePort": 4100, "envVar": {"name": "PORT", "value": "4000"}}]}))
            .expects(json!({"ports": [4001, 4000]})),
        Case::new("C1", "a port that is preferred does not")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "priority": 9},
                {"service": "b", "basePort": 4100, "preferred": [4000]}]}))
            .expects(json!({"ports": [4000, 4100]})),
        Case::new("C1", "whoever insists before whoever prefers")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4100, "preferred": [4000], "priority": 9},
                {"service": "b", "port": 4000}]}))
            .expects(json!({"ports": [4100, 4000]})),
        Case::new("C1", "services that must not share a port do not")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "conflicts": ["b"]}, {"service": "b", "basePort": 4000}]}))
            .expects(json!({"ports": [4000, 4001]})),
        Case::new("C1", "the largest and the smallest priority")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "priority": i32::MIN},
                {"service": "b", "basePort": 4000, "priority": i32::MAX}]}))
            .expects(json!({"ports": [4001, 4000]})),
    ]
}

fn inheritance() -> Vec<Case> {
    let with_live =
        |live: Json| json!({"services": [live, {"service": "web", "framework": "vite"}]});
    let followed = || {
        let lease = with(
            lease("shop/web", 3005),
            &json!({"followers": [{"service": "live", "requires": ["websocket"]}]}),
        );
        leased(&[lease])
    };
    vec![
        Case::new("C2", "a service takes the port of another")
            .on_empty()
            .plan(&with_live(json!({"service": "live", "inheritFrom": "web"})))
            .expects(json!({"ports": [5173, 5173], "outcomes": ["inherited", "new"]})),
        Case::new("C2", "over several steps, in whatever order")
            .on_empty()
            .plan(&json!({"services": [{"service": "c", "inheritFrom": "b"}, {"service": "b", "inheritFrom": "a"},
                {"service": "a", "framework": "astro"}]}))
            .expects(json!({"ports": [4321, 4321, 4321]})),
        Case::new("C2", "it takes the port of a service that is leased already")
            .on(&leased(&[lease("shop/web", 3005)]))
            .plan(&json!({"service": "live", "inheritFrom": "web"}))
            .expects(json!({"port": 3005, "outcome": "inherited"})),
        Case::new("C2", "it follows when the other one moves")
            .on(&with(followed(), &json!({"facts": facts([3005])})))
            .plan(&json!({"services": [{"service": "web", "framework": "next"}, {"service": "live", "inheritFrom": "web"}]}))
            .expects(json!({"ports": [3000, 3000], "/ok/reserved/services/1/previousPort": 3005})),
        Case::new("C2", "what it speaks is its own")
            .on_empty()
            .plan(&with_live(json!({"service": "live", "inheritFrom": "web", "requires": ["websocket"]})))
            .expects(json!({"/ok/reserved/services/0/lease/followers": [{"service": "live", "requires": ["websocket"]}]})),
        Case::new("C2", "it cannot inherit from what there is not")
            .on_empty()
            .plan(&with_live(json!({"service": "live", "inheritFrom": "wep"})))
            .expects(json!({"code": "UNKNOWN_SERVICE", "details": {"service": "live", "unknown": "wep", "known": ["web"]}})),
        Case::new("C2", "a circle of two")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "inheritFrom": "b"}, {"service": "b", "inheritFrom": "a"}]}))
            .expects(json!({"code": "DEPENDENCY_CYCLE", "details": {"services": ["a", "b"]}})),
        Case::new("C2", "a service cannot inherit from itself")
            .on_empty()
            .plan(&json!({"service": "a", "inheritFrom": "a"}))
            .expects(json!({"code": "DEPENDENCY_CYCLE", "says": "a → a"})),
        Case::new("C2 C1", "who inherits a port cannot be in conflict with it")
            .on_empty()
            .plan(&with_live(json!({"service": "live", "inheritFrom": "web", "conflicts": ["web"]})))
            .expects(json!({"code": "CONFLICT_UNRESOLVED", "details": {"service": "live", "with": "web", "port": 5173}})),
    ]
}

/// A wish for port 3000, or a host on which somebody else has it.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn strategies() -> Vec<Case> {
    let wish = |strategy: &str, more: Json| {
        with(
            json!({"framework": "next", "port": 3000, "strategy": strategy}),
            &more,
        )
    };
    let preferring =
        |strategy: &str| json!({"framework": "next", "preferred": [3000], "strategy": strategy});
    let held = |more: Json| leased(&[with(lease("blog/web", 3000), &more)]);
    let live = || {
        with(
            held(json!({"holder": process(42), "state": "live"})),
            &json!({"facts": {"now": 1_000_000, "occupied": [{"port": 3000, "occupant": {"holder": process(42)}}]}}),
        )
    };
    let stays = |why: &str| json!({"code": "PORT_UNAVAILABLE", "/error/details/stays": why, "/error/details/by/project": "blog"});
    let case = |name: &str, host: &Json, wish: &Json, expected: Json| {
        Case::new("C3", name).on(host).plan(wish).expects(expected)
    };
    let nothing = json!({});
    vec![
        case(
            "conservative: nobody moves",
            &held(nothing.clone()),
            &wish("conservative", nothing.clone()),
            stays("conservative"),
        ),
        case(
            "conservative: whoever would take another port gets another",
            &held(nothing.clone()),
            &preferring("conservative"),
            json!({"port": 3001, "moves": []}),
        ),
        case(
            "minimal: whoever insists gets it, and the other moves",
            &held(nothing.clone()),
            &wish("minimal", nothing.clone()),
            json!({"port": 3000, "moves": [[3000, 3001]]}),
        ),
        case(
            "minimal is meant when nothing is said",
            &held(nothing.clone()),
            &json!({"framework": "next", "port": 3000}),
            json!({"port": 3000, "moves": [[3000, 3001]]}),
        ),
        case(
            "minimal: whoever prefers does not insist",
            &held(nothing.clone()),
            &preferring("minimal"),
            json!({"port": 3001, "moves": []}),
        ),
        case(
            "minimal: who runs stays",
            &live(),
            &wish("minimal", nothing.clone()),
            stays("live"),
        ),
        case(
            "minimal: who has the higher priority stays",
            &held(json!({"priority": 2})),
            &wish("minimal", json!({"priority": 1})),
            stays("higherPriority"),
        ),
        case(
            "minimal: an equal priority does not help",
            &held(json!({"priority": 2})),
            &wish("minimal", json!({"priority": 2})),
            json!({"port": 3000, "moves": [[3000, 3001]]}),
        ),
        case(
            "minimal: who has nowhere to go stays",
            &held(json!({"range": [3000, 3000]})),
            &wish("minimal", nothing.clone()),
            stays("nowhereToGo"),
        ),
        case(
            "aggressive: whoever prefers gets it",
            &held(nothing.clone()),
            &preferring("aggressive"),
            json!({"port": 3000, "moves": [[3000, 3001]]}),
        ),
        case(
            "aggressive: also of one with a higher priority",
            &held(json!({"priority": 2})),
            &preferring("aggressive"),
            json!({"port": 3000, "moves": [[3000, 3001]]}),
        ),
        case(
            "aggressive: who has nowhere to go is evicted",
            &held(json!({"range": [3000, 3000]})),
            &wish("aggressive", nothing.clone()),
            json!({"port": 3000, "moves": [[3000, null]]}),
        ),
        case(
            "aggressive: nobody moves for a search",
            &held(nothing.clone()),
            &json!({"framework": "next", "strategy": "aggressive"}),
            json!({"port": 3001, "moves": []}),
        ),
        case(
            "a program without a lease is moved by nobody",
            &occupied([3000]),
            &wish("aggressive", nothing.clone()),
            json!({"code": "PORT_UNAVAILABLE", "/error/details/verdict": "occupied"}),
        ),
    ]
}

fn moves() -> Vec<Case> {
    let held = || leased(&[lease("blog/web", 3000)]);
    let wish = |more: Json| with(json!({"framework": "next", "port": 3000}), &more);
    vec![
        Case::new("C4", "a move is told with its reason")
            .on(&held())
            .plan(&wish(json!({})))
            .expects(json!({"/ok/reserved/moves/0/project": "blog", "/ok/reserved/moves/0/from": 3000,
                "/ok/reserved/moves/0/to": 3001, "/ok/planned/displaced/0/generation": 3000, "/ok/planned/displaced/0/to": 3001})),
        Case::new("C4", "moves can be switched off")
            .on(&held())
            .plan(&wish(json!({"autoReassign": false})))
            .expects(json!({"code": "PORT_UNAVAILABLE", "/error/details/stays": "noReassign"})),
        Case::new("C4", "moves can be switched off, whatever the strategy")
            .on(&held())
            .plan(&wish(json!({"autoReassign": false, "strategy": "aggressive"})))
            .expects(json!({"code": "PORT_UNAVAILABLE", "/error/details/stays": "noReassign"})),
        Case::new("C4", "how often a race may be lost is told to whoever confirms")
            .on_empty()
            .plan(&json!({"maxRetries": 3}))
            .expects(json!({"/ok/request/maxRetries": 3})),
        Case::new("C4", "two that stand in the way both move")
            .on(&leased(&[lease("blog/web", 3000), lease("docs/web", 3001)]))
            .plan(&json!({"services": [{"service": "a", "framework": "next", "port": 3000},
                {"service": "b", "framework": "next", "port": 3001}]}))
            .expects(json!({"ports": [3000, 3001], "moves": [[3000, 3002], [3001, 3003]]})),
    ]
}
