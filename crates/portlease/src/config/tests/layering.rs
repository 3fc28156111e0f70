//! Which layer overrules which.

use super::*;

#[track_caller]
fn check(said: &Said<'_>, expected: &[&str]) {
    assert_eq!(said.entries(), expected);
}

#[test]
fn each_layer_overrules_those_before_it() {
    let mut said = Said {
        user: "maxRetries = 1",
        ..Said::default()
    };
    check(&said, &["maxRetries = 1 # config.toml:1"]);
    said.project = "\nmaxRetries = 2";
    check(&said, &["maxRetries = 2 # shop/portlease.toml:2"]);
    said.variables = &[("PORTLEASE_MAX_RETRIES", "3")];
    check(&said, &["maxRetries = 3 # PORTLEASE_MAX_RETRIES"]);
    said.flags = &[("maxRetries", "4")];
    check(&said, &["maxRetries = 4 # --maxRetries"]);
}

#[test]
fn every_key_without_parts_has_a_variable() {
    check(
        &Said {
            variables: &[
                ("PORTLEASE_PROJECT", "shop"),
                ("PORTLEASE_REGISTRY", "memory:"),
                ("PORTLEASE_HOST", "worker-7"),
                ("PORTLEASE_PROFILE", "production"),
                ("PORTLEASE_STRATEGY", "aggressive"),
                ("PORTLEASE_AUTO_REASSIGN", "false"),
                ("PORTLEASE_RECLAIM", "true"),
                ("PORTLEASE_MAX_RETRIES", "3"),
                ("PORTLEASE_IF_RUNNING", "takeover"),
                ("PORTLEASE_TIMEOUT", " 4 "),
                ("PORTLEASE_GRACE", ""),
                ("PORTLEASE_POOL", "red"),
            ],
            project: "pools.red = '4000-4010'",
            ..Said::default()
        },
        &[
            "profile = \"production\" # PORTLEASE_PROFILE",
            "strategy = \"aggressive\" # PORTLEASE_STRATEGY",
            "autoReassign = false # PORTLEASE_AUTO_REASSIGN",
            "reclaim = true # PORTLEASE_RECLAIM",
            "maxRetries = 3 # PORTLEASE_MAX_RETRIES",
            "ifRunning = \"takeover\" # PORTLEASE_IF_RUNNING",
            "timeout = 4 # PORTLEASE_TIMEOUT",
            "pools.red = \"4000-4010\" # shop/portlease.toml:1",
            "project = \"shop\" # PORTLEASE_PROJECT",
            "registry = \"memory:\" # PORTLEASE_REGISTRY",
            "host = \"worker-7\" # PORTLEASE_HOST",
            "pool = \"red\" # PORTLEASE_POOL",
        ],
    );
}

#[test]
fn a_variable_that_other_programs_read_as_well_may_say_anything() {
    let check_reclaim = |variables, expected: &[&str]| {
        let said = Said {
            variables,
            ..Said::default()
        };
        check(&said, expected);
    };
    check_reclaim(
        &[("AUTO_KILL_PORT", "True")],
        &["reclaim = true # AUTO_KILL_PORT"],
    );
    check_reclaim(&[("AUTO_KILL_PORT", "never")], &[]);
    check_reclaim(
        &[("AUTO_KILL_PORT", "1"), ("PORTLEASE_RECLAIM", "false")],
        &["reclaim = false # PORTLEASE_RECLAIM"],
    );
}

#[test]
fn tables_are_put_together_and_lists_are_replaced() {
    check(
        &Said {
            user: "exclude = [1, 2]\n[services.web]\npriority = 5\npreferred = [4000, 4001]",
            project: "exclude = [3]\n[services.web]\npreferred = []\nframework = 'vite'",
            ..Said::default()
        },
        &[
            "exclude = [3] # shop/portlease.toml:1",
            "services.web.priority = 5 # config.toml:3",
            "services.web.preferred = null # shop/portlease.toml:3",
            "services.web.framework = \"vite\" # shop/portlease.toml:4",
        ],
    );
}

#[test]
fn one_way_to_say_where_the_ports_are_replaces_the_others() {
    check(
        &Said {
            user: "[services.web]\nbasePort = 4000\nmaxPort = 4010",
            project: "services.web.range = '5000-5010'",
            ..Said::default()
        },
        &["services.web.range = \"5000-5010\" # shop/portlease.toml:1"],
    );
}

#[test]
fn other_tables_may_have_keys_of_the_same_names() {
    check(
        &Said {
            user: "[pools]\npreset = '4000-4010'",
            project: "[pools]\nrange = '5000-5010'",
            ..Said::default()
        },
        &[
            "pools.preset = \"4000-4010\" # config.toml:2",
            "pools.range = \"5000-5010\" # shop/portlease.toml:2",
        ],
    );
}

const PROFILES: &str = "
maxRetries = 1
timeout = 1
[profiles.production]
maxRetries = 2
services.api.preset = 'apiServer'
[profiles.test]
maxRetries = 3
";

#[test]
fn a_profile_that_is_not_chosen_says_nothing() {
    check(
        &project(PROFILES),
        &[
            "maxRetries = 1 # shop/portlease.toml:2",
            "timeout = 1 # shop/portlease.toml:3",
        ],
    );
}

#[test]
fn a_chosen_profile_overrules_its_own_file_and_no_other() {
    check(
        &Said {
            project: PROFILES,
            user: "[profiles.production]\ntimeout = 9\ngrace = 9",
            flags: &[("profile", "production")],
            ..Said::default()
        },
        &[
            "profile = \"production\" # --profile",
            "maxRetries = 2 # shop/portlease.toml:5",
            "timeout = 1 # shop/portlease.toml:3",
            "grace = 9 # config.toml:3",
            "services.api.preset = \"apiServer\" # shop/portlease.toml:6",
        ],
    );
}

#[test]
fn a_file_may_choose_a_profile() {
    let text = format!("profile = 'test'\n{PROFILES}");
    check(
        &project(&text),
        &[
            "profile = \"test\" # shop/portlease.toml:1",
            "maxRetries = 3 # shop/portlease.toml:9",
            "timeout = 1 # shop/portlease.toml:4",
        ],
    );
}

#[test]
fn package_json_says_the_same_as_toml() {
    let package = r#"{
  "name": "shop",
  "portlease": {
    "autoReassign": false,
    "exclude": [3000, "3001-3002"],
    "services": {"b": {"priority": -1}, "a": {}}
  }
}"#;
    check(
        &Said {
            package,
            ..Said::default()
        },
        &[
            "autoReassign = false # shop/package.json:4",
            "exclude = [3000,\"3001-3002\"] # shop/package.json:5",
            "services.b.priority = -1 # shop/package.json:6",
        ],
    );
}

#[test]
fn package_json_without_the_key_is_no_configuration() {
    for package in [
        r#"{"name": "portlease"}"#,
        r#"{"keywords": ["portlease"], "dependencies": {"portlease": "1"}}"#,
        "{ broken",
        "[]",
    ] {
        let said = Said {
            package,
            project: "timeout = 1",
            ..Said::default()
        };
        check(&said, &["timeout = 1 # shop/portlease.toml:1"]);
    }
}

#[test]
fn keys_are_shown_as_toml_writes_them() {
    check(
        &project("[services.'a.b']\npriority = 1"),
        &["services.\"a.b\".priority = 1 # shop/portlease.toml:2"],
    );
}
