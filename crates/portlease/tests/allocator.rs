//! The allocator against the real machine: real listeners, real holds, a real registry.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use portlease::core::{
    Command as Registration, Facts, Holder, IfRunning, LeaseState, LeaseStatus, Outcome, Port,
    PortRange, Process, Release, Verdict,
};
use portlease::probe::{Hold, identity};
use portlease::{Error, Registry, Reservation};
use support::{SIZE, free_ports, memory, open, request, within};

fn listen(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("nobody is on the port")
}

#[test]
fn a_granted_port_is_held_until_the_grant_lets_go() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    assert_eq!(grant.port().get(), ports.start);
    for address in [
        SocketAddr::from((Ipv4Addr::LOCALHOST, ports.start)),
        (Ipv6Addr::UNSPECIFIED, ports.start).into(),
    ] {
        assert!(TcpListener::bind(address).is_err(), "{address}");
    }
    grant.let_go();
    listen(ports.start);
}

#[test]
fn two_projects_never_share_a_port() {
    let (allocator, ports) = (memory(), free_ports());
    let shop = allocator.reserve(&request("shop", &ports)).unwrap();
    let blog = allocator.reserve(&request("blog", &ports)).unwrap();
    assert_eq!(
        (shop.port().get(), blog.port().get()),
        (ports.start, ports.start + 1)
    );
}

#[test]
fn the_leases_of_one_project_are_listed_alone() {
    let (allocator, ports) = (memory(), free_ports());
    let shop = allocator.reserve(&request("shop", &ports)).unwrap();
    let _blog = allocator.reserve(&request("blog", &ports)).unwrap();
    let project = &shop.lease().key.project;
    let of_shop = allocator.list(Some(project)).unwrap();
    assert_eq!(of_shop, [shop.lease().clone()]);
    assert_eq!(allocator.list(None).unwrap().len(), 2);
}

#[test]
fn listeners_on_any_address_are_passed_over() {
    let (allocator, ports) = (memory(), free_ports());
    let _one = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start)).unwrap();
    let _two = TcpListener::bind((Ipv6Addr::LOCALHOST, ports.start + 1)).unwrap();
    let _three = TcpListener::bind((Ipv4Addr::UNSPECIFIED, ports.start + 2)).unwrap();
    let grant = allocator.reserve(&request("shop", &ports)).unwrap();
    assert_eq!(grant.port().get(), ports.start + 3);
    assert_eq!(grant.granted().outcome, Outcome::New);
    assert_eq!(grant.granted().previous_port, None);
    assert_eq!(
        allocator.list(None).unwrap().len(),
        1,
        "the ports that were lost on the way are not leased"
    );
}

#[test]
fn holds_of_others_are_passed_over_although_nobody_listens() {
    let (allocator, ports) = (memory(), free_ports());
    let held = ports.start..ports.end - 1;
    let _holds: Vec<Hold> = held
        .map(|port| Hold::take(Port::literal(port)).unwrap())
        .collect();
    let request = within("shop", &ports).max_retries(0).build().unwrap();
    let grant = allocator.reserve(&request).unwrap();
    assert_eq!(grant.port().get(), ports.end - 1);
}

#[test]
fn a_service_of_a_set_keeps_its_port_when_another_one_meets_holds() {
    let (allocator, ports) = (memory(), free_ports());
    let (first, middle) = (u64::from(ports.start), u64::from(ports.start) + 4);
    let hold = |offset| Hold::take(Port::literal(ports.start + offset)).unwrap();
    let _holds = [hold(4), hold(5)];
    let request = Reservation::of("shop")
        .service("web")
        .range(first, first + 3)
        .also("api")
        .range(middle, middle + 3)
        .build()
        .unwrap();
    let grants = allocator.reserve_all(&request).unwrap();
    let numbers: Vec<u16> = grants.iter().map(|grant| grant.port().get()).collect();
    assert_eq!(numbers, [ports.start, ports.start + 6]);
}

