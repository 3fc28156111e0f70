//! As much HTTP/1.1 as an engine speaks on its socket.

use std::io::{self, BufRead as _, BufReader, Read, Write};

use httparse::Status;

/// No engine says more before the answer itself.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_HEADERS: usize = 64;
/// The length of a chunk, or an entry that follows the last one.
const LONGEST_LINE: u64 = 8 << 10;

/// A connection on which one question follows the other.
pub(crate) struct Connection<S> {
    stream: BufReader<S>,
}

/// What comes before the answer itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Podman names its own version beside the one of Docker that it resembles.
    pub(crate) is_podman: bool,
    length: Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(u64),
    Chunked,
    UntilClosed,
}

/// The answer itself. The next question may follow when it was read to its end.
pub(crate) struct Body<'a, S> {
    stream: &'a mut BufReader<S>,
    rest: Rest,
}

/// What is still to come.
enum Rest {
    Bytes(u64),
    /// So much of a chunk, and then others.
    Chunks(u64),
    UntilClosed,
}

impl<S: Read> Connection<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn stream(&mut self) -> &mut S {
        self.stream.get_mut()
    }

    /// The head of the final answer, after those that only say that it will come.
    pub(crate) fn head(&mut self) -> io::Result<Head> {
        loop {
            let head = parse(&self.head_bytes()?)?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    pub(crate) fn body(&mut self, head: &Head) -> Body<'_, S> {
        let rest = match head.length {
            Length::Known(length) => Rest::Bytes(length),
            Length::Chunked => Rest::Chunks(0),
            Length::UntilClosed => Rest::UntilClosed,
        };
        Body {
            stream: &mut self.stream,
            rest,
        }
    }

    /// All up to the first empty line.
    fn head_bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            let room = (LONGEST_HEAD - start) as u64;
            (&mut self.stream)
                .take(room)
                .read_until(b'\n', &mut bytes)?;
            match &bytes[start..] {
                b"\r\n" | b"\n" => return Ok(bytes),
                [.., b'\n'] => {}
                _ if bytes.len() == LONGEST_HEAD => return Err(nonsense("a head without an end")),
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

impl<S: Read + Write> Connection<S> {
    /// Asks, and reads the answer's head.
    pub(crate) fn send(&mut self, method: &str, path: &str) -> io::Result<Head> {
        // The host of a socket has no name; HTTP wants one all the same.
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        self.stream().write_all(request.as_bytes())?;
        self.head()
    }
}

impl<S: Read> Read for Body<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match &mut self.rest {
            Rest::UntilClosed => return self.stream.read(buffer),
            Rest::Bytes(left) => left,
            Rest::Chunks(left) => {
                if *left == 0 {
                    *left = next_chunk(self.stream)?;
                }
                if *left == 0 {
                    self.rest = Rest::Bytes(0);
                    return Ok(0);
                }
                left
            }
        };
        let most = usize::try_from(*left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *left -= count as u64;
        if *left == 0 && matches!(self.rest, Rest::Chunks(_)) {
            end_chunk(self.stream)?;
        }
        Ok(count)
    }
}

fn parse(bytes: &[u8]) -> io::Result<Head> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) => return Err(nonsense("half a head")),
        Err(error) => return Err(nonsense(&format!("no HTTP: {error}"))),
    }
    let status = response.code.unwrap_or_default();
    let value = |name: &str| {
        let header = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(header.value).ok()
    };
    let is_chunked = value("Transfer-Encoding")
        .is_some_and(|encoding| encoding.to_ascii_lowercase().ends_with("chunked"));
    let length = match value("Content-Length") {
        _ if status < 200 || matches!(status, 204 | 304) => Length::Known(0),
        _ if is_chunked => Length::Chunked,
        Some(length) => {
            let length = length.trim().parse();
            Length::Known(length.map_err(|_| nonsense("an answer of no length"))?)
        }
        None => Length::UntilClosed,
    };
    Ok(Head {
        status,
        is_podman: value("Libpod-API-Version").is_some(),
        length,
    })
}

/// The length of the next chunk. It is 0 after the last one, whose trailing entries are passed over.
fn next_chunk<S: Read>(stream: &mut BufReader<S>) -> io::Result<u64> {
    let Ok(Status::Complete((_, length))) = httparse::parse_chunk_size(&line(stream)?) else {
        return Err(nonsense("a chunk of no length"));
    };
    if length == 0 {
        while !matches!(&*line(stream)?, b"\r\n" | b"\n") {}
    }
    Ok(length)
}

fn end_chunk<S: Read>(stream: &mut BufReader<S>) -> io::Result<()> {
    match &*line(stream)? {
        b"\r\n" => Ok(()),
        _ => Err(nonsense("a chunk longer than it said")),
    }
}

fn line<S: Read>(stream: &mut BufReader<S>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ if line.len() as u64 == LONGEST_LINE => Err(nonsense("a line without an end")),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status and the answer, or why there is none.
    fn check(bytes: &str, expected: Result<(u16, &str), &str>) {
        let read = |bytes: &[u8]| {
            let mut connection = Connection::new(bytes);
            let head = connection.head()?;
            let mut text = String::new();
            connection.body(&head).read_to_string(&mut text)?;
            Ok((head.status, text))
        };
        let found = read(bytes.as_bytes()).map_err(|error: io::Error| error.to_string());
        let expected = expected.map(|(status, text)| (status, text.to_owned()));
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    const EARLY: &str = "unexpected end of file";

    #[test]
    fn an_answer_of_known_length() {
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]rest",
            Ok((200, "[]")),
        );
        check("HTTP/1.1 204 No Content\r\n\r\nrest", Ok((204, "")));
    }

    #[test]
    fn an_answer_in_chunks() {
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n[1,\r\nA\r\n2,3,4,5,6]\r\n0\r\nAge: 1\r\n\r\nrest",
            Ok((200, "[1,2,3,4,5,6]")),
        );
    }

    #[test]
    fn an_answer_that_ends_with_the_connection() {
        check("HTTP/1.0 200 OK\r\n\r\n[]", Ok((200, "[]")));
    }

    #[test]
    fn an_answer_after_one_that_only_promises_it() {
        check(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            Ok((404, "")),
        );
    }

    #[test]
    fn answers_that_end_too_early() {
        check("", Err(EARLY));
        check("HTTP/1.1 200 OK\r\nContent-Le", Err(EARLY));
        check("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", Err(EARLY));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for rest in ["", "5", "5\r\n[]", "2\r\n[]", "2\r\n[]\r\n0\r\n"] {
            check(&format!("{chunked}{rest}"), Err(EARLY));
        }
    }

    #[test]
    fn answers_that_are_none() {
        check(
            "220 mail.test\r\n\r\n",
            Err("no HTTP: invalid HTTP version"),
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            Err("an answer of no length"),
        );
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{chunked}x\r\n"), Err("a chunk of no length"));
        check(
            &format!("{chunked}1\r\n[]\r\n"),
            Err("a chunk longer than it said"),
        );
    }

    #[test]
    fn a_head_that_never_ends() {
        let head = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(LONGEST_HEAD));
        check(&head, Err("a head without an end"));
    }
}
