//! A host that is slow: it needs time for each datagram, or its timers fire late.

use std::time::Duration;

use swim_core::Instant;

use crate::random::Random;

/// How a host is slow, and what it is busy with.
#[derive(Debug)]
pub(crate) struct Slowness {
    /// Time for each datagram, and how many may wait.
    service: Option<(Duration, usize)>,
    /// Until when it handles the datagram that it read last.
    busy_until: Instant,
    /// By how much a timer fires late at most.
    late_max: Duration,
    /// By how much the present one does.
    late: Duration,
    /// Rarely used, and large.
    random: Box<Random>,
}

impl Slowness {
    /// A host that is not slow.
    pub(crate) fn none(random: Random) -> Self {
        Self {
            service: None,
            busy_until: Instant::ORIGIN,
            late_max: Duration::ZERO,
            late: Duration::ZERO,
            random: Box::new(random),
        }
    }

    /// From now on each datagram takes `service`, and `queue` may wait. Zero: it is not slow any more.
    pub(crate) fn set_service(&mut self, service: Duration, queue: usize) {
        self.service = (service > Duration::ZERO).then_some((service, queue));
        if self.service.is_none() {
            self.idle();
        }
    }

    /// From now on timers fire up to so much late.
    pub(crate) fn set_late(&mut self, max: Duration) {
        self.late_max = max;
        self.draw();
    }

    /// A new process has nothing to do yet.
    pub(crate) const fn idle(&mut self) {
        self.busy_until = Instant::ORIGIN;
    }

    /// How many datagrams may wait at a slow host; `None`: it is not slow.
    pub(crate) fn queue(&self) -> Option<usize> {
        self.service.map(|(_, queue)| queue)
    }

    /// By how much the timer that is armed now fires late.
    pub(crate) const fn late(&self) -> Duration {
        self.late
    }

    pub(crate) const fn busy_until(&self) -> Instant {
        self.busy_until
    }

    /// It read a datagram.
    pub(crate) fn read(&mut self, now: Instant) {
        if let Some((service, _)) = self.service {
            self.busy_until = now.after(service);
        }
    }

    /// Its clock ticked: the next timer is late by something else.
    pub(crate) fn ticked(&mut self) {
        if self.late_max > Duration::ZERO {
            self.draw();
        }
    }

    fn draw(&mut self) {
        let max = u64::try_from(self.late_max.as_nanos()).unwrap_or(u64::MAX);
        self.late = Duration::from_nanos(self.random.below(max.saturating_add(1)));
    }
}
