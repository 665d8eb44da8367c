//! What is still to happen, ordered by (time, sequence).
//!
//! Of two things at the same time the one that was scheduled first comes first. That rule, and not the
//! heap below, is the contract: it makes a run a function of its seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use swim_core::Instant;

use crate::host::HostId;

/// One thing that will happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Pending {
    /// A datagram reaches its target address.
    Arrive(PacketId),
    /// A host's timer fires; ignored if the host has armed another one since.
    Wake { host: HostId, generation: u32 },
    /// Something that was scheduled by the user.
    Act(u32),
}

/// Where the packet pool keeps a datagram in flight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct PacketId(pub(crate) u32);

/// The queue of everything pending.
#[derive(Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(u64, u64, Pending)>>,
    sequence: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: Instant, what: Pending) {
        self.heap.push(Reverse((at.as_nanos(), self.sequence, what)));
        self.sequence += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<(Instant, Pending)> {
        self.heap.pop().map(|Reverse((at, _, what))| (Instant::from_nanos(at), what))
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| Instant::from_nanos(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_comes_first_and_equal_times_keep_the_order_of_scheduling() {
        let mut queue = Queue::default();
        for (millis, name) in [(5, 0), (1, 1), (5, 2), (1, 3), (0, 4)] {
            queue.push(Instant::from_millis(millis), Pending::Act(name));
        }
        let order: Vec<Pending> = std::iter::from_fn(|| queue.pop()).map(|(_, what)| what).collect();
        assert_eq!(order, [4, 1, 3, 0, 2].map(Pending::Act));
    }
}
