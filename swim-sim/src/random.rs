//! Randomness by name: one stream for each purpose, all from the one seed.
//!
//! Streams do not share state, so an additional draw in one (a further host, a longer inbox) leaves every
//! other as it was, and a failing run stays recognisable while it is being reduced. The integer sampling
//! is our own: an upgrade of a crate cannot change a replay.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of random integers.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `seed` that is named `(purpose, index)`. Equal names give equal streams.
    #[must_use]
    pub fn new(seed: u64, purpose: u64, index: u64) -> Self {
        let mut key = *b"................swim-sim stream.";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        key[24..].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 32 random bytes.
    pub fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.0.fill_bytes(&mut key);
        key
    }

    /// Uniform in `0..n`, 0 if `n` is 0. The bias, below n / 2⁶⁴, cannot be seen in any run.
    pub fn below(&mut self, n: u64) -> u64 {
        scale(self.bits(), n)
    }

    /// True in `ppm` of a million draws.
    pub fn chance(&mut self, ppm: u32) -> bool {
        is_chosen(self.bits(), ppm)
    }
}

/// `bits` as a fraction of 2⁶⁴, times `n`.
pub(crate) const fn scale(bits: u64, n: u64) -> u64 {
    ((bits as u128 * n as u128) >> 64) as u64
}

/// Whether `bits` are among `ppm` of a million.
pub(crate) const fn is_chosen(bits: u64, ppm: u32) -> bool {
    scale(bits, 1_000_000) < ppm as u64
}

/// What the world itself draws for. The numbers are part of every recorded seed: append only.
pub(crate) mod purpose {
    /// The 32 bytes that a node is created with; index: host and start.
    pub(crate) const NODE: u64 = 1;
    /// Loss, duplication and latency of what a host sends; index: host.
    pub(crate) const LINK: u64 = 2;
    /// Everything else that links do to what a host sends; index: host.
    pub(crate) const DICE: u64 = 3;
    /// How late a host's timers fire; index: host.
    pub(crate) const LATE: u64 = 4;
    /// What a hostile sender sends; index: when, to whom and of which kind.
    pub(crate) const HOSTILE: u64 = 5;
    /// What an application draws; index: host and start.
    pub(crate) const APPLICATION: u64 = 6;
    /// Whether timers or datagrams come first at a process that goes on; index: host.
    pub(crate) const RESUMPTION: u64 = 7;
    /// The dials of a plan; index: the dial's place.
    pub(crate) const PLAN: u64 = 100;
    /// The faults of a plan; index: 1 + the fault's number.
    pub(crate) const FAULTS: u64 = 101;
    /// The number of a recording; index: host and start.
    pub(crate) const RECORDING: u64 = 103;
    /// Who stays down in the end.
    pub(crate) const ABSENT: u64 = 102;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_names_differ_and_of_equal_names_agree() {
        let first = |seed, purpose, index| Random::new(seed, purpose, index).bits();
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        let all = [first(1, 2, 3), first(2, 2, 3), first(1, 3, 3), first(1, 2, 4)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn a_seed_means_the_same_run_for_ever() {
        let mut random = Random::new(42, 1, 0);
        assert_eq!([random.bits(), random.below(1000)], [GOLDEN_BITS, GOLDEN_BELOW]);
    }
    const GOLDEN_BITS: u64 = 16_297_261_899_085_763_104;
    const GOLDEN_BELOW: u64 = 493;

    #[test]
    fn chances_come_out_as_asked() {
        let mut random = Random::new(1, 9, 0);
        let hits = (0..100_000).filter(|_| random.chance(100_000)).count();
        assert!((9_500..10_500).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| !random.chance(0) && random.chance(1_000_000)));
    }
}
