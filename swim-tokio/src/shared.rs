//! What the member's task shares with handles. The task holds the lock of the member for a turn, handles hold any for a
//! copy, and neither holds one across an await.

use std::sync::Arc;
use std::task::Poll;

use swim_driver::os::SeedAddr;
use swim_driver::{CommandError, Engine, Outcome, OwnedCommand, Reply, Snapshot, Update, View};
use tokio::sync::{Notify, oneshot};

pub(crate) struct Shared {
    pub(crate) view: View,
    arrived: Notify,
    /// Wakes the task, whatever for.
    wake: Arc<Notify>,
}

/// What a handle asks of the task.
pub(crate) enum Message {
    Command(OwnedCommand, Waiter),
    /// The same, but a broadcast does not wait for room.
    TryCommand(OwnedCommand, Waiter),
    SetSeeds(Vec<SeedAddr>, Waiter),
    Members(oneshot::Sender<Snapshot>),
}

/// A caller that awaits the end of its command.
pub(crate) struct Waiter(pub(crate) oneshot::Sender<Result<Outcome, CommandError>>);

impl Reply for Waiter {
    fn reply(self, outcome: Result<Outcome, CommandError>) {
        // A caller that is gone does not want to know.
        let _ = self.0.send(outcome);
    }

    fn is_wanted(&self) -> bool {
        !self.0.is_closed()
    }
}

impl Shared {
    pub(crate) fn new(view: View, wake: Arc<Notify>) -> Self {
        Self { view, arrived: Notify::new(), wake }
    }

    pub(crate) fn hand_out(&self, engine: &mut Engine) {
        if self.view.hand_out(engine) {
            self.arrived.notify_waiters();
        }
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.view.end();
        self.arrived.notify_waiters();
    }

    /// Waits for [`Shared::end`].
    pub(crate) async fn ended(&self) {
        self.wait(|| self.view.inboxes().is_closed().then_some(())).await;
    }

    /// What comes next for a consumer; `None` after the last.
    pub(crate) async fn next(&self, number: u64) -> Option<Update> {
        let poll = || match self.view.poll(number) {
            Poll::Ready(update) => Some(update),
            Poll::Pending => None,
        };
        self.wait(poll).await
    }

    /// The same, if there is something now.
    pub(crate) fn try_next(&self, number: u64) -> Option<Update> {
        match self.view.poll(number) {
            Poll::Ready(update) => update,
            Poll::Pending => None,
        }
    }

    /// Waits until `look` finds something.
    async fn wait<T>(&self, look: impl Fn() -> Option<T>) -> T {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // Listen before looking, or an event that comes in between wakes no consumer.
            arrived.as_mut().enable();
            if let Some(found) = look() {
                return found;
            }
            arrived.await;
        }
    }

    pub(crate) fn stop(&self) {
        self.view.stop();
        self.wake.notify_one();
    }

    /// Waits for [`Shared::stop`], or for anything else outside the task.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}
