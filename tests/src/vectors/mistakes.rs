//! What cannot be used, and how it is told.

use serde_json::{Value as Json, json};

use super::Case;
use super::situation::{lease, leased, memory, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = ports();
    cases.extend(keys_and_kinds());
    cases.extend(unseen());
    cases.extend(texts());
    cases.extend(snapshots());
    cases
}

fn ports() -> Vec<Case> {
    let mut cases = Vec::new();
    for (written, value) in [
        ("0", "0"),
        ("-1", "-1"),
        ("65536", "65536"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("3000.5", "3000.5"),
        ("3000.0", "3000.0"),
        ("3e3", "3000.0"),
        ("\"3000\"", "the text 3000"),
        ("\"\"", ""),
        ("true", "true"),
        ("null", "null"),
        ("[3000]", "a list"),
        ("{}", "an object"),
    ] {
        let name = format!("{written} is no port");
        let question = format!(r#"{{"plan":{{"projectId":"shop","port":{written}}}}}"#);
        cases.push(
            Case::new("A4 B6", &name)
                .on_empty()
                .ask_text(&question)
                .expects(json!({"code": "INVALID_PORT", "details": {"value": value}})),
        );
    }
    for (key, value, code, shown) in [
        ("basePort", json!(0), "INVALID_PORT", "0"),
        ("maxPort", json!(65_536), "INVALID_PORT", "65536"),
        ("startPort", json!("x"), "INVALID_PORT", "x"),
        ("preferred", json!([4000, 0]), "INVALID_PORT", "0"),
        ("exclude", json!([70_000]), "INVALID_PORT", "70000"),
        (
            "exclude",
            json!(["4010-4000"]),
            "INVALID_RANGE",
            "4010-4000",
        ),
        ("exclude", json!(["4000-"]), "INVALID_RANGE", "4000-"),
        ("exclude", json!([[4000]]), "INVALID_RANGE", "a list of 1"),
        (
            "exclude",
            json!([[4000, 4001, 4002]]),
            "INVALID_RANGE",
            "a list of 3",
        ),
        (
            "spillover",
            json!([[4001, 4000]]),
            "INVALID_RANGE",
            "4001-4000",
        ),
        ("emergency", json!(true), "INVALID_PORT", "true"),
    ] {
        let name = format!("what is no port in {key}: {value}");
        let wish = json!({key: value});
        cases.push(
            Case::new("A4 A6 A7", &name)
                .on_empty()
                .plan(&wish)
                .expects(json!({"code": code, "details": {"value": shown}})),
        );
    }
    cases
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn keys_and_kinds() -> Vec<Case> {
    let refused = |wish: Json, path: &str, nearest: Json, says: &str| {
        Case::new("A4 C1", &format!("{path}: {says}")).on_empty().plan(&wish).expects(json!({
            "code": "INVALID_ARGUMENT", "/error/details/path": path, "/error/details/nearest": nearest, "says": says,
        }))
    };
    let none = || Json::Null;
    vec![
        refused(
            json!({"prefered": [4000]}),
            "prefered",
            json!("preferred"),
            "There is no key \"prefered\". Did you mean \"preferred\"?",
        ),
        refused(
            json!({"PROJECTID": "x"}),
            "PROJECTID",
            json!("projectId"),
            "Did you mean \"projectId\"?",
        ),
        refused(
            json!({"colour": 1}),
            "colour",
            none(),
            "There are: projectId, cwd,",
        ),
        refused(
            json!({"services": [{"projectId": "x"}]}),
            "services[0].projectId",
            none(),
            "There is no key \"projectId\".",
        ),
        refused(
            json!({"services": [{}, {"requires": ["http", "htps"]}]}),
            "services[1].requires[1]",
            json!("https"),
            "There is no choice \"htps\".",
        ),
        refused(
            json!({"services": {}}),
            "services",
            none(),
            "Here belongs a list, not a table.",
        ),
        refused(
            json!({"service": 4000}),
            "service",
            none(),
            "Here belongs a text, not 4000.",
        ),
        refused(
            json!({"preferred": 4000}),
            "preferred",
            none(),
            "Here belongs a list, not 4000.",
        ),
        refused(
            json!({"preferred": "4000"}),
            "preferred",
            none(),
            "not the text \"4000\"",
        ),
        refused(
            json!({"forceNew": "yes"}),
            "forceNew",
            none(),
            "Here belongs true or false",
        ),
        refused(
            json!({"priority": 1.5}),
            "priority",
            none(),
            "Here belongs a whole number, not 1.5.",
        ),
        refused(
            json!({"priority": 3_000_000_000_u32}),
            "priority",
            none(),
            "Here belongs a whole number",
        ),
        refused(
            json!({"maxRetries": -1}),
            "maxRetries",
            none(),
            "Here belongs a whole number from 0 to 65535, not -1.",
        ),
        refused(
            json!({"pool": null}),
            "pool",
            none(),
            "Here belongs a text, not null.",
        ),
        refused(
            json!({"strategy": "minimum"}),
            "strategy",
            json!("minimal"),
            "There is no choice \"minimum\".",
        ),
        refused(
            json!({"ifRunning": 7}),
            "ifRunning",
            none(),
            "Here belongs one of attach, another, takeover.",
        ),
        refused(
            json!({"envVar": {"value": "1"}}),
            "envVar",
            none(),
            "The key \"name\" is missing.",
        ),
        refused(
            json!({"envVar": {"nane": "PORT"}}),
            "envVar.nane",
            json!("name"),
            "Did you mean \"name\"?",
        ),
        refused(
            json!({"framework": "nexxt"}),
            "framework",
            json!("next"),
            "There is no framework \"nexxt\".",
        ),
        refused(
            json!({"services": [{"framework": "vita"}]}),
            "services[0].framework",
            json!("vite"),
            "There is no framework \"vita\".",
        ),
        refused(
            json!({"framework": "größe".repeat(30)}),
            "framework",
            none(),
            "größe…\"",
        ),
        refused(
            json!({"holder": "me"}),
            "holder",
            none(),
            "There is no choice \"me\".",
        ),
        refused(
            json!({"holder": {"pid": -1}}),
            "holder.pid",
            none(),
            "Here belongs a whole number from 0 to 4294967295",
        ),
    ]
}

/// What a machine would look up.
fn unseen() -> Vec<Case> {
    let refused = |name: &str, wish: &Json, path: &str, says: &str| {
        Case::new("A2 J2", name)
            .on_empty()
            .ask(&json!({"plan": wish}))
            .expects(json!({
                "code": "INVALID_ARGUMENT", "/error/details/path": path, "says": says,
            }))
    };
    vec![
        refused(
            "a project without a name",
            &json!({"framework": "vite"}),
            "projectId",
            "Name it: `projectId`.",
        ),
        refused(
            "a folder",
            &json!({"projectId": "shop", "cwd": "/srv/shop"}),
            "cwd",
            "A planner sees no folder.",
        ),
        refused(
            "a process that asks",
            &json!({"projectId": "shop", "holder": "self"}),
            "holder",
            "A planner sees no process.",
        ),
        refused(
            "a process by its number",
            &json!({"projectId": "shop", "holder": {"pid": 1}}),
            "holder",
            "A planner sees no process.",
        ),
        Case::new("J2", "nobody in particular can be planned for")
            .on_empty()
            .plan(&json!({"holder": "nobody"}))
            .expects(json!({"port": 8000})),
    ]
}

/// Names, and what is no question at all.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn texts() -> Vec<Case> {
    let wish = |name: &str, wish: Json, expected: Json| {
        Case::new("A4", name)
            .on_empty()
            .plan(&wish)
            .expects(expected)
    };
    let mut cases = vec![
        wish(
            "a name of nothing",
            json!({"projectId": ""}),
            json!({"code": "INVALID_NAME", "details": {"value": ""}}),
        ),
        wish(
            "a name of spaces",
            json!({"service": "  "}),
            json!({"code": "INVALID_NAME"}),
        ),
        wish(
            "a name with a control character",
            json!({"service": "a\u{7}b"}),
            json!({"code": "INVALID_NAME", "details": {"value": "a\u{7}b"}}),
        ),
        wish(
            "a name that is too long",
            json!({"projectId": "x".repeat(1025)}),
            json!({"code": "INVALID_NAME", "details": {"value": "x".repeat(40)}}),
        ),
        wish(
            "a pool that is no name",
            json!({"pool": ""}),
            json!({"code": "INVALID_NAME"}),
        ),
        wish(
            "a conflict that is no name",
            json!({"conflicts": [""]}),
            json!({"code": "INVALID_NAME"}),
        ),
        wish(
            "a name as it is often written",
            json!({"projectId": "C:\\src\\\"shop\"/\u{1f6d2}"}),
            json!({"port": 8000}),
        ),
    ];
    for (name, question) in [
        ("nothing", ""),
        ("a word", "plan"),
        ("half an object", "{\"plan\":{"),
        ("a list", "[]"),
        ("null", "null"),
        ("no question", "{}"),
        (
            "two questions",
            r#"{"plan":{"projectId":"shop"},"explain":{"projectId":"shop"}}"#,
        ),
        ("an unknown question", r#"{"plam":{"projectId":"shop"}}"#),
        (
            "a number that nobody can hold",
            r#"{"plan":{"projectId":"shop","port":1e999}}"#,
        ),
        ("half a character", r#"{"plan":{"projectId":"\ud83d"}}"#),
        ("something after the end", r#"{"snapshot":{}} {}"#),
        ("a wish that is a list", r#"{"plan":["shop"]}"#),
        ("a wish that is null", r#"{"plan":null}"#),
        (
            "changes that are none",
            r#"{"applyChanges":[{"kind":"give"}]}"#,
        ),
        ("too many keys", r#"{"snapshot":{"of":"me"}}"#),
    ] {
        let case = Case::new("J3", &format!("a planner is asked {name}"))
            .on_empty()
            .ask_text(question);
        cases.push(case.expects(json!({"code": "INVALID_ARGUMENT"})));
        if !question.contains("plan\"")
            && !question.contains("snapshot")
            && !question.contains("Changes")
        {
            let case = Case::new("J3", &format!("asked about no host: {name}")).ask_text(question);
            cases.push(case.expects(json!({"code": "INVALID_ARGUMENT"})));
        }
    }
    let deep = format!(
        r#"{{"plan":{{"projectId":"shop","exclude":{}{}}}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    cases.push(
        Case::new("J3", "lists in lists without end")
            .on_empty()
            .ask_text(&deep)
            .expects(json!({"code": "INVALID_ARGUMENT"})),
    );
    cases.push(
        Case::new(
            "J3",
            "spaces, and a key that is there twice: the last one holds",
        )
        .on_empty()
        .ask_text("\n { \"plan\" : { \"projectId\" : \"a\" , \"port\" : 0, \"port\" : 4000 } } \t")
        .expects(json!({"port": 4000})),
    );
    cases
}

fn snapshots() -> Vec<Case> {
    let refused = |name: &str, host: Json, says: &str| {
        Case::new("J2", name)
            .on(&host)
            .plan(&json!({}))
            .expects(json!({"code": "INVALID_SNAPSHOT", "says": says}))
    };
    let twice = leased(&[lease("a/web", 3000), lease("b/web", 3000)]);
    let service_twice = leased(&[lease("a/web", 3000), lease("a/web", 3001)]);
    let future = json!({"host": "runner-7", "registry": {"leases": [lease("a/web", 3000)], "lastGeneration": 1}});
    let both = json!({"host": "runner-7", "registry": {"leases": [lease("a/web", 3000)], "memories": [memory("b/web", 3000, 1)],
        "lastGeneration": 65_535}});
    vec![
        refused(
            "a port that is leased twice",
            twice,
            "port 3000 stands twice",
        ),
        refused(
            "a service that has two leases",
            service_twice,
            "a/web stands twice",
        ),
        refused(
            "a lease that is newer than the last",
            future,
            "generation after the last one",
        ),
        refused(
            "a port that is leased and remembered",
            both,
            "leased and remembered",
        ),
        refused(
            "a number above all that can be counted",
            json!({"host": "runner-7", "registry": {"lastGeneration": 9_007_199_254_740_993_u64}}),
            "above 2^53",
        ),
        refused("a host without a name", json!({}), "host"),
        refused(
            "a host with an impossible name",
            json!({"host": ""}),
            "not a name",
        ),
        refused(
            "an occupied port that is none",
            json!({"host": "runner-7", "facts": {"now": 0, "occupied": [{"port": 0}]}}),
            "0",
        ),
        refused(
            "settings that nobody knows",
            json!({"host": "runner-7", "settings": {"catalogue": []}}),
            "catalogue",
        ),
        refused(
            "a catalogue that does not say where all others are",
            json!({"host": "runner-7", "settings": {"catalog": []}}),
            "no framework \"default\"",
        ),
        Case::new("J2", "what is no JSON at all")
            .on_text("host: runner-7")
            .plan(&json!({}))
            .expects(json!({"code": "INVALID_SNAPSHOT"})),
        Case::new("J2", "all answers say that the snapshot is none")
            .on(&with(json!({}), &json!({"leases": []})))
            .plan(&json!({}))
            .ask(&json!({"snapshot": {}}))
            .expects(json!({"code": "INVALID_SNAPSHOT"})),
    ]
}
