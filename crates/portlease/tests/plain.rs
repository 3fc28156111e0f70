//! Requests in readable form, and answers that are plain data.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::process::Command;
use std::thread;

use portlease::core::{
    Holder, IfRunning, Outcome, Pool, Pools, Port, PortRange, Preset, Presets, Request, Service,
    Tier,
};
use portlease::probe::identity;
use portlease::{Error, PortVariable, Reservation, Summary};
use support::{SIZE, free_ports, memory, within};

fn listen(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("nobody is on the port")
}

fn service(reservation: Reservation) -> Service {
    reservation.build().unwrap().services.remove(0)
}

fn code(reservation: Reservation) -> &'static str {
    reservation
        .build()
        .map_err(|error: Error| error.code())
        .unwrap_err()
}

fn shop() -> Reservation {
    Reservation::of("shop").framework("next")
}

#[test]
fn a_range_by_its_ends_by_one_end_by_a_preset_or_by_the_framework() {
    let range = |reservation| service(reservation).range.to_string();
    assert_eq!(range(shop()), "3000–3100");
    assert_eq!(range(shop().base_port(4000)), "4000–4100");
    assert_eq!(range(shop().base_port(65_500)), "65500–65535");
    assert_eq!(range(shop().base_port(4000).max_port(4005)), "4000–4005");
    assert_eq!(range(shop().max_port(3050)), "3000–3050");
    assert_eq!(range(shop().range(4000, 4000)), "4000");
    assert_eq!(range(shop().preset("webServer")), "5000–5100");
    let production = || shop().profile("production");
    assert_eq!(range(production().preset("webServer")), "5000–5010");
    assert_eq!(
        range(production().preset("webServer").max_port(5003)),
        "5000–5003"
    );
    let mut presets = Presets::builtin();
    presets.define(Preset {
        profile: "staging".parse().unwrap(),
        service: "webServer".parse().unwrap(),
        range: PortRange::literal(6100, 6110),
    });
    let staging = shop().presets(presets).profile("staging");
    assert_eq!(range(staging.preset("webServer")), "6100–6110");
}

#[test]
fn ends_that_make_no_range_are_refused() {
    assert_eq!(code(shop().base_port(0)), "INVALID_PORT");
    assert_eq!(code(shop().base_port(70_000)), "INVALID_PORT");
    assert_eq!(code(shop().range(3100, 3000)), "INVALID_RANGE");
    assert_eq!(code(shop().max_port(2999)), "INVALID_RANGE");
    assert_eq!(code(shop().start_at(0)), "INVALID_PORT");
    assert_eq!(code(shop().exclude([1 << 40])), "INVALID_PORT");
    assert_eq!(code(shop().inherit_from("")), "INVALID_NAME");
    let error = shop().preset("webSever").build().unwrap_err();
    assert_eq!(error.code(), "UNKNOWN_PRESET");
    let message = error.to_string();
    assert!(
        message.contains("webSever") && message.contains("webServer"),
        "{message}"
    );
}

#[test]
fn every_word_of_a_reservation_reaches_the_request() {
    let pool = Pool {
        name: "team".parse().unwrap(),
        range: PortRange::literal(3000, 3033),
    };
    let request = Reservation::of("shop")
        .service("web")
        .framework("next")
        .priority(5)
        .conflicts_with("api")
        .start_at(3020)
        .also("api")
        .base_port(4000)
        .spill_over_to(PortRange::literal(5000, 5009))
        .emergency(PortRange::literal(9000, 9009))
        .also("live")
        .inherit_from("web")
        .without_moves()
        .max_retries(2)
        .pools(Pools::new(vec![pool]).unwrap())
        .pool("team")
        .force_new()
        .exclude([3001])
        .build()
        .unwrap();
    let [web, api, live] = &request.services[..] else {
        panic!("{request:?}")
    };
    assert_eq!(
        (&*web.name, web.priority, &*web.conflicts[0]),
        ("web", 5, "api")
    );
    assert_eq!(web.start, Some(Port::literal(3020)));
    assert_eq!(
        (web.default, api.default),
        (Some(Port::literal(3000)), None)
    );
    assert_eq!(api.ranges().count(), 3);
    assert_eq!(live.inherit_from.as_deref(), Some("web"));
    assert_eq!((request.auto_reassign, request.max_retries), (false, 2));
    assert_eq!(request.pool.as_deref(), Some("team"));
    assert!(request.force_new && request.exclude.contains(Port::literal(3001)));
}

#[test]
fn whoever_listens_is_a_further_instance_and_whoever_asks_for_others_attaches() {
    let (this, nobody) = (shop().build().unwrap(), shop().on_behalf_of_others());
    let nobody = nobody.build().unwrap();
    let holder = Holder::Process(identity::this_process());
    assert_eq!(
        (this.holder, this.if_running),
        (Some(holder), IfRunning::Another)
    );
    assert_eq!(
        (nobody.holder, nobody.if_running),
        (None, IfRunning::Attach)
    );
    let told = shop().if_running(IfRunning::Takeover).build().unwrap();
    assert_eq!(told.if_running, IfRunning::Takeover);
}

