//! User messages to all members: epidemic, best effort, each delivered at most once.
//!
//! A broadcast is known by its origin, the origin's epoch and a sequence number. For each origin the last number and
//! which of the [`WINDOW`] up to it were seen are remembered: what was seen is dropped, what is older than the window is
//! dropped too. What was sent least goes first, so a burst arrives newest first: the window is a multiple of what a
//! queue may hold. The memory is one record of 144 bytes for each member that ever broadcast, given back when the member is
//! forgotten; the queue is bounded by configuration.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, NodeId};
use crate::collections::{LeastSent, Slab};
use crate::wire::{BroadcastRecord, Writer, broadcast_len};

/// Numbers of one origin that are remembered.
const WINDOW: u32 = 1024;
const CELLS: usize = WINDOW as usize / 64;

/// What was seen of one origin.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    epoch: Epoch,
    last: u32,
    /// Bit `number % WINDOW`: this number, of the last `WINDOW`, was seen.
    window: [u64; CELLS],
}

impl Seen {
    /// The cell and the bit of `number`.
    const fn bit(number: u32) -> (usize, u64) {
        let bit = number % WINDOW;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    /// Moves the window on to `last` of `epoch`: no number that enters it was seen.
    fn advance(&mut self, epoch: Epoch, last: u32) {
        let ahead = if epoch == self.epoch { last - self.last } else { WINDOW };
        for number in 0..ahead.min(WINDOW) {
            let (cell, bit) = Self::bit(last.wrapping_sub(number));
            self.window[cell] &= !bit;
        }
        (self.epoch, self.last) = (epoch, last);
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Queued {
    origin: NodeId,
    epoch: Epoch,
    sequence: u32,
    payload: Box<[u8]>,
}

/// The queue, and what was seen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Broadcasts {
    queue: Slab<Queued, 16>,
    order: LeastSent,
    max: usize,
    seen: BTreeMap<NodeId, Seen>,
    sequence: u32,
}

impl Broadcasts {
    pub(crate) const fn new(max: usize) -> Self {
        Self { queue: Slab::new(), order: LeastSent::new(), max, seen: BTreeMap::new(), sequence: 0 }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.order.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.order.len() as usize >= self.max
    }

    /// The next number of this node's own broadcasts.
    pub(crate) const fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Numbers this node's own broadcasts beyond `used`; `false` if there is no number left in this epoch.
    pub(crate) fn outbid(&mut self, used: u32) -> bool {
        self.sequence = self.sequence.max(used);
        self.sequence < u32::MAX
    }

    /// Remembers that a broadcast arrived. `false` if it was seen before, or is too old to know. The caller has made sure
    /// that the origin is a member, which bounds what is remembered.
    pub(crate) fn note(&mut self, origin: NodeId, epoch: Epoch, sequence: u32) -> bool {
        let seen = self.seen.entry(origin).or_insert(Seen { epoch, last: sequence, window: [0; CELLS] });
        if (epoch, sequence) > (seen.epoch, seen.last) {
            seen.advance(epoch, sequence);
        }
        let (cell, bit) = Seen::bit(sequence);
        let known = epoch == seen.epoch && seen.last - sequence < WINDOW;
        let new = known && seen.window[cell] & bit == 0;
        if new {
            seen.window[cell] |= bit;
        }
        new
    }

    /// Forgets what was seen of a member that is forgotten.
    pub(crate) fn forget(&mut self, origin: NodeId) {
        self.seen.remove(&origin);
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self) -> bool {
        let Self { queue, order, .. } = self;
        order.is_sound(queue.len(), |index| queue.get(index).is_some()) && queue.is_sound()
    }

    /// What users say, to change.
    pub(crate) fn payloads_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.queue.items_mut().map(|queued| &mut *queued.payload)
    }

    /// Queues a broadcast; `false` if the queue is full.
    pub(crate) fn push(&mut self, origin: NodeId, epoch: Epoch, sequence: u32, payload: &[u8]) -> bool {
        if self.is_full() {
            return false;
        }
        let index = self.queue.insert(Queued { origin, epoch, sequence, payload: payload.into() });
        self.order.push(index);
        debug_assert!(self.len() as usize <= self.max, "the queue is bounded by configuration");
        true
    }

    /// Bytes that the next one takes in a datagram; `None` if nothing is queued.
    pub(crate) fn next_len(&mut self) -> Option<usize> {
        self.order.begin();
        self.queue.get(self.order.first()?).map(|queued| broadcast_len(queued.payload.len()))
    }

    /// Writes as many as fit, least sent first; those sent `limit` times are dropped.
    pub(crate) fn write(&mut self, writer: &mut Writer<'_>, limit: usize) -> usize {
        let mut written = 0;
        self.order.begin();
        let mut next = self.order.first();
        while let Some(index) = next {
            next = self.order.after(index);
            let Some(Queued { origin, epoch, sequence, payload }) = self.queue.get(index) else { continue };
            let record = BroadcastRecord { origin: *origin, epoch: *epoch, sequence: *sequence, payload };
            if !writer.broadcast(&record) {
                break;
            }
            written += 1;
            if self.order.sent(index) >= limit {
                self.order.remove(index);
                self.queue.remove(index);
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broadcasts() -> Broadcasts {
        Broadcasts::new(4)
    }

    #[test]
    fn each_number_is_new_once_in_any_order_within_the_window() {
        let mut broadcasts = broadcasts();
        for sequence in [5, 3, 9, 4, WINDOW + 6, 8, WINDOW + 5] {
            assert!(broadcasts.note(NodeId(1), Epoch(1), sequence), "{sequence}");
            assert!(!broadcasts.note(NodeId(1), Epoch(1), sequence), "{sequence}");
        }
        assert!(!broadcasts.note(NodeId(1), Epoch(1), 6), "beyond the window");
        assert!(broadcasts.note(NodeId(1), Epoch(1), 7), "the last number of the window");
        assert!(broadcasts.note(NodeId(2), Epoch(1), 6), "another origin");
    }

    #[test]
    fn a_new_epoch_starts_afresh_and_an_old_one_is_over() {
        let mut broadcasts = broadcasts();
        assert!(broadcasts.note(NodeId(1), Epoch(1), 500));
        assert!(broadcasts.note(NodeId(1), Epoch(2), 1));
        assert!(!broadcasts.note(NodeId(1), Epoch(1), 501));
    }

    #[test]
    fn forgetting_one_origin_keeps_the_others() {
        let mut broadcasts = broadcasts();
        for id in 1..=20 {
            broadcasts.note(NodeId(id), Epoch(1), 7);
        }
        for id in (1..=20).step_by(2) {
            broadcasts.forget(NodeId(id));
        }
        for id in 1..=20 {
            assert_eq!(broadcasts.note(NodeId(id), Epoch(1), 7), id % 2 == 1, "{id}");
        }
    }

    #[test]
    fn a_burst_of_any_length_is_new_once_whatever_its_order() {
        for burst in [1, 63, 64, 65, 300, WINDOW - 1, WINDOW] {
            let mut broadcasts = broadcasts();
            for round in 0..4 {
                let numbers = || (round * burst + 1..=(round + 1) * burst).rev();
                assert!(numbers().all(|number| broadcasts.note(NodeId(1), Epoch(1), number)), "{burst}");
                assert!(numbers().all(|number| !broadcasts.note(NodeId(1), Epoch(1), number)), "{burst}");
            }
        }
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut broadcasts = broadcasts();
        for sequence in 0..4 {
            assert!(broadcasts.push(NodeId(1), Epoch(1), sequence, b"x"));
        }
        assert!(!broadcasts.push(NodeId(1), Epoch(1), 4, b"x"));
        assert_eq!(broadcasts.len(), 4);
    }
}
