//! Every error: where it is, what is wrong, what to do.

use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(
        project(text).error(),
        format!("shop/portlease.toml:{expected}")
    );
}

#[track_caller]
fn check_package(package: &str, expected: &str) {
    let said = Said {
        package,
        ..Said::default()
    };
    assert_eq!(said.error(), format!("shop/package.json:{expected}"));
}

#[test]
fn unknown_keys_and_the_nearest_one() {
    check(
        "serivces = 1",
        "1:1: There is no key \"serivces\". Did you mean \"services\"?",
    );
    check(
        "[services.web]\n  autoReasign = 1",
        "2:3: There is no key \"autoReasign\". There are: framework, preferred, range, basePort, maxPort, preset, \
         spillover, emergency, priority, requires, conflicts, inheritFrom, variable.",
    );
    check(
        "[profiles.production.services.web]\nBASEPORT = 1",
        "2:1: There is no key \"BASEPORT\". Did you mean \"basePort\"?",
    );
    check(
        "frameworks.mine.aliass = []",
        "1:17: There is no key \"aliass\". Did you mean \"aliases\"?",
    );
}

#[test]
fn long_texts_are_quoted_in_part() {
    let long = "größe".repeat(100_000);
    let quoted = format!("\"{}…\"", "größe".repeat(16));
    check(
        &format!("timeout = '{long}'"),
        &format!("1:11: Here belongs a whole number from 0 to 4294967295, not the text {quoted}."),
    );
    check(
        &format!("services.web.'{long}' = 1"),
        &format!(
            "1:14: There is no key {quoted}. There are: framework, preferred, range, basePort, maxPort, preset, \
             spillover, emergency, priority, requires, conflicts, inheritFrom, variable."
        ),
    );
}

#[test]
fn values_of_another_type() {
    check(
        "autoReassign = 'yes'",
        "1:16: Here belongs true or false, not the text \"yes\".",
    );
    check(
        "maxRetries = 70000",
        "1:14: Here belongs a whole number from 0 to 65535, not 70000.",
    );
    check(
        "timeout = -1",
        "1:11: Here belongs a whole number from 0 to 4294967295, not -1.",
    );
    check(
        "grace = 1.5",
        "1:9: Here belongs a whole number from 0 to 4294967295, not 1.5.",
    );
    check(
        "grace = 1979-05-27",
        "1:9: Here belongs a whole number from 0 to 4294967295, not a date.",
    );
    check("project = 5", "1:11: Here belongs a text, not 5.");
    check("services = []", "1:12: Here belongs a table, not a list.");
    check("services.web = 5", "1:16: Here belongs a table, not 5.");
    check(
        "services.web.preferred = {}",
        "1:26: Here belongs a list, not a table.",
    );
    check(
        "services.web.priority = true",
        "1:25: Here belongs a whole number, not true.",
    );
    check(
        "strategy = 5",
        "1:12: Here belongs one of conservative, minimal, aggressive.",
    );
    check(
        "maxRetries = 99999999999999999999",
        "1:14: Here belongs a whole number from 0 to 65535, not so large a number.",
    );
}

#[test]
fn values_that_make_no_sense() {
    check(
        "ifRunning = 'takover'",
        "1:13: There is no choice \"takover\". Did you mean \"takeover\"?",
    );
    check(
        "strategy = 'x'",
        "1:12: There is no choice \"x\". There are: conservative, minimal, aggressive.",
    );
    check(
        "[services.web]\npreferred = [3000, 0]",
        "2:20: \"0\" is not a port: a port is a whole number from 1 to 65535.",
    );
    check(
        "[services.web]\npreferred = [3000, 'x']",
        "2:20: Here belongs a port from 1 to 65535, not the text \"x\".",
    );
    check(
        "exclude = ['4010-4000']",
        "1:12: \"4010-4000\" is not a range of ports: write first-last, both from 1 to 65535 and the lower one first.",
    );
    check(
        "exclude = [0]",
        "1:12: \"0\" is not a port: a port is a whole number from 1 to 65535.",
    );
    check(
        "exclude = [true]",
        "1:12: Here belongs a port such as 4000 or a range such as \"4000-4010\", not true.",
    );
    check(
        "pools.red = 4000",
        "1:13: Here belongs a range such as \"4000-4100\", not 4000.",
    );
    check(
        "services.'' = {}",
        "1:10: \"\" is not a name: a name has 1 to 1024 bytes and no control characters.",
    );
    check(
        "services.web.variable = 'A=B'",
        "1:25: \"A=B\" is not the name of an environment variable.",
    );
    check(
        "registry = 'mysql:host'",
        "1:12: \"mysql:host\" names no registry. Write sqlite:PATH, postgres://USER@HOST/DATABASE or memory:.",
    );
}

