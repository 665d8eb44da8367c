//! What is still to happen, ordered by (time, sequence).
//!
//! Of two things at the same time the one that was scheduled first comes first. That rule, and not how it is
//! kept, is the contract: it makes a run a function of its seed.
//!
//! Nearly everything happens within a second: datagrams arrive in less than a millisecond, timers fire in the
//! next period. So time is cut into slices of a quarter of a millisecond, each with an unsorted list, and only
//! the present slice is kept in order, in a heap of a few entries that stay in cache. What
//! is too far away for a slice waits in another heap.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use swim_core::Instant;

use crate::host_id::HostId;

/// Nanoseconds of a slice, as a power of two: 262 µs.
const SLICE_BITS: u32 = 18;
/// Slices that have lists: 1.07 s ahead.
const SLICES: usize = 4096;
/// Words of bits that say which lists hold something.
const WORDS: usize = SLICES / 64;
/// Slices that [`Queue::ahead`] looks into at most: 17 ms.
const AHEAD: u64 = 512;
/// No slot.
const NONE: u32 = u32::MAX;

/// One thing that will happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pending {
    /// A datagram reaches its target address.
    Arrive(PacketId),
    /// A host's timer fires; ignored if the host has armed another one since.
    Wake { host: HostId, generation: u32 },
    /// Something that was scheduled by the user.
    Act(u32),
}

/// Where the packet pool keeps a datagram in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PacketId(pub(crate) u32);

/// The queue of everything pending.
pub(crate) struct Queue {
    /// All of slice `slice` and before. Empty only if everything is.
    near: BinaryHeap<Reverse<Entry>>,
    slice: u64,
    /// The lists of the slices after `slice`, each at its number modulo [`SLICES`].
    heads: Vec<u32>,
    used: [u64; WORDS],
    links: Vec<Link>,
    free: u32,
    /// What was too far away when it was scheduled.
    far: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
    /// What [`Queue::ahead`] has shown: all before this time and this sequence.
    shown: (u64, u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: u64,
    sequence: u64,
    what: Pending,
}

/// An entry in a list, or in the list of free ones.
struct Link {
    entry: Entry,
    next: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            near: BinaryHeap::new(),
            slice: 0,
            heads: vec![NONE; SLICES],
            used: [0; WORDS],
            links: Vec::new(),
            free: NONE,
            far: BinaryHeap::new(),
            sequence: 0,
            shown: (0, 0),
        }
    }
}

