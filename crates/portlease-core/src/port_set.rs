//! A set of ports as a bitmap, so that "the next free port" is a few word operations.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;
use core::ops::{BitAndAssign, BitOrAssign, SubAssign};

use crate::{Port, PortRange};

mod json;

/// A set of ports: a bitmap over all 65,536 numbers, of which only the words up to the highest
/// member are stored. An empty set costs no memory.
///
/// In JSON it is a list of ports and ranges: `[3000, [4000, 4010]]`.
///
/// ```
/// use portlease_core::{Port, PortRange, PortSet};
///
/// let mut free = PortSet::from(PortRange::literal(3000, 3100));
/// free -= &PortSet::from(PortRange::literal(3000, 3057));
/// assert_eq!(free.next_from(Port::literal(3000)), Some(Port::literal(3058)));
/// assert_eq!(free.len(), 43);
/// ```
#[cfg_attr(
    feature = "typescript",
    derive(ts_rs::TS),
    ts(type = "(Port | PortRange)[]")
)]
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct PortSet {
    /// Bit `n % 64` of word `n / 64` stands for port `n`. The last word is never zero, so that
    /// equal sets are equal word for word. Bit 0 of word 0 is never set.
    ///
    /// Borrowed only by the tables that are written in code.
    words: Cow<'static, [u64]>,
}

const BITS: usize = u64::BITS as usize;

impl PortSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            words: Cow::Borrowed(&[]),
        }
    }

    /// The set with these words, for tables that are written in code. The last is not zero.
    pub(crate) const fn from_table(words: &'static [u64]) -> Self {
        Self {
            words: Cow::Borrowed(words),
        }
    }

    /// Whether the set holds no port.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many ports the set holds.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the port is in the set.
    #[must_use]
    pub fn contains(&self, port: Port) -> bool {
        self.word(index(port)) & bit(port) != 0
    }

    /// Adds a port; answers whether it is new.
    pub fn insert(&mut self, port: Port) -> bool {
        let index = index(port);
        let word = &mut self.words_with(index)[index];
        let is_new = *word & bit(port) == 0;
        *word |= bit(port);
        is_new
    }

    /// Removes a port; answers whether it was there.
    pub fn remove(&mut self, port: Port) -> bool {
        let was_there = self.contains(port);
        if was_there {
            self.words.to_mut()[index(port)] &= !bit(port);
            self.trim();
        }
        was_there
    }

    /// Adds every port of a range.
    pub fn insert_range(&mut self, range: PortRange) {
        let (first, last) = (index(range.first()), index(range.last()));
        let words = &mut self.words_with(last)[first..=last];
        for (index, word) in (first..).zip(words) {
            *word |= mask(range, index);
        }
    }

    /// Keeps only the ports of a range.
    pub fn retain_range(&mut self, range: PortRange) {
        for (index, word) in self.words.to_mut().iter_mut().enumerate() {
            *word &= mask(range, index);
        }
        self.trim();
    }

    /// How many ports of the range are in the set.
    #[must_use]
    pub fn count_in(&self, range: PortRange) -> u32 {
        (index(range.first())..=index(range.last()))
            .map(|index| (self.word(index) & mask(range, index)).count_ones())
            .sum()
    }

    /// The lowest port of the set.
    #[must_use]
    pub fn first(&self) -> Option<Port> {
        self.next_from(Port::MIN)
    }

    /// The lowest port of the set that is not below `port`.
    #[must_use]
    pub fn next_from(&self, port: Port) -> Option<Port> {
        self.search(port, 0)
    }

    /// The lowest port that is not below `port` and **not** in the set; `None` when the set runs
    /// on to the highest port.
    #[must_use]
    pub fn next_absent_from(&self, port: Port) -> Option<Port> {
        self.search(port, u64::MAX)
    }

    /// The next port of the set from `start` upward and, when there is none, from the lowest port
    /// on. `None` only for the empty set.
    ///
    /// ```
    /// use portlease_core::{Port, PortRange, PortSet};
    ///
    /// let free = PortSet::from(PortRange::literal(3000, 3009));
    /// assert_eq!(free.next_wrapping(Port::literal(3005)), Some(Port::literal(3005)));
    /// assert_eq!(free.next_wrapping(Port::literal(3010)), Some(Port::literal(3000)));
    /// ```
    #[must_use]
    pub fn next_wrapping(&self, start: Port) -> Option<Port> {
        self.next_from(start).or_else(|| self.first())
    }

    /// The ports, upward.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            set: self,
            next: Some(Port::MIN),
        }
    }

    /// The ports as the fewest ranges, upward.
    pub fn ranges(&self) -> impl Iterator<Item = PortRange> + '_ {
        let mut next = Some(Port::MIN);
        core::iter::from_fn(move || {
            let first = self.next_from(next?)?;
            let end = self.next_absent_from(first);
            next = end;
            let last = end.and_then(Port::previous).unwrap_or(Port::MAX);
            PortRange::new(first, last)
        })
    }

    /// The words, of which there is one at `index`.
    fn words_with(&mut self, index: usize) -> &mut Vec<u64> {
        let words = self.words.to_mut();
        if words.len() <= index {
            words.resize(index + 1, 0);
        }
        words
    }

    fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    /// The first port from `port` on whose bit differs from those of `flip`.
    fn search(&self, port: Port, flip: u64) -> Option<Port> {
        let start = index(port);
        // Past the stored words every bit is 0: a search for set bits is over there, and a
        // search for clear bits succeeds with the first one.
        let end = if flip == 0 {
            self.words.len()
        } else {
            (self.words.len() + 1).max(start + 1)
        };
        let mut below = !(bit(port) - 1);
        for index in start..end {
            let found = (self.word(index) ^ flip) & below;
            if found != 0 {
                let number = index * BITS + found.trailing_zeros() as usize;
                return u16::try_from(number).ok().and_then(Port::new);
            }
            below = u64::MAX;
        }
        None
    }

    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.to_mut().pop();
        }
    }
}

