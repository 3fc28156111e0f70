//! Unmodified servers as the intended process of a hold: Node's, Python's and Rust's own.

#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use portlease_core::Port;
use portlease_probe::{Hold, Probe};
use support::{alone, free_port};

const NODE: &str = "
require('http').createServer((request, response) => response.end('hello'))
  .listen({ port: Number(process.argv[1]), host: process.argv[2] || undefined }, () => console.log('ready'))
";

const PYTHON: &str = "
import http.server, sys
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'hello')
    def log_message(self, *arguments):
        pass
server = http.server.HTTPServer((sys.argv[2], int(sys.argv[1])), Hello)
print('ready', flush=True)
server.serve_forever()
";

/// Starts a server; none when it ends without being ready.
fn start(command: &[&str], port: Port, host: &str) -> Option<Child> {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .args([&port.to_string(), host])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs {}: {error}", command[0]));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    if line == "ready\n" {
        return Some(child);
    }
    assert!(!child.wait().unwrap().success(), "{line:?}");
    None
}

fn assert_serves(port: Port, host: &str) {
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "" | "::" => "::1",
        host => host,
    };
    let mut client = TcpStream::connect((host, port.get())).unwrap();
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.") && answer.ends_with("hello"),
        "{answer}"
    );
}

/// Goes through the life of a server that is started twice under one hold.
fn check(command: &[&str], hosts: &[&str]) {
    let _alone = alone();
    let probe = Probe::new();
    for host in hosts {
        let mut hold = Hold::take(free_port()).unwrap();
        let port = hold.port();
        assert!(start(command, port, host).is_none(), "closed {host}");
        for _ in 0..2 {
            hold.open().unwrap();
            let mut server = start(command, port, host).expect("it is opened for this server");
            hold.close().unwrap();
            assert_serves(port, host);
            let listener = probe.listener(port).unwrap().unwrap();
            assert!(listener.listens);
            assert!(
                start(command, port, host).is_none(),
                "another beside {host}"
            );
            server.kill().unwrap();
            server.wait().unwrap();
            assert!(start(command, port, host).is_none(), "another after {host}");
        }
    }
}

#[test]
fn nodes_http_server() {
    check(
        &["node", "-e", NODE],
        &["", "127.0.0.1", "0.0.0.0", "::1", "::"],
    );
}

#[test]
fn pythons_http_server() {
    check(&["python3", "-c", PYTHON], &["127.0.0.1", "0.0.0.0"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is the server under test")]
fn the_listener_of_rust() {
    let _alone = alone();
    for host in ["127.0.0.1", "0.0.0.0", "::1", "::"] {
        let mut hold = Hold::take(free_port()).unwrap();
        let bind = || TcpListener::bind((host, hold.port().get()));
        assert!(bind().is_err());
        hold.open().unwrap();
        let server = TcpListener::bind((host, hold.port().get())).unwrap();
        hold.close().unwrap();
        let bind = || TcpListener::bind((host, hold.port().get()));
        assert!(bind().is_err());
        drop(server);
        assert!(bind().is_err());
    }
}
