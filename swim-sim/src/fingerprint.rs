//! One number for everything that happened.
//!
//! Two runs of a seed are the same run if every send, loss, delivery, fault and event came in the same
//! order at the same time with the same bytes. Keeping both runs to compare them would cost more than
//! running them; a running hash costs a few nanoseconds a word, and one number can be printed.

use std::fmt;

/// A running hash, order-sensitive, the same on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a world in which nothing happened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }

    /// Adds one word.
    pub const fn absorb(&mut self, word: u64) {
        // The state enters both factors: a zero product (one factor happening to be zero) would
        // otherwise wipe out all history.
        let product = ((self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) as u128)
            .wrapping_mul((self.0.rotate_left(32) ^ 0xd1b5_4a32_d192_ed03) as u128);
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ word.rotate_left(17);
    }

    /// Adds a string of bytes, its length included.
    pub fn absorb_bytes(&mut self, bytes: &[u8]) {
        self.absorb(bytes.len() as u64);
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.absorb(u64::from_le_bytes(word.try_into().expect("chunks of 8 are 8 long")));
        }
        let mut last = [0; 8];
        let rest = words.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.absorb(u64::from_le_bytes(last));
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(strings: &[&[u8]]) -> Fingerprint {
        let mut fingerprint = Fingerprint::new();
        strings.iter().for_each(|bytes| fingerprint.absorb_bytes(bytes));
        fingerprint
    }

    #[test]
    fn order_boundaries_and_every_byte_count() {
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"c", b"ab"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"12345678"]), of(&[b"12345679"]));
        assert_ne!(of(&[b"1"]), of(&[b"1\0"]));
    }
}
