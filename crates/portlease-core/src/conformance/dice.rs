//! Numbers that look random and are the same in every run.

/// A generator that steps through all numbers and mixes each (the finisher of splitmix64).
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// Dice that give the same throws whenever they begin with the same number.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Any number.
    pub(super) fn any(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one less than `count`, which is small and not 0.
    pub(super) fn below(&mut self, count: u16) -> u16 {
        u16::try_from(self.any() % u64::from(count)).unwrap_or_default()
    }

    /// Whether something happens that does so this often.
    pub(super) fn percent(&mut self, often: u16) -> bool {
        self.below(100) < often
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        let count = u16::try_from(among.len()).unwrap_or(u16::MAX);
        among[usize::from(self.below(count))].clone()
    }
}
