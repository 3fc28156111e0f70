//! Registries that go out of the command line and come back, and what shells complete.

#![cfg(unix)]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use portlease::core::{Planner, Wish};
use serde_json::{Value, json};
use support::{Ended, Sandbox, check, text};

#[test]
fn a_registry_goes_out_and_comes_back() {
    let [sandbox, other] = [Sandbox::new(), Sandbox::new()];
    let port = sandbox.get("shop");
    let file = other.project().join("registry.json");
    let exported = sandbox.ended(&["export", text(&file)]);
    check(&exported, 0, "1 lease written to ");
    assert_eq!(exported.stdout, "");

    let imported = other.ended(&["import", "registry.json"]);
    check(
        &imported,
        0,
        "1 added, 0 left out, 0 there already, 0 ended",
    );
    assert_eq!(imported.stdout, format!("added shop/web on port {port}\n"));
    check(
        &other.ended(&["import", "registry.json"]),
        0,
        "0 added, 0 left out, 1 there already",
    );
    assert_eq!(
        other.ended(&["export"]).stdout,
        fs::read_to_string(&file).unwrap()
    );

    let third = Sandbox::new();
    let mut command = third.portlease(&["import", "-", "--json"]);
    command.stdin(fs::File::open(&file).unwrap());
    let imported = Ended::of(command);
    let imported: Value = serde_json::from_str(&imported.stdout).unwrap();
    assert_eq!(imported["added"][0]["port"], port);
}

#[test]
fn a_snapshot_is_planned_on_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "portlease.toml",
        "exclude = [\"4001\"]\n[frameworks.rocket]\nrange = \"4000-4010\"\ndefault = 4000\n",
    );
    let port = sandbox.get("shop");
    let snapshot = sandbox.ended(&["export", "--snapshot"]);
    check(&snapshot, 0, "");
    let planner = Planner::new(serde_json::from_str(&snapshot.stdout).unwrap()).unwrap();
    let seat = |wish: &str| {
        let request = Wish::read(wish).unwrap().request(planner.settings());
        planner.plan(request.unwrap()).unwrap().planned.seats[0].port
    };
    // What is leased there is closed here, and its own frameworks and exclusions hold.
    let own = format!(r#"{{"projectId": "blog", "basePort": {port}, "maxPort": {port}}}"#);
    let request = Wish::read(&own).unwrap().request(planner.settings());
    let refusal = planner.plan(request.unwrap()).unwrap_err();
    assert!(refusal.to_string().contains("shop"), "{refusal}");
    let rocket = r#"{"projectId": "moon", "framework": "rocket", "startPort": 4001}"#;
    assert_ne!(seat(rocket).get(), 4001);
    let file = sandbox.ended(&["export", "--snapshot", "host.json"]);
    check(&file, 0, "1 lease written to host.json");
}