#[test]
fn all_services_of_a_request_get_ports_and_share_where_they_inherit() {
    let (allocator, ports) = (memory(), free_ports());
    let (first, last) = (u64::from(ports.start), u64::from(ports.end) - 1);
    let request = Reservation::of("shop")
        .service("web")
        .range(first, last)
        .also("api")
        .range(first, last)
        .also("live")
        .inherit_from("web")
        .range(first, last)
        .build()
        .unwrap();
    let grants = allocator.reserve_all(&request).unwrap();
    let port = |service| grants.get(service).unwrap().port();
    assert_eq!(port("web"), port("live"));
    assert_ne!(port("web"), port("api"));

    let mut summary = Summary::default();
    summary.granted(&request, &grants);
    let too_much: Request = within("blog", &ports).strict(first).build().unwrap();
    let error = allocator.reserve_all(&too_much).unwrap_err();
    summary.refused(&too_much, &error);
    assert_eq!(
        (summary.total(), summary.successes(), summary.success_rate()),
        (4, 3, 75)
    );
    assert!(
        summary.to_string().contains("PORT_UNAVAILABLE"),
        "{summary}"
    );
}

/// Asks without naming who will listen.
fn plainly(project: &str, ports: &Range<u16>) -> Reservation {
    within(project, ports)
}

#[test]
fn a_plain_answer_can_be_bound_at_once_and_stays_the_same() {
    let (allocator, ports) = (memory(), free_ports());
    let granted = allocator
        .reserve_or_reallocate_port(plainly("shop", &ports))
        .unwrap();
    assert_eq!(granted.outcome, Outcome::New);
    let lease = allocator.find(&granted.project, &granted.service).unwrap();
    assert_eq!(lease.unwrap().holder, None);
    let server = listen(granted.port.get());
    drop(server);
    let again = allocator.allocate_port(plainly("shop", &ports)).unwrap();
    assert_eq!(again, granted.port);
    let other = allocator.allocate_port(plainly("blog", &ports)).unwrap();
    assert_ne!(other, again, "a lease is as good as a server");
}

#[test]
fn a_lease_is_given_up_for_another_framework_another_range_or_a_stranger() {
    let (allocator, ports) = (memory(), free_ports());
    let half = ports.start..ports.start + SIZE / 2;
    let reserve = |reservation| allocator.reserve_or_reallocate_port(reservation).unwrap();
    reserve(plainly("shop", &half));
    let other_framework = reserve(plainly("shop", &half).framework("vite"));
    assert_eq!(other_framework.outcome, Outcome::Reallocated);
    assert_eq!(&*other_framework.framework, "vite");

    let upper = ports.start + SIZE / 2..ports.end;
    let other_range = reserve(plainly("shop", &upper));
    assert_eq!(other_range.outcome, Outcome::Reallocated);
    assert!(upper.contains(&other_range.port.get()));

    let _stranger = listen(other_range.port.get());
    let moved = reserve(plainly("shop", &upper));
    assert_eq!(moved.previous_port, Some(other_range.port));
    assert_eq!(allocator.list(None).unwrap().len(), 1);
}

#[test]
fn a_lease_whose_own_server_runs_is_reused_by_everybody_who_asks() {
    let (allocator, ports) = (memory(), free_ports());
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    let holder = Holder::Process(identity::process(sleeper.id()).expect("it sleeps"));
    let run = plainly("shop", &ports).held_by(holder).build().unwrap();
    let port = allocator.reserve(&run).unwrap().port();
    let attached = plainly("shop", &ports).on_behalf_of_others();
    let attached = allocator.reserve(&attached.build().unwrap()).unwrap();
    attached.release().unwrap();
    let granted = allocator
        .reserve_or_reallocate_port(plainly("shop", &ports))
        .unwrap();
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert_eq!((granted.port, granted.outcome), (port, Outcome::Attached));
}

#[test]
fn a_new_port_is_another_one_and_the_old_one_is_free() {
    let (allocator, ports) = (memory(), free_ports());
    let first = allocator.allocate_port(plainly("shop", &ports)).unwrap();
    let second = allocator
        .allocate_port(plainly("shop", &ports).force_new())
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(allocator.list(None).unwrap().len(), 1);
}

