//! What containers mean for ports, with a real Docker Engine.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use portlease::core::{Holder, LeaseStatus, Name, Port, Release};
use portlease::engines::{Containers, Environment};
use portlease::{Allocator, Options, Registry, Reservation};
use portlease_tests::engine::{Docker, in_own_network};
use portlease_tests::podman::Podman;
use portlease_tests::service::Served;
use serde_json::json;

fn environment(docker: &Docker) -> Environment {
    Environment {
        engine: Some("docker".to_owned()),
        docker_host: Some(docker.host()),
        ..Environment::default()
    }
}

fn open(docker: &Docker) -> Allocator {
    let options = Options {
        registry: Registry::Memory,
        engines: Some(environment(docker)),
        on_warning: Some(|text| panic!("{text}")),
        ..Options::default()
    };
    Allocator::open(options).unwrap()
}

/// The step in which a port is explained.
fn explained(allocator: &Allocator, project: &str, port: u64) -> String {
    let request = Reservation::of(project).framework("node").range(port, port);
    let (_, trace) = allocator.explain(&request.build().unwrap()).unwrap();
    let step = trace.steps.first();
    let text = step.map_or_else(String::new, ToString::to_string);
    // The place of the engine is another one each time.
    let (Some(start), Some(end)) = (text.find('@'), text.find(".sock")) else {
        return text;
    };
    text[..start].to_owned() + &text[end + ".sock".len()..]
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
    }
}

#[test]
fn every_container_tells_its_ports() {
    in_own_network("every_container_tells_its_ports", || {
        let docker = Docker::start(&[]);
        docker.serve(
            "web",
            &["--publish=18080:80", "--publish=18090-18092:90-92"],
        );
        docker.serve(
            "local",
            &["--publish=127.0.0.1:18081:80", "--publish=18053:53/udp"],
        );
        docker.serve("six", &["--publish=[::1]:18086:80"]);
        docker.serve("any", &["--publish=80"]);
        docker.serve("paused", &["--publish=18082:80"]);
        docker.docker(&["pause", "paused"]);
        docker.serve(
            "exited",
            &["--publish=18083:80", "--publish=127.0.0.1:18054:53/udp"],
        );
        docker.docker(&["stop", "--time=0", "exited"]);
        let create = [
            "create",
            "--name=created",
            "--publish=18084:80",
            "box",
            "/bin/busybox",
        ];
        docker.docker(&create);
        docker.serve("host", &["--network=host"]);
        let chosen = docker.docker(&["port", "any", "80/tcp"]);
        let chosen = chosen
            .lines()
            .next()
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned();

        let look = Containers::new(&environment(&docker)).look();
        let told: BTreeMap<String, String> = look
            .containers()
            .iter()
            .map(|container| {
                let ports: Vec<String> = container
                    .publishes
                    .iter()
                    .map(|it| format!("{} {:?} {:?}", it.ports, it.protocol, it.address))
                    .collect();
                let mut ports: Vec<String> = ports;
                ports.sort();
                ports.dedup();
                (
                    format!("{} {}", container.name, container.state),
                    ports.join(", "),
                )
            })
            .collect();
        let expected = [
            ("any running", format!("{chosen} Tcp None")),
            ("created created", "18084 Tcp None".to_owned()),
            (
                "exited exited",
                "18054 Udp Some(127.0.0.1), 18083 Tcp None".to_owned(),
            ),
            ("host running", String::new()),
            (
                "local running",
                "18053 Udp None, 18081 Tcp Some(127.0.0.1)".to_owned(),
            ),
            ("paused paused", "18082 Tcp None".to_owned()),
            ("six running", "18086 Tcp Some(::1)".to_owned()),
            (
                "web running",
                "18080 Tcp None, 18090 Tcp None, 18091 Tcp None, 18092 Tcp None".to_owned(),
            ),
        ];
        let expected = expected.map(|(name, ports)| (name.to_owned(), ports));
        assert_eq!(told, BTreeMap::from(expected));
        let host = look.containers().iter().find(|it| &*it.name == "host");
        assert!(host.unwrap().is_on_host_network);
        assert!(look.on(Port::literal(18053)).is_empty(), "UDP is not TCP");
    });
}

