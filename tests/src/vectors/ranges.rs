//! A: which ports a request may get, and in which order they are looked at.

use serde_json::{Value as Json, json};

use super::Case;
use super::situation::{configured, facts, lease, leased, memory, occupied, remembered, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = frameworks();
    cases.extend(kinds_of_services());
    cases.extend(ranges_of_the_caller());
    cases.extend(preferred_ports());
    cases.extend(exclusions());
    cases.extend(several_ranges());
    cases.extend(pools());
    cases.extend(order());
    cases
}

fn frameworks() -> Vec<Case> {
    let mut cases = Vec::new();
    for (framework, first) in [
        ("next", 3000),
        ("node", 3000),
        ("tanstack", 3000),
        ("astro", 4321),
        ("vite", 5173),
        ("default", 8000),
        ("nuxt", 3000),
        ("sveltekit", 5173),
        ("remix", 5173),
        ("react-router", 5173),
        ("angular", 4200),
        ("storybook", 6006),
        ("gatsby", 8000),
        ("docusaurus", 3000),
        ("expo", 8081),
        ("parcel", 1234),
        ("webpack", 8080),
        ("eleventy", 8080),
        ("wrangler", 8787),
        ("vite-preview", 4173),
    ] {
        let case = Case::new(
            "A1",
            &format!("{framework} has its documented port first, and 100 more"),
        );
        cases.push(case.on_empty().plan(&json!({"framework": framework})).expects(json!({
            "port": first, "range": [first, first + 100], "framework": framework, "tier": "default", "outcome": "new",
        })));
    }
    let own = json!([{"name": "fresh", "range": [7001, 7003], "default": 7002, "aliases": ["deno"]},
        {"name": "default", "range": [9000, 9001], "default": 9000}]);
    cases.extend([
        Case::new("A1", "a framework has other names")
            .on_empty()
            .plan(&json!({"framework": "Next.js"}))
            .expects(json!({"port": 3000, "framework": "next"})),
        Case::new("A1", "the last port of a range is part of it")
            .on(&occupied(3000..=3099))
            .plan(&json!({"framework": "next"}))
            .expects(json!({"port": 3100, "tier": "scan", "/ok/reserved/services/0/looks": 101})),
        Case::new("A1", "users have frameworks of their own")
            .on(&configured(&json!({"catalog": own})))
            .plan(&json!({"framework": "deno"}))
            .expects(json!({"port": 7002, "range": [7001, 7003], "framework": "fresh"})),
        Case::new("A1", "users say where all others are")
            .on(&configured(&json!({"catalog": own})))
            .plan(&json!({"projectType": "whatever"}))
            .expects(json!({"port": 9000, "framework": "default"})),
        Case::new(
            "A2",
            "what was detected comes before the type of the project",
        )
        .on_empty()
        .plan(&json!({"detectedFramework": "vite", "projectType": "nextjs"}))
        .expects(json!({"framework": "vite", "port": 5173})),
        Case::new("A2", "the type of the project, when nothing was detected")
            .on_empty()
            .plan(&json!({"projectType": "nextjs"}))
            .expects(json!({"framework": "next"})),
        Case::new("A2", "a detected framework that nobody knows says nothing")
            .on_empty()
            .plan(&json!({"detectedFramework": "unheard-of", "projectType": "astro"}))
            .expects(json!({"framework": "astro"})),
        Case::new("A2", "without any hint it is the default one")
            .on_empty()
            .plan(&json!({}))
            .expects(json!({"framework": "default", "port": 8000})),
        Case::new(
            "A2",
            "a command beside a framework that is known need not be looked at",
        )
        .on_empty()
        .plan(&json!({"framework": "vite", "runCommand": "npm run dev"}))
        .expects(json!({"framework": "vite"})),
        Case::new("A2", "a command alone would need the scripts of a folder")
            .on_empty()
            .plan(&json!({"runCommand": "npm run dev"}))
            .expects(json!({"code": "INVALID_ARGUMENT", "says": "sees no folder",
                "details": {"path": "runCommand", "value": "npm run dev", "nearest": null}})),
    ]);
    cases
}

