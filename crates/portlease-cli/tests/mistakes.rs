//! What users do wrong, and what they are told about it.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use support::{Ended, Sandbox, check};

#[test]
fn arguments_that_mean_nothing() {
    let sandbox = Sandbox::new();
    let long = "a".repeat(2000);
    for (arguments, words) in [
        (&["nonsense"][..], "unrecognized subcommand 'nonsense'"),
        (&["get", "--porl=1"], "a similar argument exists: '--port'"),
        (&["get", "--port=0"], "\"0\" is not a port"),
        (&["get", "--prefer=70000"], "\"70000\" is not a port"),
        (&["get", "--exclude=x"], "\"x\" is not a port"),
        (&["get", "--range=5-4"], "\"5-4\" is not a range of ports"),
        (&["get", "--service="], "\"\" is not a name"),
        (&["get", "--project", &long], "1 to 1024 bytes"),
        (
            &["get", "--framework=nxt"],
            "--framework: There is no framework \"nxt\". Did you mean \"next\"?",
        ),
        (&["explain", "--framework="], "There is no framework \"\""),
        (&["who", "70000"], "\"70000\" is not a port"),
        (&["release", "--port=0"], "\"0\" is not a port"),
        (
            &["release", "--port=1", "--service=a"],
            "cannot be used with",
        ),
        (&["run"], "required arguments were not provided"),
        (
            &["run", "--framework=x", "--", "true"],
            "no framework \"x\"",
        ),
        (&["run", "--service=", "--", "true"], "\"\" is not a name"),
        (
            &["run", "--service=web= ", "--", "true"],
            "\" \" is not the name of a variable. Write NAME=VARIABLE",
        ),
        (
            &["run", "--service=web", "--service=web=A", "--", "true"],
            "The service web is there twice",
        ),
        (
            &["run", "--service=a=PORT", "--service=b=PORT", "--", "true"],
            "a and b have one variable, PORT",
        ),
        (&["run", "--retries=65536", "--", "true"], "'--retries"),
        (
            &["start"],
            "There is no script \"dev\" in package.json. Say what to run: `portlease start -- COMMAND`.",
        ),
        (
            &["start", "../absent", "--", "true"],
            "There is no folder \"../absent\"",
        ),
    ] {
        check(&sandbox.ended(arguments), 2, words);
    }
    assert!(sandbox.leases().is_empty());
}

#[test]
fn folders_that_are_none() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    for name in ["absent", "file"] {
        let expected = format!("{name} cannot be the folder of a project");
        for arguments in [
            &["get", "--dir", name][..],
            &["run", "--dir", name, "--", "true"],
        ] {
            check(&sandbox.ended(arguments), 2, &expected);
        }
    }
    let gone = sandbox.project().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut command = sandbox.program("sh");
    let script = "rmdir ../gone; exec \"$0\" get";
    command.args(["-c", script, env!("CARGO_BIN_EXE_portlease")]);
    command.current_dir(&gone);
    check(
        &Ended::of(command),
        2,
        "The current folder cannot be the folder of a project",
    );
}

#[test]
fn a_folder_that_was_removed_since_the_last_start() {
    let sandbox = Sandbox::new();
    sandbox.write("shop/portlease.toml", "project = 'shop'");
    let started = sandbox.ended(&["start", "shop", "--", "false"]);
    check(&started, 5, "It ended. The end of ");
    fs::remove_dir_all(sandbox.project().join("shop")).unwrap();
    check(
        &sandbox.ended(&["start", "shop"]),
        1,
        "/shop: No such file or directory (os error 2). Is the folder there?",
    );
}

