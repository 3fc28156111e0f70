//! What Windows' `netsh` prints about ports. Its words are translated, its numbers are not.

use portlease_core::{Port, PortRange, PortSet};

/// The ranges of `netsh int ipv4 show excludedportrange protocol=tcp`: each row has a first and a
/// last port. Rows marked with `*` were excluded for programs to use and can be bound.
///
/// ```
/// use portlease_core::{PortRange, PortSet};
/// use portlease_probe::parse::netsh::excluded_ranges;
///
/// let text = "Start Port    End Port\n----------    --------\n      5357        5357\n     50000       50059     *\n";
/// assert_eq!(excluded_ranges(text), PortSet::from(PortRange::literal(5357, 5357)));
/// ```
pub fn excluded_ranges(text: &str) -> PortSet {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let first: Port = words.next()?.parse().ok()?;
            let last: Port = words.next()?.parse().ok()?;
            match words.next() {
                None => PortRange::new(first, last),
                Some(_) => None,
            }
        })
        .collect()
}

/// The range of `netsh int ipv4 show dynamicport tcp`: the first port, then how many there are.
///
/// ```
/// use portlease_core::PortRange;
/// use portlease_probe::parse::netsh::dynamic_range;
///
/// let text = "Protocol tcp Dynamic Port Range\n\nStart Port      : 49152\nNumber of Ports : 16384\n";
/// assert_eq!(dynamic_range(text), Some(PortRange::literal(49152, 65535)));
/// ```
pub fn dynamic_range(text: &str) -> Option<PortRange> {
    let mut numbers = text
        .lines()
        .filter_map(|line| line.rsplit(':').next()?.trim().parse::<u16>().ok());
    let first = Port::new(numbers.next()?)?;
    let count = numbers.next().filter(|count| *count > 0)?;
    Some(PortRange::starting_at(first, count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_translated_table_is_read_by_its_numbers() {
        let text = "\r\nPortausschlussbereiche des Protokolls \"tcp\"\r\n\r\nStartport   Endport\r\n\
            ----------  --------\r\n        80          80\r\n      1080        1179\r\n     50000  50059     *\r\n\r\n\
            * - Verwaltete Portausschlüsse.\r\n";
        let expected = [PortRange::literal(80, 80), PortRange::literal(1080, 1179)];
        assert_eq!(excluded_ranges(text), expected.into_iter().collect());
    }

    #[test]
    fn what_is_no_range_is_passed_over() {
        for text in ["", "9 8", "0 80", "1 99999", "80", "80 81 82", ": : :"] {
            assert!(excluded_ranges(text).is_empty(), "{text:?}");
            assert_eq!(dynamic_range(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_no_text_makes_the_readers_panic(text: String, rows in "([0-9]{0,6}[ :*\n]){0,20}") {
            for text in [&text, &rows] {
                let _ = excluded_ranges(text);
                let _ = dynamic_range(text);
            }
        }
    }
}
