//! What is due when: indexes in the order of their times, any of which can be moved or taken out.
//!
//! A heap that knows where each of its entries lies. The usual one does not know, so what was moved or taken
//! out stays in it as a void entry until it comes to the top; and when a great many were taken out, one call
//! pays for all of them. Here every call takes a number of steps that is logarithmic in what is held.

use alloc::vec::Vec;

/// An index that is not on the heap.
const NOWHERE: u32 = u32::MAX;

/// Indexes by time; of two at the same time the smaller index comes first.
#[derive(Debug, Default)]
pub(crate) struct Heap<K> {
    /// A binary heap: no entry is before the one that it lies below.
    heap: Vec<(K, u32)>,
    /// Where each index lies in the heap.
    lies_at: Vec<u32>,
}

impl<K: Copy + Ord> Heap<K> {
    /// The first index, and its time.
    pub(crate) fn first(&self) -> Option<(K, u32)> {
        self.heap.first().copied()
    }

    /// `index` is due at `at`, whenever it was due before.
    pub(crate) fn set(&mut self, index: u32, at: K) {
        let slot = index as usize;
        if self.lies_at.len() <= slot {
            self.lies_at.resize(slot + 1, NOWHERE);
        }
        let mut lies_at = self.lies_at[slot] as usize;
        if lies_at == NOWHERE as usize {
            lies_at = self.heap.len();
            self.heap.push((at, index));
        }
        self.settle(lies_at, (at, index));
        debug_assert!(
            self.heap[self.lies_at[slot] as usize] == (at, index),
            "an index lies where the heap says"
        );
    }

    /// Takes `index` out, if it is on the heap.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(lies_at) = self.lies_at.get_mut(index as usize) else { return };
        let hole = core::mem::replace(lies_at, NOWHERE) as usize;
        if hole >= self.heap.len() {
            return;
        }
        if let Some(last) = self.heap.pop()
            && hole < self.heap.len()
        {
            self.settle(hole, last);
        }
        debug_assert!(self.lies_at[index as usize] == NOWHERE, "an index that was taken out lies nowhere");
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
        debug_assert!(at == 0 || self.heap[(at - 1) / 2] <= entry, "no entry is before the one above it");
        debug_assert!(
            self.heap.iter().skip(2 * at + 1).take(2).all(|below| entry <= *below),
            "nor after one below it"
        );
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
            let mut heap = Heap::default();
            let mut model = BTreeMap::new();
            for (index, at) in ops {
                match at {
                    Some(at) => {
                        heap.set(index, at);
                        model.insert(index, at);
                    }
                    None => {
                        heap.remove(index);
                        model.remove(&index);
                    }
                }
                let first = model.iter().map(|(index, at)| (*at, *index)).min();
                prop_assert_eq!(heap.first(), first);
                prop_assert_eq!(heap.heap.len(), model.len());
            }
        }
    }
}
