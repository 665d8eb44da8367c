//! What the member's thread shares with handles. The thread holds the lock of the member for a turn, handles hold any
//! for a copy, and neither holds one for a wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as StdInstant};

use mio::Waker;
use swim_core::Event;
use swim_driver::{EventQueue, View};

use crate::embedded::Embedded;

pub(crate) struct Shared {
    pub(crate) view: View<Embedded>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    stopping: AtomicBool,
    waker: Waker,
}

struct Inbox {
    events: EventQueue,
    closed: bool,
}

impl Shared {
    pub(crate) fn new(events_max: usize, member: Embedded, waker: Waker) -> Self {
        let inbox = Inbox { events: EventQueue::new(events_max), closed: false };
        Self {
            view: View::new(member),
            inbox: Mutex::new(inbox),
            arrived: Condvar::new(),
            stopping: AtomicBool::new(false),
            waker,
        }
    }

    /// After a turn, and within it, so that a consumer of an event finds it in the view.
    pub(crate) fn hand_out(&self, member: &mut Embedded) {
        if member.has_events() {
            let mut inbox = lock(&self.inbox);
            while let Some(event) = member.next_event() {
                inbox.events.push(event);
            }
            drop(inbox);
            self.arrived.notify_all();
        }
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        self.view.end();
        lock(&self.inbox).closed = true;
        self.arrived.notify_all();
    }

    /// The next event, waiting for it until `timeout` at most, or for ever.
    pub(crate) fn next_event(&self, timeout: Option<Duration>) -> Option<Event> {
        let until = timeout.and_then(|timeout| StdInstant::now().checked_add(timeout));
        let mut inbox = lock(&self.inbox);
        loop {
            if let Some(event) = inbox.events.pop() {
                return Some(event);
            }
            if inbox.closed {
                return None;
            }
            inbox = match until {
                None => self.arrived.wait(inbox).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(StdInstant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let (inbox, _) =
                        self.arrived.wait_timeout(inbox, left).unwrap_or_else(PoisonError::into_inner);
                    inbox
                }
            };
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        // It can only fail when the eventfd is gone, and then so is the thread.
        let _ = self.waker.wake();
    }
}

/// A panic elsewhere leaves only whole values behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