fn kinds_of_services() -> Vec<Case> {
    let mut cases = Vec::new();
    for (profile, kind, first, last) in [
        ("development", "webServer", 5000, 5100),
        ("development", "apiServer", 3000, 3100),
        ("development", "viteHmr", 24678, 24778),
        ("production", "webServer", 5000, 5010),
        ("production", "apiServer", 3000, 3010),
        ("development", "container", 32_100, 32_200),
        ("production", "container", 32_100, 32_200),
    ] {
        let case = Case::new("A3", &format!("the ports of {kind} in {profile}"));
        cases.push(
            case.on_empty()
                .plan(&json!({"profile": profile, "preset": kind}))
                .expects(json!({"port": first, "range": [first, last], "framework": "default"})),
        );
    }
    let own = json!([{"profile": "staging", "service": "worker", "range": [6100, 6101]}]);
    cases.extend([
        Case::new("A3", "development is meant when nothing is said")
            .on_empty()
            .plan(&json!({"preset": "apiServer"}))
            .expects(json!({"range": [3000, 3100]})),
        Case::new("A3", "a kind that a profile does not have")
            .on_empty()
            .plan(&json!({"profile": "production", "preset": "viteHmr"}))
            .expects(json!({"code": "UNKNOWN_PRESET", "says": "It has webServer, apiServer, container.",
                "details": {"profile": "production", "kind": "viteHmr", "known": ["webServer", "apiServer", "container"]}})),
        Case::new("A3", "a profile that nobody has")
            .on_empty()
            .plan(&json!({"profile": "prod", "preset": "webServer"}))
            .expects(json!({"code": "UNKNOWN_PRESET", "/error/details/known": []})),
        Case::new("A3", "users have kinds and profiles of their own")
            .on(&configured(&json!({"presets": own})))
            .plan(&json!({"profile": "staging", "preset": "worker"}))
            .expects(json!({"port": 6100, "range": [6100, 6101]})),
        Case::new("A3", "a framework's default is first where its kind's range has it")
            .on_empty()
            .plan(&json!({"framework": "next", "profile": "production", "preset": "apiServer"}))
            .expects(json!({"port": 3000, "tier": "default", "range": [3000, 3010]})),
    ]);
    cases
}

fn ranges_of_the_caller() -> Vec<Case> {
    let plan = |name: &str, wish: Json| Case::new("A4", name).on_empty().plan(&wish);
    vec![
        plan(
            "a first port alone has 100 after it",
            json!({"basePort": 4000}),
        )
        .expects(json!({"port": 4000, "range": [4000, 4100]})),
        plan(
            "a first port and a last one",
            json!({"basePort": 4000, "maxPort": 4001}),
        )
        .expects(json!({"port": 4000, "range": [4000, 4001]})),
        plan(
            "a range of one port",
            json!({"basePort": 4000, "maxPort": 4000}),
        )
        .expects(json!({"port": 4000, "range": [4000, 4000]})),
        plan(
            "a last port alone ends the framework's range",
            json!({"framework": "vite", "maxPort": 5180}),
        )
        .expects(json!({"port": 5173, "range": [5173, 5180], "tier": "default"})),
        plan(
            "no range goes beyond the last port",
            json!({"basePort": 65_500}),
        )
        .expects(json!({"port": 65_500, "range": [65_500, 65_535]})),
        plan(
            "the very last port",
            json!({"basePort": 65_535, "maxPort": 65_535}),
        )
        .expects(json!({"port": 65_535})),
        plan(
            "a range that ends before it begins",
            json!({"basePort": 4001, "maxPort": 4000}),
        )
        .expects(json!({"code": "INVALID_RANGE", "says": "4001"})),
        plan(
            "a last port before the framework's first",
            json!({"framework": "vite", "maxPort": 5000}),
        )
        .expects(json!({"code": "INVALID_RANGE"})),
        plan(
            "a service by its longer key",
            json!({"serviceName": "api", "basePort": 4000}),
        )
        .expects(json!({"/ok/reserved/services/0/service": "api", "port": 4000})),
        plan(
            "a name in any script",
            json!({"projectId": "größe/店", "service": "дом"}),
        )
        .expects(json!({"/ok/reserved/services/0/lease/project": "größe/店",
                "/ok/reserved/services/0/service": "дом"})),
    ]
}

