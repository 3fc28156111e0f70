//! What `portlease doctor` finds on machines and registries that are well, and on others.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use support::{Ended, Sandbox, stale};

fn finding<'a>(findings: &'a Value, check: &str) -> &'a Value {
    let mut all = findings.as_array().unwrap().iter();
    all.find(|finding| finding["check"] == check)
        .unwrap_or_else(|| panic!("{findings:#}"))
}

/// What the doctor finds with this registry, and the exit code.
fn doctor(sandbox: &Sandbox, registry: &str) -> (Option<i32>, Value) {
    let mut command = sandbox.portlease(&["doctor", "--json"]);
    command.env("PORTLEASE_REGISTRY", registry);
    let ended = Ended::of(command);
    (ended.code, serde_json::from_str(&ended.stdout).unwrap())
}

#[test]
fn a_machine_that_is_well() {
    let sandbox = Sandbox::new();
    let (code, findings) = doctor(&sandbox, sandbox.registry());
    assert_eq!(code, Some(0), "{findings:#}");
    for check in [
        "registry",
        "hold",
        "reserved",
        "ephemeral",
        "privileged",
        "ipv6",
        "leases",
    ] {
        assert_ne!(
            finding(&findings, check)["level"],
            "problem",
            "{findings:#}"
        );
    }
    let registry = finding(&findings, "registry");
    assert_eq!(registry["level"], "ok");
    assert!(
        registry["message"]
            .as_str()
            .unwrap()
            .contains("can be written"),
        "{registry}"
    );
    let plain = sandbox.ended(&["doctor"]);
    assert!(
        plain
            .stdout
            .lines()
            .all(|line| line.split('\t').count() == 4),
        "{plain:?}"
    );
    assert!(
        plain
            .stdout
            .contains("ok\tenvironment\tPORT is not set\t\n"),
        "{plain:?}"
    );
}

#[test]
fn variables_that_matter() {
    let sandbox = Sandbox::new();
    let with = |value: &str| {
        let mut command = sandbox.portlease(&["doctor"]);
        command
            .env("PORT", value)
            .env("VERBOSE_PORT_ALLOCATOR", "false");
        let ended = Ended::of(command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    };
    let said = with("abc");
    assert!(
        said.contains("warning\tenvironment\tPORT is \"abc\", which is not a port"),
        "{said}"
    );
    assert!(said.contains("\tunset PORT\n"), "{said}");
    assert!(
        said.contains("VERBOSE_PORT_ALLOCATOR is \"false\""),
        "{said}"
    );
    let said = with("4000");
    assert!(
        said.contains("PORT is 4000, which is tried before"),
        "{said}"
    );
}

#[test]
fn a_registry_that_others_may_read() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let file = sandbox.registry();
    let file = file.strip_prefix("sqlite:").unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    let (code, findings) = doctor(&sandbox, sandbox.registry());
    assert_eq!(code, Some(0));
    let permissions = finding(&findings, "permissions");
    assert_eq!(permissions["level"], "warning");
    assert_eq!(permissions["remedy"], format!("chmod 600 '{file}'"));
}

#[test]
fn a_registry_that_was_damaged() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let file = sandbox.registry();
    fs::write(file.strip_prefix("sqlite:").unwrap(), "an accident").unwrap();
    let (code, findings) = doctor(&sandbox, sandbox.registry());
    assert_eq!(code, Some(0));
    let told = findings.to_string();
    assert!(
        told.contains("The registry was damaged") && told.contains(".corrupt-1"),
        "{told}"
    );
}

#[test]
fn a_registry_that_cannot_be() {
    let sandbox = Sandbox::new();
    let folder = sandbox.project();
    let (code, findings) = doctor(&sandbox, &format!("sqlite:{}", folder.display()));
    assert_eq!(code, Some(1));
    let registry = finding(&findings, "registry");
    assert!(
        registry["message"]
            .as_str()
            .unwrap()
            .contains("is not a file"),
        "{registry}"
    );
    assert!(
        registry["remedy"].as_str().unwrap().contains("Name a file"),
        "{registry}"
    );
    assert_eq!(
        finding(&findings, "hold")["check"],
        "hold",
        "the rest is looked at"
    );

    let (code, findings) = doctor(&sandbox, "mysql:there");
    assert_eq!(code, Some(1));
    assert!(
        findings.to_string().contains("names no registry"),
        "{findings:#}"
    );
    let (code, findings) = doctor(&sandbox, "memory:");
    assert_eq!(code, Some(0));
    assert_eq!(finding(&findings, "registry")["level"], "warning");
}

#[test]
fn leases_that_are_not_true() {
    let sandbox = Sandbox::new();
    let port = stale(&sandbox);
    let doctor = sandbox.ended(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert!(
        doctor
            .stdout
            .contains("warning\tleases\tThe owners are gone of "),
        "{doctor:?}"
    );

    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let by = format!("(pid {})", std::process::id());
    let (code, findings) = sandbox.json(&["doctor"]);
    assert_eq!(code, Some(1));
    let problem = finding(&findings, "leases");
    assert_eq!(problem["level"], "problem");
    assert!(
        problem["message"].as_str().unwrap().contains(&by),
        "{problem}"
    );
}
