//! The one timer of a task, where there is no `timerfd`: tokio's `Sleep`.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use swim_core::Instant;
use tokio::time::{Sleep, sleep};

pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
    set_for: Option<Instant>,
}

impl Timer {
    #[expect(clippy::unnecessary_wraps, reason = "the other timer can fail here")]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { sleep: Box::pin(sleep(Duration::ZERO)), set_for: None })
    }

    /// Sets it to ring at `deadline`, unless it will.
    pub(crate) fn set(&mut self, deadline: Option<Instant>, now: impl FnOnce() -> Instant) {
        if self.set_for == deadline {
            return;
        }
        self.set_for = deadline;
        if let Some(deadline) = deadline {
            let wait = deadline.since(now());
            self.sleep.as_mut().reset(tokio::time::Instant::now() + wait);
        }
    }

    /// Waits until it rings. Afterwards it is not set: if it rang too early (tokio's clock may stand still
    /// while the machine sleeps), it is set again.
    pub(crate) async fn rang(&mut self) {
        if self.set_for.is_none() {
            std::future::pending::<()>().await;
        }
        self.sleep.as_mut().await;
        self.set_for = None;
    }
}