#[test]
fn an_import_that_conflicts() {
    let sandbox = Sandbox::new();
    let port = sandbox.get("shop");
    sandbox.get("docs");
    let exported = sandbox.ended(&["export", "one.json"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    sandbox.ended(&["release", "--project=shop"]);
    let flag = format!("--port={port}");
    assert_eq!(
        sandbox.ended(&["get", "--project=blog", &flag]).code,
        Some(0)
    );
    let owner = || sandbox.leases()[0]["lease"]["project"].clone();

    sandbox.ended(&["release", "--project=docs"]);

    let refused = sandbox.ended(&["import", "one.json", "--on-conflict=refuse"]);
    check(&refused, 3, "Nothing was imported");
    assert!(
        refused.stdout.starts_with("left out shop/web on port "),
        "{refused:?}"
    );
    assert_eq!((sandbox.leases().len(), owner()), (1, json!("blog")));
    check(
        &sandbox.ended(&["import", "one.json"]),
        0,
        "1 added, 1 left out",
    );
    assert_eq!(owner(), "blog");
    let replaced = sandbox.ended(&["import", "one.json", "--on-conflict=replace"]);
    check(
        &replaced,
        0,
        "1 added, 0 left out, 1 there already, 1 ended",
    );
    assert!(
        replaced.stdout.contains("ended blog/web on port "),
        "{replaced:?}"
    );
    assert_eq!(owner(), "shop");
}

#[test]
fn what_cannot_be_exported_or_imported() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    check(
        &sandbox.ended(&["import", "nothing.json"]),
        2,
        "nothing.json cannot be read",
    );
    sandbox.write("other.json", "{\"name\": \"shop\"}");
    check(
        &sandbox.ended(&["import", "other.json"]),
        2,
        "is no export of a registry",
    );
    check(
        &sandbox.ended(&["import"]),
        2,
        "The standard input is no export",
    );
    sandbox.write("newer.json", "{\"format\": 99, \"hosts\": {}}");
    check(
        &sandbox.ended(&["import", "newer.json"]),
        1,
        "has format 99",
    );
    let (_, error) = sandbox.json(&["import", "other.json"]);
    assert_eq!(error["error"]["code"], "IMPORT_UNREADABLE");
    check(
        &sandbox.ended(&["export", "no/such/folder.json"]),
        1,
        "cannot be written to no/such",
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut full = sandbox.portlease(&["export"]);
    full.stdout(writer);
    let output = full
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("cannot be written to the standard output"),
        "{said}"
    );

    for arguments in [&["export"][..], &["import", "newer.json"]] {
        let mut command = sandbox.portlease(arguments);
        command.env("PORTLEASE_REGISTRY", "memory:");
        check(
            &Ended::of(command),
            1,
            "This registry is in the memory of one process",
        );
    }
}

#[test]
fn shells_complete_the_commands() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.ended(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{shell}");
        for word in ["portlease", "doctor", "on-conflict"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
    check(
        &sandbox.ended(&["completions", "csh"]),
        2,
        "possible values",
    );
    let script = sandbox.ended(&["completions", "bash"]).stdout;
    sandbox.write("complete", &script);
    let ask = "source complete; COMP_WORDS=(portlease doc); COMP_CWORD=1; _portlease portlease doc; echo $COMPREPLY";
    let mut bash = Command::new("bash");
    bash.args(["-c", ask]).current_dir(sandbox.project());
    assert_eq!(Ended::of(bash).stdout.trim(), "doctor");
}

#[test]
fn all_hosts_that_share_a_registry_are_told_of() {
    let [laptop, runner] = [Sandbox::new(), Sandbox::new()];
    let here = laptop.get("shop");
    let there = runner.get("blog");
    // Two machines in one registry: the leases of the other one come under its name.
    let mut exported = runner.export();
    let hosts = exported["hosts"].as_object_mut().unwrap();
    let (_, leases) = hosts
        .remove_entry(&hosts.keys().next().unwrap().clone())
        .unwrap();
    hosts.insert("runner-7".to_owned(), leases);
    laptop.write("runner.json", &exported.to_string());
    check(&laptop.ended(&["import", "runner.json"]), 0, "1 added");

    let (_, everywhere) = laptop.json(&["ports", "--all-hosts"]);
    assert_eq!(everywhere.as_object().unwrap().len(), 2);
    assert_eq!(everywhere["runner-7"][0]["port"], there);
    let plain = laptop.ended(&["ports", "--all-hosts", "--project", "blog"]);
    let lines: Vec<&str> = plain.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with(&format!("runner-7\t{there}\tweb\tblog\t")));
    let (_, own) = laptop.json(&["ports"]);
    assert_eq!(own.as_array().map(Vec::len), Some(1));
    assert_eq!(own[0]["lease"]["port"], here);

    let (_, hosts) = laptop.json(&["hosts"]);
    let leases: Vec<&Value> = hosts
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["leases"])
        .collect();
    assert_eq!(leases, [1, 1], "a file has no runners, but hosts: {hosts}");

    let (_, stats) = laptop.json(&["stats", "--all-hosts"]);
    assert_eq!(stats["runner-7"]["counters"]["grants"], 1);
    let plain = laptop.ended(&["stats", "--all-hosts"]);
    assert!(
        plain.stdout.contains("\nrunner-7\t1\t1\t0\t"),
        "{}",
        plain.stdout
    );
}
