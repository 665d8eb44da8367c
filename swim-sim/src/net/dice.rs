//! One draw for each datagram, of which every model of a link takes a word of its own.
//!
//! A model that drew for itself would shift the numbers of all that come after it: switching corruption on
//! would change which datagrams are lost. So exactly one word is drawn for every datagram, whatever the
//! link does, and each model looks at that word through a mixer of its own.

use crate::random::is_chosen;

/// What is asked of the dice. The numbers are part of every recorded seed: append only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    BurstTurn = 1,
    BurstLoss = 2,
    Spike = 3,
    Reorder = 4,
    Corrupt = 5,
    /// How many bits are flipped, and after it one word for each.
    Flips = 64,
}

/// A datagram's throw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// 64 bits that only this side sees.
    pub(crate) const fn word(self, side: Side) -> u64 {
        self.nth_word(side, 0)
    }

    /// The `n`th such word.
    pub(crate) const fn nth_word(self, side: Side, n: u64) -> u64 {
        // splitmix64: a Weyl step for each question, then its finaliser.
        let mut word = self.0.wrapping_add((side as u64 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// True in `ppm` of a million throws.
    pub(crate) const fn chance(self, side: Side, ppm: u32) -> bool {
        is_chosen(self.word(side), ppm)
    }
}
