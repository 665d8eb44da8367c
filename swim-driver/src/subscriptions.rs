//! Consumers of a member's events, each with a bounded queue of its own.
//!
//! A consumer that keeps a picture of the cluster would have to read the table, then the events, and would not know which
//! of these are in the table already; and after a loss it would have to begin again. A subscription can do that for it:
//! it hands out a snapshot first, then changes, and where events were lost, a fresh snapshot takes their place.

use std::collections::BTreeMap;
use std::task::Poll;

use swim_core::Event;

use crate::{EventQueue, Snapshot};

/// The queue of the handles themselves, which lasts as long as the member.
pub const OWN: u64 = 0;

/// What a subscription begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// The next event. Where events were lost, [`Event::Lost`] says how many.
    Now,
    /// The member table. Where events were lost, the table is handed out again.
    Snapshot,
}

/// What a subscription hands out.
#[derive(Clone, Debug)]
pub enum Update {
    /// The member table; it replaces all that a consumer holds. An event right behind it may be in it already.
    Members {
        /// The table.
        members: Snapshot,
        /// How many events were lost that it stands for; 0 at the beginning.
        lost: u64,
    },
    /// Something happened.
    Event(Event),
}

impl Update {
    /// The event, if it is one.
    #[must_use]
    pub fn event(self) -> Option<Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Members { .. } => None,
        }
    }
}

/// What waits for a consumer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// An event.
    Event(Event),
    /// A snapshot, which is made when it is asked for.
    Snapshot,
}

/// The queues of all consumers.
#[derive(Debug)]
pub struct Inboxes {
    inboxes: BTreeMap<u64, Inbox>,
    next: u64,
    max: usize,
    closed: bool,
}

#[derive(Debug)]
struct Inbox {
    start: Start,
    queue: EventQueue,
    /// A snapshot is due, which stands for so many lost events.
    due: Option<u64>,
}

impl Inboxes {
    /// The queue of the handles: each queue holds at most `max` broadcasts and `max` other events.
    pub(crate) fn new(max: usize) -> Self {
        let mut inboxes = Self { inboxes: BTreeMap::new(), next: OWN, max, closed: false };
        inboxes.open(Start::Now);
        inboxes
    }

    /// A further queue. Returns its number.
    pub(crate) fn open(&mut self, start: Start) -> u64 {
        let number = self.next;
        self.next += 1;
        let due = (start == Start::Snapshot).then_some(0);
        self.inboxes.insert(number, Inbox { start, queue: EventQueue::new(self.max), due });
        number
    }

    pub(crate) fn close(&mut self, number: u64) {
        self.inboxes.remove(&number);
    }

    /// Nothing more will come.
    pub(crate) const fn end(&mut self) {
        self.closed = true;
    }

    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn push(&mut self, event: Event) {
        let mut inboxes = self.inboxes.values_mut();
        let last = inboxes.next_back();
        inboxes.for_each(|inbox| inbox.queue.push(event.clone()));
        if let Some(last) = last {
            last.queue.push(event);
        }
    }

    /// What waits next in a queue; `None` after the last. A snapshot waits until [`View::update`](crate::View::update) has
    /// made it.
    pub fn poll(&mut self, number: u64) -> Poll<Option<Waiting>> {
        let Some(inbox) = self.inboxes.get_mut(&number) else { return Poll::Ready(None) };
        if inbox.due.is_some() {
            return Poll::Ready(Some(Waiting::Snapshot));
        }
        match inbox.queue.pop() {
            Some(Event::Lost { events }) if inbox.start == Start::Snapshot => {
                inbox.due = Some(events);
                Poll::Ready(Some(Waiting::Snapshot))
            }
            None if !self.closed => Poll::Pending,
            event => Poll::Ready(event.map(Waiting::Event)),
        }
    }

    /// Hands out the snapshot that was due. What waits and is older than it goes.
    pub(crate) fn refresh(&mut self, number: u64, members: Snapshot) -> Update {
        let mut lost = 0;
        if let Some(inbox) = self.inboxes.get_mut(&number) {
            lost = inbox.due.take().unwrap_or(0) + inbox.queue.supersede();
        }
        Update::Members { members, lost }
    }
}