#[test]
fn programs_that_cannot_be_started() {
    let sandbox = Sandbox::new();
    let executable = |name: &str, text: &str| {
        sandbox.write(name, text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(sandbox.project().join(name), mode).unwrap();
    };
    sandbox.write("text", "");
    executable("without-interpreter", "#!/there/is/none\n");
    executable("no-program", "\0\0\0\0");
    for (program, code, words) in [
        ("absent", 127, "There is no command \"absent\""),
        ("./absent", 127, "There is no command \"./absent\""),
        ("", 127, "There is no command \"\""),
        (
            "./text",
            126,
            "\"./text\" cannot be started: Permission denied",
        ),
        ("/", 126, "\"/\" cannot be started: Permission denied"),
        (
            "./without-interpreter",
            126,
            "what its first line names is not there",
        ),
        ("./no-program", 126, "Exec format error"),
    ] {
        check(&sandbox.ended(&["run", "--", program]), code, words);
    }
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_port_that_somebody_has() {
    let sandbox = Sandbox::new();
    let [wanted, other] = [0, 1].map(|index| sandbox.ports.start + index);
    let flag = format!("--port={wanted}");
    let get = |project: &str| sandbox.ended(&["get", "--project", project, &flag]);
    // An owner with a range of its own, who can be told what it is.
    let configure = |text: &str| {
        let owner = format!("[services.web]\nrange = '{wanted}-{other}'\n");
        sandbox.write("portlease.toml", &format!("{text}\n{owner}"));
    };
    configure("");
    assert_eq!(get("owner").code, Some(0));
    for (text, words) in [
        (
            "strategy = 'conservative'",
            "the conservative strategy moves nobody",
        ),
        ("autoReassign = false", "the request does not allow moves"),
    ] {
        configure(text);
        let refused = get("shop");
        check(&refused, 3, words);
        check(&refused, 3, &format!("Port {wanted} is leased: owner/web"));
        check(&refused, 3, "release its lease (`portlease release`)");
    }

    configure("");
    let second = format!("--port={other}");
    let third = ["get", "--project=third", &second];
    assert_eq!(sandbox.ended(&third).code, Some(0));
    check(&get("shop"), 3, "whose own range has no other free port");
    sandbox.ended(&["release", "--project=third"]);
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, other)).unwrap();
    let taken = sandbox.ended(&third);
    check(&taken, 3, &format!("Port {other} is in use: "));
    check(&taken, 3, "`portlease who` shows the process");
    drop(stranger);

    // Now the owner has somewhere to go.
    check(
        &get("shop"),
        0,
        &format!("owner/web moved from port {wanted} to {other}: restart it."),
    );
    let (code, refused) = sandbox.json(&["get", "--project=shop", "--port=6000"]);
    assert_eq!(
        (code, &refused["error"]["code"]),
        (Some(3), &json!("PORT_UNAVAILABLE"))
    );
    check(
        &sandbox.ended(&["get", "--port=6000"]),
        3,
        "Port 6000 is refused by browsers. Ask for another port, or require `tcp`",
    );
}

#[test]
fn an_owner_of_higher_priority_and_one_without_another_port() {
    let sandbox = Sandbox::new();
    let wanted = sandbox.ports.start;
    let flag = format!("--port={wanted}");
    let configure = |text: &str| {
        let owner = format!("[services.web]\nrange = '{wanted}-{wanted}'\n");
        sandbox.write(
            "portlease.toml",
            &format!("{text}\n{owner}[services.db]\npriority = 9"),
        );
    };
    configure("");
    let owner = ["get", "--project=owner", "--service=db", &flag];
    assert_eq!(sandbox.ended(&owner).code, Some(0));
    check(
        &sandbox.ended(&["get", "--project=shop", &flag]),
        3,
        "which has a higher priority",
    );
    sandbox.ended(&["release", "--project=owner"]);

    configure("strategy = 'aggressive'");
    let owner = ["get", "--project=owner"];
    assert_eq!(sandbox.ended(&owner).code, Some(0));
    check(
        &sandbox.ended(&["get", "--project=shop", &flag]),
        0,
        &format!("owner/web lost port {wanted} and has none now: stop it."),
    );
}

#[test]
fn ranges_that_are_full() {
    let sandbox = Sandbox::new();
    let ports = sandbox.ports.clone();
    let range = format!("--range={}-{}", ports.start, ports.start + 2);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start)).unwrap();
    let excluded = format!("--exclude={}", ports.start + 1);
    let get = |project: &str| sandbox.ended(&["get", "--project", project, &range, &excluded]);
    assert_eq!(get("one").code, Some(0));
    let full = get("two");
    let own = format!("(pid {})", std::process::id());
    for words in [
        "1 leased, 1 in use by other programs, 1 excluded",
        "one/web",
        &own,
        "widen the range in portlease.toml",
    ] {
        check(&full, 3, words);
    }
    let explained = sandbox.ended(&["explain", "--project=two", &range, &excluded]);
    assert_eq!(explained.code, Some(3));
    assert!(explained.stdout.contains("are taken: "), "{explained:?}");
}

#[test]
fn services_that_would_share_a_port_and_must_not() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "portlease.toml",
        "[services.web]\n[services.live]\ninheritFrom = 'web'\nconflicts = ['web']",
    );
    let (code, refused) = sandbox.json(&["get", "--service=live"]);
    assert_eq!(
        (code, &refused["error"]["code"]),
        (Some(3), &json!("CONFLICT_UNRESOLVED"))
    );
    check(
        &sandbox.ended(&["run", "--", "true"]),
        3,
        "must not share a port, but both would have ",
    );
}

