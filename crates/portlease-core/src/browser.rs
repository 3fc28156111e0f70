//! The ports that browsers refuse to open.

use crate::PortSet;

/// The bad ports of the Fetch standard. Its 83rd entry is 0, which is no port at all.
const BLOCKED: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// The same as the words of a bitmap, made by the compiler: each request subtracts them.
static WORDS: [u64; 10080 / 64 + 1] = {
    let mut words = [0; 10080 / 64 + 1];
    let mut index = 0;
    while index < BLOCKED.len() {
        let port = BLOCKED[index];
        words[port as usize / 64] |= 1 << (port % 64);
        index += 1;
    }
    words
};

/// The ports that browsers refuse to open, so that a page served there cannot be seen.
///
/// ```
/// use portlease_core::{Port, browser_blocked};
///
/// assert!(browser_blocked().contains(Port::literal(6000)));
/// assert!(!browser_blocked().contains(Port::literal(3000)));
/// ```
#[must_use]
pub const fn browser_blocked() -> PortSet {
    PortSet::from_table(&WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Port;

    #[test]
    fn the_bitmap_holds_the_list() {
        let listed: PortSet = BLOCKED.into_iter().map(Port::literal).collect();
        assert_eq!(browser_blocked(), listed);
        assert_eq!(listed.len(), 82);
    }
}
