//! The messages of Linux's `sock_diag`: questions about TCP sockets, and the kernel's answers.
//!
//! All numbers are in the byte order of the machine, ports and addresses in that of the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IPV4: u8 = 2;
const IPV6: u8 = 10;

/// The question about one family.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The older question about TCP, which the kernel answers for all families at once. To ask for one
/// after the other would make it walk through its tables twice.
const TCPDIAG_GETSOCK: u16 = 18;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const IPPROTO_TCP: u8 = 6;
const INET_DIAG_REQ_BYTECODE: u16 = 1;

const LISTEN: u8 = 10;
/// Sockets that were bound and neither listen nor are connected show only when this state is asked for.
const BOUND_INACTIVE: u8 = 13;

const HEADER: usize = 16;
/// `inet_diag_msg`, the fixed part of an answer.
const ANSWER: usize = 72;

/// Which sockets are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Those that listen. The kernel keeps them in a short table of their own.
    Listening,
    /// Those that are only bound as well. They are in a table of 65,536 places that the kernel walks
    /// through, which takes twenty times as long.
    Everything,
}

/// A request for all such sockets, of both families, that pass the filter.
pub fn dump_request(look: Look, sequence: u32, filter: &[u8]) -> Vec<u8> {
    let states = match look {
        Look::Listening => 1 << LISTEN,
        Look::Everything => 1 << LISTEN | 1 << BOUND_INACTIVE,
    };
    let mut request = header(TCPDIAG_GETSOCK, sequence, NLM_F_REQUEST | NLM_F_DUMP);
    request.extend([0; 52]);
    request.extend(u32::to_ne_bytes(states));
    request.extend([0; 4]);
    if let Ok(length) = u16::try_from(filter.len() + 4)
        && !filter.is_empty()
    {
        request.extend(length.to_ne_bytes());
        request.extend(INET_DIAG_REQ_BYTECODE.to_ne_bytes());
        request.extend(filter);
    }
    finish(request)
}

/// A request for the one socket that would accept a connection to this address and port.
pub fn exact_request(address: IpAddr, port: u16, sequence: u32) -> Vec<u8> {
    let mut request = header(SOCK_DIAG_BY_FAMILY, sequence, NLM_F_REQUEST);
    let family = if address.is_ipv4() { IPV4 } else { IPV6 };
    request.extend([family, IPPROTO_TCP, 0, 0]);
    request.extend(u32::to_ne_bytes(1 << LISTEN));
    request.extend(port.to_be_bytes());
    request.extend([0; 2]);
    let mut octets = [0; 16];
    match address {
        IpAddr::V4(address) => octets[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => octets = address.octets(),
    }
    request.extend(octets);
    request.extend([0; 16]);
    request.extend([0; 4]);
    // No cookie: whichever socket it is now.
    request.extend([0xff; 8]);
    finish(request)
}

fn header(kind: u16, sequence: u32, flags: u16) -> Vec<u8> {
    let mut request = Vec::with_capacity(128);
    request.extend([0; 4]);
    request.extend(kind.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend(sequence.to_ne_bytes());
    request.extend([0; 4]);
    request
}

/// Writes the length of the request to its front.
fn finish(mut request: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(request.len()).unwrap_or(u32::MAX);
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request
}

/// A TCP socket as the kernel describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiagSocket {
    /// The address that it is bound to.
    pub address: IpAddr,
    /// The port that it is bound to; 0 for none.
    pub port: u16,
    /// Whether it listens; otherwise it is only bound.
    pub listens: bool,
    /// The number of its file, as in `socket:[number]`.
    pub inode: u32,
    /// The user whom it belongs to.
    pub user_id: u32,
}

/// How far the answer to a request has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More is to come.
    Unfinished,
    /// The dump is complete.
    Done,
    /// The kernel refused, with this error number.
    Failed(i32),
}

/// The bytes are not what a kernel sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the kernel's answer about sockets cannot be read")]
pub struct Malformed;

