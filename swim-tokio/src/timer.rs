//! The one timer of a task: a `timerfd` among tokio's own descriptors.
//!
//! Tokio's `Sleep` would do, and does where there is no `timerfd`, but it wakes the runtime more often than
//! it rings: a sleep of more than 64 ms is looked at twice, one that is moved to later is still looked at
//! when it was first due, and one that is moved to earlier wakes the runtime at once through a pipe of its
//! own. A member at rest had 6.4 waits a second with it and has 3.1 with this. The timer's clock also counts
//! while the machine sleeps, so a member rings as soon as it wakes.

use std::io;

use swim_core::Instant;
use swim_driver::os::Alarm;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::socket::{register, runtime_is_gone};

pub(crate) struct Timer {
    alarm: AsyncFd<Alarm>,
    set_for: Option<Instant>,
}

impl Timer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { alarm: register(Alarm::new()?, Interest::READABLE)?, set_for: None })
    }

    /// Sets it to ring at `deadline`, unless it will.
    pub(crate) fn set(&mut self, deadline: Option<Instant>, now: impl FnOnce() -> Instant) {
        if self.set_for == deadline {
            return;
        }
        let wait = deadline.map(|deadline| deadline.since(now()));
        // It cannot fail. Should it all the same, the next turn tries again.
        if self.alarm.get_ref().set(wait).is_ok() {
            self.set_for = deadline;
        }
    }

    /// Waits until it rings. Afterwards it is not set.
    pub(crate) async fn rang(&mut self) {
        match self.alarm.readable().await {
            // Setting it anew also forgets that it rang, so it is never read.
            Ok(mut guard) => guard.clear_ready(),
            Err(_) => runtime_is_gone().await,
        }
        self.set_for = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::*;

    /// A clock that stands still.
    const STILL: fn() -> Instant = || Instant::ORIGIN;

    const HOPELESS: Duration = Duration::from_secs(30);

    fn with_timer(body: impl AsyncFnOnce(Timer)) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { body(Timer::new().expect("registered")).await });
    }

    #[test]
    fn it_rings_again_and_again_each_time_that_it_is_set() {
        with_timer(async |mut timer| {
            for _ in 0..3 {
                timer.set(Some(Instant::from_millis(1)), STILL);
                timeout(HOPELESS, timer.rang()).await.expect("it rings");
            }
        });
    }

    #[test]
    fn a_deadline_that_has_passed_rings_at_once() {
        with_timer(async |mut timer| {
            timer.set(Some(Instant::ORIGIN), STILL);
            timeout(HOPELESS, timer.rang()).await.expect("it rings");
        });
    }

    #[test]
    fn without_a_deadline_it_does_not_ring() {
        with_timer(async |mut timer| {
            timer.set(Some(Instant::from_millis(5)), STILL);
            timer.set(None, STILL);
            assert!(timeout(Duration::from_millis(40), timer.rang()).await.is_err(), "it was switched off");
        });
    }

    #[test]
    fn a_deadline_may_move_to_earlier() {
        with_timer(async |mut timer| {
            timer.set(Some(Instant::from_millis(3_600_000)), STILL);
            timer.set(Some(Instant::from_millis(1)), STILL);
            timeout(HOPELESS, timer.rang()).await.expect("it rings");
        });
    }
}
