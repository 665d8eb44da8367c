//! A bounded queue of events: a consumer that is too slow loses some and learns how many.
//!
//! What is kept are the *oldest* events, and the gap is marked where it is: a consumer sees an unbroken
//! history up to [`Event::Lost`], and knows that it must read the member table again from there.

use std::collections::VecDeque;

use swim_core::Event;

/// Events whose room an empty queue keeps. A burst, of all members when one joins, is rare, and its room is given
/// back: most of the time nothing waits.
const KEPT: usize = 16;

/// Events that wait for the user.
#[derive(Debug)]
pub struct EventQueue {
    waiting: VecDeque<Event>,
    /// Events lost since the last one in `waiting`.
    lost: u64,
    max: usize,
}

impl EventQueue {
    /// A queue of at most `max` events, at least 1.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { waiting: VecDeque::new(), lost: 0, max: max.max(1) }
    }

    /// Adds an event, or counts it as lost.
    pub fn push(&mut self, event: Event) {
        if let Event::Lost { events } = event {
            self.lost = self.lost.saturating_add(events);
            return;
        }
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

    /// The oldest event.
    pub fn pop(&mut self) -> Option<Event> {
        let event = self.waiting.pop_front();
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT {
            self.waiting = VecDeque::new();
        }
        match event {
            None if self.lost > 0 => Some(Event::Lost { events: std::mem::take(&mut self.lost) }),
            event => event,
        }
    }

    /// Whether [`EventQueue::pop`] would give nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lost == 0
    }
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
            assert!(queue.waiting.len() <= 3);
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
}
