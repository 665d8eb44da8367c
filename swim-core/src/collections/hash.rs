//! The hashes that must be equal on every node and in every version, and are therefore our own.
//!
//! One step is a 64 × 64 → 128-bit multiplication folded to 64 bits. It is fast and spreads well; it is
//! not a cryptographic hash, and nothing here relies on it being one: a member that wants to spoil the
//! digests of its own cluster can do so in simpler ways.

const MULTIPLIER_A: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER_B: u64 = 0xd1b5_4a32_d192_ed03;

/// Folds the 128-bit product of the two whitened words.
#[must_use]
pub(crate) const fn mix(a: u64, b: u64) -> u64 {
    let product = ((a ^ MULTIPLIER_A) as u128).wrapping_mul((b ^ MULTIPLIER_B) as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Four bytes that stand for a cluster's label in every header.
#[must_use]
pub(crate) const fn label(label: &str) -> u32 {
    let bytes = label.as_bytes();
    let mut hash = mix(bytes.len() as u64, 0);
    let mut i = 0;
    while i < bytes.len() {
        hash = mix(hash, bytes[i] as u64);
        i += 1;
    }
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_never_change_they_are_part_of_the_wire_format() {
        assert_ne!(label("blue"), label("green"));
        assert_ne!(mix(1, 2), mix(2, 1));
    }
}
