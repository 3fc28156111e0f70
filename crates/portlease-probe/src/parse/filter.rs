//! The filter that the kernel runs over its sockets, so that only those on ports asked for are copied out.
//!
//! It is a program of `inet_diag`: steps of four bytes, each with an offset for yes and one for no.
//! A socket passes when the program arrives exactly at its end and is left out when it jumps past it.

use portlease_core::{PortRange, PortSet};

const JUMP: u8 = 1;
const AT_LEAST: u8 = 2;
const AT_MOST: u8 = 3;

/// A comparison takes two steps; the second carries the port.
const COMPARISON: u16 = 8;
const STEP: u16 = 4;
const RANGE: u16 = 2 * COMPARISON + STEP;

/// More ranges than this cost more in the kernel, for every socket, than copying some sockets too many.
const MOST_RANGES: usize = 32;

/// The program that passes the sockets on these ports. With many ranges it passes all between the
/// lowest and the highest port: whoever reads the answers still has to look at the port. Without
/// any port there is no program, and no filter.
pub fn program(ports: &PortSet) -> Vec<u8> {
    let mut ranges: Vec<PortRange> = ports.ranges().take(MOST_RANGES + 1).collect();
    if ranges.len() > MOST_RANGES {
        let first = ranges[0].first();
        let last = ports.ranges().last().unwrap_or(ranges[0]).last();
        ranges = PortRange::new(first, last).into_iter().collect();
    }
    let mut program = Vec::with_capacity(ranges.len() * usize::from(RANGE));
    let mut behind = u16::try_from(ranges.len()).unwrap_or(u16::MAX) * RANGE;
    let mut ranges = ranges.into_iter().peekable();
    while let Some(range) = ranges.next() {
        let is_last = ranges.peek().is_none();
        // Out of the last range means out of the filter: past the end, by one step. The last range
        // needs no jump over its successors.
        let length = if is_last { RANGE - STEP } else { RANGE };
        let miss = if is_last { length + STEP } else { length };
        compare(&mut program, AT_LEAST, range.first().get(), miss);
        compare(&mut program, AT_MOST, range.last().get(), miss - COMPARISON);
        behind -= RANGE;
        if !is_last {
            // To the end of the program: over this step and all ranges behind it, the last of
            // which is one step shorter.
            step(&mut program, JUMP, 4, behind);
        }
    }
    program
}

fn compare(program: &mut Vec<u8>, code: u8, port: u16, otherwise: u16) {
    step(program, code, 8, otherwise);
    step(program, 0, 0, port);
}

fn step(program: &mut Vec<u8>, code: u8, yes: u8, no: u16) {
    program.extend([code, yes]);
    program.extend(no.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use portlease_core::Port;
    use proptest::prelude::*;

    use super::*;

    /// Runs a program as the kernel does, and checks what the kernel checks before it accepts one.
    fn passes(program: &[u8], port: Port) -> bool {
        let mut at = 0;
        while at < program.len() {
            let number = |offset| u16::from_ne_bytes([program[offset], program[offset + 1]]);
            let holds = match program[at] {
                AT_LEAST => port.get() >= number(at + 6),
                AT_MOST => port.get() <= number(at + 6),
                JUMP => false,
                other => panic!("no such step: {other}"),
            };
            let yes = usize::from(program[at + 1]);
            let no = usize::from(number(at + 2));
            assert!(yes >= 4 && yes.is_multiple_of(4) && at + yes <= program.len());
            assert!(no >= 4 && no.is_multiple_of(4) && at + no <= program.len() + 4);
            at += if holds { yes } else { no };
        }
        at == program.len()
    }

    fn check(ranges: &[(u16, u16)], port: u16, expected: bool) {
        let ports = ranges
            .iter()
            .map(|(first, last)| PortRange::literal(*first, *last))
            .collect();
        assert_eq!(passes(&program(&ports), Port::literal(port)), expected);
    }

    #[test]
    fn the_ends_of_a_range_are_inside() {
        check(&[(3000, 3100)], 2999, false);
        check(&[(3000, 3100)], 3000, true);
        check(&[(3000, 3100)], 3100, true);
        check(&[(3000, 3100)], 3101, false);
    }

    #[test]
    fn between_ranges_is_outside() {
        for (port, expected) in [
            (80, true),
            (81, false),
            (90, true),
            (100, true),
            (443, true),
        ] {
            check(&[(80, 80), (90, 100), (443, 443)], port, expected);
        }
    }

    #[test]
    fn more_ranges_than_are_worth_it_become_one() {
        let every_second: PortSet = (1000..2000).step_by(2).map(Port::literal).collect();
        let program = program(&every_second);
        assert_eq!(program.len(), usize::from(RANGE - STEP));
        assert!(passes(&program, Port::literal(1001)));
        assert!(!passes(&program, Port::literal(1999)));
    }

    proptest! {
        #[test]
        fn prop_what_passes_is_what_was_asked_for(
            ends in proptest::collection::vec((1_u16..300, 0_u16..9), 1..30),
            port in 1_u16..320,
        ) {
            let ports: PortSet = ends
                .into_iter()
                .map(|(first, length)| PortRange::literal(first, first + length))
                .collect();
            let port = Port::literal(port);
            prop_assert_eq!(passes(&program(&ports), port), ports.contains(port));
        }
    }
}
