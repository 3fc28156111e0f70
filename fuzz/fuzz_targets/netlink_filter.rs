//! The filter that the kernel runs: it is accepted, and it passes what was asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_core::{Port, PortRange, PortSet};
use portlease_fuzz::Choices;
use portlease_probe::parse::diag::{Look, dump_request};
use portlease_probe::parse::filter;

/// So many ranges are passed exactly; of more, the filter may pass what lies between.
const EXACT: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let mut ports = PortSet::new();
    let mut tried = vec![Port::MIN, Port::MAX];
    while !choices.is_over() {
        let (first, length) = (choices.short(), u16::from(choices.byte()));
        let Some(first) = Port::new(first) else {
            continue;
        };
        let range = PortRange::starting_at(first, length.max(1));
        ports.insert_range(range);
        tried.extend([range.first(), range.last()]);
        tried.extend(range.first().previous());
        tried.extend(Port::new(range.last().get().wrapping_add(1)));
    }
    check(&ports, &tried);
});

fn check(ports: &PortSet, tried: &[Port]) {
    let program = filter::program(ports);
    let request = dump_request(Look::Everything, 1, &program);
    assert_eq!(
        request[..4],
        u32::try_from(request.len())
            .expect("it is short")
            .to_ne_bytes()
    );
    if ports.is_empty() {
        assert!(program.is_empty());
        return;
    }
    let attribute = u16::try_from(program.len() + 4)
        .expect("it is short")
        .to_ne_bytes();
    assert_eq!(request[76..78], attribute);
    audit(&program);
    let is_exact = ports.ranges().count() <= EXACT;
    for &port in tried {
        let (passes, asked) = (passes(&program, port), ports.contains(port));
        assert!(passes || !asked, "{port:?} was asked for");
        assert!(!is_exact || asked || !passes, "{port:?} was not asked for");
    }
}

/// `inet_diag_bc_audit` of Linux: what it does not accept, the kernel refuses.
fn audit(program: &[u8]) {
    let mut at = 0;
    while at < program.len() {
        let (code, yes, no) = step(program, at);
        let left = program.len() - at;
        let least = if code == 1 { 4 } else { 8 };
        assert!(matches!(code, 1..=3), "no such step");
        assert!(least <= left, "a step is cut off");
        assert!(
            (least..=left + 4).contains(&no) && no % 4 == 0,
            "no place to go on for no"
        );
        assert!(
            (4..=left + 4).contains(&yes) && yes % 4 == 0,
            "no place to go on for yes"
        );
        assert!(
            no >= left || is_reached(program, at + no),
            "no leads into the middle of a step"
        );
        at += yes;
    }
    assert_eq!(at, program.len());
}

/// Whether a place is one that steps lead to.
fn is_reached(program: &[u8], place: usize) -> bool {
    let mut at = 0;
    while at < place {
        at += step(program, at).1;
    }
    at == place
}

/// `inet_diag_bc_run`.
fn passes(program: &[u8], port: Port) -> bool {
    let mut at = 0;
    while at < program.len() {
        let (code, yes, no) = step(program, at);
        let holds = match code {
            1 => false,
            2 => usize::from(port.get()) >= step(program, at + 4).2,
            _ => usize::from(port.get()) <= step(program, at + 4).2,
        };
        at += if holds { yes } else { no };
    }
    at == program.len()
}

/// The code of a step, and how far it is to the next for yes and for no.
fn step(program: &[u8], at: usize) -> (u8, usize, usize) {
    let no = u16::from_ne_bytes([program[at + 2], program[at + 3]]);
    (program[at], program[at + 1].into(), no.into())
}
