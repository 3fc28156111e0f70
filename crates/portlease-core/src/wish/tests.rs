//! What is wished, and what comes of it.

use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Value as Json, json};

use super::{InvalidWish, Wish};
use crate::HostSettings;
use crate::Request;

#[track_caller]
fn request(wish: &Json) -> Request {
    let wish = Wish::read(&wish.to_string()).unwrap();
    wish.request(&HostSettings::default()).unwrap()
}

/// What a request has at a place, after a wish for the project `shop` with these keys.
#[track_caller]
fn check(wish: &Json, pointer: &str, expected: &Json) {
    let mut whole = json!({"projectId": "shop"});
    let keys = wish.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(keys);
    let request = serde_json::to_value(request(&whole)).unwrap();
    assert_eq!(request.pointer(pointer), Some(expected), "{request}");
}

#[test]
fn each_key_about_a_service_arrives() {
    for (wish, place, expected) in [
        (json!({}), "name", json!("web")),
        (json!({"service": "api"}), "name", json!("api")),
        (json!({"serviceName": "api"}), "name", json!("api")),
        (json!({"framework": "vite"}), "framework", json!("vite")),
        (
            json!({"detectedFramework": "nextjs"}),
            "framework",
            json!("next"),
        ),
        (
            json!({"detectedFramework": "unheard-of"}),
            "framework",
            json!("default"),
        ),
        (json!({"projectType": "astro"}), "framework", json!("astro")),
        (
            json!({"port": 4000}),
            "explicit",
            json!({"port": 4000, "strict": true}),
        ),
        (
            json!({"preferred": [4001, 4000]}),
            "preferred",
            json!([4001, 4000]),
        ),
        (json!({"basePort": 4000}), "range", json!([4000, 4100])),
        (
            json!({"basePort": 4000, "maxPort": 4001}),
            "range",
            json!([4000, 4001]),
        ),
        (json!({"preset": "apiServer"}), "range", json!([3000, 3100])),
        (
            json!({"preset": "apiServer", "profile": "production"}),
            "range",
            json!([3000, 3010]),
        ),
        (json!({"startPort": 8005}), "start", json!(8005)),
        (
            json!({"spillover": ["9000-9001", [9100, 9101]]}),
            "spillover",
            json!([[9000, 9001], [9100, 9101]]),
        ),
        (
            json!({"spillover": [9200]}),
            "spillover",
            json!([[9200, 9200]]),
        ),
        (
            json!({"emergency": [9300, 9301]}),
            "emergency",
            json!([9300, 9301]),
        ),
        (json!({"priority": -3}), "priority", json!(-3)),
        (json!({"requires": ["https"]}), "requires", json!(["https"])),
        (json!({"conflicts": ["hmr"]}), "conflicts", json!(["hmr"])),
        (json!({"inheritFrom": "api"}), "inheritFrom", json!("api")),
    ] {
        check(&wish, &format!("/services/0/{place}"), &expected);
    }
}

#[test]
fn each_key_about_the_request_arrives() {
    for (wish, place, expected) in [
        (json!({}), "project", json!("shop")),
        (
            json!({"exclude": [4000, "4002-4003", [4004, 4005]]}),
            "exclude",
            json!([4000, [4002, 4005]]),
        ),
        (json!({"pool": "red"}), "pool", json!("red")),
        (json!({"forceNew": true}), "forceNew", json!(true)),
        (json!({"skipPortCheck": true}), "skipPortCheck", json!(true)),
        (
            json!({"strategy": "aggressive"}),
            "strategy",
            json!("aggressive"),
        ),
        (json!({"autoReassign": false}), "autoReassign", json!(false)),
        (json!({"maxRetries": 3}), "maxRetries", json!(3)),
        (
            json!({"ifRunning": "takeover"}),
            "ifRunning",
            json!("takeover"),
        ),
        (
            json!({"services": [{"service": "api"}, {"port": 4000}]}),
            "services/1/explicit/port",
            json!(4000),
        ),
    ] {
        check(&wish, &format!("/{place}"), &expected);
    }
}

#[test]
fn a_variable_is_a_wish_and_an_unusable_one_a_warning() {
    let wish =
        |value: &str| json!({"projectId": "shop", "envVar": {"name": "PORT", "value": value}});
    let explicit = json!({"port": 4000, "strict": false});
    check(&wish("4000"), "/services/0/explicit", &explicit);
    let unusable = Wish::read(&wish("abc").to_string()).unwrap();
    assert_eq!(unusable.warnings().count(), 1);
}