#[test]
fn the_port_of_the_environment_comes_first_if_it_is_one() {
    let (allocator, ports) = (memory(), free_ports());
    let wanted = ports.start + 3;
    let variable = |value: &str| PortVariable::new("PORT", Some(value.to_owned()));
    let granted = |project: &str, value: &str| {
        let reservation = plainly(project, &ports).variable(variable(value));
        allocator.reserve_or_reallocate_port(reservation).unwrap()
    };
    let named = granted("shop", &wanted.to_string());
    assert_eq!((named.port.get(), named.tier), (wanted, Tier::Preferred));
    // It is taken now, so the search starts.
    assert_eq!(granted("blog", &wanted.to_string()).port.get(), ports.start);
    let warned = granted("wiki", "70000");
    assert_eq!(warned.port.get(), ports.start + 1);
    assert!(warned.warnings[0].contains("PORT is \"70000\""));
    // A variable that nobody set.
    let port = allocator
        .get_port_from_env_or_allocate("PORTLEASE_TEST_UNSET", plainly("docs", &ports))
        .unwrap();
    assert_eq!(port.get(), ports.start + 2);
}

#[test]
fn ports_of_projects_are_reserved_told_and_given_back() {
    let (allocator, ports) = (memory(), free_ports());
    let number = ports.start + 2;
    assert_eq!(allocator.get_port_for_project("shop").unwrap(), None);
    let granted = allocator
        .reserve_port_for_project("shop", number.into())
        .unwrap();
    assert_eq!(granted.port.get(), number);
    assert_eq!(
        allocator.get_port_for_project("shop").unwrap(),
        Some(granted.port)
    );
    let error = allocator
        .reserve_port_for_project("blog", number.into())
        .unwrap_err();
    assert_eq!(error.code(), "PORT_UNAVAILABLE");
    assert!(error.to_string().contains("shop/web"), "{error}");

    assert!(allocator.release_port_for_project("shop").unwrap());
    assert!(!allocator.release_port_for_project("shop").unwrap());
    assert_eq!(allocator.get_port_for_project("shop").unwrap(), None);
    assert_eq!(
        allocator
            .reserve_port_for_project("shop", 0)
            .unwrap_err()
            .code(),
        "INVALID_PORT"
    );
}

#[test]
fn the_port_of_the_only_service_or_of_the_web_server_is_that_of_the_project() {
    let (allocator, ports) = (memory(), free_ports());
    let api = allocator
        .allocate_port(plainly("shop", &ports).service("api"))
        .unwrap();
    assert_eq!(allocator.get_port_for_project("shop").unwrap(), Some(api));
    let admin = plainly("shop", &ports).service("admin");
    allocator.allocate_port(admin).unwrap();
    assert_eq!(allocator.get_port_for_project("shop").unwrap(), None);
    let web = allocator.allocate_port(plainly("shop", &ports)).unwrap();
    assert_eq!(allocator.get_port_for_project("shop").unwrap(), Some(web));
}

#[test]
fn an_available_port_in_the_range_of_a_framework_from_a_start_on() {
    let allocator = memory();
    let vite = PortRange::literal(5173, 5273);
    let found = allocator
        .find_available_port_in_range("vite", Some(5200))
        .unwrap();
    assert!(found.is_none_or(|port| vite.contains(port)), "{found:?}");
    assert!(allocator.list(None).unwrap().is_empty());

    let ports = free_ports();
    let full = within("shop", &ports).build().unwrap();
    let servers: Vec<TcpListener> = ports.clone().map(listen).collect();
    assert_eq!(allocator.find_available_port(&full).unwrap(), None);
    drop(servers);
    let from = within("shop", &ports).start_at(u64::from(ports.start) + 5);
    assert_eq!(
        allocator
            .find_available_port(&from.build().unwrap())
            .unwrap(),
        Some(Port::literal(ports.start + 5))
    );
}

#[test]
fn what_another_face_knows_of_a_lease_is_enough_to_confirm_and_renew_it() {
    use portlease::core::{Confirm, LeaseState, Renew};
    let (allocator, ports) = (memory(), free_ports());
    allocator.allocate_port(plainly("shop", &ports)).unwrap();
    let lease = allocator.list(None).unwrap().remove(0);
    let _server = listen(lease.port.get());
    let confirm = Confirm {
        key: lease.key.clone(),
        generation: lease.generation,
        listener: Some(Holder::Process(identity::this_process())),
        port: None,
    };
    let confirmed = allocator.confirm(&confirm).unwrap();
    assert_eq!(confirmed.state, LeaseState::Live);
    let renew = |generation| Renew {
        key: lease.key.clone(),
        generation,
        holder: None,
    };
    assert!(allocator.renew(&renew(lease.generation)).is_ok());
    let stale = renew(portlease::core::Generation::new(99));
    assert_eq!(allocator.renew(&stale).unwrap_err().code(), "NOT_OWNER");
}

#[test]
fn requests_for_one_project_at_the_same_time_get_one_port() {
    let (allocator, ports) = (memory(), free_ports());
    let first = allocator
        .reserve_or_reallocate_port(plainly("shop", &ports))
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let again = allocator.reserve_or_reallocate_port(plainly("shop", &ports));
                    assert_eq!(again.unwrap().port, first.port);
                }
            });
        }
    });
}
