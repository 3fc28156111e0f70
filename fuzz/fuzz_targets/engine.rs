//! What Docker and Podman answer.
#![no_main]

use std::fmt::Write as _;
use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use portlease::engines::parse::{answer, containers};
use portlease::engines::{ContainerDetails, Protocol};

fuzz_target!(|bytes: &[u8]| {
    let _ = answer(bytes);
    an_answer_is_the_same_in_pieces(bytes);
    let half = bytes.iter().position(|byte| *byte == b'\n');
    let (list, inspection) = bytes.split_at(half.unwrap_or(bytes.len()));
    if let Ok(found) = containers(list, inspection) {
        for container in &found {
            ports_survive_being_listed(container);
        }
    }
});

/// The first byte says how long the pieces are.
fn an_answer_is_the_same_in_pieces(bytes: &[u8]) {
    let size = usize::from(bytes.first().copied().unwrap_or_default()) + 1;
    let mut written = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in bytes.chunks(size) {
        write!(written, "{:x};a=b\r\n", piece.len()).expect("there is room");
        written.extend_from_slice(piece);
        written.extend_from_slice(b"\r\n");
    }
    let cut_off = written.len();
    written.extend_from_slice(b"0\r\nAge: 1\r\n\r\n");
    let read = answer(&written).expect("an answer in good form");
    assert_eq!(read, (200, bytes.to_vec()));
    assert!(answer(&written[..cut_off]).is_err(), "it has no end");

    let mut written =
        format!("HTTP/1.1 404 No\r\nContent-Length: {}\r\n\r\n", bytes.len()).into_bytes();
    written.extend_from_slice(bytes);
    assert_eq!(
        answer(&written).expect("an answer in good form"),
        (404, bytes.to_vec())
    );
}

/// A running container with these ports, one by one, has these ports.
fn ports_survive_being_listed(container: &ContainerDetails) {
    let is_tcp = |protocol| protocol == Protocol::Tcp;
    let tcp = container.publishes.iter().filter(|it| is_tcp(it.protocol));
    assert_eq!(
        tcp.map(|it| it.ports).collect::<portlease_core::PortSet>(),
        container.ports()
    );
    let mut list = r#"[{"Id":"4f","State":"running","Ports":["#.to_owned();
    for (index, port) in container.ports().iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(
            list,
            r#"{comma}{{"IP":"::","PublicPort":{port},"Type":"tcp"}}"#
        )
        .expect("there is room");
    }
    list.push_str("]}]");
    let read = containers(list.as_bytes(), b"").expect("a list in good form");
    assert_eq!(read[0].ports(), container.ports());
    assert!(read[0].is_running());
}
