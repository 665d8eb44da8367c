//! How long the thread may wait: until the deadline, by one of two means.
//!
//! A timeout of the wait itself needs no further system call, and a member at rest waits only a few times for
//! one deadline. But the kernel sets up and takes down a timer for each wait, and a member that is asked often
//! waits thousands of times for the same deadline. So after some waits for it an alarm is set (`timerfd`), once,
//! and further ones have no timeout.

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use swim_core::Instant;
use swim_driver::os::Alarm;

/// Waits for one deadline before the alarm is set: more than a member at rest ever has.
const WAITS: u8 = 32;

pub(crate) struct Timer {
    alarm: Alarm,
    deadline: Option<Instant>,
    /// Waits for this deadline.
    waits: u8,
    /// The alarm is set for it.
    armed: bool,
}

impl Timer {
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let alarm = Alarm::new()?;
        registry.register(&mut SourceFd(&alarm.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { alarm, deadline: None, waits: 0, armed: false })
    }

    /// How long the next wait may last at most; `None`: as long as it likes, since the alarm ends it. The clock is
    /// looked at only if that matters.
    pub(crate) fn timeout(
        &mut self,
        deadline: Option<Instant>,
        now: impl FnOnce() -> Instant,
    ) -> Option<Duration> {
        if deadline != self.deadline {
            if self.armed {
                // Should it fail, one wait ends for nothing.
                self.armed = self.alarm.set(None).is_err();
            }
            (self.deadline, self.waits) = (deadline, 0);
        }
        if self.armed {
            return None;
        }
        let left = deadline?.since(now());
        if left.is_zero() {
            return Some(left);
        }
        self.waits = self.waits.saturating_add(1);
        if self.waits > WAITS {
            self.armed = self.alarm.set(Some(left)).is_ok();
        }
        if self.armed { None } else { Some(left) }
    }

    /// It rang, and is not set any more.
    pub(crate) const fn rang(&mut self) {
        self.armed = false;
    }
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll};

    use super::*;

    const ALARM: Token = Token(0);
    const LONG: Duration = Duration::from_secs(30);

    fn timer() -> (Poll, Timer) {
        let poll = Poll::new().expect("a poll");
        let timer = Timer::new(poll.registry(), ALARM).expect("an alarm");
        (poll, timer)
    }

    /// Whether the alarm ends a wait of at most `timeout`.
    fn rings(poll: &mut Poll, timeout: Duration) -> bool {
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(timeout)).expect("a wait");
        events.iter().any(|event| event.token() == ALARM)
    }

    #[test]
    fn a_few_waits_have_a_timeout_and_many_an_alarm() {
        let (mut poll, mut timer) = timer();
        let deadline = Some(Instant::from_millis(5));
        for _ in 0..WAITS {
            assert_eq!(timer.timeout(deadline, || Instant::ORIGIN), Some(Duration::from_millis(5)));
        }
        assert_eq!(timer.timeout(deadline, || Instant::ORIGIN), None);
        assert!(rings(&mut poll, LONG));
        timer.rang();
        assert_eq!(timer.timeout(deadline, || Instant::from_millis(5)), Some(Duration::ZERO));
    }

    #[test]
    fn it_rings_for_every_deadline_that_is_waited_for_often() {
        let (mut poll, mut timer) = timer();
        for millis in 1..4 {
            let now = Instant::from_millis(millis - 1);
            while timer.timeout(Some(Instant::from_millis(millis)), || now).is_some() {}
            assert!(rings(&mut poll, LONG));
            timer.rang();
        }
    }

    #[test]
    fn a_deadline_that_has_changed_does_not_ring() {
        let (mut poll, mut timer) = timer();
        while timer.timeout(Some(Instant::from_millis(5)), || Instant::ORIGIN).is_some() {}
        assert_eq!(timer.timeout(None, || Instant::ORIGIN), None);
        assert!(!rings(&mut poll, Duration::from_millis(40)));
        let later = Some(Instant::from_millis(7));
        assert_eq!(timer.timeout(later, || Instant::ORIGIN), Some(Duration::from_millis(7)));
    }
}