#[test]
fn what_another_one_runs_is_not_released() {
    let sandbox = Sandbox::new();
    let server = ["python3", "-m", "http.server", "{port}", "--bind=127.0.0.1"];
    let mut running = sandbox.start(&[], &server);
    let port = format!("--port={}", running.ready());
    check(
        &sandbox.ended(&["get", "--project=shop", &port]),
        3,
        ", which runs. Stop it",
    );
    check(&sandbox.ended(&["release"]), 3, "or use `--force`");
    let (_, refused) = sandbox.json(&["release"]);
    assert_eq!(refused["error"]["code"], "NOT_OWNER");

    assert_eq!(sandbox.ended(&["release", "--force"]).code, Some(0));
    assert!(sandbox.leases().is_empty());
}

#[test]
fn what_is_not_there() {
    let sandbox = Sandbox::new();
    let port = sandbox.ports.start.to_string();
    for (arguments, code, words) in [
        (
            &["release", "--project=shop"][..],
            0,
            "Nothing is leased to shop.",
        ),
        (&["release", "--port", &port], 0, "is not leased."),
        (&["status"], 0, "Nothing was started in the background."),
        (&["stop", "shop"], 0, "shop does not run in the background"),
        (
            &["logs", "shop"],
            4,
            "shop was never started in the background. `portlease status`",
        ),
        (&["cleanup"], 0, "0 leases removed"),
    ] {
        check(&sandbox.ended(arguments), code, words);
    }
    assert_eq!(sandbox.json(&["release", "--project=shop"]).1, json!([]));
    let who = sandbox.ended(&["who", &port]);
    assert_eq!(who.code, Some(4), "{who:?}");
    assert!(who.stdout.contains("Nobody is on port"), "{who:?}");
}

#[test]
fn what_nobody_used_is_removed_on_request() {
    let sandbox = Sandbox::new();
    let port = sandbox.get("shop");
    let removed = sandbox.ended(&["cleanup", "--days=0"]);
    check(&removed, 0, "1 lease removed");
    let expected = format!("removed shop/web from port {port}: nobody used it\n");
    assert_eq!(removed.stdout, expected);
}

#[test]
fn variables_that_name_no_port() {
    let sandbox = Sandbox::new();
    for (value, shown) in [
        (&b"0"[..], "\"0\""),
        (b" ", "\" \""),
        (b"\xff", "\"\u{fffd}\""),
    ] {
        let mut command = sandbox.portlease(&["run", "--", "true"]);
        command.env("PORT", OsStr::from_bytes(value));
        let words = format!("PORT is {shown}, which is not a port from 1 to 65535: it is ignored");
        check(&Ended::of(command), 0, &words);
    }
    let mut command = sandbox.portlease(&["ports"]);
    command.env("PORTLEASE_REGISTRY", OsStr::from_bytes(b"sqlite:\xff"));
    check(
        &Ended::of(command),
        2,
        "PORTLEASE_REGISTRY: The value is not UTF-8 text.",
    );
    let mut command = sandbox.portlease(&["ports"]);
    command.env("PORTLEASE_REGISTRY", "mysql:there");
    check(
        &Ended::of(command),
        2,
        "names no registry. Write sqlite:PATH, postgres://USER@HOST/DATABASE or memory:.",
    );
}

#[test]
fn arguments_that_are_no_text_are_those_of_the_command() {
    let sandbox = Sandbox::new();
    let bytes = OsStr::from_bytes(b"a\xffb");
    let mut command = sandbox.portlease(&["run", "--", "printf", "%s"]);
    command.arg(bytes);
    let output = command.output().unwrap();
    assert_eq!(output.stdout, bytes.as_bytes(), "{output:?}");
    let mut command = sandbox.portlease(&["get", "--project"]);
    command.arg(bytes);
    check(&Ended::of(command), 2, "invalid UTF-8");
}

// Other systems have no disk that is always full.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    for arguments in [
        &["get", "--project=shop"][..],
        &["ports", "--json"],
        &["ports", "--watch=0.01"],
        &["config"],
        &["config", "schema"],
        &["completions", "bash"],
    ] {
        let mut command = sandbox.portlease(arguments);
        command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        let output = command.stderr(std::process::Stdio::piped()).spawn();
        let output = output.unwrap().wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("The output cannot be written: No space left"),
            "{said}"
        );
    }
}

#[test]
fn an_import_that_never_ends() {
    let sandbox = Sandbox::new();
    check(
        &sandbox.ended(&["import", "/dev/zero"]),
        2,
        "/dev/zero is no export of a registry",
    );
    check(
        &sandbox.ended(&["import", "."]),
        2,
        ". cannot be read: Is a directory",
    );
}
