//! What the member's thread shares with handles. The thread holds the lock of the member for a turn, handles hold any
//! for a copy, and neither holds one for a wait.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use mio::Waker;
use swim_driver::os::SeedAddr;
use swim_driver::{CommandError, Engine, Outcome, OwnedCommand, Reply, Snapshot, Update, View};

pub(crate) struct Shared {
    pub(crate) view: View,
    arrived: Condvar,
    waker: Arc<Waker>,
}

/// What a handle asks of the thread.
pub(crate) enum Message {
    Command(OwnedCommand, Waiter),
    /// The same, but a broadcast does not wait for room.
    TryCommand(OwnedCommand, Waiter),
    SetSeeds(Vec<SeedAddr>, Waiter),
    Members(SyncSender<Snapshot>),
}

/// A caller that blocks until its command has ended.
pub(crate) struct Waiter(pub(crate) SyncSender<Result<Outcome, CommandError>>);

impl Reply for Waiter {
    fn reply(self, outcome: Result<Outcome, CommandError>) {
        // The channel has room for one. A caller that is gone does not want to know.
        let _ = self.0.try_send(outcome);
    }
}

impl Shared {
    pub(crate) const fn new(view: View, waker: Arc<Waker>) -> Self {
        Self { view, arrived: Condvar::new(), waker }
    }

    pub(crate) fn hand_out(&self, engine: &mut Engine) {
        if self.view.hand_out(engine) {
            self.arrived.notify_all();
        }
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.view.end();
        self.arrived.notify_all();
    }

    /// What comes next for a consumer, waiting for it until `timeout` at most, or for ever.
    pub(crate) fn next(&self, number: u64, timeout: Option<Duration>) -> Option<Update> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut inboxes = self.view.inboxes();
        loop {
            if let Poll::Ready(waiting) = inboxes.poll(number) {
                drop(inboxes);
                return waiting.map(|waiting| self.view.update(number, waiting));
            }
            inboxes = match until {
                None => self.arrived.wait(inboxes).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.arrived.wait_timeout(inboxes, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    pub(crate) fn stop(&self) {
        self.view.stop();
        self.wake();
    }

    pub(crate) fn wake(&self) {
        // It can only fail when the eventfd is gone, and then so is the thread.
        let _ = self.waker.wake();
    }
}
