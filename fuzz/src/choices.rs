//! Choices out of the bytes that a fuzzer gives.

/// Takes choices from the front of some bytes. When they are used up, every further choice is the first.
#[derive(Debug)]
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// Choices out of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether all bytes are used up.
    pub fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// So many bytes, or as many as are left.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, left) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = left;
        taken
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    /// Any port number, 0 included.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Any number of 64 bits.
    pub fn number(&mut self) -> u64 {
        let mut number = [0; 8];
        let taken = self.bytes(8);
        number[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(number)
    }

    /// A number below the limit. Small limits take one byte, so that more choices fit into short inputs.
    pub fn below(&mut self, limit: usize) -> usize {
        let number = if limit <= 256 {
            usize::from(self.byte())
        } else {
            usize::from(self.short()) << 8 | usize::from(self.byte())
        };
        number % limit.max(1)
    }

    /// One of several; there must be one.
    pub fn of<'b, T>(&mut self, several: &'b [T]) -> &'b T {
        &several[self.below(several.len())]
    }
}
