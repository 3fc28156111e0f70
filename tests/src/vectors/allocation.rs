//! B: who gets which port, keeps it, and is refused it.

use serde_json::{Value as Json, json};

use super::Case;
use super::situation::{facts, lease, leased, memory, occupied, process, remembered, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = reuse();
    cases.extend(memories());
    cases.extend(blind());
    cases.extend(several());
    cases.extend(refusals());
    cases.extend(owners());
    cases.extend(instances());
    cases
}

fn next() -> Json {
    json!({"framework": "next"})
}

fn reuse() -> Vec<Case> {
    let own = || leased(&[lease("shop/web", 3005)]);
    vec![
        Case::new("B1", "a lease is used again")
            .on(&own())
            .plan(&next())
            .expects(json!({"port": 3005, "outcome": "reused", "/ok/reserved/services/0/lease/generation": 3005})),
        Case::new("B1", "a lease of another framework is given up")
            .on(&own())
            .plan(&json!({"framework": "vite"}))
            .expects(json!({"port": 5173, "outcome": "reallocated", "/ok/reserved/services/0/previousPort": 3005})),
        Case::new("B1", "a lease of another framework with the same range")
            .on(&own())
            .plan(&json!({"framework": "node"}))
            .expects(json!({"outcome": "reallocated", "framework": "node"})),
        Case::new("B1", "a lease outside the range is given up")
            .on(&own())
            .plan(&json!({"framework": "next", "basePort": 3050}))
            .expects(json!({"port": 3050, "outcome": "reallocated"})),
        Case::new("B1", "a lease on whose port a stranger is is given up")
            .on(&with(own(), &json!({"facts": facts([3005])})))
            .plan(&next())
            .expects(json!({"port": 3000, "outcome": "reallocated"})),
        Case::new("B1", "a lease on whose port its own process is stays")
            .on(&with(
                leased(&[with(lease("shop/web", 3005), &json!({"holder": process(42), "state": "live"}))]),
                &json!({"facts": {"now": 1_000_000, "occupied": [{"port": 3005, "occupant": {"holder": process(42)}}]}}),
            ))
            .plan(&next())
            .expects(json!({"port": 3005, "outcome": "attached"})),
        Case::new("B1", "one planner plans for several, one after the other")
            .on_empty()
            .plan(&json!({"projectId": "blog", "framework": "next"}))
            .ask(&json!({"applyChanges": [{"kind": "grant", "project": "blog", "service": "web", "port": 3000,
                "framework": "next", "generation": 1, "state": "reserved", "range": [3000, 3100], "tier": "default",
                "grantedAt": 0, "renewedAt": 0}]}))
            .plan(&next())
            .expects(json!({"port": 3001, "/ok/trace/0/by/0/project": "blog"})),
        Case::new("B1 B4", "a port is given up on request, and another one taken")
            .on(&own())
            .plan(&json!({"framework": "next", "forceNew": true}))
            .expects(json!({"outcome": "reallocated", "/ok/reserved/services/0/previousPort": 3005, "port": 3000})),
        Case::new("B4", "the only port of a range cannot be given up for another")
            .on(&leased(&[with(lease("shop/web", 3005), &json!({"range": [3005, 3005]}))]))
            .plan(&json!({"framework": "next", "basePort": 3005, "maxPort": 3005, "forceNew": true}))
            .expects(json!({"code": "RANGE_EXHAUSTED"})),
    ]
}

fn memories() -> Vec<Case> {
    let wish = json!({"basePort": 4000, "maxPort": 4002});
    let others = |released: [u32; 3]| {
        remembered(&[
            memory("a/web", 4000, released[0]),
            memory("b/web", 4001, released[1]),
            memory("c/web", 4002, released[2]),
        ])
    };
    vec![
        Case::new("B2", "the same port again after it was released")
            .on(&remembered(&[memory("shop/web", 3042, 7)]))
            .plan(&next())
            .expects(json!({"port": 3042, "tier": "remembered", "outcome": "new"})),
        Case::new("B2", "what others remember comes last")
            .on(&remembered(&[
                memory("a/web", 4000, 7),
                memory("b/web", 4001, 8),
            ]))
            .plan(&wish)
            .expects(json!({"port": 4002, "/ok/trace/0/verdict": "remembered"})),
        Case::new("B2", "of ports that others remember, the longest unused")
            .on(&others([9, 7, 8]))
            .plan(&wish)
            .expects(json!({"port": 4001})),
        Case::new("B2", "of those that are equally long unused, the lowest")
            .on(&others([7, 7, 7]))
            .plan(&wish)
            .expects(json!({"port": 4000})),
        Case::new(
            "B2",
            "whoever takes a remembered port makes its owner forget it",
        )
        .on(&others([9, 7, 8]))
        .plan(&wish)
        .expects(json!({"/ok/changes/0/kind": "forget", "/ok/changes/0/project": "b"})),
        Case::new(
            "B2",
            "a port that was asked for by name is not what is remembered",
        )
        .on(&remembered(&[memory("shop/web", 3042, 7)]))
        .plan(&json!({"framework": "next", "preferred": [3050]}))
        .expects(json!({"port": 3050, "tier": "preferred"})),
    ]
}

