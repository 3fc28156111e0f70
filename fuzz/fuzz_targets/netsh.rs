//! What Windows' `netsh` prints about ports.
#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use portlease_core::PortSet;
use portlease_probe::parse::netsh::{dynamic_range, excluded_ranges};

fuzz_target!(|text: &str| {
    let excluded = excluded_ranges(text);
    assert_eq!(excluded_ranges(&table(&excluded)), excluded);
    if let Some(range) = dynamic_range(text) {
        let written = format!(
            "Start Port : {}\r\nNumber of Ports : {}\r\n",
            range.first(),
            range.len()
        );
        // All ports are one more than a number of 16 bits can count.
        if range.len() <= u16::MAX.into() {
            assert_eq!(dynamic_range(&written), Some(range));
        }
    }
});

/// The table as it is printed, with a row that can be bound and does not count.
fn table(ports: &PortSet) -> String {
    let mut table = "Start Port    End Port\r\n----------    --------\r\n".to_owned();
    for range in ports.ranges() {
        write!(table, "{:>10}  {:>10}\r\n", range.first(), range.last()).expect("there is room");
    }
    table + "     50000       50059     *\r\n\r\n* - Administered port exclusions.\r\n"
}
