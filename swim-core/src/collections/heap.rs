//! What is due when: places in the order of their times, any of which can be moved or taken out.
//!
//! A heap that is told where each of its entries lies. The usual one does not know, so what was moved or taken
//! out stays in it as a void entry until it comes to the top; and when a great many were taken out, one call
//! pays for all of them. Here every call takes a number of steps that is logarithmic in what is held.

use alloc::vec::Vec;

/// A place that is not on the agenda.
const NOWHERE: u32 = u32::MAX;

/// Places by time; of two at the same time the smaller place comes first.
#[derive(Debug)]
pub(crate) struct Heap<K> {
    /// A binary heap: no entry is before the one that it lies below.
    heap: Vec<(K, u32)>,
    /// Where each place lies in the heap.
    lies_at: Vec<u32>,
}

impl<K> Default for Heap<K> {
    fn default() -> Self {
        Self { heap: Vec::new(), lies_at: Vec::new() }
    }
}

impl<K: Copy + Ord> Heap<K> {
    /// The first place, and its time.
    pub(crate) fn first(&self) -> Option<(K, u32)> {
        self.heap.first().copied()
    }

    /// `place` is due at `at`, whenever it was due before.
    pub(crate) fn set(&mut self, place: u32, at: K) {
        let index = place as usize;
        if self.lies_at.len() <= index {
            self.lies_at.resize(index + 1, NOWHERE);
        }
        let mut lies_at = self.lies_at[index] as usize;
        if lies_at == NOWHERE as usize {
            lies_at = self.heap.len();
            self.heap.push((at, place));
        }
        self.settle(lies_at, (at, place));
    }

    /// Takes `place` out, if it is on the agenda.
    pub(crate) fn remove(&mut self, place: u32) {
        let Some(lies_at) = self.lies_at.get_mut(place as usize) else { return };
        let hole = core::mem::replace(lies_at, NOWHERE) as usize;
        if hole >= self.heap.len() {
            return;
        }
        if let Some(last) = self.heap.pop()
            && hole < self.heap.len()
        {
            self.settle(hole, last);
        }
    }

    /// Puts `entry` where it belongs, now that the hole is at `at`.
    fn settle(&mut self, mut at: usize, entry: (K, u32)) {
        while at > 0 && entry < self.heap[(at - 1) / 2] {
            self.put(at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        loop {
            let mut child = 2 * at + 1;
            if child + 1 < self.heap.len() && self.heap[child + 1] < self.heap[child] {
                child += 1;
            }
            if child >= self.heap.len() || entry <= self.heap[child] {
                break;
            }
            self.put(at, self.heap[child]);
            at = child;
        }
        self.put(at, entry);
    }

    fn put(&mut self, at: usize, entry: (K, u32)) {
        self.heap[at] = entry;
        self.lies_at[entry.1 as usize] = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_like_a_sorted_list(ops in prop::collection::vec((0..20_u32, prop::option::of(0..50_u64)), 0..300)) {
            let mut agenda = Heap::default();
            let mut model = BTreeMap::new();
            for (place, at) in ops {
                match at {
                    Some(at) => {
                        agenda.set(place, at);
                        model.insert(place, at);
                    }
                    None => {
                        agenda.remove(place);
                        model.remove(&place);
                    }
                }
                let first = model.iter().map(|(place, at)| (*at, *place)).min();
                prop_assert_eq!(agenda.first(), first);
                prop_assert_eq!(agenda.heap.len(), model.len());
            }
        }
    }
}
