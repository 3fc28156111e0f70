//! The files of `/proc`, and two of `/etc`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_core::{PortRange, PortSet};
use portlease_probe::parse::proc_text::{
    capabilities, command_line, container_id, link_number, port_pair, port_ranges, stat, user_id,
    user_name,
};

fuzz_target!(|bytes: &[u8]| {
    let text = &*String::from_utf8_lossy(bytes);
    any_name_leaves_the_fields_in_place(bytes, text);
    a_command_line_is_its_words(bytes);
    the_first_line_of_a_status_counts(text);
    a_link_has_one_number(bytes);
    ports_survive_being_written(text);
    a_user_stands_on_a_line_of_their_own(text);
    the_innermost_container_counts(text);
});

fn any_name_leaves_the_fields_in_place(bytes: &[u8], text: &str) {
    let _ = stat(bytes);
    let line = [
        b"42 (",
        bytes,
        b") S 7 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 12345 0 0",
    ]
    .concat();
    let stat = stat(&line).expect("a line as the kernel writes it");
    assert_eq!(stat.name, text);
    assert_eq!(
        (stat.state, stat.parent, stat.threads, stat.started),
        (b'S', 7, 3, 12345)
    );
    assert!(!stat.has_ended());
}

fn a_command_line_is_its_words(bytes: &[u8]) {
    let words = command_line(bytes);
    let ends = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    assert_eq!(words.join("\0"), String::from_utf8_lossy(&bytes[..ends]));
}

fn the_first_line_of_a_status_counts(text: &str) {
    let (_, _) = (user_id(text), capabilities(text));
    let status = format!("Uid:\t1\t1001\t1\t1\nCapEff:\t00ff\n{text}");
    assert_eq!(
        (user_id(&status), capabilities(&status)),
        (Some(1001), Some(0xff))
    );
}

fn a_link_has_one_number(bytes: &[u8]) {
    if let Some(number) = link_number("socket", bytes) {
        let digits = &bytes[b"socket:[".len()..bytes.len() - 1];
        let digits = str::from_utf8(digits).expect("digits are text");
        assert_eq!(
            digits.trim_start_matches('0'),
            number.to_string().trim_start_matches('0')
        );
    }
    let number = bytes
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let link = format!("socket:[{number}]");
    assert_eq!(link_number("socket", link.as_bytes()), Some(number));
    assert_eq!(link_number("net", link.as_bytes()), None);
    let too_long = format!("socket:[9{number:020}]");
    assert_eq!(link_number("socket", too_long.as_bytes()), None);
}

fn ports_survive_being_written(text: &str) {
    let ports = port_ranges(text);
    let ranges: Vec<String> = ports.ranges().map(|range| range.to_string()).collect();
    assert_eq!(port_ranges(&ranges.join(",")), ports);
    if let Some(range) = port_pair(text) {
        let written = format!("{}\t{}\n", range.first(), range.last());
        assert_eq!(port_pair(&written), Some(range));
        let one: PortSet = PortRange::only(range.first()).into();
        assert_eq!(port_ranges(&format!("{}\n", range.first())), one);
    }
}

fn a_user_stands_on_a_line_of_their_own(text: &str) {
    if let Some(name) = user_name(text, 1000) {
        assert!(!name.contains([':', '\n']));
        assert!(text.lines().any(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(':'))
        }));
    }
    let passwd = format!("ada:x:1000:1000::/home/ada:/bin/sh\n{text}");
    assert_eq!(user_name(&passwd, 1000), Some("ada"));
}

fn the_innermost_container_counts(text: &str) {
    if let Some(id) = container_id(text) {
        assert!(id.len() == 64 && text.contains(id));
    }
    let id = "0f".repeat(32);
    let group = text.replace('\n', "");
    let cgroup = format!("0::/{group}/docker-{id}.scope\n{text}");
    assert_eq!(container_id(&cgroup), Some(&*id));
}
