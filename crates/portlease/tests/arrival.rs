//! Waiting for servers: real processes that listen, listen late, listen elsewhere, or never do.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers of these tests are ordinary programs"
)]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portlease::core::{Holder, LeaseState, Outcome};
use portlease::probe::{Guarantee, Hold, identity};
use portlease::{Error, Grant};
use support::{free_ports, memory, request, within};

const LONG: Duration = Duration::from_secs(30);

/// A process that is ended with the test.
struct Process(Child);

impl Process {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("this test needs {program}: {error}")))
    }

    /// A server that sets `SO_REUSEADDR`, as dev servers do.
    fn serving(address: &str, grant: &mut Grant) -> Self {
        let hold = grant.hold().expect("nobody listens yet");
        hold.open().expect("it is held");
        let program = format!(
            "import socket, time; server = socket.create_server(('{address}', {})); time.sleep(60)",
            grant.port()
        );
        Self::start("python3", &["-c", &program])
    }

    fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn pid_of_listener(grant: &Grant) -> Option<u32> {
    match grant
        .lease()
        .listener
        .as_ref()
        .or(grant.lease().holder.as_ref())?
    {
        Holder::Process(process) => Some(process.pid),
        Holder::Container(_) => None,
    }
}

#[test]
fn the_server_that_listens_is_written_down_and_everybody_else_is_shut_out() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let server = Process::serving("127.0.0.1", &mut grant);
    grant
        .confirm_when_listening(Some(server.id()), LONG)
        .unwrap();
    assert_eq!(grant.lease().state, LeaseState::Live);
    assert_eq!(pid_of_listener(&grant), Some(server.id()));
    drop(server);
    let port = grant.port().get();
    if Hold::guarantee() == Guarantee::UntilReleased {
        assert!(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_err());
    }
}

#[test]
fn without_a_number_a_child_of_the_holder_is_the_server() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let server = Process::serving("127.0.0.1", &mut grant);
    grant.confirm_when_listening(None, LONG).unwrap();
    assert_eq!(pid_of_listener(&grant), Some(server.id()));
}

#[test]
fn a_server_on_another_address_of_the_machine_is_found() {
    if cfg!(target_os = "macos") {
        // It has no 127.0.0.2 until somebody adds it.
        return;
    }
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let server = Process::serving("127.0.0.2", &mut grant);
    grant
        .confirm_when_listening(Some(server.id()), LONG)
        .unwrap();
}

#[test]
fn a_stranger_who_stays_on_the_port_is_named_and_the_next_grant_is_another_port() {
    let (allocator, ports) = (memory(), free_ports());
    let server = Process::start("sleep", &["60"]);
    let holder = Holder::Process(identity::process(server.id()).expect("it sleeps"));
    let request = within("shop", &ports).held_by(holder).build().unwrap();
    let mut grant = allocator.reserve(&request).unwrap();
    grant.let_go();
    let _stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.start)).unwrap();
    match grant.confirm_when_listening(Some(server.id()), LONG) {
        Err(Error::PortLost { port, by }) => {
            assert_eq!(port, grant.port());
            let pid = std::process::id().to_string();
            assert!(by.to_string().contains(&pid), "{by}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(grant.lease().state, LeaseState::Reserved);
    let again = allocator.reserve(&request).unwrap();
    assert_eq!(
        (again.port().get(), again.granted().outcome),
        (ports.start + 1, Outcome::Reallocated)
    );
}

#[test]
fn a_stranger_beside_the_server_could_answer_in_its_place() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    grant.let_go();
    let _stranger = TcpListener::bind(("::1", ports.start)).unwrap();
    let program = format!(
        "import socket, time; server = socket.create_server(('127.0.0.1', {})); time.sleep(60)",
        ports.start
    );
    let server = Process::start("python3", &["-c", &program]);
    let error = grant
        .confirm_when_listening(Some(server.id()), LONG)
        .unwrap_err();
    assert_eq!(error.code(), "PORT_LOST");
}

#[test]
fn a_server_that_ends_is_not_waited_for() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let server = Process::start("true", &[]);
    let error = grant
        .confirm_when_listening(Some(server.id()), LONG)
        .unwrap_err();
    assert_eq!(error.code(), "SERVER_ENDED");
}

#[test]
fn a_server_that_never_listens_is_waited_for_until_the_limit() {
    let (allocator, ports) = (memory(), free_ports());
    let mut grant = allocator.reserve(&request("shop", &ports)).unwrap();
    let server = Process::start("sleep", &["60"]);
    let limit = Duration::from_millis(20);
    let error = grant
        .confirm_when_listening(Some(server.id()), limit)
        .unwrap_err();
    assert_eq!(error.code(), "NOT_LISTENING");
}