fn index(port: Port) -> usize {
    usize::from(port.get()) / BITS
}

fn bit(port: Port) -> u64 {
    1 << (usize::from(port.get()) % BITS)
}

/// The bits of the word at `index` that stand for ports of the range.
fn mask(range: PortRange, index: usize) -> u64 {
    let (first, last) = (
        usize::from(range.first().get()),
        usize::from(range.last().get()),
    );
    let base = index * BITS;
    if last < base || first >= base + BITS {
        return 0;
    }
    let from_first = u64::MAX << first.saturating_sub(base);
    let to_last = u64::MAX >> (BITS - 1).saturating_sub(last - base);
    from_first & to_last
}

impl BitOrAssign<&PortSet> for PortSet {
    /// Union.
    fn bitor_assign(&mut self, other: &PortSet) {
        let Some(last) = other.words.len().checked_sub(1) else {
            return;
        };
        for (word, other) in self.words_with(last).iter_mut().zip(&*other.words) {
            *word |= other;
        }
    }
}

impl BitAndAssign<&PortSet> for PortSet {
    /// Intersection.
    fn bitand_assign(&mut self, other: &PortSet) {
        let words = self.words.to_mut();
        words.truncate(other.words.len());
        for (word, other) in words.iter_mut().zip(&*other.words) {
            *word &= other;
        }
        self.trim();
    }
}

impl SubAssign<&PortSet> for PortSet {
    /// Difference.
    fn sub_assign(&mut self, other: &PortSet) {
        for (word, other) in self.words.to_mut().iter_mut().zip(&*other.words) {
            *word &= !other;
        }
        self.trim();
    }
}

impl From<PortRange> for PortSet {
    fn from(range: PortRange) -> Self {
        let mut set = Self::new();
        set.insert_range(range);
        set
    }
}

impl Extend<Port> for PortSet {
    fn extend<I: IntoIterator<Item = Port>>(&mut self, ports: I) {
        for port in ports {
            self.insert(port);
        }
    }
}

impl FromIterator<Port> for PortSet {
    fn from_iter<I: IntoIterator<Item = Port>>(ports: I) -> Self {
        let mut set = Self::new();
        set.extend(ports);
        set
    }
}

impl FromIterator<PortRange> for PortSet {
    fn from_iter<I: IntoIterator<Item = PortRange>>(ranges: I) -> Self {
        let mut set = Self::new();
        for range in ranges {
            set.insert_range(range);
        }
        set
    }
}

impl<'a> IntoIterator for &'a PortSet {
    type Item = Port;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for PortSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.ranges()).finish()
    }
}

/// The ports of a [`PortSet`], upward.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    set: &'a PortSet,
    next: Option<Port>,
}

impl Iterator for Iter<'_> {
    type Item = Port;

    fn next(&mut self) -> Option<Port> {
        let port = self.next.and_then(|next| self.set.next_from(next));
        self.next = port.and_then(Port::next);
        port
    }
}

impl FusedIterator for Iter<'_> {}

#[cfg(test)]
mod tests;
