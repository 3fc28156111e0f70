//! What goes wrong with a machine, and what its users are told about it. Full disks and other users take an administrator.

#![cfg(target_os = "linux")]

mod support;

use std::fs::{self, File, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use support::{Ended, Sandbox, check};

/// A user of whom this machine has never heard.
const STRANGER: u32 = 54_321;

/// The sandbox's registry as a file.
fn registry(sandbox: &Sandbox) -> PathBuf {
    PathBuf::from(sandbox.registry().strip_prefix("sqlite:").unwrap())
}

/// What `portlease get` says when the registry is this file, or with this shell command before it.
fn get(sandbox: &Sandbox, before: &str, registry: &Path) -> Ended {
    let mut command = sandbox.program("sh");
    let script = format!("{before}\nexec \"$0\" get --json --project=shop");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_portlease")]);
    command.env(
        "PORTLEASE_REGISTRY",
        format!("sqlite:{}", registry.display()),
    );
    command.env("DISK", registry.parent().unwrap());
    Ended::of(command)
}

/// The exit code, the code of the error, and words of the sentence.
#[track_caller]
fn told(ended: &Ended, exit: i32, code: &str, words: &str) {
    assert_eq!(ended.code, Some(exit), "{ended:?}");
    let error: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(error["error"]["code"], code, "{ended:?}");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
    assert!(message.ends_with('.'), "{message}");
}

/// A disk that only the command sees, and that is gone with it.
fn on_a_disk(sandbox: &Sandbox, options: &str) -> Ended {
    let disk = sandbox.project().join("disk");
    fs::create_dir(&disk).unwrap();
    let mut command = sandbox.program("unshare");
    let script = format!(
        "mount -t tmpfs -o {options} tmpfs \"$1\" && exec \"$0\" get --json --project=shop"
    );
    command.args(["--mount", "sh", "-c", &script]);
    command.arg(env!("CARGO_BIN_EXE_portlease")).arg(&disk);
    command.env(
        "PORTLEASE_REGISTRY",
        format!("sqlite:{}/registry.db", disk.display()),
    );
    Ended::of(command)
}

#[test]
fn a_full_disk() {
    let full = on_a_disk(&Sandbox::new(), "size=8k");
    told(&full, 1, "FULL", "There is no room left on the disk of ");
}

#[test]
fn a_disk_that_is_read_only() {
    let read_only = on_a_disk(&Sandbox::new(), "ro");
    told(&read_only, 1, "READ_ONLY", "cannot be written: ");
}

#[test]
fn a_registry_of_another_user() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let file = registry(&sandbox);
    chown(&file, Some(STRANGER), None).expect("this test has to give a file away, as root");
    let foreign = get(&sandbox, "", &file);
    told(
        &foreign,
        2,
        "UNSUITABLE",
        "belongs to another user (id 54321)",
    );
}

#[test]
fn a_registry_of_a_newer_version() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let file = registry(&sandbox);
    // Where SQLite keeps the number that its users may choose.
    let mut head = File::options().write(true).open(&file).unwrap();
    head.seek(SeekFrom::Start(60)).unwrap();
    head.write_all(&99_u32.to_be_bytes()).unwrap();
    let newer = get(&sandbox, "", &file);
    told(&newer, 1, "NEWER_VERSION", "it has format 99");
}

#[test]
fn a_registry_that_is_kept_locked() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let file = registry(&sandbox);
    let lock = File::open(file.with_extension("db.lock")).unwrap();
    lock.lock().unwrap();
    let busy = get(&sandbox, "", &file);
    told(
        &busy,
        1,
        "BUSY",
        &format!("locked by process {}", std::process::id()),
    );
}

#[test]
fn a_place_that_can_have_no_registry() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "a text");
    for (path, words) in [
        (sandbox.project(), "is not a file"),
        (sandbox.project().join("file/registry.db"), "cannot be made"),
        (sandbox.project().join("file"), "is not a registry"),
        (PathBuf::from("/"), "does not name a file"),
    ] {
        let mut command = sandbox.portlease(&["get", "--json"]);
        command.env("PORTLEASE_REGISTRY", format!("sqlite:{}", path.display()));
        told(&Ended::of(command), 2, "UNSUITABLE", words);
    }
}