/// Reads one datagram of answers to the request with this sequence number. Answers to other
/// requests, left over from one that was given up, are passed over.
pub fn read_answers(
    mut datagram: &[u8],
    sequence: u32,
    mut each: impl FnMut(DiagSocket),
) -> Result<Progress, Malformed> {
    while !datagram.is_empty() {
        let length = u32_at(datagram, 0).ok_or(Malformed)? as usize;
        let kind = u16_at(datagram, 4).ok_or(Malformed)?;
        let answers = u32_at(datagram, 8).ok_or(Malformed)?;
        if length < HEADER {
            return Err(Malformed);
        }
        let payload = datagram.get(HEADER..length).ok_or(Malformed)?;
        let padded = length.checked_next_multiple_of(4).ok_or(Malformed)?;
        datagram = datagram.get(padded..).unwrap_or_default();
        if answers != sequence {
            continue;
        }
        match kind {
            // A dump that failed midway ends with a negative error number.
            NLMSG_DONE | NLMSG_ERROR => {
                return Ok(match u32_at(payload, 0).map(u32::cast_signed) {
                    Some(error @ i32::MIN..0) => Progress::Failed(error.saturating_neg()),
                    _ => Progress::Done,
                });
            }
            SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => each(socket(payload).ok_or(Malformed)?),
            _ => {}
        }
    }
    Ok(Progress::Unfinished)
}

fn socket(payload: &[u8]) -> Option<DiagSocket> {
    let payload: &[u8; ANSWER] = payload.first_chunk()?;
    let address = match payload[0] {
        IPV4 => Ipv4Addr::from(*payload[8..].first_chunk::<4>()?).into(),
        IPV6 => Ipv6Addr::from(*payload[8..].first_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(DiagSocket {
        address,
        port: u16::from_be_bytes([payload[4], payload[5]]),
        listens: payload[1] == LISTEN,
        user_id: u32_at(payload, 64)?,
        inode: u32_at(payload, 68)?,
    })
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_ne_bytes(*bytes))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut message = header(kind, sequence, 0);
        message.extend(payload);
        finish(message)
    }

    fn listening_on_port_3000() -> Vec<u8> {
        let mut payload = vec![IPV4, LISTEN, 0, 0];
        payload.extend(3000_u16.to_be_bytes());
        payload.extend([0; 2]);
        payload.extend([127, 0, 0, 1]);
        payload.resize(64, 0);
        payload.extend(1000_u32.to_ne_bytes());
        payload.extend(77_u32.to_ne_bytes());
        payload
    }

    fn check(datagram: &[u8], expected: Result<Progress, Malformed>, sockets: usize) {
        let mut seen = Vec::new();
        assert_eq!(
            read_answers(datagram, 7, |socket| seen.push(socket)),
            expected
        );
        assert_eq!(seen.len(), sockets);
        for socket in seen {
            let expected = DiagSocket {
                address: Ipv4Addr::LOCALHOST.into(),
                port: 3000,
                listens: true,
                inode: 77,
                user_id: 1000,
            };
            assert_eq!(socket, expected);
        }
    }

    #[test]
    fn a_dump_of_two_sockets_is_read_to_its_end() {
        let done = message(NLMSG_DONE, 7, &[0; 4]);
        for kind in [SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK] {
            let socket = message(kind, 7, &listening_on_port_3000());
            check(&socket, Ok(Progress::Unfinished), 1);
            let dump = [socket.clone(), socket, done.clone()].concat();
            check(&dump, Ok(Progress::Done), 2);
        }
    }

    #[test]
    fn answers_to_an_earlier_request_are_passed_over() {
        let earlier = message(SOCK_DIAG_BY_FAMILY, 6, &listening_on_port_3000());
        check(&earlier, Ok(Progress::Unfinished), 0);
        check(
            &message(NLMSG_DONE, 6, &[0; 4]),
            Ok(Progress::Unfinished),
            0,
        );
    }

    #[test]
    fn a_refusal_carries_the_error_number() {
        for kind in [NLMSG_ERROR, NLMSG_DONE] {
            let refused = message(kind, 7, &(-13_i32).to_ne_bytes());
            check(&refused, Ok(Progress::Failed(13)), 0);
        }
    }

    #[test]
    fn what_is_cut_off_is_malformed() {
        let socket = message(SOCK_DIAG_BY_FAMILY, 7, &listening_on_port_3000());
        for length in 1..socket.len() {
            check(&socket[..length], Err(Malformed), 0);
        }
        let empty = message(SOCK_DIAG_BY_FAMILY, 7, &[]);
        check(&empty, Err(Malformed), 0);
        check(&[0; HEADER], Err(Malformed), 0);
    }

    proptest! {
        #[test]
        fn prop_no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_answers(&bytes, 7, |_| {});
        }

        #[test]
        fn prop_no_damage_makes_the_reader_panic(offset in 0_usize..200, value: u8, cut in 0_usize..200) {
            let socket = message(SOCK_DIAG_BY_FAMILY, 7, &listening_on_port_3000());
            let mut datagram = [socket.clone(), socket].concat();
            let offset = offset % datagram.len();
            datagram[offset] = value;
            datagram.truncate(cut);
            let _ = read_answers(&datagram, 7, |_| {});
        }
    }
}
