//! A bounded queue of events: a consumer that is too slow loses some and learns how many.
//!
//! What is kept are the *oldest* events, and the gap is marked where it is: a consumer sees an unbroken
//! history up to [`Event::Lost`], and knows that it must read the member table again from there.
//!
//! Broadcasts have a queue of their own, of the same bound, so a flood of them pushes out no other event. They come after
//! all others, and a gap among those of one origin is [`Event::BroadcastsMissed`].

use std::collections::{BTreeMap, VecDeque};

use swim_core::{Event, NodeId};

/// Events whose room an empty queue keeps. A burst, of all members when one joins, is rare, and its room is given
/// back: most of the time nothing waits.
const KEPT: usize = 16;

/// Events that wait for the user.
#[derive(Clone, Debug)]
pub struct EventQueue {
    waiting: VecDeque<Event>,
    /// Events lost since the last one in `waiting`.
    lost: u64,
    broadcasts: VecDeque<Event>,
    /// How many broadcasts of each origin were lost since the last one in `broadcasts`.
    missed: BTreeMap<NodeId, u32>,
    max: usize,
}

impl EventQueue {
    /// A queue of at most `max` broadcasts and `max` other events, at least 1.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let (waiting, broadcasts) = (VecDeque::new(), VecDeque::new());
        Self { waiting, lost: 0, broadcasts, missed: BTreeMap::new(), max: max.max(1) }
    }

    /// Adds an event, or counts it as lost.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Lost { events } => self.lost = self.lost.saturating_add(events),
            Event::Broadcast { origin, .. } => self.push_broadcast(origin, 1, event),
            Event::BroadcastsMissed { origin, count } => self.push_broadcast(origin, count, event),
            event => self.push_other(event),
        }
    }

    fn push_other(&mut self, event: Event) {
        let marker = usize::from(self.lost > 0);
        if self.waiting.len() + marker + 1 > self.max {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        if self.lost > 0 {
            self.waiting.push_back(Event::Lost { events: std::mem::take(&mut self.lost) });
        }
        self.waiting.push_back(event);
    }

    /// Adds an event that stands for so many broadcasts of `origin`.
    fn push_broadcast(&mut self, origin: NodeId, stands_for: u32, event: Event) {
        let missed = self.missed.remove(&origin);
        let marker = usize::from(missed.is_some());
        if self.broadcasts.len() + marker + 1 > self.max {
            let count = missed.unwrap_or(0).saturating_add(stands_for);
            self.missed.insert(origin, count);
            return;
        }
        self.broadcasts.extend(missed.map(|count| Event::BroadcastsMissed { origin, count }));
        self.broadcasts.push_back(event);
    }

    /// The oldest event; broadcasts come last.
    pub fn pop(&mut self) -> Option<Event> {
        take(&mut self.waiting).or_else(|| self.pop_lost()).or_else(|| take(&mut self.broadcasts)).or_else(
            || {
                let (origin, count) = self.missed.pop_first()?;
                Some(Event::BroadcastsMissed { origin, count })
            },
        )
    }

    fn pop_lost(&mut self) -> Option<Event> {
        let events = std::mem::take(&mut self.lost);
        (events > 0).then_some(Event::Lost { events })
    }

    /// The member table is read anew: what it contains is reported by it. Returns how many events were lost.
    pub(crate) fn supersede(&mut self) -> u64 {
        let mut lost = std::mem::take(&mut self.lost);
        self.waiting.retain(|event| match event {
            Event::Lost { events } => {
                lost = lost.saturating_add(*events);
                false
            }
            Event::Alive { .. }
            | Event::Suspect { .. }
            | Event::Refuted { .. }
            | Event::Dead { .. }
            | Event::Left { .. }
            | Event::Updated { .. }
            | Event::Forgotten { .. }
            | Event::StartedOver { .. } => false,
            _ => true,
        });
        lost
    }

    /// Whether [`EventQueue::pop`] would give nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lost == 0 && self.broadcasts.is_empty() && self.missed.is_empty()
    }
}

