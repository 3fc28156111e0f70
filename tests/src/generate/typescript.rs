//! What the values that travel as JSON are in TypeScript.

use portlease::core::{
    Capability, Change, Container, Counters, Displacement, Evidence, Exhausted, Explained,
    Explicit, Facts, Follower, Framework, Generation, Granted, Holder, Host, HostSettings,
    HostSnapshot, IfRunning, Lease, LeaseKey, LeaseState, LeaseStatus, Memory, Move, Name,
    NotOwner, Occupant, OccupiedPort, Outcome, Outdated, Party, Plan, Planned, Pool, Port,
    PortRange, PortSet, PortUsage, Preset, Process, RangeUsage, Refusal, Released, Request,
    Reserved, Seat, Service, Snapshot, Stats, Stays, Step, Strategy, Swept, SweptLease, Taken,
    Tally, Tier, Timestamp, Trace, Unavailable, ValidatedLease, Verdict,
};
use portlease::{
    Allocation, ContainerOnPort, Health, HealthStatus, HolderWish, HostStatus, PortPresence,
    PortsWish, ProgramOnPort, RequestWish, ServiceWish,
};
use ts_rs::{Config, TS};

/// All types that a caller meets, each after its documentation.
pub(crate) fn types() -> String {
    let config = Config::new().with_large_int("number");
    let mut page = String::from(
        "// Generated from the Rust types by `cargo xtask generate`.\n\n\
         // Whoever has neither the types of Node nor those of the browser has at least this much of a URL.\n\
         interface URL {\n  readonly href: string;\n}\n",
    );
    macro_rules! write_types {
        ($($type:ty),* $(,)?) => {
            $(write_type::<$type>(&config, &mut page);)*
        };
    }
    write_types![
        // What is asked with.
        RequestWish,
        ServiceWish,
        PortsWish,
        HolderWish,
        Strategy,
        IfRunning,
        Capability,
        // What is answered.
        Allocation,
        Lease,
        LeaseKey,
        LeaseState,
        Follower,
        Generation,
        Holder,
        Process,
        Container,
        Outcome,
        Tier,
        Move,
        Reserved,
        Granted,
        Explained,
        Trace,
        Step,
        Verdict,
        Party,
        Occupant,
        Released,
        Swept,
        SweptLease,
        Evidence,
        ValidatedLease,
        LeaseStatus,
        Stats,
        RangeUsage,
        PortUsage,
        Counters,
        Health,
        HealthStatus,
        PortPresence,
        ProgramOnPort,
        HostStatus,
        // What planners elsewhere are told, and what they plan.
        HostSnapshot,
        Snapshot,
        Memory,
        Facts,
        OccupiedPort,
        HostSettings,
        Framework,
        Preset,
        Pool,
        Plan,
        Planned,
        Seat,
        Displacement,
        Request,
        Service,
        Explicit,
        Change,
        ContainerOnPort,
        // What errors have in their details.
        Refusal,
        Unavailable,
        Stays,
        Exhausted,
        Taken,
        Tally,
        NotOwner,
        Outdated,
        // What all of it is made of.
        Port,
        PortRange,
        PortSet,
        Host,
        Name,
        Timestamp,
    ];
    page
}

fn write_type<T: TS>(config: &Config, page: &mut String) {
    page.push('\n');
    let docs = T::docs().unwrap_or_default();
    page.push_str(&formatted(&format!("{docs}export {}", T::decl(config))));
    page.push('\n');
}

/// The declaration with one field a line, indented as people do.
fn formatted(declaration: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    let mut brackets = 0;
    let mut rest = declaration;
    while let Some(letter) = rest.chars().next() {
        if let Some((comment, after)) = comment(rest) {
            for line in for_typescript(comment) {
                text.push_str(&line);
                new_line(&mut text, depth);
            }
            rest = after.trim_start();
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        if letter == '`' {
            // The braces of a text are its own.
            let (quoted, after) = rest.split_once('`').unwrap_or((rest, ""));
            text.extend(["`", quoted, "`"]);
            rest = after;
            continue;
        }
        match letter {
            '[' => brackets += 1,
            ']' => brackets -= 1,
            _ => {}
        }
        match letter {
            '{' => {
                depth += 1;
                text.push('{');
                new_line(&mut text, depth);
                rest = rest.trim_start();
            }
            '}' => {
                depth -= 1;
                let end = text.trim_end().len();
                text.truncate(end);
                if !text.ends_with(';') {
                    text.push(';');
                }
                new_line(&mut text, depth);
                text.push('}');
            }
            ',' | ';' if depth > 0 && brackets == 0 => {
                text.push(';');
                new_line(&mut text, depth);
                rest = rest.trim_start();
            }
            '\n' => new_line(&mut text, depth),
            letter => text.push(letter),
        }
    }
    unquoted(&text)
}

/// Keys need no quotes.
fn unquoted(text: &str) -> String {
    let key = |line: &str| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let named = rest
            .strip_prefix('"')
            .and_then(|rest| rest.split_once("\":"));
        named.map_or_else(
            || line.to_owned(),
            |(name, rest)| format!("{indent}{name}:{rest}"),
        )
    };
    text.lines().map(key).collect::<Vec<_>>().join("\n")
}

/// A comment line by line, without the examples in Rust and without its links, which lead nowhere from here.
fn for_typescript(comment: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_example = false;
    for line in comment.lines().map(str::trim) {
        let is_fence = line.contains("```");
        if is_fence || is_example {
            is_example ^= is_fence;
            continue;
        }
        // The stars stand below each other.
        let star = if line.starts_with('*') { " " } else { "" };
        if line == "*/" {
            while lines.last().is_some_and(|last| last == " *") {
                lines.pop();
            }
        }
        lines.push(format!("{star}{}", without_links(line)));
    }
    lines
}

/// ``[`Command`](crate::Command)`` is `Command`.
fn without_links(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, label, after)) = link(rest) {
        text.push_str(before);
        text.push_str(label);
        rest = after;
    }
    text + rest
}

/// What stands before the first link, its label, and what stands after it.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("[`")?;
    let (label, rest) = rest.split_once(']')?;
    let after = match rest.strip_prefix('(') {
        Some(target) => target.split_once(')')?.1,
        None => rest,
    };
    let start = before.len() + 1;
    Some((before, &text[start..=start + label.len()], after))
}

fn comment(text: &str) -> Option<(&str, &str)> {
    let end = text.strip_prefix("/**")?.find("*/")?;
    Some(text.split_at("/**".len() + end + "*/".len()))
}

fn new_line(text: &mut String, depth: usize) {
    let end = text.trim_end_matches(' ').len();
    text.truncate(end);
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}