fn preferred_ports() -> Vec<Case> {
    let variable = |value: Json| json!({"framework": "vite", "preferred": [4000], "envVar": {"name": "PORT", "value": value}});
    let mut cases = vec![
        Case::new("A5", "preferred ports come first, wherever they are")
            .on_empty()
            .plan(&json!({"framework": "vite", "preferred": [4001, 4000]}))
            .expects(json!({"port": 4001, "tier": "preferred", "range": [5173, 5273]})),
        Case::new("A5", "the next preferred port, when the first is taken")
            .on(&occupied([4001]))
            .plan(&json!({"framework": "vite", "preferred": [4001, 4000]}))
            .expects(json!({"port": 4000, "tier": "preferred", "/ok/trace/0/verdict": "occupied"})),
        Case::new("A5", "the range, when all preferred ports are taken")
            .on(&occupied([4000, 4001]))
            .plan(&json!({"framework": "vite", "preferred": [4001, 4000]}))
            .expects(json!({"port": 5173, "tier": "default"})),
        Case::new("A5", "a variable comes before what is preferred")
            .on_empty()
            .plan(&variable(json!("4500")))
            .expects(json!({"port": 4500, "tier": "preferred"})),
        Case::new("A5", "a variable with spaces around its port")
            .on_empty()
            .plan(&variable(json!(" 4500 ")))
            .expects(json!({"port": 4500})),
        Case::new("A5", "a variable whose port is taken begins the search")
            .on(&occupied([4500]))
            .plan(&variable(json!("4500")))
            .expects(json!({"port": 4000, "tier": "preferred"})),
        Case::new("A5", "a port that is insisted on comes before a variable")
            .on_empty()
            .plan(&with(variable(json!("4500")), &json!({"port": 4600})))
            .expects(json!({"port": 4600})),
    ];
    for value in ["abc", "0", "70000", " ", "", "-1", "4500.5", "4500 4501"] {
        let name = format!("a variable with the unusable value {value:?} is passed over");
        cases.push(
            Case::new("A5", &name)
                .on_empty()
                .plan(&variable(json!(value)))
                .expects(json!({"port": 4000})),
        );
    }
    cases
}

fn exclusions() -> Vec<Case> {
    let reserved =
        json!({"host": "runner-7", "facts": {"now": 0, "systemReserved": [3000, [3001, 3003]]}});
    let privileged = json!({"host": "runner-7", "facts": {"now": 0, "unprivilegedStart": 1024}});
    vec![
        Case::new("A6", "excluded ports are passed over")
            .on_empty()
            .plan(&json!({"framework": "next", "exclude": [3000, "3001-3002", [3003, 3004]]}))
            .expects(json!({"port": 3005, "/ok/trace/0/verdict": "excluded", "/ok/trace/0/ports": [3000, 3004]})),
        Case::new("A6", "an excluded port is not granted for being preferred")
            .on_empty()
            .plan(&json!({"framework": "next", "preferred": [4000], "exclude": [4000]}))
            .expects(json!({"port": 3000})),
        Case::new("A6", "an excluded port is not granted for being insisted on")
            .on_empty()
            .plan(&json!({"port": 4000, "exclude": [4000]}))
            .expects(json!({"code": "PORT_UNAVAILABLE", "/error/details/verdict": "excluded"})),
        Case::new("A6", "ports that the machine's configuration excludes")
            .on(&configured(&json!({"exclude": [[3000, 3009]]})))
            .plan(&json!({"framework": "next", "exclude": [3010]}))
            .expects(json!({"port": 3011})),
        Case::new("A6", "ports that browsers refuse are not for pages")
            .on_empty()
            .plan(&json!({"basePort": 6665, "maxPort": 6670}))
            .expects(json!({"port": 6670, "/ok/trace/0/verdict": "browserBlocked", "/ok/trace/0/ports": [6665, 6669]})),
        Case::new("A6", "a range of nothing but such ports is exhausted")
            .on_empty()
            .plan(&json!({"basePort": 6665, "maxPort": 6669}))
            .expects(json!({"code": "RANGE_EXHAUSTED", "/error/details/tally/browserBlocked": 5})),
        Case::new("A6", "what no browser opens may have them")
            .on_empty()
            .plan(&json!({"basePort": 6665, "maxPort": 6669, "requires": ["tcp"]}))
            .expects(json!({"port": 6665})),
        Case::new("A6", "the ports that browsers refuse, port 0 aside")
            .ask(&json!({"browserBlockedPorts": {}}))
            .expects(json!({"/ok/0": 1, "/ok/1": 7})),
        Case::new("A6", "ports that the system keeps")
            .on(&reserved)
            .plan(&json!({"framework": "next"}))
            .expects(json!({"port": 3004, "/ok/trace/0/verdict": "systemReserved"})),
        Case::new("A6", "ports that need privileges, where the machine says so")
            .on(&privileged)
            .plan(&json!({"basePort": 1020, "maxPort": 1030}))
            .expects(json!({"port": 1024, "/ok/trace/0/verdict": "privileged"})),
        Case::new("A6", "where it does not, low ports are as all others")
            .on_empty()
            .plan(&json!({"basePort": 1020, "maxPort": 1030}))
            .expects(json!({"port": 1020})),
        Case::new("A6", "a privileged port that is insisted on")
            .on(&privileged)
            .plan(&json!({"port": 80}))
            .expects(json!({"code": "PORT_UNAVAILABLE", "says": "privilege", "/error/details/verdict": "privileged"})),
        Case::new("A6", "the ports of other services of the request")
            .on_empty()
            .plan(&json!({"services": [{"service": "web", "framework": "next"}, {"service": "api", "framework": "node"}]}))
            .expects(json!({"ports": [3000, 3001]})),
    ]
}