/// The first of them. A queue that is empty then gives back what a burst took.
fn take(queue: &mut VecDeque<Event>) -> Option<Event> {
    let event = queue.pop_front();
    if queue.is_empty() && queue.capacity() > KEPT {
        *queue = VecDeque::new();
    }
    event
}

#[cfg(test)]
mod tests {

    use super::*;

    fn event(events: u32) -> Event {
        Event::LeaveSent { datagrams: events }
    }

    fn all(queue: &mut EventQueue) -> Vec<Event> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn events_come_out_in_order() {
        let mut queue = EventQueue::new(3);
        (0..3).for_each(|n| queue.push(event(n)));
        assert_eq!(all(&mut queue), vec![event(0), event(1), event(2)]);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_full_queue_keeps_the_oldest_and_counts_the_rest() {
        let mut queue = EventQueue::new(2);
        (0..5).for_each(|n| queue.push(event(n)));
        assert_eq!(all(&mut queue), vec![event(0), event(1), Event::Lost { events: 3 }]);
    }

    #[test]
    fn the_gap_is_marked_where_it_is() {
        let mut queue = EventQueue::new(2);
        (0..3).for_each(|n| queue.push(event(n)));
        let _ = (queue.pop(), queue.pop());
        queue.push(event(3));
        assert_eq!(all(&mut queue), vec![Event::Lost { events: 1 }, event(3)]);
    }

    #[test]
    fn losses_that_the_core_reports_are_added() {
        let mut queue = EventQueue::new(1);
        queue.push(event(0));
        queue.push(event(1));
        queue.push(Event::Lost { events: 5 });
        assert_eq!(all(&mut queue), vec![event(0), Event::Lost { events: 6 }]);
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut queue = EventQueue::new(3);
        for n in 0..100 {
            queue.push(event(n));
            if n % 7 == 0 {
                let _ = queue.pop();
            }
            queue.push(broadcast(n.into(), 0));
            assert!(queue.waiting.len() <= 3 && queue.broadcasts.len() <= 3);
        }
    }

    #[test]
    fn a_burst_gives_its_room_back_and_a_few_events_keep_theirs() {
        let mut queue = EventQueue::new(1000);
        for (count, kept) in [(100, false), (10, true)] {
            for _ in 0..count {
                queue.push(Event::LeaveSent { datagrams: 1 });
            }
            let popped = std::iter::from_fn(|| queue.pop()).count();
            assert_eq!((popped, queue.waiting.capacity() > 0), (count, kept));
        }
    }

    const fn missed(origin: u64, count: u32) -> Event {
        Event::BroadcastsMissed { origin: NodeId(origin), count }
    }

    fn broadcast(origin: u64, number: u8) -> Event {
        Event::Broadcast { origin: NodeId(origin), payload: [number].into() }
    }

    #[test]
    fn a_flood_of_broadcasts_pushes_out_no_other_event() {
        let mut queue = EventQueue::new(2);
        (0..100).for_each(|number| queue.push(broadcast(1, number)));
        queue.push(event(0));
        queue.push(event(1));
        let all = all(&mut queue);
        assert_eq!(all, [event(0), event(1), broadcast(1, 0), broadcast(1, 1), missed(1, 98)]);
    }

    #[test]
    fn a_gap_among_the_broadcasts_of_an_origin_is_marked_where_it_is() {
        let mut queue = EventQueue::new(3);
        for (origin, number) in [(1, 0), (1, 1), (2, 0), (1, 2), (2, 1), (1, 3)] {
            queue.push(broadcast(origin, number));
        }
        queue.push(missed(1, 5));
        let _ = (queue.pop(), queue.pop());
        queue.push(broadcast(1, 4));
        assert_eq!(all(&mut queue), [broadcast(2, 0), missed(1, 7), broadcast(1, 4), missed(2, 1)]);
        assert!(queue.is_empty());
    }
}