#[test]
fn the_service_tells_of_containers() {
    in_own_network("the_service_tells_of_containers", || {
        let docker = Docker::start(&[]);
        let served = Served::of(open(&docker));
        assert_eq!(served.get("/api/containers"), json!({"containers": []}));
        let wish = json!({"projectId": "shop", "basePort": 18080, "maxPort": 18090});
        let port = served.done("POST", "/api/leases", &wish)["port"].take();
        let id = docker.serve("web", &[&format!("--publish={port}:80")]);
        // The engine tells of it, and the service hears that.
        until("the container is seen", || {
            served.get("/api/containers") != json!({"containers": []})
        });
        let told = &served.get("/api/containers")["containers"][0];
        assert_eq!(
            [
                &told["id"],
                &told["name"],
                &told["state"],
                &told["isRunning"],
                &told["ports"]
            ],
            [
                &json!(id),
                &json!("web"),
                &json!("running"),
                &json!(true),
                &json!([port])
            ]
        );
        served.done("POST", "/api/cleanup", &json!({}));
        for known in ["web", &*id, "shop"] {
            let info = served.get(&format!("/api/containers/info/{known}"));
            assert_eq!(info, json!({"isRunning": true, "port": port}), "{known}");
        }
        let lease = &served.get("/api/leases")["leases"][0];
        assert_eq!(lease["lease"]["holder"]["id"], json!(id));
        assert_eq!(lease["container"]["name"], "web");
        let who = served.get(&format!("/api/who/{port}"));
        assert_eq!(who["containers"][0]["name"], "web");

        docker.docker(&["stop", "--time=0", "web"]);
        until("it is stopped", || {
            served.get("/api/containers/info/web")["isRunning"] == false
        });
        docker.docker(&["rm", "web"]);
        until("it is gone", || {
            served.get("/api/containers") == json!({"containers": []})
        });
        let info = served.get("/api/containers/info/web");
        assert_eq!(info, json!({"isRunning": false, "port": null}));
    });
}

#[test]
fn a_port_that_a_container_claims_is_not_granted() {
    in_own_network("a_port_that_a_container_claims_is_not_granted", || {
        let docker = Docker::start(&[]);
        docker.serve("web-1", &["--publish=18080:80"]);
        docker.serve("web-2", &["--publish=18081:80"]);
        docker.docker(&["stop", "--time=0", "web-2"]);
        let allocator = open(&docker);
        let request = Reservation::of("shop")
            .framework("node")
            .range(18080, 18085);
        let grant = allocator.reserve(&request.build().unwrap()).unwrap();
        assert_eq!(grant.port().get(), 18082, "{}", grant.trace());
        assert_eq!(
            explained(&allocator, "shop2", 18080),
            "web: 18080 in use: container web-1 (docker, running) (scan)"
        );
        assert_eq!(
            explained(&allocator, "shop2", 18081),
            "web: 18081 in use: container web-2 (docker, exited) (scan)"
        );
        assert!(
            !allocator
                .is_port_available(Port::literal(18081), None)
                .unwrap()
        );
        let who = allocator.who(Port::literal(18081)).unwrap();
        assert_eq!(
            (who.occupants.len(), &*who.containers[0].name),
            (0, "web-2")
        );
        let ports = [18080, 18081, 18082, 18083].map(Port::literal);
        let found = allocator.scan(&ports.into_iter().collect()).unwrap();
        let names: Vec<Option<String>> = found
            .iter()
            .map(|who| who.containers.first().map(|it| it.name.to_string()))
            .collect();
        assert_eq!(names, [Some("web-1".into()), Some("web-2".into()), None]);

        docker.docker(&["rm", "web-2"]);
        until("the port of a removed container is free", || {
            explained(&allocator, "shop2", 18081) == "web: 18081 granted (scan)"
        });
    });
}

#[test]
fn a_port_without_a_proxy_is_claimed_as_well() {
    in_own_network("a_port_without_a_proxy_is_claimed_as_well", || {
        let docker = Docker::start(&["--userland-proxy=false"]);
        docker.serve("web-1", &["--publish=18080:80"]);
        let allocator = open(&docker);
        assert_eq!(
            explained(&allocator, "shop", 18080),
            "web: 18080 in use: container web-1 (docker, running) (scan)"
        );
    });
}

#[test]
fn a_process_that_lives_on_is_told_of_changes() {
    in_own_network("a_process_that_lives_on_is_told_of_changes", || {
        let docker = Docker::start(&[]);
        docker.serve("web-1", &["--publish=18080:80"]);
        let containers = Containers::new(&environment(&docker));
        assert_eq!(containers.look().containers().len(), 1);
        // The second look finds out that this process lives on.
        containers.look_closely();
        docker.serve("web-2", &["--publish=18081:80"]);
        let port = Port::literal(18081);
        until("a new container is told of", || {
            !containers.look().on(port).is_empty()
        });
        docker.docker(&["stop", "--time=0", "web-2"]);
        let state = || containers.look().on(port)[0].state.clone();
        until("a stop is told of", || state() == Name::literal("exited"));
        docker.docker(&["rm", "web-2"]);
        until("a removal is told of", || {
            containers.look().on(port).is_empty()
        });
    });
}