fn several_ranges() -> Vec<Case> {
    let wish = json!({"basePort": 3000, "maxPort": 3001, "spillover": ["4000-4001", [5000, 5001]], "emergency": "9100-9101"});
    let busy =
        |ranges: &[(u16, u16)]| occupied(ranges.iter().flat_map(|(first, last)| *first..=*last));
    vec![
        Case::new("A7 C5", "the own range comes first")
            .on(&busy(&[(3000, 3000)]))
            .plan(&wish)
            .expects(json!({"port": 3001, "tier": "scan"})),
        Case::new("A7 C5", "the first range to go on with, when the own one is full")
            .on(&busy(&[(3000, 3001)]))
            .plan(&wish)
            .expects(json!({"port": 4000, "tier": "spillover"})),
        Case::new("A7 C5", "the second one after it")
            .on(&busy(&[(3000, 3001), (4000, 4001)]))
            .plan(&wish)
            .expects(json!({"port": 5000, "tier": "spillover"})),
        Case::new("A7 C5", "the emergency, when all ranges are full")
            .on(&busy(&[(3000, 3001), (4000, 4001), (5000, 5001)]))
            .plan(&wish)
            .expects(json!({"port": 9100, "tier": "emergency"})),
        Case::new("A7 B7", "nothing beyond the emergency")
            .on(&busy(&[(3000, 3001), (4000, 4001), (5000, 5001), (9100, 9101)]))
            .plan(&wish)
            .expects(json!({"code": "RANGE_EXHAUSTED", "/error/details/tally/occupied": 8,
                "/error/details/ranges": [[3000, 3001], [4000, 4001], [5000, 5001], [9100, 9101]]})),
        Case::new("A7", "nobody leaves the own range who does not say so")
            .on(&busy(&[(3000, 3001)]))
            .plan(&json!({"basePort": 3000, "maxPort": 3001}))
            .expects(json!({"code": "RANGE_EXHAUSTED"})),
        Case::new("A7", "7,000 ports in three ranges")
            .on(&occupied((3000..=4999).chain(5000..=9998)))
            .plan(&json!({"basePort": 3000, "maxPort": 3999, "spillover": ["4000-4999", "5000-9999"]}))
            .expects(json!({"port": 9999, "tier": "spillover", "/ok/reserved/services/0/looks": 7000})),
        Case::new("A7", "a single port to go on with")
            .on(&busy(&[(3000, 3001)]))
            .plan(&json!({"basePort": 3000, "maxPort": 3001, "spillover": [4000]}))
            .expects(json!({"port": 4000, "tier": "spillover"})),
    ]
}

