//! A hash table of numbers that are looked at elsewhere, in as few lines of the processor's cache as can be.
//!
//! In a table of a hundred thousand members no two lookups find anything in a cache, and each access to
//! memory takes longer than all that is done for a ping. So a place is four bytes: a number in three and, in
//! the lowest, a mark of seven bits of the hash, which tells nearly all others apart without a look at their
//! records. Sixteen places are a cache line, and all of a line is tried before the next one is touched. A lookup
//! that finds somebody so reads one line here and one of the record, the second as soon as the first is there.

use alloc::vec;
use alloc::vec::Vec;

/// Places in a line.
const WIDTH: usize = 16;
/// Nobody was ever here: nothing that is looked for lies beyond.
const EMPTY: u32 = 0;
/// Somebody was here.
const GONE: u32 = 1;
/// What tells a number from the two.
const TAKEN: u32 = 0x80;

/// Numbers below 2²⁴, by hashes that the caller makes.
pub(super) struct Table {
    /// Some lines, a power of two, behind what it takes to begin at the beginning of one. They begin as zeros,
    /// which the operating system hands out as they are touched: a large table is made in no time.
    words: Vec<u32>,
    start: usize,
    lines: usize,
    /// Places that are not empty.
    used: usize,
    len: usize,
}

impl Table {
    /// One that has no room. Allocates nothing.
    pub(super) const NONE: Self = Self { words: Vec::new(), start: 0, lines: 0, used: 0, len: 0 };

    /// An empty one of this many places, a power of two, at least a line.
    pub(super) fn with_places(places: usize) -> Self {
        let lines = (places / WIDTH).max(1);
        debug_assert!(lines.is_power_of_two(), "places are found by masking");
        let words = vec![EMPTY; (lines + 1) * WIDTH - 1];
        // Where that is depends on the allocator, and nothing but time on where that is.
        let start = words.as_ptr().align_offset(WIDTH * size_of::<u32>()).min(WIDTH - 1);
        Self { words, start, lines, used: 0, len: 0 }
    }

    /// How many there are, taken or not.
    pub(super) const fn places(&self) -> usize {
        self.lines * WIDTH
    }

    /// How many numbers it holds.
    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether one more fits. An eighth stays empty, so that every search ends.
    pub(super) const fn has_room(&self) -> bool {
        self.used < self.places() / 8 * 7
    }

    /// The number with this hash that `is_it` recognizes.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mark = mark(hash);
        for at in 0..self.lines {
            let line = self.line(hash, at);
            for step in 0..WIDTH {
                let word = line[place(hash, step)];
                if word & 0xff == mark && is_it(word >> 8) {
                    return Some(word >> 8);
                }
                if word == EMPTY {
                    return None;
                }
            }
        }
        None
    }

    /// Adds a number that is not in it, for which there is room.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        debug_assert!(number < 1 << 24, "the limits on members leave room");
        for at in 0..self.lines {
            let line = self.line_mut(hash, at);
            for step in 0..WIDTH {
                let word = &mut line[place(hash, step)];
                if *word == EMPTY || *word == GONE {
                    let was_empty = *word == EMPTY;
                    *word = number << 8 | mark(hash);
                    self.used += usize::from(was_empty);
                    self.len += 1;
                    return;
                }
            }
        }
    }

    /// Removes and returns the number with this hash that `is_it` recognizes.
    pub(super) fn remove(&mut self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mark = mark(hash);
        for at in 0..self.lines {
            let line = self.line_mut(hash, at);
            for step in 0..WIDTH {
                let word = &mut line[place(hash, step)];
                if *word & 0xff == mark && is_it(*word >> 8) {
                    let number = *word >> 8;
                    *word = GONE;
                    self.len -= 1;
                    return Some(number);
                }
                if *word == EMPTY {
                    return None;
                }
            }
        }
        None
    }

    /// Removes and returns what is at a place, counted in the order of memory.
    pub(super) fn take(&mut self, place: usize) -> Option<u32> {
        let word = self.words.get_mut(self.start + place).filter(|word| **word & TAKEN != 0)?;
        let number = *word >> 8;
        *word = GONE;
        self.len -= 1;
        Some(number)
    }

    /// The line that is tried as the `at`th.
    #[inline]
    fn line(&self, hash: u64, at: usize) -> &[u32; WIDTH] {
        let first = self.first(hash, at);
        self.words[first..].first_chunk().expect("whole lines")
    }

    #[inline]
    fn line_mut(&mut self, hash: u64, at: usize) -> &mut [u32; WIDTH] {
        let first = self.first(hash, at);
        self.words[first..].first_chunk_mut().expect("whole lines")
    }

    /// Where it begins.
    #[inline]
    fn first(&self, hash: u64, at: usize) -> usize {
        let line = ((hash >> 4) as usize).wrapping_add(at) & (self.lines - 1);
        self.start + line * WIDTH
    }
}

/// The place of a line that is tried as the `step`th.
#[inline]
const fn place(hash: u64, step: usize) -> usize {
    (hash as usize).wrapping_add(step) % WIDTH
}

/// What the lowest byte of a number with this hash is.
#[inline]
const fn mark(hash: u64) -> u32 {
    TAKEN | (hash >> 57) as u32
}