#[test]
fn a_process_that_may_open_no_more_files() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let mut said = String::new();
    for limit in 4..24 {
        let mut command = sandbox.program("sh");
        let script = format!("ulimit -n {limit}; exec \"$0\" run -- true");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_portlease")]);
        let ended = Ended::of(command);
        if ended.code != Some(0) {
            let told = ended.stderr.lines().last().unwrap_or_default();
            assert!(matches!(ended.code, Some(1 | 126)), "{limit}: {ended:?}");
            assert!(told.starts_with("portlease: "), "{limit}: {ended:?}");
            said += told;
        }
    }
    for words in [
        "Try again; when it stays so",
        "Signals cannot be heard: Too many open files",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    let at = |limit: u32| get(&sandbox, &format!("ulimit -n {limit}"), &registry(&sandbox));
    let none_left = (4..24)
        .map(at)
        .find(|ended| ended.stdout.contains("OUT_OF_DESCRIPTORS"));
    let none_left = none_left.expect("a limit that is too low to bind a port");
    told(
        &none_left,
        1,
        "OUT_OF_DESCRIPTORS",
        "No file descriptor is left",
    );
}

/// The command as another user, who owns the sandbox.
fn as_stranger(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let program = sandbox.project().join("portlease");
    if !program.exists() {
        // Where the tests were built, that user may see nothing.
        fs::copy(env!("CARGO_BIN_EXE_portlease"), &program).unwrap();
    }
    let own = [sandbox.project(), sandbox.home().to_path_buf()];
    for path in own.iter().chain([&sandbox.project().join("..")]) {
        give_away(path);
    }
    let mut command = sandbox.program("setpriv");
    let user = format!("--reuid={STRANGER}");
    command.args([&user, "--clear-groups"]).arg(program);
    command.args(arguments);
    command
}

/// Everything below the path, too.
fn give_away(path: &Path) {
    chown(path, Some(STRANGER), None).expect("this test has to give files away, as root");
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

#[test]
fn a_user_without_any_folder() {
    let sandbox = Sandbox::new();
    let mut command = as_stranger(&sandbox, &["ports", "--json"]);
    command.env_remove("HOME").env_remove("PORTLEASE_REGISTRY");
    told(
        &Ended::of(command),
        1,
        "NO_STATE_FOLDER",
        "Name a file: PORTLEASE_REGISTRY=sqlite:PATH.",
    );
}

#[test]
fn files_that_may_not_be_read() {
    let sandbox = Sandbox::new();
    sandbox.write("portlease.toml", "timeout = 5");
    let get = as_stranger(&sandbox, &["get"]);
    let file = sandbox.project().join("portlease.toml");
    chown(&file, Some(0), Some(0)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    check(
        &Ended::of(get),
        2,
        "portlease.toml cannot be read: Permission denied",
    );

    let sandbox = Sandbox::new();
    let mut get = as_stranger(&sandbox, &["get", "--json"]);
    let folder = sandbox.project().join("theirs");
    fs::create_dir(&folder).unwrap();
    get.env(
        "PORTLEASE_REGISTRY",
        format!("sqlite:{}/registry.db", folder.display()),
    );
    told(
        &Ended::of(get),
        1,
        "READ_ONLY",
        "cannot be written: Permission denied",
    );
}

#[test]
fn ports_that_need_a_privilege() {
    let sandbox = Sandbox::new();
    // Only there, since not every machine keeps low ports for administrators.
    let mut command = sandbox.program("unshare");
    let script = "echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start; exec \"$@\"";
    let get = as_stranger(&sandbox, &["get", "--port=81"]);
    command.args(["--net", "sh", "-c", script, "sh"]);
    command.arg(get.get_program()).args(get.get_args());
    check(
        &Ended::of(command),
        3,
        "Ask for a higher port, or run with the privilege to bind it.",
    );
}

#[test]
fn a_process_that_may_not_be_ended() {
    let sandbox = Sandbox::new();
    let server = ["python3", "-m", "http.server", "{port}", "--bind=127.0.0.1"];
    let mut running = sandbox.start(&["--project=shop"], &server);
    let port = running.ready();
    let range = sandbox.range();
    let arguments = [
        "run",
        &range,
        "--project=shop",
        "--grace=0",
        "--takeover",
        "--",
        "true",
    ];
    let refused = Ended::of(as_stranger(&sandbox, &arguments));
    let words = format!("shop/web runs at http://localhost:{port} (pid ");
    check(&refused, 3, &words);
    check(
        &refused,
        3,
        "and cannot be ended. Stop it as the user who started it.",
    );
}

#[test]
fn a_run_that_may_not_be_stopped() {
    let sandbox = Sandbox::new();
    let started = sandbox.ended(&["start", "--timeout=0", "shop", "--", "sleep", "60"]);
    check(&started, 5, "It does not listen yet");
    support::until("it has begun", || {
        let (_, all) = sandbox.json(&["status"]);
        (all[0]["state"] == json!("starting")).then_some(())
    });
    let refused = Ended::of(as_stranger(&sandbox, &["stop", "shop", "--grace=0"]));
    let stopped = sandbox.ended(&["stop", "shop", "--grace=0"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    check(
        &refused,
        1,
        "cannot be ended. Stop it as the user who started it.",
    );
}
