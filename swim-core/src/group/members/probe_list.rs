//! The next member to probe: every member once, in a new random order each time round (SWIM section 4.3).
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
//! is random that is a random position in the order. The gap of one that leaves is filled from its own side, so
//! that no member is visited twice, or skipped, because another one left.

use serde::{Deserialize, Serialize};

use crate::collections::Chunks;

/// Slots in one allocation of 4 KiB: a list that grew by copying itself would stall at a million members.
const CHUNK_LEN: usize = 1024;

/// Rows that [`ProbeList::sample`] draws from exactly; in a longer list it draws and rejects.
const EXACT_MAX: usize = 64;

/// Most slots that one sample gives.
pub(crate) const SAMPLE_MAX: usize = 8;

/// Slots in probe order. `moved(slot, position)` is called for every change of position.
#[derive(Serialize, Deserialize)]
pub(super) struct ProbeList {
    slots: Chunks<u32, CHUNK_LEN>,
    /// How many of them were visited in this traversal.
    cursor: usize,
}

impl ProbeList {
    pub(super) const fn new() -> Self {
        Self { slots: Chunks::new(), cursor: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether `count` slots are in it, each at the position that `position_of` says.
    pub(super) fn is_sound(&self, count: u32, position_of: impl Fn(u32) -> Option<u32>) -> bool {
        let at_home = |(position, slot): (u32, &u32)| position_of(*slot) == Some(position);
        self.slots.is_sound()
            && self.slots.len() == count as usize
            && self.cursor <= self.slots.len()
            && (0..).zip(self.slots.iter()).all(at_home)
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
        if self.slots.len() == 0 {
            return None;
        }
        if self.cursor >= self.slots.len() {
            self.cursor = 0;
        }
        let picked = self.cursor + random((self.slots.len() - self.cursor) as u32) as usize;
        let slot = self.at(picked);
        self.fill(picked, self.cursor, &mut moved);
        self.put(self.cursor, slot);
        moved(slot, self.cursor as u32);
        self.cursor += 1;
        Some(slot)
    }

    /// The slot that [`Self::next`] will return if `random` is what is drawn, and the one at whose position it will be;
    /// any others at the end of a traversal.
    pub(super) fn ahead(&self, random: u32) -> [u32; 2] {
        let left = self.slots.len().saturating_sub(self.cursor);
        let picked = self.cursor + ((u64::from(random) * left as u64) >> 32_u32) as usize;
        [picked, self.cursor].map(|position| self.slots.get(position).copied().unwrap_or(0))
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
        let mut left = [0; EXACT_MAX];
        let mut left_len = self.slots.len();
        let exact = left_len <= EXACT_MAX;
        if exact {
            left.iter_mut().zip(self.slots.iter()).for_each(|(left, slot)| *left = *slot);
        }
        let mut count = 0;
        for _ in 0..left_len.min(EXACT_MAX) {
            if count == k.min(SAMPLE_MAX) {
                break;
            }
            let picked = random(left_len as u32) as usize;
            let slot = if exact {
                left_len -= 1;
                let last = left[left_len];
                core::mem::replace(&mut left[picked], last)
            } else {
                self.at(picked)
            };
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
            let slot = self.at(source);
            self.put(target, slot);
            moved(slot, target as u32);
        }
    }

    fn at(&self, position: usize) -> u32 {
        *self.slots.get(position).expect("a position is inside the list")
    }

    fn put(&mut self, position: usize, slot: u32) {
        *self.slots.get_mut(position).expect("a position is inside the list") = slot;
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// A probe list beside the positions that it reported.
    struct Reported {
        probe_list: ProbeList,
        positions: BTreeMap<u32, u32>,
    }

    impl Reported {
        fn with(slots: impl IntoIterator<Item = u32>) -> Self {
            let mut reported = Self { probe_list: ProbeList::new(), positions: BTreeMap::new() };
            for slot in slots {
                reported.push(slot);
            }
            reported
        }

        fn push(&mut self, slot: u32) {
            let positions = &mut self.positions;
            self.probe_list.push(slot, |slot, position| _ = positions.insert(slot, position));
        }

        fn remove(&mut self, slot: u32) {
            let positions = &mut self.positions;
            let position = positions.remove(&slot).expect("it was pushed");
            self.probe_list.remove(position, |slot, position| _ = positions.insert(slot, position));
        }

        fn next(&mut self, random: &mut impl FnMut(u32) -> u32) -> Option<u32> {
            let positions = &mut self.positions;
            self.probe_list.next(random, |slot, position| _ = positions.insert(slot, position))
        }

        fn check_positions(&self) {
            assert_eq!(self.positions.len(), self.probe_list.len());
            for (slot, position) in &self.positions {
                assert_eq!(self.probe_list.at(*position as usize), *slot);
            }
        }
    }

    /// Uniform enough for a test: a linear congruence.
    fn dice(mut state: u64) -> impl FnMut(u32) -> u32 {
        move |n| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 32) % u64::from(n)) as u32
        }
    }

