//! What is configured holds for the commands, and what is wrong is told.

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::{Ended, Sandbox, text};

/// The project's file, with `{range}` for the ports of the sandbox.
fn configure(sandbox: &Sandbox, text: &str) {
    let range = format!("{}-{}", sandbox.ports.start, sandbox.ports.end - 1);
    sandbox.write("portlease.toml", &text.replace("{range}", &range));
}

/// Where the platform keeps the user's file.
fn user_file(sandbox: &Sandbox) -> PathBuf {
    let told = sandbox.ended(&["config", "path"]);
    let row = told.stdout.lines().find(|line| line.starts_with("user"));
    PathBuf::from(row.unwrap().split('\t').nth(1).unwrap())
}

fn configure_user(sandbox: &Sandbox, text: &str) {
    let file = user_file(sandbox);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[track_caller]
fn check(ended: &Ended, stdout: &str) {
    assert_eq!(
        (ended.code, ended.stdout.trim_end()),
        (Some(0), stdout),
        "{ended:?}"
    );
}

/// What `portlease config` says about a key.
#[track_caller]
fn shown(ended: &Ended, key: &str) -> String {
    let line = ended.stdout.lines().find(|line| line.starts_with(key));
    line.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

#[test]
fn every_value_is_shown_with_who_said_it() {
    let sandbox = Sandbox::new();
    let told = sandbox.ended(&["config"]);
    assert_eq!(shown(&told, "maxRetries"), "maxRetries = 10  # default");
    assert!(shown(&told, "project").ends_with("project\"  # default"));
    // The sandbox has one.
    assert!(shown(&told, "registry").ends_with("# from PORTLEASE_REGISTRY"));

    configure_user(&sandbox, "maxRetries = 1\n");
    let told = shown(&sandbox.ended(&["config", "show"]), "maxRetries");
    assert!(told.starts_with("maxRetries = 1  # from "), "{told}");
    assert!(told.ends_with("config.toml:1"), "{told}");

    configure(&sandbox, "# ours\nmaxRetries = 2\n");
    let told = sandbox.ended(&["config"]);
    assert_eq!(
        shown(&told, "maxRetries"),
        "maxRetries = 2  # from portlease.toml:2"
    );

    let mut command = sandbox.portlease(&["config"]);
    command.env("PORTLEASE_MAX_RETRIES", "3");
    assert_eq!(
        shown(&Ended::of(command), "maxRetries"),
        "maxRetries = 3  # from PORTLEASE_MAX_RETRIES"
    );

    let told = sandbox.ended(&["config", "--project=shop"]);
    assert_eq!(
        shown(&told, "project"),
        "project = \"shop\"  # from --project"
    );
}

#[test]
fn values_as_json() {
    let sandbox = Sandbox::new();
    configure(&sandbox, "timeout = 7");
    let told = sandbox.ended(&["config", "--json"]);
    let values: Vec<Value> = serde_json::from_str(&told.stdout).unwrap();
    let timeout = values
        .iter()
        .find(|value| value["key"] == "timeout")
        .unwrap();
    assert_eq!(timeout["value"], 7);
    assert_eq!(timeout["origin"]["kind"], "file");
    assert_eq!(timeout["origin"]["line"], 1);
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let sandbox = Sandbox::new();
    configure(&sandbox, "[services.web]\nframwork = 'vite'\n");
    let expected =
        "portlease: portlease.toml:2:1: There is no key \"framwork\". Did you mean \"framework\"?";
    for arguments in [
        &["config"][..],
        &["config", "check"],
        &["config", "check", "portlease.toml"],
        &["get"],
        &["explain"],
        &["release"],
        &["ports"],
        &["who", "4000"],
        &["cleanup"],
        &["run", "--", "true"],
    ] {
        let ended = sandbox.ended(arguments);
        assert_eq!(
            (ended.code, ended.stderr.trim_end()),
            (Some(2), expected),
            "{arguments:?}"
        );
    }
    for arguments in [&["get", "--json"][..], &["config", "--json"]] {
        let ended = sandbox.ended(arguments);
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        let error = &told["error"];
        assert_eq!(error["code"], "INVALID_CONFIG", "{ended:?}");
        assert_eq!((&error["line"], &error["column"]), (&2.into(), &1.into()));
        assert!(error["file"].as_str().unwrap().ends_with("portlease.toml"));
    }
}

#[test]
fn a_mistake_on_the_command_line_names_the_flag() {
    let sandbox = Sandbox::new();
    let ended = sandbox.ended(&["get", "--profile=prodution"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr.trim_end(),
        "portlease: --profile: There is no profile \"prodution\". Did you mean \"production\"?"
    );
}

#[test]
fn one_file_is_checked() {
    let sandbox = Sandbox::new();
    sandbox.write("other.toml", "timeout = 5");
    sandbox.write("package.json", "{\"portlease\": {\"timeout\": \"x\"}}");
    check(
        &sandbox.ended(&["config", "check", "other.toml"]),
        "other.toml is fine",
    );
    let ended = sandbox.ended(&["config", "check", "package.json"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.starts_with("portlease: package.json:1:27: "),
        "{ended:?}"
    );
    let ended = sandbox.ended(&["config", "check", "absent.toml"]);
    assert_eq!(ended.code, Some(2));
    sandbox.write("package.json", "{}");
    check(
        &sandbox.ended(&["config", "check"]),
        "The configuration is fine",
    );
}

#[test]
fn the_schema_is_the_committed_one() {
    let sandbox = Sandbox::new();
    let ended = sandbox.ended(&["config", "schema"]);
    let committed = include_str!("../portlease.schema.json");
    check(&ended, committed.replace("\r\n", "\n").trim_end());
}

#[test]
fn where_configuration_is_looked_for() {
    let sandbox = Sandbox::new();
    configure(&sandbox, "timeout = 5");
    let ended = sandbox.ended(&["config", "path"]);
    let rows: Vec<Vec<&str>> = ended
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(rows[0], ["WHOSE", "FILE", "SAYS"]);
    assert_eq!((rows[1][0], rows[1][2]), ("user", "nothing"));
    assert!(rows[1][1].ends_with("config.toml"), "{rows:?}");
    assert_eq!((rows[2][0], rows[2][2]), ("project", "used"));
    assert!(rows[2][1].ends_with("portlease.toml"), "{rows:?}");
    assert_eq!((rows[3][0], rows[3][2]), ("project", "nothing"));
    assert!(rows[3][1].ends_with("package.json"), "{rows:?}");
}

const SHOP: &str = "
project = 'shop'
[services.web]
framework = 'vite'
range = '{range}'
[services.api]
range = '{range}'
variable = 'BACKEND'
[services.live]
inheritFrom = 'api'
";

#[test]
fn get_and_release_are_about_what_is_configured() {
    let sandbox = Sandbox::new();
    configure(&sandbox, SHOP);
    let first = sandbox.ports.start;
    let ended = sandbox.ended(&["get", "--json"]);
    let got: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(got["port"], first, "{ended:?}");
    assert_eq!(got["project"], "shop");
    assert_eq!(got["service"], "web");
    assert_eq!(got["framework"], "vite");
    let second = (first + 1).to_string();
    check(&sandbox.ended(&["get", "--service=live"]), &second);
    check(&sandbox.ended(&["get", "--service=api"]), &second);
    let released = sandbox.ended(&["release"]);
    assert_eq!(released.stdout.lines().count(), 2, "{released:?}");
    assert!(sandbox.leases().is_empty());
}

#[test]
fn flags_come_before_files() {
    let sandbox = Sandbox::new();
    let port = |index: u16| (sandbox.ports.start + index).to_string();
    let text = "[services.web]\nrange = '{range}'\npreferred = [PORT]\nframework = 'vite'";
    configure(&sandbox, &text.replace("PORT", &port(3)));
    // While the port of the file is free, too.
    check(
        &sandbox.ended(&["get", "--project=b", "--prefer", &port(5)]),
        &port(5),
    );
    check(&sandbox.ended(&["get", "--project=a"]), &port(3));
    let range = format!("--range={}-{}", port(6), port(8));
    let excluded = format!("--exclude={}", port(3));
    check(
        &sandbox.ended(&["get", "--project=c", &range, &excluded]),
        &port(6),
    );
    let ended = sandbox.ended(&["get", "--project=d", "--framework=next", "--json"]);
    let got: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(got["framework"], "next", "{ended:?}");
}

#[test]
fn explain_keeps_to_what_is_configured() {
    let sandbox = Sandbox::new();
    configure(&sandbox, &format!("exclude = ['{{range}}']{SHOP}"));
    let ended = sandbox.ended(&["explain"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let ended = sandbox.ended(&["explain", "--service=other", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_profile_changes_the_range() {
    let sandbox = Sandbox::new();
    configure(
        &sandbox,
        "services.web.range = '{range}'\nprofiles.production.services.web.basePort = 65500",
    );
    let first = sandbox.ports.start.to_string();
    check(&sandbox.ended(&["get", "--project=a"]), &first);
    let ended = sandbox.ended(&["get", "--project=b", "--profile=production"]);
    assert!(ended.stdout.starts_with("65"), "{ended:?}");
}

#[test]
fn the_registry_of_a_file_and_the_variable_above_it() {
    let sandbox = Sandbox::new();
    configure(&sandbox, &format!("registry = 'sqlite:state/own.db'{SHOP}"));
    let own = sandbox.project().join("state/own.db");
    let leases = |is_own: bool| {
        let mut command = sandbox.portlease(&["ports", "--json"]);
        if is_own {
            command.env_remove("PORTLEASE_REGISTRY");
        }
        let ended = Ended::of(command);
        let leases: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        leases.len()
    };
    check(&sandbox.ended(&["get"]), &sandbox.ports.start.to_string());
    assert!(!own.exists(), "the variable names another one");
    let folder = sandbox.project().join("below");
    fs::create_dir(&folder).unwrap();
    let mut command = sandbox.portlease(&["get"]);
    command.env_remove("PORTLEASE_REGISTRY").current_dir(folder);
    assert_eq!(Ended::of(command).code, Some(0));
    assert!(own.exists(), "{} is not there", text(&own));
    assert_eq!((leases(true), leases(false)), (1, 1));
}

#[cfg(unix)]
mod running {
    use support::{Running, http};

    use super::*;

    const ECHO: [&str; 3] = ["sh", "-c", "echo $PORT $BACKEND $LIVE_PORT $API_PORT"];

    fn run<'a>(flags: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
        [&["run"], flags, &["--"], command].concat()
    }

    #[test]
    fn the_declared_services_get_ports_and_variables() {
        let sandbox = Sandbox::new();
        configure(&sandbox, SHOP);
        let (first, second) = (sandbox.ports.start, sandbox.ports.start + 1);
        check(
            &sandbox.ended(&run(&[], &ECHO)),
            &format!("{first} {second} {second}"),
        );
    }

    #[test]
    fn named_services_replace_the_declared_ones() {
        let sandbox = Sandbox::new();
        configure(&sandbox, SHOP);
        let first = sandbox.ports.start;
        let flags = ["--service=api", "--service=web=API_PORT"];
        let second = first + 1;
        let ended = sandbox.ended(&run(&flags, &ECHO));
        // `api` is the first one here, and still has the variable of its own.
        check(&ended, &format!("{first} {second}"));
        check(
            &sandbox.ended(&run(&["--service=api=PORT"], &ECHO)),
            &first.to_string(),
        );
    }

    #[test]
    fn two_services_with_one_variable_are_refused() {
        let sandbox = Sandbox::new();
        configure(
            &sandbox,
            "[services.web]\n[services.api]\nvariable = 'PORT'",
        );
        let ended = sandbox.ended(&run(&[], &ECHO));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("web and api have one variable, PORT"),
            "{ended:?}"
        );
    }

    #[test]
    fn what_a_service_prefers_is_served() {
        let sandbox = Sandbox::new();
        let port = sandbox.ports.start + 4;
        configure(
            &sandbox,
            &format!("[services.site]\nrange = '{{range}}'\npreferred = [{port}]"),
        );
        let server = ["python3", "-m", "http.server", "{port}", "--bind=127.0.0.1"];
        let mut running = Running::of(sandbox.portlease(&run(&[], &server)));
        assert_eq!(running.ready(), port);
        assert_eq!(http(port).unwrap(), "HTTP/1.0 200 OK");

        // It runs now, and a file may say what to do then, and a flag something else.
        configure(
            &sandbox,
            "ifRunning = 'attach'\n[services.site]\nrange = '{range}'",
        );
        let attached = format!("http://localhost:{port}");
        check(&sandbox.ended(&run(&[], &ECHO)), &attached);
        let mut command = sandbox.portlease(&run(&[], &ECHO));
        command.env("PORTLEASE_IF_RUNNING", "another");
        let ended = Ended::of(command);
        assert_ne!(ended.stdout.trim_end(), attached, "{ended:?}");
    }

    #[test]
    fn a_file_may_say_how_long_a_server_may_take() {
        let sandbox = Sandbox::new();
        configure(
            &sandbox,
            "timeout = 1\ngrace = 1\nservices.web.range = '{range}'",
        );
        let script = "trap '' INT TERM; while :; do sleep 0.1; done";
        let mut running = Running::of(sandbox.portlease(&run(&[], &["sh", "-c", script])));
        running.hear("after 1 s");
        running.signal(rustix::process::Signal::TERM);
        let (status, _) = running.end();
        assert!(!status.success());
    }
}

#[test]
fn the_users_own_frameworks_are_scanned_and_counted() {
    let sandbox = Sandbox::new();
    let (first, last) = (sandbox.ports.start, sandbox.ports.end - 1);
    let toml = format!("[frameworks.mine]\nrange = \"{first}-{last}\"\n");
    sandbox.write("portlease.toml", &toml);
    let stats = sandbox.ended(&["stats"]);
    assert!(stats.stdout.contains("mine"), "{stats:?}");
    let scanned = sandbox.ended(&["scan", "--json"]);
    assert!(scanned.stdout.contains(&format!("{first}")), "{scanned:?}");
}