impl Queue {
    pub(crate) fn push(&mut self, at: Instant, what: Pending) {
        let entry = Entry { at: at.as_nanos(), sequence: self.sequence, what };
        self.sequence += 1;
        let slice = entry.slice();
        if self.near.is_empty() {
            self.slice = slice;
        }
        if slice <= self.slice {
            self.near.push(Reverse(entry));
        } else if slice - self.slice < SLICES as u64 {
            self.list(entry, slice);
        } else {
            self.far.push(Reverse(entry));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<(Instant, Pending)> {
        let Reverse(entry) = self.near.pop()?;
        if self.near.is_empty() {
            self.turn();
        }
        Some((Instant::from_nanos(entry.at), entry.what))
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.near.peek().map(|Reverse(entry)| Instant::from_nanos(entry.at))
    }

    /// If the next thing has not been shown yet: shows it to `see`, and those that follow in any order, until
    /// it has seen `count` that it likes, or nothing more is near.
    pub(crate) fn ahead(&mut self, count: usize, mut see: impl FnMut(Instant, Pending) -> bool) {
        let Some(Reverse(next)) = self.near.peek() else { return };
        if next.at < self.shown.0 {
            return;
        }
        let shown = self.shown;
        let mut look = |entry: &Entry| {
            let new = !entry.is_shown(shown) && see(Instant::from_nanos(entry.at), entry.what);
            usize::from(new)
        };
        let mut seen: usize = self.near.iter().map(|Reverse(entry)| look(entry)).sum();
        let mut slice = self.slice;
        while seen < count
            && let Some(next) = self.next_listed(slice)
            && next - self.slice <= AHEAD
        {
            slice = next;
            let mut link = self.heads[slot_of(slice)];
            while link != NONE {
                let held = &self.links[link as usize];
                seen += look(&held.entry);
                link = held.next;
            }
        }
        self.shown = ((slice + 1) << SLICE_BITS, self.sequence);
    }

    fn list(&mut self, entry: Entry, slice: u64) {
        let slot = slot_of(slice);
        let link = Link { entry, next: self.heads[slot] };
        if self.free == NONE {
            self.heads[slot] = u32::try_from(self.links.len()).expect("fewer things than 2^32 are pending");
            self.links.push(link);
        } else {
            let held = &mut self.links[self.free as usize];
            self.heads[slot] = self.free;
            self.free = held.next;
            *held = link;
        }
        self.used[slot / 64] |= 1 << (slot % 64);
    }

    /// Goes on to the next slice in which something happens.
    fn turn(&mut self) {
        let far = self.far.peek().map(|Reverse(entry)| entry.slice());
        let Some(next) = self.next_listed(self.slice).into_iter().chain(far).min() else { return };
        self.slice = next;
        while self.far.peek().is_some_and(|Reverse(entry)| entry.slice() == next) {
            self.near.extend(self.far.pop());
        }
        let slot = slot_of(next);
        self.used[slot / 64] &= !(1 << (slot % 64));
        let mut link = std::mem::replace(&mut self.heads[slot], NONE);
        while link != NONE {
            let held = &mut self.links[link as usize];
            self.near.push(Reverse(held.entry));
            let next = std::mem::replace(&mut held.next, self.free);
            self.free = link;
            link = next;
        }
    }

    /// The next slice after this one whose list holds something.
    fn next_listed(&self, slice: u64) -> Option<u64> {
        let begin = slot_of(slice + 1);
        // The first group twice: the bits from the beginning on, and in the end those before it.
        for turn in 0..=WORDS {
            let group = (begin / 64 + turn) % WORDS;
            let mut bits = self.used[group];
            if turn == 0 {
                bits &= u64::MAX << (begin % 64);
            }
            if bits != 0 {
                let found = group * 64 + bits.trailing_zeros() as usize;
                let ahead = (found + SLICES - begin) % SLICES;
                return Some(slice + 1 + ahead as u64);
            }
        }
        None
    }
}

impl Entry {
    const fn slice(&self) -> u64 {
        self.at >> SLICE_BITS
    }

    const fn is_shown(&self, (before, sequence): (u64, u64)) -> bool {
        self.at < before && self.sequence < sequence
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where the list of a slice is.
const fn slot_of(slice: u64) -> usize {
    (slice % SLICES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn earlier_comes_first_and_equal_times_keep_the_order_of_scheduling() {
        let mut queue = Queue::default();
        for (millis, name) in [(5, 0), (1, 1), (5, 2), (1, 3), (0, 4)] {
            queue.push(Instant::from_millis(millis), Pending::Act(name));
        }
        let order: Vec<Pending> = std::iter::from_fn(|| queue.pop()).map(|(_, what)| what).collect();
        assert_eq!(order, [4, 1, 3, 0, 2].map(Pending::Act));
    }

    /// A heap of everything, which the queue is a faster form of.
    #[test]
    fn it_behaves_like_one_heap_whatever_lies_between_two_times() {
        for seed in 0..40 {
            let mut random = Random::new(seed, 0, 0);
            let (mut queue, mut model) = (Queue::default(), BinaryHeap::new());
            let (mut now, mut number) = (0, 0);
            for _ in 0..3_000 {
                // Bursts and droughts: the queue is often empty, and often full.
                let many = random.chance(500_000);
                let pushes = random.below(if many { 4 } else { 2 });
                for _ in 0..pushes {
                    let reach = 1_u64 << random.below(40);
                    let ahead = random.below(reach) / 1_000 * random.below(1_001);
                    let at = now + ahead;
                    queue.push(Instant::from_nanos(at), Pending::Act(number));
                    model.push(Reverse((at, number)));
                    number += 1;
                }
                assert_eq!(
                    queue.next_at().map(Instant::as_nanos),
                    model.peek().map(|Reverse((at, _))| *at),
                    "seed {seed}"
                );
                let (popped, expected) = (queue.pop(), model.pop());
                let expected =
                    expected.map(|Reverse((at, number))| (Instant::from_nanos(at), Pending::Act(number)));
                assert_eq!(popped, expected, "seed {seed}");
                now = popped.map_or(now, |(at, _)| at.as_nanos());
            }
        }
    }

    #[test]
    fn what_is_ahead_is_shown_once_and_nothing_is_taken_out() {
        let mut queue = Queue::default();
        for number in 0..1_000_u32 {
            queue.push(Instant::from_nanos(u64::from(number) * 100_000), Pending::Act(number));
        }
        let (mut seen, mut calls, mut popped) = (Vec::new(), 0, 0);
        while queue.next_at().is_some() {
            let before = seen.len();
            queue.ahead(20, |_, what| {
                seen.push(what);
                true
            });
            calls += usize::from(seen.len() > before);
            assert_eq!(queue.pop().map(|(_, what)| what), Some(Pending::Act(popped)));
            assert!(seen.contains(&Pending::Act(popped)), "it was shown before it came up");
            popped += 1;
        }
        let numbers: std::collections::BTreeSet<u32> = seen
            .iter()
            .filter_map(|what| if let Pending::Act(number) = what { Some(*number) } else { None })
            .collect();
        assert_eq!((seen.len(), numbers.len(), popped), (1_000, 1_000, 1_000));
        assert!(calls <= 1_000 / 20, "{calls}");
    }
}