    #[test]
    fn every_order_comes_out_of_exactly_one_sequence_of_picks() {
        let mut permutations = BTreeSet::new();
        for picks in 0..24_u32 {
            let mut left = picks;
            let mut random = |n| {
                let pick = left % n;
                left /= n;
                pick
            };
            let mut reported = Reported::with(0..4);
            let order: Vec<_> = (0..4).filter_map(|_| reported.next(&mut random)).collect();
            permutations.insert(order);
        }
        assert_eq!(permutations.len(), 24);
    }

    #[test]
    fn a_newcomer_is_visited_in_the_traversal_that_it_joins() {
        let mut random = dice(1);
        for visited in 0..=10 {
            let mut reported = Reported::with(0..10);
            for _ in 0..visited {
                reported.next(&mut random);
            }
            reported.push(10);
            assert!((visited..11).any(|_| reported.next(&mut random) == Some(10)));
        }
    }

    #[test]
    fn an_empty_probe_list_has_no_next_target() {
        let mut reported = Reported::with([5]);
        assert_eq!(reported.next(&mut |_| 0), Some(5));
        reported.remove(5);
        assert_eq!(reported.next(&mut |_| 0), None);
    }

    #[test]
    fn a_small_sample_finds_all_accepted_slots() {
        let reported = Reported::with(0..EXACT_MAX as u32);
        for seed in 0..100 {
            let mut found = [0; SAMPLE_MAX];
            let count = reported.probe_list.sample(&mut dice(seed), &mut found, 8, |slot| slot % 16 == 3);
            found[..count].sort_unstable();
            assert_eq!(&found[..count], [3, 19, 35, 51]);
        }
    }

    #[test]
    fn a_sample_that_everything_is_refused_to_ends() {
        let reported = Reported::with(0..1000);
        let draws = core::cell::Cell::new(0);
        let mut random = |n| {
            draws.set(draws.get() + 1);
            n - 1
        };
        assert_eq!(reported.probe_list.sample(&mut random, &mut [0; SAMPLE_MAX], 3, |_| false), 0);
        assert_eq!(draws.get(), EXACT_MAX);
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Push,
        Remove(prop::sample::Index),
        Next(u32),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            2 => Just(Op::Push),
            1 => any::<prop::sample::Index>().prop_map(Op::Remove),
            4 => any::<u32>().prop_map(Op::Next),
        ]
    }

    proptest! {
        #[test]
        fn each_traversal_visits_all_slots_once_despite_churn(
            ops in prop::collection::vec(op(), 0..400)
        ) {
            let mut reported = Reported::with([]);
            let (mut visited, mut waiting) = (BTreeSet::new(), BTreeSet::new());
            for (slot, op) in (0_u32..).zip(ops) {
                match op {
                    Op::Push => {
                        reported.push(slot);
                        waiting.insert(slot);
                    }
                    Op::Remove(index) => {
                        let all: Vec<u32> = visited.union(&waiting).copied().collect();
                        if !all.is_empty() {
                            let gone = *index.get(&all);
                            reported.remove(gone);
                            visited.remove(&gone);
                            waiting.remove(&gone);
                        }
                    }
                    Op::Next(random) => {
                        if waiting.is_empty() {
                            core::mem::swap(&mut visited, &mut waiting);
                        }
                        match reported.next(&mut |n| random % n) {
                            Some(slot) => {
                                prop_assert!(waiting.remove(&slot), "{} was visited before", slot);
                                visited.insert(slot);
                            }
                            None => prop_assert!(waiting.is_empty()),
                        }
                    }
                }
                reported.check_positions();
            }
        }

        #[test]
        fn two_visits_of_one_member_are_at_most_2n_minus_1_apart(n in 1..60_u32, seed: u64) {
            let mut random = dice(seed);
            let mut reported = Reported::with(0..n);
            let mut last_visit = BTreeMap::new();
            for period in 0..20 * n {
                let slot = reported.next(&mut random).expect("not empty");
                if let Some(last) = last_visit.insert(slot, period) {
                    prop_assert!(period - last < 2 * n, "{} periods", period - last);
                }
            }
            prop_assert_eq!(last_visit.len(), n as usize);
        }

        #[test]
        fn a_sample_has_no_slot_twice_and_no_refused_slot(
            n in 0..300_u32, k in 0..12_usize, seed: u64, modulus in 1..4_u32
        ) {
            let reported = Reported::with(0..n);
            let mut found = [u32::MAX; SAMPLE_MAX];
            let accept = |slot: u32| slot.is_multiple_of(modulus);
            let count = reported.probe_list.sample(&mut dice(seed), &mut found, k, accept);
            let distinct: BTreeSet<u32> = found[..count].iter().copied().collect();
            prop_assert_eq!(distinct.len(), count);
            prop_assert!(distinct.iter().all(|slot| *slot < n && accept(*slot)));
            prop_assert!(count <= k.min(SAMPLE_MAX));
            if n as usize <= EXACT_MAX {
                prop_assert_eq!(count, k.min(SAMPLE_MAX).min(n.div_ceil(modulus) as usize));
            }
        }
    }
}
