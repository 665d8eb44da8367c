//! A process's own clock: when it began, how fast it runs, how far it leapt.
//!
//! The world has one time; a machine's quartz has another. Reading maps the world's time to the process's,
//! and its inverse says when, by the world's time, a deadline of the process will have come.

use std::time::Duration;

use swim_core::Instant;

const MILLION: u128 = 1_000_000;
/// Clocks that are further off than by half are no clocks.
const DRIFT_MAX: i32 = 500_000;

/// A clock that was right, up to its rate, at `set`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// World's time at which it was last set.
    set: Instant,
    /// What it showed then, in nanoseconds.
    showed: u64,
    /// How much faster than the world's it runs, in parts per million.
    drift_ppm: i32,
}

impl Clock {
    /// A clock that shows zero at `now`.
    pub(crate) const fn started(now: Instant, drift_ppm: i32) -> Self {
        Self { set: now, showed: 0, drift_ppm }
    }

    /// What it shows when the world's shows `now`.
    pub(crate) fn read(&self, now: Instant) -> Instant {
        let passed = now.as_nanos() - self.set.as_nanos();
        let shown = if self.drift_ppm == 0 { passed } else { self.drifted(passed) };
        Instant::from_nanos(self.showed.saturating_add(shown))
    }

    /// The first time of the world's at which it shows `local` or more.
    pub(crate) fn when(&self, local: Instant) -> Instant {
        let shown = local.as_nanos().saturating_sub(self.showed);
        let passed = if self.drift_ppm == 0 { shown } else { self.undrifted(shown) };
        Instant::from_nanos(self.set.as_nanos().saturating_add(passed))
    }

    /// What it shows of so many nanoseconds. Few clocks drift, and the division is long: it stays out of line.
    #[cold]
    fn drifted(&self, passed: u64) -> u64 {
        u64::try_from(u128::from(passed) * self.rate() / MILLION).unwrap_or(u64::MAX)
    }

    /// In how many nanoseconds it shows so many.
    #[cold]
    fn undrifted(&self, shown: u64) -> u64 {
        u64::try_from((u128::from(shown) * MILLION).div_ceil(self.rate())).unwrap_or(u64::MAX)
    }

    /// From `now` on it runs this much faster, or slower; at most by half.
    pub(crate) fn set_drift(&mut self, now: Instant, drift_ppm: i32) {
        let showed = self.read(now).as_nanos();
        *self = Self { set: now, showed, drift_ppm: drift_ppm.clamp(-DRIFT_MAX, DRIFT_MAX) };
    }

    /// It leaps forward.
    pub(crate) fn leap(&mut self, by: Duration) {
        self.showed = self.showed.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) const fn drift_ppm(&self) -> i32 {
        self.drift_ppm
    }

    fn rate(&self) -> u128 {
        u128::try_from(1_000_000 + i64::from(self.drift_ppm)).expect("a clock is wrong by half at most")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_fast_clock_shows_more_and_reaches_a_deadline_sooner() {
        let mut clock = Clock::started(at(1000), 0);
        assert_eq!((clock.read(at(3000)), clock.when(at(2000))), (at(2000), at(3000)));
        clock.set_drift(at(3000), 250_000);
        assert_eq!((clock.read(at(3000)), clock.read(at(7000))), (at(2000), at(7000)));
        assert_eq!(clock.when(at(7000)), at(7000));
        clock.set_drift(at(7000), -500_000);
        assert_eq!((clock.read(at(9000)), clock.when(at(8000))), (at(8000), at(9000)));
    }

    #[test]
    fn a_deadline_has_come_at_its_time_and_not_a_nanosecond_earlier() {
        for drift in [-499_999, -100, -1, 1, 50, 333_333] {
            let clock = Clock::started(Instant::from_nanos(17), drift);
            for local in [1, 2, 1_000_003, 999_999_999_999].map(Instant::from_nanos) {
                let when = clock.when(local);
                let before = Instant::from_nanos(when.as_nanos() - 1);
                assert!(clock.read(when) >= local && clock.read(before) < local, "{drift} {local:?}");
            }
        }
    }

    #[test]
    fn a_leap_is_shown_at_once() {
        let mut clock = Clock::started(at(0), 0);
        clock.leap(Duration::from_secs(5));
        assert_eq!((clock.read(at(1)), clock.when(at(5001))), (at(5001), at(1)));
        assert_eq!(clock.when(at(3000)), at(0), "a deadline within the leap has come");
    }
}