#[test]
fn ports_on_which_connections_linger_are_passed_over() {
    let (allocator, ports) = (memory(), free_ports());
    for port in ports.start..ports.end - 1 {
        linger_on(port);
    }
    let request = within("shop", &ports).max_retries(0).build().unwrap();
    let grant = allocator.reserve(&request).unwrap();
    assert_eq!(grant.port().get(), ports.end - 1);
}

#[test]
fn whoever_insists_on_a_port_has_it_although_connections_linger_there() {
    let (allocator, ports) = (memory(), free_ports());
    linger_on(ports.start);
    let request = Reservation::of("shop").strict(ports.start.into());
    let grant = allocator.reserve(&request.build().unwrap()).unwrap();
    assert_eq!(grant.port().get(), ports.start);
}

/// A server that closes a connection first keeps the port in mind for a while when it has ended.
fn linger_on(port: u16) {
    let server = listen(port);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (accepted, _) = server.accept().unwrap();
    accepted.shutdown(Shutdown::Both).unwrap();
    drop(accepted);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn the_same_port_again_after_a_release_and_after_a_restart() {
    let ports = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let registry = || open(Registry::File(folder.path().join("registry.db")));
    let stranger = listen(ports.start);
    let first = registry().reserve(&request("shop", &ports)).unwrap();
    let port = first.port();
    assert_eq!(port.get(), ports.start + 1);
    first.release().unwrap();
    drop(stranger);
    let again = registry().reserve(&request("shop", &ports)).unwrap();
    assert_eq!(again.port(), port);
}

#[test]
fn a_full_range_is_refused_with_who_has_it_and_leaves_nothing_behind() {
    let (allocator, ports) = (memory(), free_ports());
    let _servers: Vec<TcpListener> = ports.clone().map(listen).collect();
    let error = allocator.reserve(&request("shop", &ports)).unwrap_err();
    assert_eq!(error.code(), "RANGE_EXHAUSTED");
    let message = error.to_string();
    assert!(message.contains("8 in use by other programs"), "{message}");
    assert!(
        message.contains(&format!("(pid {})", std::process::id())),
        "{message}"
    );
    assert!(allocator.list(None).unwrap().is_empty());
}

#[test]
fn the_port_that_was_insisted_on_or_who_has_it() {
    let (allocator, ports) = (memory(), free_ports());
    let strict = |port: u16| within("shop", &ports).strict(port.into()).build().unwrap();
    let _server = listen(ports.start + 5);
    let error = allocator.reserve(&strict(ports.start + 5)).unwrap_err();
    assert_eq!(error.code(), "PORT_UNAVAILABLE");
    assert!(
        error
            .to_string()
            .contains(&format!("(pid {})", std::process::id())),
        "{error}"
    );
    assert!(allocator.list(None).unwrap().is_empty());
    assert_eq!(
        allocator
            .reserve(&strict(ports.start + 6))
            .unwrap()
            .port()
            .get(),
        ports.start + 6
    );
}

#[test]
fn a_lease_whose_own_server_listens_is_reused() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    grant.let_go();
    let _server = listen(grant.port().get());
    grant
        .confirm_when_listening(None, Duration::from_secs(5))
        .unwrap();
    assert_eq!(grant.lease().state, LeaseState::Live);
    let again = allocator.reserve(&request("shop", &ports)).unwrap();
    assert_eq!(
        (again.port(), again.granted().outcome),
        (grant.port(), Outcome::Reused)
    );
}

#[test]
fn a_lease_whose_port_a_stranger_took_is_given_up() {
    let (allocator, ports) = (memory(), free_ports());
    let on_behalf = || {
        within("shop", &ports)
            .on_behalf_of_others()
            .build()
            .unwrap()
    };
    let grant = allocator.reserve(&on_behalf()).unwrap();
    drop(grant);
    let _stranger = listen(ports.start);
    let moved = allocator.reserve(&on_behalf()).unwrap();
    assert_eq!(
        (moved.port().get(), moved.granted().outcome),
        (ports.start + 1, Outcome::Reallocated)
    );
}