#[test]
fn a_lease_belongs_to_the_container_that_was_made_for_it() {
    in_own_network(
        "a_lease_belongs_to_the_container_that_was_made_for_it",
        || {
            let docker = Docker::start(&[]);
            let allocator = open(&docker);
            let of = |project: &str| {
                Reservation::of(project)
                    .framework("node")
                    .range(18080, 18089)
            };
            let port = |project: &str| allocator.allocate_port(of(project)).unwrap().get();
            assert_eq!(port("shop"), 18080);
            let id = docker.serve("web-1", &["--publish=18080:80"]);
            allocator.sweep().unwrap();
            let lease = |index: usize| allocator.list(None).unwrap().get(index).cloned();
            let Some(Holder::Container(container)) = lease(0).unwrap().holder else {
                panic!("{:?}", lease(0));
            };
            assert_eq!(container.id.as_str(), id);
            assert_eq!(port("shop"), 18080, "it is its own");
            assert_eq!(port("blog"), 18081);
            let status = allocator.validate(None).unwrap().leases[0].status;
            assert_eq!(status, LeaseStatus::Live);

            docker.docker(&["stop", "--time=0", "web-1"]);
            assert!(allocator.sweep().unwrap().removed.is_empty());
            assert_eq!(port("shop"), 18080, "stopped is not removed");
            docker.docker(&["rm", "web-1"]);
            let swept = allocator.sweep().unwrap().removed;
            assert_eq!(swept.len(), 1, "removed");
            assert_eq!(&*swept[0].lease.key.project, "shop");
        },
    );
}

#[test]
fn only_containers_of_the_project_itself_are_removed_when_that_is_asked_for() {
    in_own_network(
        "only_containers_of_the_project_itself_are_removed_when_that_is_asked_for",
        || {
            let docker = Docker::start(&[]);
            let own = ["--label=portlease.project=shop", "--stop-signal=KILL"];
            let serve = |name: &str, port: &str, flags: &[&str]| {
                let publish = format!("--publish={port}:80");
                docker.serve(name, &[&[&*publish], flags].concat())
            };
            serve("mine", "18080", &own);
            serve("mine-elsewhere", "18090", &own);
            serve("nobodys", "18081", &[]);
            serve("others", "18082", &["--label=portlease.project=blog"]);
            let options = Options {
                registry: Registry::Memory,
                engines: Some(environment(&docker)),
                ..Options::default()
            };
            let allocator = Allocator::open(options).unwrap();
            let of = |first: u64| {
                let reservation = Reservation::of("shop").framework("node").reclaim(true);
                reservation.range(first, 18085).build().unwrap()
            };
            let (explained, explanation) = allocator.explain(&of(18080)).unwrap();
            assert_eq!(explained.reserved.unwrap().services[0].port().get(), 18080);
            let grants = allocator.reserve_all(&of(18080)).unwrap();
            let trace = grants.iter().next().unwrap().trace().to_string();
            let (before, engine) = trace.split_once('@').unwrap();
            assert_eq!(
                before,
                "web: 18080 freed by removing the project's own: container mine (docker"
            );
            assert!(
                engine.ends_with(", running) (scan)\nweb: 18080 granted (scan)"),
                "{trace}"
            );
            assert_eq!(
                explanation.steps,
                grants.iter().next().unwrap().trace().steps
            );
            assert!(grants.warnings()[0].contains("was stopped and removed"));
            drop(grants);

            let grant = allocator.reserve(&of(18081)).unwrap();
            assert_eq!(grant.port().get(), 18083, "{}", grant.trace());
            let left = docker.docker(&["ps", "--format={{.Names}}"]);
            let mut left: Vec<&str> = left.lines().collect();
            left.sort_unstable();
            assert_eq!(left, ["mine-elsewhere", "nobodys", "others"]);
        },
    );
}

#[test]
fn the_stopped_container_of_a_project_is_left_where_its_port_cannot_be_had() {
    in_own_network(
        "the_stopped_container_of_a_project_is_left_where_its_port_cannot_be_had",
        || {
            let docker = Docker::start(&[]);
            docker.serve(
                "mine",
                &["--label=portlease.project=shop", "--publish=18080:80"],
            );
            docker.docker(&["stop", "--time=0", "mine"]);
            #[expect(
                clippy::disallowed_methods,
                reason = "it stands for an ordinary server"
            )]
            let stranger = TcpListener::bind("127.0.0.1:18080").unwrap();
            let request = Reservation::of("shop").framework("node").reclaim(true);
            let request = request.range(18080, 18085).build().unwrap();
            let grant = open(&docker).reserve(&request).unwrap();
            assert_eq!(grant.port().get(), 18081, "{}", grant.trace());
            assert_eq!(
                docker.docker(&["ps", "--all", "--format={{.Names}}"]),
                "mine"
            );
            drop(stranger);
        },
    );
}

