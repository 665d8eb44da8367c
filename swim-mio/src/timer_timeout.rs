//! How long the thread may wait, where there is no `timerfd`: until the deadline.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};
use swim_core::Instant;

pub(crate) struct Timer;

impl Timer {
    #[expect(clippy::unnecessary_wraps, reason = "the other timer can fail here")]
    pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "the other timer remembers")]
    pub(crate) fn timeout(
        &mut self,
        deadline: Option<Instant>,
        now: impl FnOnce() -> Instant,
    ) -> Option<Duration> {
        Some(deadline?.since(now()))
    }

    #[expect(clippy::unused_self, reason = "the other timer remembers")]
    pub(crate) const fn rang(&mut self) {}
}