#[test]
fn leases_of_processes_that_ended_are_swept_when_the_range_is_full() {
    let (allocator, ports) = (memory(), free_ports());
    let ended = ended_process();
    for index in 0..SIZE {
        let request = within(&format!("project-{index}"), &ports)
            .held_by(Holder::Process(ended.clone()))
            .build()
            .unwrap();
        allocator.reserve(&request).unwrap();
    }
    let grant = allocator.reserve(&request("shop", &ports)).unwrap();
    assert!(ports.contains(&grant.port().get()));
}

/// The identity of a process that has ended.
fn ended_process() -> Process {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let process = identity::process(child.id()).expect("it sleeps");
    child.kill().unwrap();
    child.wait().unwrap();
    process
}

#[test]
fn a_second_instance_gets_a_port_of_its_own() {
    let (allocator, ports) = (memory(), free_ports());
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let process = identity::process(other.id()).expect("it runs");
    let first = within("shop", &ports)
        .held_by(Holder::Process(process))
        .build()
        .unwrap();
    let first = allocator.reserve(&first).unwrap();
    let second = || {
        within("shop", &ports)
            .if_running(IfRunning::Another)
            .build()
            .unwrap()
    };
    assert_eq!(
        allocator.reserve(&second()).unwrap().port().get(),
        ports.start + 1
    );
    drop(first);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(
        allocator.reserve(&second()).unwrap().port().get(),
        ports.start,
        "the first one has ended"
    );
}

#[test]
fn a_leased_port_is_not_available_and_not_touched() {
    let (allocator, ports) = (memory(), free_ports());
    let port = Port::literal(ports.start);
    assert!(allocator.is_port_available(port, None).unwrap());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    grant.let_go();
    assert!(!allocator.is_port_available(port, None).unwrap());
    let next = Port::literal(ports.start + 1);
    let _server = listen(next.get());
    assert!(!allocator.is_port_available(next, None).unwrap());
    assert_eq!(
        allocator
            .find_available_port(&request("blog", &ports))
            .unwrap(),
        Some(Port::literal(ports.start + 2))
    );
    assert_eq!(
        allocator.list(None).unwrap().len(),
        1,
        "looking leases nothing"
    );
}

#[test]
fn an_explanation_has_a_reason_for_each_port() {
    let (allocator, ports) = (memory(), free_ports());
    let _grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let _server = listen(ports.start + 1);
    let (_, trace) = allocator.explain(&request("blog", &ports)).unwrap();
    let verdicts: Vec<Verdict> = trace.steps.iter().map(|step| step.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Leased, Verdict::Occupied, Verdict::Granted]
    );
}

#[test]
fn each_lease_is_live_idle_or_hijacked() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let status = || allocator.validate(None).unwrap().leases[0].status;
    grant.let_go();
    assert_eq!(status(), LeaseStatus::Idle);
    let _server = listen(grant.port().get());
    assert_eq!(status(), LeaseStatus::Live);
}

#[test]
fn who_names_the_process_and_the_lease() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    grant.let_go();
    let _server = listen(grant.port().get());
    let who = allocator.who(grant.port()).unwrap();
    assert_eq!(
        who.occupants[0].process.as_ref().map(|process| process.pid),
        Some(std::process::id())
    );
    assert_eq!(&*who.lease.unwrap().key.project, "shop");
}

#[test]
fn releasing_what_another_process_holds_is_refused() {
    let (allocator, ports) = (memory(), free_ports());
    let _grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let release = Release::by_project("shop".parse().unwrap());
    assert_eq!(allocator.release(&release).unwrap_err().code(), "NOT_OWNER");
    assert_eq!(
        allocator
            .release(&Release {
                force: true,
                ..release
            })
            .unwrap()
            .leases
            .len(),
        1
    );
}