#[test]
fn who_listens_in_a_container_without_a_network_of_its_own_is_that_container() {
    in_own_network(
        "who_listens_in_a_container_without_a_network_of_its_own_is_that_container",
        || {
            let docker = Docker::start(&[]);
            let allocator = open(&docker);
            let of = |project: &str| {
                let reservation = Reservation::of(project).framework("node");
                reservation.range(18080, 18089)
            };
            let port = allocator.allocate_port(of("shop")).unwrap();
            let listen = format!("{}", port.get());
            let flags = ["run", "--detach", "--name=web", "--network=host"];
            let server = ["box", "/bin/busybox", "httpd", "-f", "-p", &listen];
            let id = docker.docker(&[&flags[..], &server].concat());
            until("the server listens", || {
                !allocator.who(port).unwrap().occupants.is_empty()
            });
            let who = allocator.who(port).unwrap();
            assert_eq!(who.containers.len(), 1, "{who:?}");
            assert_eq!(&*who.containers[0].name, "web");
            allocator.sweep().unwrap();
            let lease = allocator.list(None).unwrap().remove(0);
            let Some(Holder::Container(container)) = &lease.holder else {
                panic!("{lease:?}");
            };
            assert_eq!(container.id.as_str(), id);
            let status = allocator.validate(None).unwrap().leases[0].status;
            assert_eq!(status, LeaseStatus::Live);
            assert_eq!(allocator.allocate_port(of("shop")).unwrap(), port);
            allocator.release_port_for_project("shop").unwrap_err();
            let release = Release {
                force: true,
                ..Release::granted(lease.key.clone(), lease.generation)
            };
            allocator.release(&release).unwrap();
            let strict = of("blog").strict(port.get().into()).build().unwrap();
            let error = allocator.reserve(&strict).unwrap_err();
            assert!(
                error.to_string().contains("container web (docker"),
                "{error}"
            );
        },
    );
}

#[test]
fn podman_is_an_engine_as_well() {
    in_own_network("podman_is_an_engine_as_well", || {
        let podman = Podman::start();
        let label = "--label=portlease.project=shop";
        let ports = ["--publish=18080:80", "--publish=18090-18092:90-92"];
        podman.serve(
            "web",
            &[&ports[..], &[label, "--stop-signal=KILL"]].concat(),
        );
        let create = [
            "create",
            "--name=created",
            "--publish=127.0.0.1:18081:81",
            "--publish=18053:53/udp",
            "box",
            "/bin/busybox",
        ];
        podman.podman(&create);
        podman.serve("exited", &["--publish=18083:80"]);
        podman.podman(&["stop", "--time=0", "exited"]);
        let host = ["run", "--detach", "--name=host", "--network=host", "box"];
        podman.podman(&[&host[..], &["/bin/busybox", "httpd", "-f", "-p", "18084"]].concat());
        let engines = Environment {
            engine: Some("podman".to_owned()),
            podman_host: Some(podman.host()),
            ..Environment::default()
        };
        let look = Containers::new(&engines).look();
        assert!(look.faults().is_empty(), "{:?}", look.faults());
        let ports: Vec<u16> = look.ports().iter().map(Port::get).collect();
        assert_eq!(ports, [18080, 18081, 18083, 18090, 18091, 18092]);
        let states: BTreeMap<&str, &str> = look
            .containers()
            .iter()
            .map(|it| (&*it.name, &*it.state))
            .collect();
        let expected = [
            ("created", "created"),
            ("exited", "exited"),
            ("host", "running"),
            ("web", "running"),
        ];
        assert_eq!(states, BTreeMap::from(expected));

        let allocator = Allocator::open(Options {
            registry: Registry::Memory,
            engines: Some(engines),
            ..Options::default()
        })
        .unwrap();
        let port = Port::literal(18084);
        until("the server listens", || {
            !allocator.who(port).unwrap().occupants.is_empty()
        });
        let who = allocator.who(port).unwrap();
        assert_eq!(&*who.containers[0].name, "host");
        let granted = |project: &str| {
            let reservation = Reservation::of(project).framework("node").reclaim(true);
            let request = reservation.range(18080, 18085).build().unwrap();
            allocator.reserve(&request).unwrap().port().get()
        };
        assert_eq!((granted("blog"), granted("shop")), (18082, 18080));
        let names = podman.podman(&["ps", "--all", "--format={{.Names}}"]);
        assert!(!names.contains("web"), "{names}");
    });
}
