//! The kernel's answers about sockets.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use portlease_fuzz::Choices;
use portlease_probe::parse::diag::{DiagSocket, Malformed, Progress, exact_request, read_answers};

const SEQUENCE: u32 = 7;
const HEADER: usize = 16;
const SOCKET: usize = 72;

fuzz_target!(|bytes: &[u8]| {
    any_bytes(bytes);
    a_conversation(&mut Choices::new(bytes));
    own_requests(&mut Choices::new(bytes));
});

/// No bytes make more sockets than they have room for, and what follows a datagram does not change what is in it.
fn any_bytes(bytes: &[u8]) {
    let (progress, sockets) = read(bytes);
    assert!(sockets.len() * (HEADER + SOCKET) <= bytes.len());
    if progress == Ok(Progress::Unfinished) && bytes.len().is_multiple_of(4) {
        let end = message(3, SEQUENCE, &0_i32.to_ne_bytes());
        assert_eq!(read(&[bytes, &end].concat()), (Ok(Progress::Done), sockets));
    }
}

/// What a kernel writes is read as it was meant, up to the end, and from this request alone.
fn a_conversation(choices: &mut Choices<'_>) {
    let mut datagram = Vec::new();
    let mut expected = Vec::new();
    let mut progress = Progress::Unfinished;
    while !choices.is_over() {
        let sequence = if choices.byte() < 200 {
            SEQUENCE
        } else {
            choices.byte().into()
        };
        let is_ours = sequence == SEQUENCE && progress == Progress::Unfinished;
        match choices.byte() {
            0..200 => {
                let socket = socket(choices);
                let mut payload = written(&socket, choices);
                // Attributes may follow, and nothing says how long they are.
                let length = choices.below(12);
                payload.extend(choices.bytes(length));
                datagram.extend(message(20, sequence, &payload));
                if is_ours {
                    expected.push(socket);
                }
            }
            kind @ 200..230 => {
                let number = i32::from_ne_bytes(
                    choices.number().to_ne_bytes()[..4]
                        .try_into()
                        .expect("four bytes"),
                );
                datagram.extend(message(
                    2 + u16::from(kind % 2),
                    sequence,
                    &number.to_ne_bytes(),
                ));
                if is_ours {
                    progress = if number < 0 {
                        Progress::Failed(number.saturating_neg())
                    } else {
                        Progress::Done
                    };
                }
            }
            kind => datagram.extend(message(u16::from(kind), sequence, choices.bytes(9))),
        }
    }
    assert_eq!(read(&datagram), (Ok(progress), expected));
}

/// A request says its own length, and is no answer to anything.
fn own_requests(choices: &mut Choices<'_>) {
    let request = exact_request(socket(choices).address, choices.short(), SEQUENCE);
    assert_eq!(
        request[..4],
        u32::try_from(request.len())
            .expect("it is short")
            .to_ne_bytes()
    );
    assert_eq!(request.len(), HEADER + 56);
    assert_eq!(read(&request), (Err(Malformed), Vec::new()));
}

fn read(datagram: &[u8]) -> (Result<Progress, Malformed>, Vec<DiagSocket>) {
    let mut sockets = Vec::new();
    let progress = read_answers(datagram, SEQUENCE, |socket| sockets.push(socket));
    (progress, sockets)
}

fn socket(choices: &mut Choices<'_>) -> DiagSocket {
    let mut octets = [0; 16];
    let taken = choices.bytes(16);
    octets[..taken.len()].copy_from_slice(taken);
    let is_v4 = choices.byte().is_multiple_of(2);
    let address: IpAddr = if is_v4 {
        let [a, b, c, d, ..] = octets;
        Ipv4Addr::new(a, b, c, d).into()
    } else {
        Ipv6Addr::from(octets).into()
    };
    DiagSocket {
        address,
        port: choices.short(),
        listens: choices.byte().is_multiple_of(2),
        inode: choices.short().into(),
        user_id: u32::from(choices.short()) << 16,
    }
}

/// `struct inet_diag_msg`, as Linux's `inet_diag.h` has it.
fn written(socket: &DiagSocket, choices: &mut Choices<'_>) -> Vec<u8> {
    let state = if socket.listens { 10 } else { 13 };
    let mut message = vec![0; 72];
    message[1..4].copy_from_slice(&[state, choices.byte(), choices.byte()]);
    message[4..6].copy_from_slice(&socket.port.to_be_bytes());
    match socket.address {
        IpAddr::V4(address) => {
            message[0] = 2;
            message[8..12].copy_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            message[0] = 10;
            message[8..24].copy_from_slice(&address.octets());
        }
    }
    message[64..68].copy_from_slice(&socket.user_id.to_ne_bytes());
    message[68..72].copy_from_slice(&socket.inode.to_ne_bytes());
    message
}

/// `struct nlmsghdr` and its payload, padded to four bytes.
fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).expect("it is short");
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend([0; 2]);
    message.extend(sequence.to_ne_bytes());
    message.extend([0; 4]);
    message.extend(payload);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}
