//! A hash table of numbers that are looked at elsewhere, in as few lines of the processor's cache as can be.
//!
//! In a table of a hundred thousand members no two lookups find anything in a cache, and each access to
//! memory takes longer than all that is done for a ping. So a place is four bytes: a number in three and, in
//! the lowest, a mark of seven bits of the hash, which tells nearly all others apart without a look at their
//! records. Whoever does not find room where its hash says is put into the next place that has some: sixteen places
//! are a line. A lookup that finds somebody nearly always reads one line here and one of the record.

use alloc::vec;
use alloc::vec::Vec;

/// Nobody was ever here: nothing that is looked for lies beyond.
const EMPTY: u32 = 0;
/// Somebody was here.
const GONE: u32 = 1;
/// What tells a number from the two.
const TAKEN: u32 = 0x80;
/// Places of the smallest table.
const PLACES_MIN: usize = 16;

/// Numbers below 2²⁴, by hashes that the caller makes.
pub(super) struct Table {
    /// A power of two, or none. They begin as zeros, which the operating system hands out as they are touched: a
    /// large table is made in no time.
    words: Vec<u32>,
    /// Places that are not empty.
    used: usize,
    len: usize,
}

impl Table {
    /// One that has no room. Allocates nothing.
    pub(super) const NONE: Self = Self { words: Vec::new(), used: 0, len: 0 };

    /// An empty one of this many places, a power of two, or of some.
    pub(super) fn with_places(places: usize) -> Self {
        Self { words: vec![EMPTY; places.max(PLACES_MIN)], used: 0, len: 0 }
    }

    /// How many there are, taken or not.
    pub(super) const fn places(&self) -> usize {
        self.words.len()
    }

    /// How many numbers it holds.
    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// How many places may be used: the others stay empty, so that every search ends soon.
    pub(super) const fn room(&self) -> usize {
        self.words.len() / 16 * 13
    }

    /// Whether one more fits.
    pub(super) const fn has_room(&self) -> bool {
        self.used < self.room()
    }

    /// The number with this hash that `is_it` recognizes.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.seek(hash, is_it).map(|(_, number)| number)
    }

    /// Adds a number that is not in it, for which there is room.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        debug_assert!(number < 1 << 24_u32 && self.has_room(), "the limits on members leave room");
        let mask = self.words.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(word) = self.words.get_mut(at) {
            if *word & TAKEN == 0 {
                self.used += usize::from(*word == EMPTY);
                self.len += 1;
                *word = number << 8_u32 | mark(hash);
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Removes and returns the number with this hash that `is_it` recognizes.
    pub(super) fn remove(&mut self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (at, _) = self.seek(hash, is_it)?;
        self.take(at)
    }

    /// Removes and returns what is at a place.
    pub(super) fn take(&mut self, at: usize) -> Option<u32> {
        let word = self.words.get_mut(at).filter(|word| **word & TAKEN != 0)?;
        let number = *word >> 8_u32;
        *word = GONE;
        self.len -= 1;
        Some(number)
    }

    /// The place, and the number with this hash that `is_it` recognizes.
    #[inline]
    fn seek(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let mask = self.words.len().wrapping_sub(1);
        let mark = mark(hash);
        let mut at = hash as usize & mask;
        loop {
            let word = *self.words.get(at)?;
            if word & 0xff == mark && is_it(word >> 8) {
                return Some((at, word >> 8));
            }
            if word == EMPTY {
                return None;
            }
            at = (at + 1) & mask;
        }
    }
}

/// The lowest byte of a number with this hash.
#[inline]
const fn mark(hash: u64) -> u32 {
    TAKEN | (hash >> 57) as u32
}
