//! User messages to all members: epidemic, best effort, each delivered at most once.
//!
//! A broadcast is known by its origin, the origin's epoch and a sequence number. For each origin the
//! last number and a window of the 64 before it are remembered: what was seen is dropped, what is older
//! than the window is dropped too. The memory is one small record for each member that ever broadcast,
//! given back when the member is forgotten; the queue is bounded by configuration.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, NodeId};
use crate::collections::Index;
use crate::collections::LeastSent;
use crate::collections::is_free_list;
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

/// What became of a broadcast that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Novelty {
    /// New here.
    New,
    /// Seen before, or too old to know.
    Seen,
}

/// The queue, and what was seen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Broadcasts {
    queue: Vec<Option<Queued>>,
    free: Vec<u32>,
    order: LeastSent,
    max: usize,
    index: Index,
    seen: Vec<Seen>,
    sequence: u32,
}

impl Broadcasts {
    pub(crate) fn new(hash_key: u64, max: usize) -> Self {
        Self {
            queue: Vec::new(),
            free: Vec::new(),
            order: LeastSent::new(),
            max,
            index: Index::with_key(hash_key),
            seen: Vec::new(),
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

    /// Remembers that `record` arrived, and says whether it is new. The caller has made sure that the
    /// origin is a member, which bounds what is remembered.
    pub(crate) fn note(&mut self, origin: NodeId, epoch: Epoch, sequence: u32) -> Novelty {
        let seen = &self.seen;
        let Some(at) = self.index.find(origin.0, |at| seen[at as usize].origin.0) else {
            let fresh = Seen { origin, epoch, last: sequence, window: 1 };
            self.seen.push(fresh);
            let seen = &self.seen;
            self.index.insert(origin.0, seen.len() as u32 - 1, |at| seen[at as usize].origin.0);
            return Novelty::New;
        };
        let seen = &mut self.seen[at as usize];
        if epoch != seen.epoch {
            if epoch < seen.epoch {
                return Novelty::Seen;
            }
            *seen = Seen { origin, epoch, last: sequence, window: 1 };
            return Novelty::New;
        }
        if sequence > seen.last {
            let ahead = sequence - seen.last;
            seen.window = if ahead < 64 { (seen.window << ahead) | 1 } else { 1 };
            seen.last = sequence;
            return Novelty::New;
        }
        let behind = seen.last - sequence;
        if behind >= 64 || seen.window & (1 << behind) != 0 {
            return Novelty::Seen;
        }
        seen.window |= 1 << behind;
        Novelty::New
    }

    /// Forgets what was seen of a member that is forgotten.
    pub(crate) fn forget(&mut self, origin: NodeId) {
        let seen = &self.seen;
        let Some(at) = self.index.find(origin.0, |at| seen[at as usize].origin.0) else { return };
        let last = seen.len() as u32 - 1;
        let moved = seen[last as usize].origin;
        self.index.remove(origin.0, |at| seen[at as usize].origin.0);
        if at != last {
            self.index.remove(moved.0, |at| seen[at as usize].origin.0);
            self.seen.swap_remove(at as usize);
            let seen = &self.seen;
            self.index.insert(moved.0, at, |at| seen[at as usize].origin.0);
        } else {
            self.seen.pop();
        }
    }

    /// After loading: finds origins again.
    pub(crate) fn rebuild(&mut self) {
        let Self { index, seen, .. } = self;
        index.fill(0..seen.len() as u32, |at| seen[at as usize].origin.0);
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self) -> bool {
        let Self { queue, free, order, index, seen, .. } = self;
        let origin = |at: u32| seen[at as usize].origin;
        (0..seen.len() as u32).all(|at| index.find(origin(at).0, |at| origin(at).0) == Some(at))
            && order.is_sound(queue.iter().flatten().count() as u32, |index| {
                matches!(queue.get(index as usize), Some(Some(_)))
            })
            && is_free_list(queue, free)
    }

    /// What users say, to change.
    pub(crate) fn payloads_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.queue.iter_mut().flatten().map(|queued| &mut *queued.payload)
    }

    /// Queues a broadcast; `false` if the queue is full.
    pub(crate) fn push(&mut self, origin: NodeId, epoch: Epoch, sequence: u32, payload: &[u8]) -> bool {
        if self.is_full() {
            return false;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.queue.push(None);
            self.queue.len() as u32 - 1
        });
        self.queue[index as usize] = Some(Queued { origin, epoch, sequence, payload: payload.into() });
        self.order.push(index);
        true
    }

    /// Bytes that the next one takes in a datagram; `None` if nothing is queued.
    pub(crate) fn next_len(&mut self) -> Option<usize> {
        self.order.begin();
        self.queue[self.order.first()? as usize].as_ref().map(|queued| broadcast_len(queued.payload.len()))
    }

    /// Writes as many as fit, least sent first; those sent `limit` times are dropped.
    pub(crate) fn write(&mut self, writer: &mut Writer<'_>, limit: usize) -> usize {
        let mut written = 0;
        self.order.begin();
        let mut next = self.order.first();
        while let Some(index) = next {
            next = self.order.after(index);
            let Some(queued) = &self.queue[index as usize] else { continue };
            let record = BroadcastRecord {
                origin: queued.origin,
                epoch: queued.epoch,
                sequence: queued.sequence,
                payload: &queued.payload,
            };
            if !writer.broadcast(&record) {
                break;
            }
            written += 1;
            if self.order.sent(index) >= limit {
                self.order.remove(index);
                self.queue[index as usize] = None;
                self.free.push(index);
            }
        }
        written
    }
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
            assert_eq!(broadcasts.note(NodeId(1), Epoch(1), sequence), Novelty::New, "{sequence}");
            assert_eq!(broadcasts.note(NodeId(1), Epoch(1), sequence), Novelty::Seen, "{sequence}");
        }
        assert_eq!(broadcasts.note(NodeId(1), Epoch(1), 6), Novelty::Seen, "beyond the window");
        assert_eq!(broadcasts.note(NodeId(2), Epoch(1), 6), Novelty::New, "another origin");
    }

    #[test]
    fn a_new_epoch_starts_afresh_and_an_old_one_is_over() {
        let mut broadcasts = broadcasts();
        assert_eq!(broadcasts.note(NodeId(1), Epoch(1), 500), Novelty::New);
        assert_eq!(broadcasts.note(NodeId(1), Epoch(2), 1), Novelty::New);
        assert_eq!(broadcasts.note(NodeId(1), Epoch(1), 501), Novelty::Seen);
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
            let expected = if id % 2 == 1 { Novelty::New } else { Novelty::Seen };
            assert_eq!(broadcasts.note(NodeId(id), Epoch(1), 7), expected, "{id}");
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
