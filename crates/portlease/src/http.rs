//! As much HTTP as it takes to ask a server of this machine how it is.

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use portlease_core::Port;

use crate::health::{UrlPath, left};

/// No server sends more before the page itself.
const LONGEST_HEAD: u64 = 64 * 1024;
/// For so much of the page, and so long, it is waited, so that the server can end in peace.
const REST: u64 = 64 * 1024;
const REST_TIME: Duration = Duration::from_millis(100);

/// Requests the path and answers the status. What answers no HTTP is invalid data.
pub(crate) fn get(
    mut connection: TcpStream,
    port: Port,
    path: &UrlPath,
    deadline: Instant,
) -> io::Result<u16> {
    connection.set_write_timeout(Some(left(deadline)?))?;
    let agent = concat!("portlease/", env!("CARGO_PKG_VERSION"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes())?;
    let mut answer = BufReader::new(Answer {
        connection,
        deadline,
    });
    let status = status(&mut answer)?;
    let rest = &mut answer.get_mut().deadline;
    *rest = deadline.min(Instant::now() + REST_TIME);
    // Whether the page comes is not what was asked.
    let _ = io::copy(&mut answer.take(REST), &mut io::sink());
    Ok(status)
}

/// What the server says, until the time is over.
struct Answer {
    connection: TcpStream,
    deadline: Instant,
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.connection
            .set_read_timeout(Some(left(self.deadline)?))?;
        self.connection.read(buffer)
    }
}

/// The status of the final answer, after those that only say that it will come.
fn status(answer: &mut impl BufRead) -> io::Result<u16> {
    let mut head = answer.take(LONGEST_HEAD);
    loop {
        let status = parse(&line(&mut head)?)?;
        if status >= 200 {
            return Ok(status);
        }
        while !line(&mut head)?.is_empty() {}
    }
}

fn line(head: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    head.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// `HTTP/1.1 200 OK`
fn parse(line: &[u8]) -> io::Result<u16> {
    let status = || {
        let rest = line.strip_prefix(b"HTTP/1.")?;
        let [b'0'..=b'9', b' ', status @ ..] = rest else {
            return None;
        };
        let (digits, rest) = status.split_at_checked(3)?;
        let ends = rest.first().is_none_or(|next| *next == b' ');
        let number = str::from_utf8(digits).ok()?.parse().ok()?;
        (ends && digits.iter().all(u8::is_ascii_digit) && number >= 100).then_some(number)
    };
    status().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &[u8], expected: Result<u16, io::ErrorKind>) {
        let found = status(&mut { answer }).map_err(|error| error.kind());
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(answer));
    }

    #[test]
    fn answers_of_servers() {
        check(b"HTTP/1.1 200 OK\r\n\r\n", Ok(200));
        check(b"HTTP/1.0 404 Not Found\r\n", Ok(404));
        check(b"HTTP/1.1 503\r\n", Ok(503));
        check(b"HTTP/1.1 204 \n", Ok(204));
        let early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 500 Oh\r\n";
        check(early, Ok(500));
    }

    #[test]
    fn answers_of_others() {
        for other in [
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/2 200 OK\r\n",
            "HTTP/1.1 20 OK\r\n",
            "HTTP/1.1 2000 OK\r\n",
            "HTTP/1.1 +20 OK\r\n",
            "HTTP/1.1 099 No\r\n",
            "HTTP/1.1200 OK\r\n",
            "\r\n",
        ] {
            check(other.as_bytes(), Err(io::ErrorKind::InvalidData));
        }
        check(b"", Err(io::ErrorKind::UnexpectedEof));
        check(b"HTTP/1.1 200", Err(io::ErrorKind::UnexpectedEof));
        let endless = [b"HTTP/1.1 103 E\r\n".as_slice(), &vec![b'x'; 70_000]].concat();
        check(&endless, Err(io::ErrorKind::UnexpectedEof));
    }
}
