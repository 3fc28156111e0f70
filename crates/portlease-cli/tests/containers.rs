//! The command line with containers of a real Docker Engine.

#![cfg(target_os = "linux")]

#[expect(
    unreachable_pub,
    reason = "it is written once, and public where it belongs"
)]
#[path = "../../../tests/src/engine.rs"]
mod engine;
mod support;

use engine::{Docker, SERVER, in_own_network};
use serde_json::Value;
use support::{Sandbox, until};

/// The command line, with an engine.
fn ended(sandbox: &Sandbox, docker: &Docker, arguments: &[&str]) -> String {
    let mut command = sandbox.portlease(arguments);
    let output = command.env("DOCKER_HOST", docker.host()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {} {}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(
        !text(&output.stderr).contains("portlease:"),
        "{arguments:?} warns: {}",
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

#[test]
fn applications_in_containers_have_ports_of_their_own() {
    in_own_network("applications_in_containers_have_ports_of_their_own", || {
        let docker = Docker::start(&[]);
        let sandbox = Sandbox::new();
        let get = |project: &str, more: &[&str]| {
            let all = [&["get", "--container", "--project", project], more].concat();
            ended(&sandbox, &docker, &all)
        };
        let serve = |name: &str, port: &str| docker.serve(name, &["-p", &format!("{port}:80")]);
        assert_eq!(get("56", &[]), "32100");
        serve("app-56", "32100");
        assert_eq!(get("57", &[]), "32101");
        serve("app-57", "32101");
        assert_eq!(get("58", &[]), "32102");

        docker.docker(&["stop", "--time=0", "app-56"]);
        assert_eq!(get("56", &[]), "32100", "its port stays its own");
        assert_eq!(get("59", &[]), "32103");
        let ports = ended(&sandbox, &docker, &["ports"]);
        assert!(ports.contains("app-57"), "{ports}");
        let who = ended(&sandbox, &docker, &["who", "32100"]);
        assert!(
            who.starts_with("Container app-56 (docker@unix://")
                && who.contains(", exited) claims port 32100"),
            "{who}"
        );

        docker.docker(&["rm", "app-56"]);
        assert_eq!(
            get("60", &["--port=32100"]),
            "32100",
            "it can be given out again"
        );
        assert_eq!(get("57", &["--force-new"]), "32104");
    });
}

#[test]
fn twenty_containers_start_at_once() {
    in_own_network("twenty_containers_start_at_once", || {
        let docker = Docker::start(&[]);
        let sandbox = Sandbox::new();
        let mut running: Vec<_> = (0..20)
            .map(|index| {
                let project = format!("--project=app-{index}");
                let name = format!("--name=app-{index}");
                let run = [
                    "run",
                    &project,
                    "--range=32100-32119",
                    "--",
                    "docker",
                    "run",
                    "--rm",
                ];
                let publish = [&name, "-p", "{port}:80"];
                let mut command = sandbox.portlease(&[&run, &publish[..], SERVER].concat());
                command.env("DOCKER_HOST", docker.host()).spawn().unwrap()
            })
            .collect();
        let live = || {
            let leases: Value =
                serde_json::from_str(&ended(&sandbox, &docker, &["ports", "--json"])).unwrap();
            let leases = leases.as_array().unwrap().clone();
            let is_served = |lease: &Value| lease["lease"]["listener"]["kind"] == "container";
            leases.iter().filter(|lease| is_served(lease)).count()
        };
        until("all of them are served", || (live() == 20).then_some(()));
        let published = docker.docker(&["ps", "--format={{.Ports}}"]);
        let mut ports: Vec<&str> = published
            .lines()
            .filter_map(|line| line.split("->").next()?.rsplit(':').next())
            .collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20, "{published}");
        let all = docker.docker(&["ps", "--quiet"]);
        for id in all.lines() {
            docker.docker(&["kill", id]);
        }
        for child in &mut running {
            child.wait().unwrap();
        }
        assert_eq!(ended(&sandbox, &docker, &["ports", "--json"]), "[]");
    });
}

#[test]
fn a_container_that_outlives_its_command_keeps_the_port() {
    in_own_network(
        "a_container_that_outlives_its_command_keeps_the_port",
        || {
            let docker = Docker::start(&[]);
            let sandbox = Sandbox::new();
            let run = [
                "run",
                "--quiet",
                "--range=32100-32119",
                "--",
                "docker",
                "run",
                "--detach",
            ];
            let command = [&run, &["--name=web", "-p", "{port}:80"][..], SERVER].concat();
            ended(&sandbox, &docker, &command);
            let ports = ended(&sandbox, &docker, &["ports"]);
            assert!(ports.contains("32100") && ports.contains("web"), "{ports}");
            docker.docker(&["rm", "--force", "web"]);
            ended(&sandbox, &docker, &["cleanup"]);
            assert_eq!(ended(&sandbox, &docker, &["ports", "--json"]), "[]");
        },
    );
}

#[test]
fn an_application_takes_the_place_of_its_own_container() {
    in_own_network(
        "an_application_takes_the_place_of_its_own_container",
        || {
            let docker = Docker::start(&[]);
            let sandbox = Sandbox::new();
            let get = |project: &str, variable: &str, more: &[&str]| {
                let get = ["get", "--container", "--project", project];
                let mut command = sandbox.portlease(&[&get, more].concat());
                command.env("DOCKER_HOST", docker.host());
                let output = command.env("AUTO_KILL_PORT", variable).output().unwrap();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
                (text(&output.stdout), text(&output.stderr))
            };
            let serve = |project: &str, port: &str| {
                let flags = ["--label", project, "-p", port, "--stop-signal=KILL"];
                docker.serve(&format!("app-{}", &port[..5]), &flags);
            };
            let containers = || docker.docker(&["ps", "--all", "--format={{.Names}}"]);
            for how in [("", &["--reclaim"][..]), ("true", &[])] {
                assert_eq!(get("56", "", &[]).0, "32100");
                serve("portlease.project=56", "32100:80");
                let (port, told) = get("56", how.0, how.1);
                assert_eq!(port, "32100");
                assert!(
                    told.contains("app-32100 (docker@") && told.contains("was stopped and removed"),
                    "{told}"
                );
                assert_eq!(containers(), "");
            }
            serve("portlease.project=56", "32100:80");
            assert_eq!(get("57", "true", &[]), ("32101".to_owned(), String::new()));
            let (port, told) = get("57", "true", &["--port=32100"]);
            assert_eq!(port, "");
            assert!(told.contains("32100"), "{told}");
            assert_eq!(containers(), "app-32100", "it is somebody else's");
        },
    );
}

#[test]
fn a_server_in_the_network_of_the_machine_is_that_of_its_run() {
    in_own_network(
        "a_server_in_the_network_of_the_machine_is_that_of_its_run",
        || {
            let docker = Docker::start(&[]);
            let sandbox = Sandbox::new();
            let run = ["run", "--project=shop", "--range=32100-32119", "--"];
            let host = ["docker", "run", "--rm", "--name=web", "--network=host"];
            let server = ["box", "/bin/busybox", "httpd", "-f", "-p", "{port}"];
            let mut command = sandbox.portlease(&[&run[..], &host, &server].concat());
            let mut running = command.env("DOCKER_HOST", docker.host()).spawn().unwrap();
            let lease = || {
                let text = ended(&sandbox, &docker, &["ports", "--json"]);
                let leases: Value = serde_json::from_str(&text).unwrap();
                let lease = leases.get(0)?.clone();
                (lease["lease"]["listener"]["kind"] == "container").then_some(lease)
            };
            let lease = until("it is served", lease);
            assert_eq!(
                (&lease["lease"]["port"], &lease["status"]),
                (&32100.into(), &"live".into())
            );
            let table = ended(&sandbox, &docker, &["ports"]);
            assert!(table.contains("web"), "{table}");
            let who = ended(&sandbox, &docker, &["who", "32100"]);
            assert!(who.contains("Container web (docker@"), "{who}");
            docker.docker(&["kill", "web"]);
            running.wait().unwrap();
            assert_eq!(ended(&sandbox, &docker, &["ports", "--json"]), "[]");
        },
    );
}

#[test]
fn the_services_of_a_compose_file_have_ports_of_their_own() {
    in_own_network(
        "the_services_of_a_compose_file_have_ports_of_their_own",
        || {
            let docker = Docker::start(&[]);
            let sandbox = Sandbox::new();
            let service = |port: &str| {
                format!(
                    "{{image: box, command: /bin/busybox httpd -f -p 80, ports: ['{port}:80'], stop_signal: KILL}}"
                )
            };
            let file = format!(
                "version: '3'\nservices:\n  web: {}\n  api: {}\n",
                service("${PORT}"),
                service("${API}")
            );
            sandbox.write("docker-compose.yml", &file);
            let run = [
                "run",
                "--project=shop",
                "--range=32100-32119",
                "--service=web",
                "--service=api",
                "--",
                "env",
                "API={api.port}",
                "docker-compose",
                "up",
            ];
            let mut command = sandbox.portlease(&run);
            let mut running = command.env("DOCKER_HOST", docker.host()).spawn().unwrap();
            let leases = || {
                let text = ended(&sandbox, &docker, &["ports", "--json"]);
                let leases: Value = serde_json::from_str(&text).unwrap();
                let leases = leases.as_array().unwrap().clone();
                let is_served = |it: &Value| it["lease"]["listener"]["kind"] == "container";
                (leases.len() == 2 && leases.iter().all(is_served)).then_some(leases)
            };
            let leases = until("both are served", leases);
            let published = docker.docker(&[
                "ps",
                "--format={{.Label \"com.docker.compose.service\"}} {{.Ports}}",
            ]);
            for lease in &leases {
                let (service, port) = (&lease["lease"]["service"], &lease["lease"]["port"]);
                let line = published
                    .lines()
                    .find(|line| line.starts_with(service.as_str().unwrap()));
                assert!(
                    line.unwrap().contains(&format!(":{port}->80")),
                    "{published}"
                );
            }
            let pid = i32::try_from(running.id()).unwrap();
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
            running.wait().unwrap();
        },
    );
}