fn blind() -> Vec<Case> {
    vec![
        Case::new(
            "B3",
            "from the registry alone: who is on the ports does not matter",
        )
        .on(&occupied([3000, 3001]))
        .plan(&json!({"framework": "next", "skipPortCheck": true}))
        .expects(json!({"port": 3000, "/ok/request/skipPortCheck": true})),
        Case::new("B3", "from the registry alone: leases matter")
            .on(&leased(&[lease("blog/web", 3000)]))
            .plan(&json!({"framework": "next", "skipPortCheck": true}))
            .expects(json!({"port": 3001})),
        Case::new(
            "B3 J2",
            "whoever was told that a port is taken is not blind any more",
        )
        .on(&with(occupied([3000]), &json!({"refuted": [3001]})))
        .plan(&json!({"framework": "next", "skipPortCheck": true}))
        .expects(json!({"port": 3002, "/ok/request/skipPortCheck": false, "/ok/refuted": [3001]})),
    ]
}

fn several() -> Vec<Case> {
    let three = json!({"services": [{"service": "web", "framework": "next"}, {"service": "api", "framework": "node"},
        {"service": "docs", "framework": "vite"}]});
    vec![
        Case::new("B5", "several services, each on a port of its own")
            .on_empty()
            .plan(&three)
            .expects(json!({"ports": [3000, 3001, 5173], "outcomes": ["new", "new", "new"],
                "/ok/planned/seats/1": {"service": "api", "port": 3001}})),
        Case::new("B5", "all or nothing")
            .on(&occupied(5173..=5273))
            .plan(&three)
            .expects(json!({"code": "RANGE_EXHAUSTED", "/error/details/service": "docs"})),
        Case::new("B5", "one makes room for another of the same request")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "maxPort": 4001},
                {"service": "b", "basePort": 4000, "maxPort": 4000}]}))
            .expects(json!({"ports": [4001, 4000]})),
        Case::new("B5", "three for two ports are one too many")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "basePort": 4000, "maxPort": 4001},
                {"service": "b", "basePort": 4000, "maxPort": 4001}, {"service": "c", "basePort": 4000, "maxPort": 4001}]}))
            .expects(json!({"code": "RANGE_EXHAUSTED", "/error/details/tally/claimed": 2})),
        Case::new("B5", "a service twice")
            .on_empty()
            .plan(&json!({"services": [{"service": "web"}, {}]}))
            .expects(json!({"code": "DUPLICATE_SERVICE", "details": {"service": "web"}})),
        Case::new("B5", "no services")
            .on_empty()
            .plan(&json!({"services": []}))
            .expects(json!({"code": "NO_SERVICES", "details": {}})),
    ]
}

fn refusals() -> Vec<Case> {
    let insisting = json!({"framework": "next", "port": 3000});
    let on = |occupant: Json| json!({"host": "runner-7", "facts": {"now": 0, "occupied": [{"port": 3000, "occupant": occupant}]}});
    let mixed = with(
        leased(&[lease("a/web", 3000), lease("b/web", 3001)]),
        &json!({"facts": facts([3002]), "settings": {"exclude": [3003]}}),
    );
    vec![
        Case::new("B6", "an explicit port that is free")
            .on_empty()
            .plan(&insisting)
            .expects(json!({"port": 3000, "tier": "preferred"})),
        Case::new("B6", "an explicit port on which a process is")
            .on(&on(json!({"holder": process(42), "name": "node"})))
            .plan(&insisting)
            .expects(json!({"code": "PORT_UNAVAILABLE", "says": "Port 3000 is in use: node (pid 42).",
                "/error/details/verdict": "occupied"})),
        Case::new("B6", "an explicit port on which a container is")
            .on(&on(json!({"holder": {"kind": "container", "engine": "docker", "id": "0123456789abcdef"}})))
            .plan(&insisting)
            .expects(json!({"code": "PORT_UNAVAILABLE", "says": "docker container 0123456789ab"})),
        Case::new("B6", "an explicit port on which nobody knows who is")
            .on(&occupied([3000]))
            .plan(&insisting)
            .expects(json!({"code": "PORT_UNAVAILABLE", "/error/details/port": 3000})),
        Case::new("B6", "an explicit port outside the range")
            .on_empty()
            .plan(&json!({"framework": "next", "port": 9000}))
            .expects(json!({"port": 9000, "tier": "preferred"})),
        Case::new("B6", "an explicit port that browsers refuse")
            .on_empty()
            .plan(&json!({"port": 6000}))
            .expects(json!({"code": "PORT_UNAVAILABLE", "says": "tcp", "/error/details/verdict": "browserBlocked"})),
        Case::new("B6", "two services that insist on one port")
            .on_empty()
            .plan(&json!({"services": [{"service": "a", "port": 4000}, {"service": "b", "port": 4000}]}))
            .expects(json!({"code": "PORT_UNAVAILABLE", "/error/details/service": "b", "/error/details/verdict": "claimed"})),
        Case::new("B7", "everything is taken, and the answer says by whom")
            .on(&mixed)
            .plan(&json!({"basePort": 3000, "maxPort": 3003}))
            .expects(json!({"code": "RANGE_EXHAUSTED",
                "says": "All ports in 3000–3003 are taken: 2 leased, 1 in use by other programs, 1 excluded.",
                "/error/details/tally/leased": 2, "/error/details/leasedTo/1/by/project": "b",
                "/error/details/occupiedBy/0/port": 3002})),
        Case::new("B7 M2", "an explanation is no refusal")
            .on(&mixed)
            .explain(&json!({"basePort": 3000, "maxPort": 3003}))
            .expects(json!({"/ok/refusal/code": "RANGE_EXHAUSTED", "/ok/trace/3/verdict": "excluded"})),
        Case::new("B7", "all ports that there are, taken")
            .on(&json!({"host": "runner-7", "settings": {"exclude": [[1, 65_535]]}}))
            .plan(&json!({"basePort": 1, "maxPort": 65_535}))
            .expects(json!({"code": "RANGE_EXHAUSTED", "/error/details/tally/excluded": 65_535})),
    ]
}

