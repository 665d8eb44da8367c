//! A queue that gives what was sent least, first come first served among equals.
//!
//! One doubly linked list for each number of sends, threaded through an array by place: putting in,
//! taking out, and sending once more are a few writes each, and finding the first is one bit scan. The
//! number of sends is bounded by λ · ⌈log₁₀(n + 1)⌉ ≤ 64, so a machine word marks the lists in use.

use alloc::vec::Vec;

/// Lists; an entry sent this often is dropped.
pub(crate) const SENDS_MAX: usize = 64;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
    sends: u8,
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
    len: u32,
}

const EMPTY: List = List { head: NONE, tail: NONE, len: 0 };

/// The order of entries whose contents the caller keeps by the same place.
#[derive(Debug)]
pub(crate) struct LeastSent {
    links: Vec<Link>,
    lists: [List; SENDS_MAX],
    used: u64,
    len: u32,
}

impl LeastSent {
    pub(crate) const fn new() -> Self {
        Self { links: Vec::new(), lists: [EMPTY; SENDS_MAX], used: 0, len: 0 }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Puts `place` in, never sent.
    pub(crate) fn push(&mut self, place: u32) {
        let index = place as usize;
        if self.links.len() <= index {
            self.links.resize(index + 1, Link { previous: NONE, next: NONE, sends: 0 });
        }
        self.append(place, 0);
        self.len += 1;
    }

    /// Takes `place` out.
    pub(crate) fn remove(&mut self, place: u32) {
        self.unlink(place);
        self.len -= 1;
    }

    /// `place` was sent once more. Returns how often it was sent.
    pub(crate) fn sent(&mut self, place: u32) -> usize {
        let sends = self.unlink(place) + 1;
        self.append(place, sends.min(SENDS_MAX - 1));
        sends
    }

    /// The least-sent entry that was sent at least `from` times.
    pub(crate) fn first(&self, from: usize) -> Option<Cursor> {
        if from >= SENDS_MAX {
            return None;
        }
        let used = self.used & (u64::MAX << from);
        if used == 0 {
            return None;
        }
        let sends = used.trailing_zeros() as usize;
        let list = self.lists[sends];
        Some(Cursor { place: list.head, sends, left: list.len })
    }

    /// The entry after `cursor` in the order in which they stood when the cursor was taken, even if the
    /// entry at the cursor has been sent or removed since: take it before.
    pub(crate) fn after(&self, cursor: Cursor) -> Option<Cursor> {
        if cursor.left > 1 {
            let next = self.links[cursor.place as usize].next;
            return Some(Cursor { place: next, sends: cursor.sends, left: cursor.left - 1 });
        }
        self.first(cursor.sends + 1)
    }

    fn append(&mut self, place: u32, sends: usize) {
        let list = &mut self.lists[sends];
        let previous = list.tail;
        list.tail = place;
        list.len += 1;
        if previous == NONE {
            list.head = place;
            self.used |= 1 << sends;
        } else {
            self.links[previous as usize].next = place;
        }
        self.links[place as usize] = Link { previous, next: NONE, sends: sends as u8 };
    }

    fn unlink(&mut self, place: u32) -> usize {
        let Link { previous, next, sends } = self.links[place as usize];
        let sends = usize::from(sends);
        let list = &mut self.lists[sends];
        list.len -= 1;
        if previous == NONE {
            list.head = next
        } else {
            self.links[previous as usize].next = next
        }
        let list = &mut self.lists[sends];
        if next == NONE {
            list.tail = previous
        } else {
            self.links[next as usize].previous = previous
        }
        if self.lists[sends].len == 0 {
            self.used &= !(1 << sends);
        }
        sends
    }
}

/// A position in the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cursor {
    pub(crate) place: u32,
    sends: usize,
    left: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn order(queue: &LeastSent) -> Vec<u32> {
        let mut out = vec![];
        let mut next = queue.first(0);
        while let Some(cursor) = next {
            out.push(cursor.place);
            next = queue.after(cursor);
        }
        out
    }

    #[test]
    fn what_was_sent_less_comes_first_and_equals_keep_their_order() {
        let mut queue = LeastSent::new();
        for place in 0..4 {
            queue.push(place);
        }
        queue.sent(0);
        queue.sent(2);
        queue.sent(0);
        assert_eq!(order(&queue), [1, 3, 2, 0]);
        queue.remove(3);
        assert_eq!(order(&queue), [1, 2, 0]);
        assert_eq!(queue.len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn it_behaves_like_a_stable_sort_by_sends(ops in proptest::collection::vec((0_u8..3, 0_u32..12), 0..200)) {
            let mut queue = LeastSent::new();
            // (place, sends, stamp of the last move)
            let mut model: Vec<(u32, usize, usize)> = vec![];
            for (stamp, (op, place)) in ops.into_iter().enumerate() {
                let held = model.iter().position(|entry| entry.0 == place);
                match (op, held) {
                    (0, None) => { queue.push(place); model.push((place, 0, stamp)); }
                    (1, Some(i)) => { model[i] = (place, (model[i].1 + 1).min(SENDS_MAX - 1), stamp); queue.sent(place); }
                    (2, Some(i)) => { model.remove(i); queue.remove(place); }
                    _ => {}
                }
                let mut sorted = model.clone();
                sorted.sort_by_key(|entry| (entry.1, entry.2));
                let expected: Vec<u32> = sorted.iter().map(|entry| entry.0).collect();
                proptest::prop_assert_eq!(order(&queue), expected);
            }
        }
    }
}
