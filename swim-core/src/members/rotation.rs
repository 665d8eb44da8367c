//! Whom to probe next: everybody once, in a new random order each time round (SWIM section 4.3).
//!
//! Choosing at random each time would leave some members unprobed for long. Walking through a shuffled
//! list bounds the wait: two probes of one member are at most 2n − 1 apart (first in one traversal, last
//! in the next). Shuffling a whole list at once costs n steps, so it is done as the walk goes:
//!
//! ```text
//!     visited in this traversal │ not visited yet
//!     ──────────────────────────┼──────────────────────────────
//!                             cursor   ◀── one picked uniformly is swapped to the cursor, and visited
//! ```
//!
//! which is a Fisher–Yates shuffle, one step a period. A newcomer joins the right side, and as each pick
//! is random that is a random place in the order. Whoever leaves is filled in from its own side, so
//! that nobody is visited twice, or skipped, because somebody else left.

use alloc::vec::Vec;

/// Rows that [`Rotation::sample`] draws from exactly; in a longer rotation it draws and rejects.
const EXACT_MAX: usize = 64;

/// Most slots that one sample gives.
pub(crate) const SAMPLE_MAX: usize = 8;

/// Slots in probe order. `moved(slot, position)` is told of every change of place.
pub(super) struct Rotation {
    slots: Vec<u32>,
    /// How many of them were visited in this traversal.
    cursor: usize,
}

impl Rotation {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), cursor: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds a slot among those not visited yet.
    pub(super) fn push(&mut self, slot: u32, mut moved: impl FnMut(u32, u32)) {
        moved(slot, self.slots.len() as u32);
        self.slots.push(slot);
    }

    /// Takes out the slot at `position`.
    pub(super) fn remove(&mut self, position: u32, mut moved: impl FnMut(u32, u32)) {
        let mut hole = position as usize;
        debug_assert!(hole < self.slots.len(), "a position is kept up to date");
        if hole < self.cursor {
            self.cursor -= 1;
            self.fill(hole, self.cursor, &mut moved);
            hole = self.cursor;
        }
        self.fill(hole, self.slots.len() - 1, &mut moved);
        self.slots.pop();
    }

    /// The next slot to probe; `random(n)` is uniform in `0..n`. `None` if there is none.
    pub(super) fn next(
        &mut self,
        random: &mut impl FnMut(u32) -> u32,
        mut moved: impl FnMut(u32, u32),
    ) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        if self.cursor >= self.slots.len() {
            self.cursor = 0;
        }
        let picked = self.cursor + random((self.slots.len() - self.cursor) as u32) as usize;
        let slot = self.slots[picked];
        self.fill(picked, self.cursor, &mut moved);
        self.slots[self.cursor] = slot;
        moved(slot, self.cursor as u32);
        self.cursor += 1;
        Some(slot)
    }

    /// Puts up to `k` different slots that `accept` likes into `found`, each set of them as probable as
    /// any other, and returns how many. Among many slots it gives up after a bounded number of draws, so
    /// it may find fewer when `accept` refuses most.
    pub(super) fn sample(
        &self,
        random: &mut impl FnMut(u32) -> u32,
        found: &mut [u32; SAMPLE_MAX],
        k: usize,
        accept: impl Fn(u32) -> bool,
    ) -> usize {
        let k = k.min(SAMPLE_MAX);
        if self.slots.len() <= EXACT_MAX {
            self.sample_exactly(random, &mut found[..k], accept)
        } else {
            self.sample_by_drawing(random, &mut found[..k], accept)
        }
    }

    fn sample_exactly(
        &self,
        random: &mut impl FnMut(u32) -> u32,
        found: &mut [u32],
        accept: impl Fn(u32) -> bool,
    ) -> usize {
        let mut left = [0; EXACT_MAX];
        let mut left_len = self.slots.len();
        left[..left_len].copy_from_slice(&self.slots);
        let mut count = 0;
        while count < found.len() && left_len > 0 {
            let picked = random(left_len as u32) as usize;
            let slot = left[picked];
            left_len -= 1;
            left[picked] = left[left_len];
            if accept(slot) {
                found[count] = slot;
                count += 1;
            }
        }
        count
    }

    fn sample_by_drawing(
        &self,
        random: &mut impl FnMut(u32) -> u32,
        found: &mut [u32],
        accept: impl Fn(u32) -> bool,
    ) -> usize {
        let mut count = 0;
        for _ in 0..EXACT_MAX {
            if count == found.len() {
                break;
            }
            let slot = self.slots[random(self.slots.len() as u32) as usize];
            if !found[..count].contains(&slot) && accept(slot) {
                found[count] = slot;
                count += 1;
            }
        }
        count
    }

    /// Copies what is at `source` to `target`.
    fn fill(&mut self, target: usize, source: usize, moved: &mut impl FnMut(u32, u32)) {
        if target != source {
            let slot = self.slots[source];
            self.slots[target] = slot;
            moved(slot, target as u32);
        }
    }
}