#[test]
fn another_machine_is_decided_from_the_registry_alone() {
    let (allocator, ports) = (memory(), free_ports());
    let _server = listen(ports.start);
    let remote = within("shop", &ports)
        .on_behalf_of_others()
        .skip_port_check()
        .build()
        .unwrap();
    assert_eq!(
        allocator.reserve(&remote).unwrap().port().get(),
        ports.start
    );
}

#[test]
fn bad_requests_are_refused_by_name() {
    let code = |reservation: Reservation| {
        reservation
            .build()
            .map_err(|error: Error| error.code())
            .unwrap_err()
    };
    assert_eq!(code(Reservation::of("")), "INVALID_NAME");
    assert_eq!(
        code(Reservation::of("shop").prefer([70_000])),
        "INVALID_PORT"
    );
    assert_eq!(
        code(Reservation::of("shop").range(3100, 3000)),
        "INVALID_RANGE"
    );
    assert_eq!(code(Reservation::of("shop").strict(0)), "INVALID_PORT");
}

#[test]
fn a_store_of_the_callers_own_is_used() {
    let store = std::sync::Arc::new(portlease::core::MemoryStore::new());
    let allocator = open(Registry::Store(store.clone()));
    let ports = free_ports();
    let _grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let range = PortRange::literal(ports.start, ports.end - 1);
    let command = Registration::Stats(portlease::core::StatsQuery {
        ranges: vec![portlease::core::NamedRange {
            name: "mine".parse().unwrap(),
            range,
        }],
        top: 1,
    });
    let decision =
        portlease::core::Store::transact(&*store, allocator.host(), &command, &Facts::default())
            .unwrap();
    let portlease::core::Reply::Stats(stats) = decision.reply else {
        panic!("it is answered so")
    };
    assert_eq!((stats.ranges[0].leased, stats.counters.grants), (1, 1));
}

#[test]
fn a_port_that_was_busy_the_last_time_is_granted_once_it_is_free() {
    let (allocator, ports) = (memory(), free_ports());
    let server = listen(ports.start);
    let port = |project: &str| {
        let grant = allocator.reserve(&request(project, &ports)).unwrap();
        grant.port().get()
    };
    assert_eq!(port("shop"), ports.start + 1);
    assert_eq!(port("blog"), ports.start + 2);
    drop(server);
    assert_eq!(port("docs"), ports.start);
}

#[test]
fn whoever_has_to_make_way_goes_where_nobody_is() {
    let (allocator, ports) = (memory(), free_ports());
    let first = ports.start;
    let service = |project: &str| {
        let own = Reservation::of(project).range(first.into(), u64::from(first) + 2);
        own.on_behalf_of_others()
    };
    let blog = service("blog").prefer([first.into()]).build().unwrap();
    let blog = allocator.reserve(&blog).unwrap();
    assert_eq!(blog.port().get(), first);
    drop(blog);
    let _stranger = listen(first + 1);
    let shop = Reservation::of("shop")
        .strict(first.into())
        .range(first.into(), first.into());
    let shop = shop.build().unwrap();

    let (explained, _) = allocator.explain(&shop).unwrap();
    let planned = explained.reserved.unwrap().moves[0].to;
    assert_eq!(planned.map(Port::get), Some(first + 2));
    let grants = allocator.reserve_all(&shop).unwrap();
    assert_eq!(grants.moves()[0].to.map(Port::get), Some(first + 2));
}

#[test]
fn nobody_makes_way_for_a_port_that_cannot_be_had() {
    let ports = free_ports();
    let allocator = memory();
    let blog = allocator
        .reserve(
            &within("blog", &ports)
                .on_behalf_of_others()
                .build()
                .unwrap(),
        )
        .unwrap();
    let before = blog.lease().clone();
    drop(blog);
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start)).unwrap();
    let shop = within("shop", &ports).strict(ports.start.into());
    let error = allocator.reserve(&shop.build().unwrap()).unwrap_err();
    assert_eq!(error.code(), "PORT_UNAVAILABLE", "{error}");
    assert_eq!(allocator.list(None).unwrap(), [before]);
}