fn owners() -> Vec<Case> {
    let generation = |generation: u32| {
        leased(&[with(
            lease("shop/web", 3005),
            &json!({"generation": generation}),
        )])
    };
    vec![
        Case::new("B9 J2", "a plan names the generation that it takes for its own")
            .on(&generation(17))
            .plan(&next())
            .expects(json!({"/ok/planned/seats": [{"service": "web", "port": 3005, "replaces": 17}]})),
        Case::new("B9", "a released lease is remembered")
            .on(&generation(17))
            .ask(&json!({"applyChanges": [{"kind": "end", "project": "shop", "service": "web"},
                {"kind": "remember", "project": "shop", "service": "web", "port": 3005, "releasedAt": 9}]}))
            .plan(&next())
            .expects(json!({"port": 3005, "tier": "remembered", "outcome": "new",
                "/ok/reserved/services/0/lease/generation": 65_536})),
        Case::new("B9", "a lease that ends twice has ended")
            .on(&generation(17))
            .ask(&json!({"applyChanges": [{"kind": "end", "project": "shop", "service": "web"},
                {"kind": "end", "project": "shop", "service": "web"}]}))
            .plan(&next())
            .expects(json!({"port": 3000, "outcome": "new"})),
    ]
}

fn instances() -> Vec<Case> {
    let running = || {
        with(
            leased(&[with(
                lease("shop/web", 3005),
                &json!({"holder": process(42), "state": "live"}),
            )]),
            &json!({"facts": {"now": 1_000_000, "occupied": [{"port": 3005, "occupant": {"holder": process(42)}}]}}),
        )
    };
    let ended = || {
        with(
            leased(&[with(
                lease("shop/web", 3005),
                &json!({"holder": process(42), "state": "live"}),
            )]),
            &json!({"facts": {"now": 1_000_000, "dead": [process(42)]}}),
        )
    };
    let second = || {
        let instance = json!({"instance": 2, "releasedAt": 7, "port": 3009});
        with(
            running(),
            &json!({"registry": {"leases": [with(lease("shop/web", 3005), &json!({"holder": process(42), "state": "live"}))],
                "memories": [with(json!({"project": "shop", "service": "web"}), &instance)], "lastGeneration": 65_535}}),
        )
    };
    vec![
        Case::new("B10", "whoever asks for others is told the ports of the one that runs")
            .on(&running())
            .plan(&next())
            .expects(json!({"port": 3005, "outcome": "attached", "/ok/reserved/instance": 1})),
        Case::new("B10", "a second instance has a port of its own")
            .on(&running())
            .plan(&json!({"framework": "next", "ifRunning": "another"}))
            .expects(json!({"port": 3000, "outcome": "new", "/ok/reserved/instance": 2})),
        Case::new("B10", "and the same one each time")
            .on(&second())
            .plan(&json!({"framework": "next", "ifRunning": "another"}))
            .expects(json!({"port": 3009, "tier": "remembered", "/ok/reserved/instance": 2})),
        Case::new("B10", "the port of the one that runs can be taken over")
            .on(&running())
            .plan(&json!({"framework": "next", "ifRunning": "takeover"}))
            .expects(json!({"port": 3005, "outcome": "tookOver", "/ok/reserved/services/0/takenFrom/0/pid": 42})),
        Case::new("B10", "one that has ended does not run")
            .on(&ended())
            .plan(&json!({"framework": "next", "ifRunning": "another"}))
            .expects(json!({"port": 3005, "/ok/reserved/instance": 1})),
    ]
}