/// The code of the error, and its text.
#[track_caller]
fn refused(wish: &Json) -> (&'static str, String) {
    let build = |wish: &Json| -> Result<Request, InvalidWish> {
        Wish::read(&wish.to_string())?.request(&HostSettings::default())
    };
    let error = build(wish).expect_err("it is no good");
    (error.code(), error.to_string())
}

#[track_caller]
fn check_refused(key: &str, value: &Json, code: &str, part: &str) {
    let (found, text) = refused(&json!({"projectId": "shop", key: value}));
    assert_eq!(found, code, "{text}");
    assert!(text.contains(part), "{text:?} does not say {part:?}");
}

#[test]
fn what_is_no_port() {
    for (value, shown) in [
        (json!(0), "0"),
        (json!(-1), "-1"),
        (json!(70_000), "70000"),
        (json!(3000.5), "3000.5"),
        (json!(1e300), "1e+300"),
        (json!("abc"), "abc"),
        (json!("3000"), "the text 3000"),
        (json!(""), "\"\""),
        (json!(true), "true"),
        (json!(null), "null"),
        (json!([3000]), "a list"),
        (json!({"port": 3000}), "an object"),
    ] {
        check_refused("port", &value, "INVALID_PORT", shown);
        check_refused("basePort", &value, "INVALID_PORT", shown);
        check_refused("maxPort", &value, "INVALID_PORT", shown);
        check_refused("startPort", &value, "INVALID_PORT", shown);
        check_refused("preferred", &json!([4000, value]), "INVALID_PORT", shown);
    }
    check_refused("exclude", &json!([70_000]), "INVALID_PORT", "70000");
    check_refused("exclude", &json!([[4000]]), "INVALID_RANGE", "a list of 1");
    check_refused(
        "spillover",
        &json!(["4010-4000"]),
        "INVALID_RANGE",
        "4010-4000",
    );
}

#[test]
fn what_is_of_the_wrong_kind() {
    for (key, value, part) in [
        ("prefered", json!(4000), "Did you mean \"preferred\"?"),
        ("frameworks", json!("vite"), "Did you mean \"framework\"?"),
        ("service", json!(4000), "Here belongs a text, not 4000."),
        (
            "preferred",
            json!(4000),
            "preferred: Here belongs a list, not 4000.",
        ),
        ("preferred", json!("4000"), "not the text \"4000\""),
        ("forceNew", json!("yes"), "Here belongs true or false"),
        (
            "priority",
            json!(1.5),
            "Here belongs a whole number, not 1.5",
        ),
        ("pool", json!(null), "Here belongs a text, not null."),
        (
            "strategy",
            json!("minimum"),
            "There is no choice \"minimum\". Did you mean \"minimal\"?",
        ),
        (
            "requires",
            json!(["http", "htps"]),
            "requires[1]: There is no choice \"htps\"",
        ),
        ("holder", json!("me"), "holder: "),
        ("holder", json!("self"), "A planner sees no process."),
        ("holder", json!({"pid": 42}), "A planner sees no process."),
        ("cwd", json!("/srv/shop"), "cwd: A planner sees no folder."),
        (
            "runCommand",
            json!("npm run dev"),
            "runCommand: A planner sees no folder",
        ),
        ("holder", json!({"id": 1}), "holder: There is no key \"id\""),
        ("holder", json!({}), "The key \"pid\" is missing."),
        ("services", json!({}), "Here belongs a list"),
        (
            "services",
            json!([{"projectId": "shop"}]),
            "services[0].projectId: There is no key",
        ),
        (
            "framework",
            json!("nexxt"),
            "framework: There is no framework \"nexxt\". Did you mean \"next\"?",
        ),
        ("framework", json!("x".repeat(1000)), "xxx…\""),
    ] {
        check_refused(key, &value, "INVALID_ARGUMENT", part);
    }
    check_refused("services", &json!([]), "NO_SERVICES", "");
    check_refused("projectId", &json!(""), "INVALID_NAME", "");
    check_refused("service", &json!("x".repeat(5000)), "INVALID_NAME", "");
    check_refused("preset", &json!("none"), "UNKNOWN_PRESET", "");
    let (_, nameless) = refused(&json!({}));
    assert!(
        nameless.starts_with("projectId: A planner sees no folder"),
        "{nameless}"
    );
    assert_eq!(refused(&json!([])).0, "INVALID_ARGUMENT");
    assert_eq!(refused(&json!("shop")).0, "INVALID_ARGUMENT");
    assert!(
        Wish::read("{")
            .unwrap_err()
            .problem
            .starts_with("This is not JSON: ")
    );
}
