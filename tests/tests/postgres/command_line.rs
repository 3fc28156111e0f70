//! The command line on the registry of a fleet.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fresh;

/// What the command line is told, in the environment of this program.
const ARGUMENTS: &str = "PORTLEASE_TEST_ARGUMENTS";
const LONG: Duration = Duration::from_mins(1);

/// A project on a machine of the fleet.
struct Machine {
    folder: TempDir,
    registry: String,
    range: String,
}

/// What a command said, and its exit code.
#[derive(Debug)]
struct Ended {
    code: u8,
    said: String,
}

impl Machine {
    fn of(registry: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            registry: registry.to_owned(),
            range: free_range(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "command_line::the_command_line",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ARGUMENTS, serde_json::to_string(arguments).unwrap())
            .env("PORTLEASE_REGISTRY", &self.registry)
            .env("HOME", self.folder.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("PORT")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let code = said.split(EXIT).nth(1).and_then(|rest| rest.lines().next());
        Ended {
            code: code
                .and_then(|code| code.parse().ok())
                .unwrap_or_else(|| panic!("{said}")),
            said: said.into_owned(),
        }
    }

    /// The JSON that a command prints.
    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        let begin = ended.said.find(['{', '[']).unwrap();
        let mut values = serde_json::Deserializer::from_str(&ended.said[begin..]).into_iter();
        values.next().unwrap().unwrap()
    }
}

const EXIT: &str = "@ exit ";

/// Not a test of its own, but what the others run.
#[test]
fn the_command_line() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    let arguments: Vec<String> = serde_json::from_str(&arguments).unwrap();
    let name = "portlease".into();
    let code = portlease_cli::main(
        [name]
            .into_iter()
            .chain(arguments.into_iter().map(Into::into)),
    );
    println!("\n{EXIT}{code}");
}

fn free_range() -> String {
    loop {
        let first = fastrand::u16(2_000..3_000) * 10;
        #[expect(
            clippy::disallowed_methods,
            reason = "it is seen at once whether nobody is there"
        )]
        let is_free = (first..first + 10).all(|port| TcpListener::bind(("0.0.0.0", port)).is_ok());
        if is_free {
            return format!("--range={first}-{}", first + 9);
        }
    }
}

/// Serves until somebody asks something, and not for ever.
const SERVER: &str = "import http.server, os
server = http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler)
server.timeout = 60
server.handle_request()";

#[test]
fn a_machine_has_the_name_that_its_user_gave_it() {
    let registry = fresh().url;
    let [named, nameless] = [Machine::of(&registry), Machine::of(&registry)];
    let folder = named.folder.path().join(".config/portlease");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "host = 'worker-7'").unwrap();
    let got = named.json(&["get", "--project", "shop", &named.range]);
    let hosts = nameless.json(&["hosts"]);
    assert_eq!(hosts, json!([{"host": "worker-7", "leases": 1}]));
    assert_eq!(nameless.json(&["ports"]), json!([]));
    assert_eq!(named.json(&["ports"])[0]["lease"]["port"], got["port"]);
}

#[test]
fn a_port_is_leased_shown_and_given_back() {
    let registry = fresh().url;
    let [one, other] = [Machine::of(&registry), Machine::of(&registry)];
    let got = one.json(&["get", "--project", "shop", &one.range]);
    let ports = other.json(&["ports"]);
    assert_eq!(ports[0]["lease"]["port"], got["port"], "{got} {ports}");
    assert_eq!(ports[0]["lease"]["project"], "shop");
    let again = other.json(&["get", "--project", "shop", &one.range]);
    assert_eq!(again["port"], got["port"]);
    assert_eq!(other.run(&["release", "--project", "shop"]).code, 0);
    assert_eq!(one.json(&["ports"]), json!([]));
}

#[test]
fn a_server_runs_on_its_port_and_leaves_it() {
    let machine = Machine::of(&fresh().url);
    let running = machine
        .command(&[
            "run",
            "--project",
            "shop",
            &machine.range,
            "--",
            "python3",
            "-c",
            SERVER,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + LONG;
    let port = loop {
        let ports = machine.json(&["ports"]);
        if ports[0]["status"] == "live" {
            break u16::try_from(ports[0]["lease"]["port"].as_u64().unwrap()).unwrap();
        }
        assert!(Instant::now() < deadline, "it does not listen: {ports}");
    };
    // It has the port a moment before it listens.
    let mut connection = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(connection) => break connection,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(&format!("{EXIT}0")), "{said}");
    assert_eq!(machine.json(&["ports"]), json!([]));
}

#[test]
fn a_registry_moves_by_export_and_import() {
    let database = fresh();
    let fleet = Machine::of(&database.url);
    let laptop = Machine::of("sqlite:registry.db");
    let got = laptop.json(&["get", "--project", "shop", &laptop.range]);
    let file = laptop.folder.path().join("export.json");
    let file = file.to_str().unwrap();
    assert_eq!(laptop.run(&["export", file]).code, 0);
    let imported = fleet.run(&["import", file]);
    assert!(
        imported.code == 0 && imported.said.contains("1 added"),
        "{imported:?}"
    );
    let ports = fleet.json(&["ports"]);
    assert_eq!(ports[0]["lease"]["port"], got["port"], "{ports}");

    let back = Machine::of("sqlite:registry.db");
    assert_eq!(fleet.run(&["export", file]).code, 0);
    assert_eq!(back.run(&["import", file]).code, 0);
    assert_eq!(back.json(&["ports"])[0]["lease"], ports[0]["lease"]);
}

#[test]
fn no_command_shows_the_password() {
    let url = "postgres://ada:s3cret@127.0.0.1:1/fleet?connect_timeout=1";
    let machine = Machine::of(url);
    let wrong = Machine::of(&format!("{url}&sslmode=perhaps"));
    let other = Machine::of("mysql://ada:s3cret@127.0.0.1/fleet");
    std::fs::write(
        machine.folder.path().join("portlease.toml"),
        "exclude = 5\nregistry = 'postgres://ada:s3cret@db'\n",
    )
    .unwrap();
    for (machine, arguments) in [
        (&wrong, &["ports"] as &[&str]),
        (&wrong, &["config"]),
        (&wrong, &["doctor"]),
        (&other, &["ports"]),
        (&other, &["doctor"]),
        (&machine, &["config", "check"]),
    ] {
        let ended = machine.run(arguments);
        assert_ne!(ended.code, 0, "{arguments:?} {ended:?}");
        assert!(!ended.said.contains("s3cret"), "{arguments:?} {ended:?}");
    }
    std::fs::remove_file(machine.folder.path().join("portlease.toml")).unwrap();
    let shown = machine.run(&["config"]);
    assert!(
        shown.said.contains("postgres://ada:***@127.0.0.1:1"),
        "{shown:?}"
    );
    let doctor = machine.run(&["doctor"]);
    assert!(!doctor.said.contains("s3cret"), "{doctor:?}");
    assert!(
        doctor.said.contains("127.0.0.1:1/fleet cannot be reached"),
        "{doctor:?}"
    );
}

#[test]
fn doctor_says_which_database_it_is() {
    let machine = Machine::of(&fresh().url);
    let doctor = machine.run(&["doctor"]);
    assert!(doctor.said.contains("127.0.0.1:"), "{doctor:?}");
    assert!(
        !doctor.said.contains("s3cret") && !doctor.said.contains("no file"),
        "{doctor:?}"
    );
}
