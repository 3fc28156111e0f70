//! The files of Linux's `/proc`, and two of `/etc`.

use portlease_core::{Port, PortRange, PortSet};

/// What is used of `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The name that the process gave itself, at most 15 bytes.
    pub name: String,
    /// The state, `R` or `S` for instance.
    pub state: u8,
    /// The process that started it; 0 for none.
    pub parent: u32,
    /// How many threads it has.
    pub threads: u64,
    /// When it started, in clock ticks since the machine did.
    pub started: u64,
}

impl Stat {
    /// Whether nothing is left of the process but its exit status: it runs no code and holds no
    /// port. A process whose first thread has ended while others run looks alike but for the count.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x') && self.threads <= 1
    }
}

/// Reads `/proc/PID/stat`. The name may hold anything, blanks and parentheses too, so the fields
/// are counted from the last closing parenthesis on.
///
/// ```
/// use portlease_probe::parse::proc_text::stat;
///
/// let line = b"42 (a) b) S 7 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 12345 0 0";
/// let stat = stat(line).expect("a line as the kernel writes it");
/// assert_eq!((stat.name.as_str(), stat.parent, stat.threads, stat.started), ("a) b", 7, 3, 12345));
/// ```
pub fn stat(bytes: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(bytes);
    let (front, back) = text.rsplit_once(')')?;
    let (_, name) = front.split_once('(')?;
    // Field 3 is the first behind the name.
    let fields: Vec<&str> = back.split_ascii_whitespace().take(20).collect();
    let field = |number: usize| fields.get(number - 3).copied();
    Some(Stat {
        name: name.to_owned(),
        state: field(3)?.bytes().next()?,
        parent: field(4)?.parse().ok()?,
        threads: field(20)?.parse().ok()?,
        started: field(22)?.parse().ok()?,
    })
}