fn pools() -> Vec<Case> {
    let teams =
        json!([{"name": "red", "range": [3000, 3033]}, {"name": "blue", "range": [3034, 3066]}]);
    let host = configured(&json!({"pools": teams}));
    vec![
        Case::new("A8", "whoever asks for a pool gets a port of it")
            .on(&host)
            .plan(&json!({"framework": "next", "pool": "blue"}))
            .expects(json!({"port": 3034, "tier": "scan"})),
        Case::new("A8", "whoever asks for none gets a port of none")
            .on(&host)
            .plan(&json!({"framework": "next"}))
            .expects(json!({"port": 3067, "/ok/trace/0/verdict": "pooled"})),
        Case::new("A8", "no port outside the pool, when it is full")
            .on(&with(host.clone(), &json!({"facts": facts(3000..=3033)})))
            .plan(&json!({"framework": "next", "pool": "red"}))
            .expects(json!({"code": "RANGE_EXHAUSTED", "/error/details/tally/occupied": 34, "/error/details/tally/pooled": 67})),
        Case::new("A8", "the port of another pool cannot be insisted on")
            .on(&host)
            .plan(&json!({"pool": "red", "port": 3040}))
            .expects(json!({"code": "PORT_UNAVAILABLE", "/error/details/verdict": "pooled",
                "/error/details/by": {"kind": "pool", "name": "blue"}})),
        Case::new("A8", "a pool that there is not")
            .on(&host)
            .plan(&json!({"pool": "green"}))
            .expects(json!({"code": "UNKNOWN_POOL", "details": {"unknown": "green", "known": ["red", "blue"]}})),
        Case::new("A8", "a pool where there are none")
            .on_empty()
            .plan(&json!({"pool": "green"}))
            .expects(json!({"code": "UNKNOWN_POOL", "says": "There are no pools"})),
        Case::new("A8", "pools that overlap are no pools")
            .on(&configured(&json!({"pools": [{"name": "red", "range": [1, 20]}, {"name": "blue", "range": [20, 30]}]})))
            .plan(&json!({}))
            .expects(json!({"code": "INVALID_SNAPSHOT", "says": "red (1–20) and blue (20–30) overlap"})),
    ]
}

fn order() -> Vec<Case> {
    let own = |port| remembered(&[memory("shop/web", port, 7)]);
    let wish = json!({"basePort": 4000, "maxPort": 4009});
    vec![
        Case::new("A9", "the search begins where the caller says")
            .on_empty()
            .plan(&with(wish.clone(), &json!({"startPort": 4005})))
            .expects(json!({"port": 4005, "tier": "scan"})),
        Case::new("A9 B8", "it goes upward and then on at the low end")
            .on(&occupied(4005..=4009))
            .plan(&with(wish.clone(), &json!({"startPort": 4005})))
            .expects(json!({"port": 4000, "/ok/trace/0/ports": [4005, 4009], "/ok/reserved/services/0/looks": 6})),
        Case::new("A9 B8", "up to the port before its start")
            .on(&occupied((4000..=4003).chain(4005..=4009)))
            .plan(&with(wish.clone(), &json!({"startPort": 4005})))
            .expects(json!({"port": 4004, "/ok/reserved/services/0/looks": 10})),
        Case::new("A9", "a start outside the range is none")
            .on_empty()
            .plan(&with(wish.clone(), &json!({"startPort": 9000})))
            .expects(json!({"port": 4000})),
        Case::new("A9 B2", "what is remembered comes before the start of the range")
            .on(&own(4007))
            .plan(&wish)
            .expects(json!({"port": 4007, "tier": "remembered", "outcome": "new"})),
        Case::new("A9 B2", "a remembered port that is taken begins the search")
            .on(&with(own(4007), &json!({"facts": facts([4007])})))
            .plan(&wish)
            .expects(json!({"port": 4008, "tier": "scan"})),
        Case::new("A9", "a remembered port outside the range is passed over")
            .on(&own(5000))
            .plan(&wish)
            .expects(json!({"port": 4000})),
        Case::new("A9 M2", "every candidate is looked at once, and told")
            .on(&with(leased(&[lease("blog/web", 3000)]), &json!({"facts": facts([3001])})))
            .explain(&json!({"framework": "next", "exclude": [3002]}))
            .expects(json!({"port": 3003, "/ok/trace/0/verdict": "leased",
                "/ok/trace/1/verdict": "occupied", "/ok/trace/2/verdict": "excluded", "/ok/trace/3/verdict": "granted"})),
    ]
}