#[test]
fn values_that_do_not_fit_together() {
    check(
        "[services.web]\nrange = '1-2'\nbasePort = 5",
        "3:1: \"range\" and \"basePort\" both say where the ports of \"web\" are. Keep one of them.",
    );
    check(
        "[services.web]\nmaxPort = 5\npreset = 'webServer'",
        "2:1: \"preset\" and \"maxPort\" both say where the ports of \"web\" are. Keep one of them.",
    );
    check(
        "[profiles.production.services.web]\nrange = '1-2'\npreset = 'webServer'",
        "3:1: \"range\" and \"preset\" both say where the ports of \"web\" are. Keep one of them.",
    );
    check(
        "[services.web]\nbasePort = 5000\nmaxPort = 4000",
        "3:11: The highest port, 4000, is below the lowest, 5000.",
    );
    check(
        "[pools]\nred = '3000-3033'\nblue = '3033-3066'",
        "3:8: Pools red (3000–3033) and blue (3033–3066) overlap: a port belongs to one pool.",
    );
    check(
        "[frameworks.next]\nrange = '4000-4010'\ndefault = 3000",
        "3:11: Port 3000 is not in the range 4000–4010.",
    );
    check(
        "[frameworks.mine]\naliases = ['my']",
        "1:13: Where are the ports of \"mine\"? Say it by \"range\" or \"default\".",
    );
    check(
        "[frameworks.mine]\ndefault = 4000\naliases = ['vite']",
        "3:11: \"vite\" is a name of vite already.",
    );
    check(
        "[profiles.production]\nhost = 'worker-7'",
        "2:1: A profile cannot have the key \"host\".",
    );
    check(
        "[profiles.production]\nprofile = 'test'",
        "2:1: A profile cannot have the key \"profile\".",
    );
    check(
        "[profiles.production.profiles.test]\ntimeout = 1",
        "1:22: A profile cannot have the key \"profiles\".",
    );
}

#[test]
fn names_that_name_nothing() {
    check(
        "[services.web]\nframework = 'nuxtt'",
        "2:13: There is no framework \"nuxtt\". Did you mean \"nuxt\"?",
    );
    check(
        "[services.api]\npreset = 'apiSever'",
        "2:10: There is no preset for development with the name \"apiSever\". Did you mean \"apiServer\"?",
    );
    check(
        "profile = 'production'\n[services.hmr]\npreset = 'viteHmr'",
        "3:10: There is no preset for production with the name \"viteHmr\". There are: webServer, apiServer, container.",
    );
    check(
        "[services.web]\n[services.live]\ninheritFrom = 'wbe'",
        "3:15: There is no other service \"wbe\". Did you mean \"web\"?",
    );
    check(
        "[services.web]\nconflicts = ['web']",
        "2:13: There is no other service \"web\".",
    );
    check(
        "[services]\na.inheritFrom = 'b'\nb.inheritFrom = 'c'\nc.inheritFrom = 'b'",
        "2:17: Services inherit in a circle: a → b → c → b. One of them needs a range of its own.",
    );
    check(
        "pool = 'rad'\npools.red = '4000-4010'",
        "1:8: There is no pool \"rad\". Did you mean \"red\"?",
    );
    check("pool = 'red'", "1:8: There is no pool \"red\".");
    check(
        "profile = 'prodution'",
        "1:11: There is no profile \"prodution\". Did you mean \"production\"?",
    );
}

