//! A queue that gives what was sent least, first come first served among equals.
//!
//! One doubly linked list for each number of sends, threaded through an array by index: putting in,
//! taking out, and sending once more are a few writes each, and finding the first is one bit scan. The
//! number of sends is bounded by λ · ⌈log₁₀(n + 1)⌉ ≤ 64, so a machine word marks the lists in use.
//!
//! What is sent goes to the end of the next list, where the same pass would meet it again: a pass has a
//! number, an entry the number of the pass that sent it last, and no pass visits an entry twice.

use serde::{Deserialize, Serialize};

use super::chunks::Chunks;

/// Lists; an entry sent this often is dropped.
pub(crate) const SENDS_MAX: usize = 64;
const NONE: u32 = u32::MAX;

/// Links in one allocation of 3 KiB.
const CHUNK_LEN: usize = 256;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Link {
    previous: u32,
    next: u32,
    sends: u8,
    /// The pass that sent it last.
    pass: u16,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct List {
    head: u32,
    tail: u32,
}

const EMPTY: List = List { head: NONE, tail: NONE };

/// The order of entries whose contents the caller keeps by the same index.
#[derive(Serialize, Deserialize)]
pub(crate) struct LeastSent {
    links: Chunks<Link, CHUNK_LEN>,
    #[serde(with = "super::serial::array")]
    lists: [List; SENDS_MAX],
    used: u64,
    len: u32,
    pass: u16,
}

impl LeastSent {
    pub(crate) const fn new() -> Self {
        Self { links: Chunks::new(), lists: [EMPTY; SENDS_MAX], used: 0, len: 0, pass: 0 }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Begins a pass: everything may be visited again.
    pub(crate) const fn begin(&mut self) {
        self.pass = self.pass.wrapping_add(1);
    }

    /// Puts `index` in, never sent.
    #[inline]
    pub(crate) fn push(&mut self, index: u32) {
        while self.links.len() <= index as usize {
            self.links.push(Link { previous: NONE, next: NONE, sends: 0, pass: 0 });
        }
        self.link_mut(index).pass = self.pass.wrapping_sub(1);
        self.append(index, 0);
        self.len += 1;
        debug_assert!(self.len as usize <= self.links.len(), "an index is put in once");
    }

    /// Takes `index` out.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) {
        debug_assert!(self.len > 0, "what is taken out was put in");
        self.unlink(index);
        self.len -= 1;
        debug_assert!((self.len == 0) == (self.used == 0), "a list is in use exactly while an entry is held");
        if self.len == 0 && self.links.len() > CHUNK_LEN {
            self.links.clear();
        }
    }

    /// `index` was sent once more, in this pass. Returns how often it was sent.
    #[inline]
    pub(crate) fn sent(&mut self, index: u32) -> usize {
        let sends = self.unlink(index) + 1;
        self.link_mut(index).pass = self.pass;
        self.append(index, sends.min(SENDS_MAX - 1));
        sends
    }

    /// The least-sent entry that this pass has not sent.
    #[inline]
    pub(crate) fn first(&self) -> Option<u32> {
        self.first_of(u64::MAX)
    }

    /// The entry after `index`, to be taken before `index` is sent or removed.
    #[inline]
    pub(crate) fn after(&self, index: u32) -> Option<u32> {
        let Link { next, sends, .. } = *self.link(index);
        if next != NONE && self.link(next).pass != self.pass {
            return Some(next);
        }
        self.first_of((u64::MAX << sends) << 1)
    }

    /// The first in the lists of `mask`. What this pass has sent stands at the end of its list, so one
    /// that stands at the head is followed by nothing else.
    #[inline]
    fn first_of(&self, mask: u64) -> Option<u32> {
        let mut used = self.used & mask;
        while used != 0 {
            let head = self.lists[used.trailing_zeros() as usize].head;
            if self.link(head).pass != self.pass {
                return Some(head);
            }
            used &= used - 1;
        }
        None
    }

    /// Whether the lists hang together, and hold the indexes of all `len` that are kept and no other.
    pub(crate) fn is_sound(&self, len: u32, is_kept: impl Fn(u32) -> bool) -> bool {
        let mut count = 0_u32;
        for (sends, list) in self.lists.iter().enumerate() {
            let (mut previous, mut index) = (NONE, list.head);
            while index != NONE {
                let Some(link) = self.links.get(index as usize).filter(|_| is_kept(index)) else {
                    return false;
                };
                if link.previous != previous || usize::from(link.sends) != sends {
                    return false;
                }
                count += 1;
                (previous, index) = (index, link.next);
            }
            if list.tail != previous || (self.used & (1 << sends) != 0) != (list.head != NONE) {
                return false;
            }
        }
        count == self.len && count == len
    }

    #[inline]
    fn append(&mut self, index: u32, sends: usize) {
        debug_assert!(sends < SENDS_MAX, "the number of sends is bounded");
        let list = &mut self.lists[sends];
        let previous = list.tail;
        list.tail = index;
        if previous == NONE {
            list.head = index;
            self.used |= 1 << sends;
        } else {
            self.link_mut(previous).next = index;
        }
        let link = self.link_mut(index);
        (link.previous, link.next, link.sends) = (previous, NONE, sends as u8);
    }

    #[inline]
    fn unlink(&mut self, index: u32) -> usize {
        let Link { previous, next, sends, .. } = *self.link(index);
        let sends = usize::from(sends);
        debug_assert!(self.used & (1 << sends) != 0, "the list of a held entry is in use");
        let list = &mut self.lists[sends];
        if previous == NONE {
            list.head = next
        } else {
            self.link_mut(previous).next = next
        }
        let list = &mut self.lists[sends];
        if next == NONE {
            list.tail = previous
        } else {
            self.link_mut(next).previous = previous
        }
        if self.lists[sends].head == NONE {
            self.used &= !(1 << sends);
        }
        sends
    }

    #[inline]
    fn link(&self, index: u32) -> &Link {
        self.links.get(index as usize).expect("a linked index was put in")
    }

    #[inline]
    fn link_mut(&mut self, index: u32) -> &mut Link {
        self.links.get_mut(index as usize).expect("a linked index was put in")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// What a pass visits.
    fn visited(queue: &mut LeastSent) -> Vec<u32> {
        queue.begin();
        core::iter::successors(queue.first(), |index| queue.after(*index)).collect()
    }

    #[test]
    fn a_pass_that_sends_everything_visits_everything_once() {
        let mut queue = LeastSent::new();
        (0..4).for_each(|index| queue.push(index));
        queue.begin();
        queue.sent(1);
        for expected in [vec![0, 2, 3, 1], vec![0, 2, 3, 1]] {
            queue.begin();
            let (mut visited, mut next) = (vec![], queue.first());
            while let Some(index) = next {
                next = queue.after(index);
                queue.sent(index);
                visited.push(index);
            }
            assert_eq!(visited, expected);
        }
    }

    #[test]
    fn what_was_sent_less_comes_first_and_equals_keep_their_order() {
        let mut queue = LeastSent::new();
        for index in 0..4 {
            queue.push(index);
        }
        queue.sent(0);
        queue.sent(2);
        queue.sent(0);
        assert_eq!(visited(&mut queue), [1, 3, 2, 0]);
        queue.remove(3);
        assert_eq!(visited(&mut queue), [1, 2, 0]);
        assert_eq!(queue.len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn it_behaves_like_a_stable_sort_by_sends(ops in proptest::collection::vec((0_u8..3, 0_u32..12), 0..200)) {
            let mut queue = LeastSent::new();
            // (index, sends, stamp of the last move)
            let mut model: Vec<(u32, usize, usize)> = vec![];
            for (stamp, (op, index)) in ops.into_iter().enumerate() {
                let held = model.iter().position(|entry| entry.0 == index);
                match (op, held) {
                    (0, None) => { queue.push(index); model.push((index, 0, stamp)); }
                    (1, Some(i)) => { model[i] = (index, (model[i].1 + 1).min(SENDS_MAX - 1), stamp); queue.sent(index); }
                    (2, Some(i)) => { model.remove(i); queue.remove(index); }
                    _ => {}
                }
                let mut sorted = model.clone();
                sorted.sort_by_key(|entry| (entry.1, entry.2));
                let expected: Vec<u32> = sorted.iter().map(|entry| entry.0).collect();
                proptest::prop_assert_eq!(visited(&mut queue), expected);
            }
        }
    }
}
