//! User messages to all members: epidemic, best effort, each delivered at most once.
//!
//! A broadcast is known by its origin, the origin's epoch and a sequence number. For each origin the
//! last number and a window of the 64 before it are remembered: what was seen is dropped, what is older
//! than the window is dropped too. The memory is one small record for each member that ever broadcast,
//! given back when the member is forgotten; the queue is bounded by configuration.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, NodeId};
use crate::collections::{Index, LeastSent, Slab};
use crate::wire::{BroadcastRecord, Writer, broadcast_len};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    origin: NodeId,
    epoch: Epoch,
    last: u32,
    /// Bit i: `last - i` was seen.
    window: u64,
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
    index: Index,
    seen: Slab<Seen, 64>,
    sequence: u32,
}

impl Broadcasts {
    pub(crate) fn new(hash_key: u64, max: usize) -> Self {
        Self {
            queue: Slab::new(),
            order: LeastSent::new(),
            max,
            index: Index::with_key(hash_key),
            seen: Slab::new(),
            sequence: 0,
        }
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
        let Self { index, seen, .. } = self;
        let Some(seen) = index.find(origin.0, |at| origin_at(seen, at)).and_then(|at| seen.get_mut(at))
        else {
            let at = seen.insert(Seen { origin, epoch, last: sequence, window: 1 });
            index.insert(origin.0, at, |at| origin_at(seen, at));
            return true;
        };
        debug_assert!(seen.window & 1 == 1, "the last number is a seen one");
        if (epoch, sequence) > (seen.epoch, seen.last) {
            let ahead = if epoch == seen.epoch { sequence - seen.last } else { u32::MAX };
            seen.window = seen.window.checked_shl(ahead).unwrap_or(0) | 1;
            (seen.epoch, seen.last) = (epoch, sequence);
            return true;
        }
        let behind = seen.last.wrapping_sub(sequence);
        if epoch < seen.epoch || behind >= 64 || seen.window & (1 << behind) != 0 {
            return false;
        }
        seen.window |= 1 << behind;
        true
    }

    /// Forgets what was seen of a member that is forgotten.
    pub(crate) fn forget(&mut self, origin: NodeId) {
        if let Some(at) = self.index.remove(origin.0, |at| origin_at(&self.seen, at)) {
            let forgotten = self.seen.remove(at);
            debug_assert!(
                forgotten.is_some_and(|seen| seen.origin == origin),
                "an origin leads to its record"
            );
        }
    }

    /// After loading: finds origins again.
    pub(crate) fn rebuild(&mut self) {
        let Self { index, seen, .. } = self;
        index.fill(seen.indexes(), |at| origin_at(seen, at));
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self) -> bool {
        let Self { queue, order, index, seen, .. } = self;
        let origin = |at| origin_at(seen, at);
        seen.is_sound()
            && seen.indexes().all(|at| index.find(origin(at), origin) == Some(at))
            && order.is_sound(queue.len(), |index| queue.get(index).is_some())
            && queue.is_sound()
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

/// The id of the origin whose record is at `at`: the key of the index.
fn origin_at(seen: &Slab<Seen, 64>, at: u32) -> u64 {
    seen.get(at).expect("an origin in the index has a record").origin.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broadcasts() -> Broadcasts {
        Broadcasts::new(1, 4)
    }

    #[test]
    fn each_number_is_new_once_in_any_order_within_the_window() {
        let mut broadcasts = broadcasts();
        for sequence in [5, 3, 9, 4, 70, 8] {
            assert!(broadcasts.note(NodeId(1), Epoch(1), sequence), "{sequence}");
            assert!(!broadcasts.note(NodeId(1), Epoch(1), sequence), "{sequence}");
        }
        assert!(!broadcasts.note(NodeId(1), Epoch(1), 6), "beyond the window");
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
    fn the_queue_is_bounded() {
        let mut broadcasts = broadcasts();
        for sequence in 0..4 {
            assert!(broadcasts.push(NodeId(1), Epoch(1), sequence, b"x"));
        }
        assert!(!broadcasts.push(NodeId(1), Epoch(1), 4, b"x"));
        assert_eq!(broadcasts.len(), 4);
    }
}