#[test]
fn what_is_not_toml() {
    check(
        "a = = 1",
        "1:5: This is not TOML: extra `=`, expected nothing.",
    );
    check(
        "timeout = 1\ntimeout = 2",
        "2:1: This is not TOML: duplicate key.",
    );
    let columns = project("project = 'größe' x").error();
    assert!(
        columns.starts_with("shop/portlease.toml:1:19: This is not TOML"),
        "{columns}"
    );
}

#[test]
fn what_is_wrong_in_package_json() {
    check_package(
        "{\n  \"portlease\": {\"serivces\": {}}\n}",
        "2:17: There is no key \"serivces\". Did you mean \"services\"?",
    );
    check_package(
        "{\"portlease\": {\"timeout\": \"soon\"}}",
        "1:27: Here belongs a whole number from 0 to 4294967295, not the text \"soon\".",
    );
    check_package(
        "{\"portlease\": null}",
        "1:15: Here belongs a table, not null.",
    );
    check_package(
        "{\"portlease\": []}",
        "1:15: Here belongs a table, not a list.",
    );
    check_package(
        "{\"portlease\": {\"timeout\": 1e400}}",
        "1:27: Here belongs a whole number from 0 to 4294967295, not so large a number.",
    );
    check_package(
        "{\"portlease\": {\"timeout\": 1, \"timeout\": 1}}",
        "1:30: The key \"timeout\" is there twice. Keep one of them.",
    );
    check_package(
        "{\"portlease\": {}, \"portlease\": {}}",
        "1:19: The key \"portlease\" is there twice. Keep one of them.",
    );
    check_package(
        "{\n  \"portlease\": {\n  \"a\" 1 }\n}",
        "3:7: This is not JSON: expected `:`.",
    );
    let deep = format!("{{\"portlease\": {}{}}}", "[".repeat(99), "]".repeat(99));
    check_package(&deep, "1:48: This is nested too deeply.");
}

#[test]
fn a_project_is_configured_once() {
    let said = Said {
        project: "timeout = 1",
        package: "{\n\"portlease\": {}}",
        ..Said::default()
    };
    assert_eq!(
        said.error(),
        "shop/package.json:2:14: This project is configured twice: here and in shop/portlease.toml. Keep one of them."
    );
}

#[test]
fn the_users_file_names_no_project() {
    let said = Said {
        user: "project = 'shop'",
        ..Said::default()
    };
    assert_eq!(
        said.error(),
        "config.toml:1:1: All projects would have this one name. `project` belongs into a project's portlease.toml."
    );
}

#[test]
fn the_projects_file_names_no_host() {
    assert_eq!(
        project("host = 'worker-7'").error(),
        "shop/portlease.toml:1:1: All machines with this project would have this one name. `host` belongs into your own file, or into \
         PORTLEASE_HOST."
    );
}

#[test]
fn the_users_file_is_checked_where_the_project_overrules_it() {
    let said = Said {
        user: "timeout = 'x'",
        project: "timeout = 1",
        ..Said::default()
    };
    assert!(
        said.error().starts_with("config.toml:1:11: "),
        "{}",
        said.error()
    );
}

#[test]
fn variables_and_flags_are_named() {
    let mut said = Said {
        variables: &[("PORTLEASE_TIMEOUT", "soon")],
        ..Said::default()
    };
    assert_eq!(
        said.error(),
        "PORTLEASE_TIMEOUT: Here belongs a whole number from 0 to 4294967295, not the text \"soon\"."
    );
    said.variables = &[("PORTLEASE_REGISTRY", "here")];
    assert_eq!(
        said.error(),
        "PORTLEASE_REGISTRY: \"here\" names no registry. Write sqlite:PATH, postgres://USER@HOST/DATABASE or memory:."
    );
    said.variables = &[];
    said.flags = &[("profile", "producton")];
    assert_eq!(
        said.error(),
        "--profile: There is no profile \"producton\". Did you mean \"production\"?"
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text() {
    use std::os::unix::ffi::OsStringExt as _;

    let folder = tempfile::tempdir().unwrap();
    let mut sources = Said::default().sources(folder.path());
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    sources
        .variables
        .insert("PORTLEASE_PROJECT".to_owned(), value);
    let error = sources.read().unwrap_err();
    assert_eq!(
        error.to_string(),
        "PORTLEASE_PROJECT: The value is not UTF-8 text."
    );
}