/// The words of `/proc/PID/cmdline`. A program that wrote a title over them has one word.
pub fn command_line(bytes: &[u8]) -> Vec<String> {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    if end == 0 {
        return Vec::new();
    }
    bytes[..end]
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The user under whom the process of this `/proc/PID/status` acts.
pub fn user_id(status: &str) -> Option<u32> {
    value(status, "Uid:")?
        .split_ascii_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// The capabilities in effect of the process of this `/proc/PID/status`, one bit each.
pub fn capabilities(status: &str) -> Option<u64> {
    u64::from_str_radix(value(status, "CapEff:")?, 16).ok()
}

fn value<'a>(status: &'a str, key: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .map(str::trim)
}

/// The container that the process of this `/proc/PID/cgroup` belongs to, by its full id: the innermost of several.
///
/// ```
/// use portlease_probe::parse::proc_text::container_id;
///
/// let id = "4f".repeat(32);
/// assert_eq!(container_id(&format!("0::/system.slice/docker-{id}.scope\n")), Some(&*id));
/// assert_eq!(container_id("0::/user.slice/user-1000.slice\n"), None);
/// ```
pub fn container_id(cgroup: &str) -> Option<&str> {
    cgroup
        .lines()
        .find_map(|line| line.rsplit('/').find_map(id_in_group))
}

/// Systemd names a group after what it is, an engine without systemd by the bare id.
fn id_in_group(group: &str) -> Option<&str> {
    let name = group.strip_suffix(".scope").unwrap_or(group);
    let (_, id) = name.rsplit_once('-').unwrap_or(("", name));
    let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (id.len() == 64 && id.bytes().all(is_hexadecimal)).then_some(id)
}

/// The number in a link such as `socket:[123]` or `net:[4026531840]`, when it is of this kind.
///
/// ```
/// use portlease_probe::parse::proc_text::link_number;
///
/// assert_eq!(link_number("socket", b"socket:[123]"), Some(123));
/// assert_eq!(link_number("socket", b"pipe:[123]"), None);
/// ```
pub fn link_number(kind: &str, link: &[u8]) -> Option<u64> {
    let digits = link
        .strip_prefix(kind.as_bytes())?
        .strip_prefix(b":[")?
        .strip_suffix(b"]")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The numbers in `/proc/PID/task/TID/children`.
///
/// ```
/// assert_eq!(portlease_probe::parse::proc_text::process_ids("12 345 "), [12, 345]);
/// ```
pub fn process_ids(text: &str) -> Vec<u32> {
    text.split_ascii_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// The ports of `ip_local_reserved_ports`, such as `3000,4000-4100`.
pub fn port_ranges(text: &str) -> PortSet {
    text.split(',')
        .filter_map(|range| range.parse::<PortRange>().ok())
        .collect()
}

/// The ends of `ip_local_port_range`.
pub fn port_pair(text: &str) -> Option<PortRange> {
    let mut words = text.split_ascii_whitespace();
    let first: Port = words.next()?.parse().ok()?;
    let last: Port = words.next()?.parse().ok()?;
    PortRange::new(first, last)
}

/// The name of a user in `/etc/passwd`.
///
/// ```
/// use portlease_probe::parse::proc_text::user_name;
///
/// let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
/// assert_eq!(user_name(passwd, 1000), Some("ada"));
/// assert_eq!(user_name(passwd, 1), None);
/// ```
pub fn user_name(passwd: &str, user_id: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user_id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_stat(state: &str, threads: u64, has_ended: bool) {
        let line = format!("9 (x) {state} 1 9 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 77 0");
        assert_eq!(
            stat(line.as_bytes()).unwrap().has_ended(),
            has_ended,
            "{line}"
        );
    }

    #[test]
    fn a_zombie_has_ended_unless_other_threads_run() {
        check_stat("S", 1, false);
        check_stat("Z", 1, true);
        check_stat("X", 0, true);
        check_stat("Z", 4, false);
    }

    #[test]
    fn a_line_cut_off_is_none() {
        let line = b"42 (node) S 7 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 12345";
        for length in 0..line.len() - 5 {
            assert_eq!(stat(&line[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_command_line_keeps_its_empty_words() {
        assert_eq!(command_line(b"node\0\0--port\0"), ["node", "", "--port"]);
        assert_eq!(
            command_line(b"next-server (v16)\0\0\0\0"),
            ["next-server (v16)"]
        );
        assert!(command_line(b"").is_empty());
        assert!(command_line(b"\0").is_empty());
    }

    #[test]
    fn a_status_names_user_and_capabilities() {
        let status = "Name:\tnode\nUid:\t1000\t1001\t1000\t1000\nCapEff:\t000001ffffffffff\n";
        assert_eq!(user_id(status), Some(1001));
        assert_eq!(capabilities(status), Some(0x1ff_ffff_ffff));
        assert_eq!(user_id("Uid:\tx\n"), None);
        assert_eq!(capabilities(""), None);
    }

    #[test]
    fn a_group_names_its_container() {
        let (outer, inner) = ("0a".repeat(32), "9f".repeat(32));
        let check = |cgroup: String, expected: Option<&str>| {
            assert_eq!(container_id(&cgroup), expected, "{cgroup}");
        };
        check(
            format!("12:cpu:/\n3:memory:/docker/{inner}\n0::/\n"),
            Some(&inner),
        );
        check(
            format!("0::/user.slice/user@1000.service/user.slice/libpod-{inner}.scope/container\n"),
            Some(&inner),
        );
        check(format!("0::/docker/{outer}/docker/{inner}\n"), Some(&inner));
        check(format!("0::/docker/{}\n", &inner[1..]), None);
        check(format!("0::/docker/{}\n", inner.to_uppercase()), None);
        check(String::new(), None);
    }

    #[test]
    fn ranges_of_the_system_are_read() {
        assert!(port_ranges("\n").is_empty());
        let reserved = port_ranges("3000,4000-4002\n");
        assert_eq!(
            reserved.iter().map(Port::get).collect::<Vec<_>>(),
            [3000, 4000, 4001, 4002]
        );
        assert_eq!(
            port_pair("32768\t60999\n"),
            Some(PortRange::literal(32768, 60999))
        );
        assert_eq!(port_pair("60999 32768"), None);
        assert_eq!(port_pair(""), None);
    }

    proptest! {
        #[test]
        fn prop_nothing_makes_the_readers_panic(bytes: Vec<u8>, text: String, line in "[0-9]{0,9} ?[()]{0,3}[a-zA-Z0-9 ():,-]{0,90}") {
            for bytes in [&bytes, text.as_bytes(), line.as_bytes()] {
                let text = String::from_utf8_lossy(bytes);
                let _ = stat(bytes);
                let _ = command_line(bytes);
                let _ = link_number("socket", bytes);
                let _ = (user_id(&text), capabilities(&text));
                let _ = (port_ranges(&text), port_pair(&text));
                let _ = user_name(&text, 0);
                let _ = container_id(&text);
            }
        }

        #[test]
        fn prop_any_name_leaves_the_fields_in_place(name in "[^\0]{0,15}") {
            let line = format!("42 ({name}) S 7 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 12345 0 0");
            let stat = stat(line.as_bytes()).unwrap();
            prop_assert_eq!((stat.name, stat.parent, stat.started), (name, 7, 12345));
        }
    }
}
