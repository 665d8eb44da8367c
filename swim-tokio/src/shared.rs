//! What the member's task shares with handles. The task holds the lock of the member for a turn, handles hold any for a
//! copy, and neither holds one across an await.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use swim_core::Event;
use swim_driver::{Engine, EventQueue, View};
use tokio::sync::Notify;

pub(crate) struct Shared {
    pub(crate) view: View<Engine>,
    inbox: Mutex<Inbox>,
    arrived: Notify,
    stopping: AtomicBool,
    stop: Notify,
}

struct Inbox {
    events: EventQueue,
    closed: bool,
}

impl Shared {
    pub(crate) fn new(events_max: usize, engine: Engine) -> Self {
        let inbox = Inbox { events: EventQueue::new(events_max), closed: false };
        Self {
            view: View::new(engine),
            inbox: Mutex::new(inbox),
            arrived: Notify::new(),
            stopping: AtomicBool::new(false),
            stop: Notify::new(),
        }
    }

    /// After a turn, and within it, so that a consumer of an event finds it in the view.
    pub(crate) fn hand_out(&self, engine: &mut Engine) {
        if engine.has_events() {
            {
                let mut inbox = lock(&self.inbox);
                while let Some(event) = engine.next_event() {
                    inbox.events.push(event);
                }
            }
            self.arrived.notify_waiters();
        }
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        self.view.end();
        lock(&self.inbox).closed = true;
        self.arrived.notify_waiters();
    }

    /// Waits for [`Shared::close`].
    pub(crate) async fn closed(&self) {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if lock(&self.inbox).closed {
                return;
            }
            arrived.await;
        }
    }

    /// The next event; `None` after the last.
    pub(crate) async fn next_event(&self) -> Option<Event> {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // Listen before looking, or an event that comes in between wakes no consumer.
            arrived.as_mut().enable();
            if let Some(event) = self.try_next_event() {
                return Some(event);
            }
            if lock(&self.inbox).closed {
                return self.try_next_event();
            }
            arrived.await;
        }
    }

    pub(crate) fn try_next_event(&self) -> Option<Event> {
        lock(&self.inbox).events.pop()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.notify_one();
    }

    /// Waits for [`Shared::stop`].
    pub(crate) async fn stopped(&self) {
        self.stop.notified().await;
    }
}

/// A panic elsewhere leaves only whole values behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
