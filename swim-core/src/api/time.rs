//! The core's own clock reading.
//!
//! `std::time::Instant` can be neither built, stored nor replayed, and it would pull a clock into a
//! crate that must not have one. A driver chooses an origin once (the moment it starts will do) and
//! hands the core, with every input, how many nanoseconds have passed since.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds since an origin that the driver chose. All arithmetic saturates.
///
/// The clock behind it should count while the machine sleeps (`CLOCK_BOOTTIME` on Linux), so that a
/// laptop that wakes up knows that it slept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Instant(u64);

impl Instant {
    /// The driver's origin.
    pub const ORIGIN: Self = Self(0);
    /// The end of time: 584 years after the origin.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Nanoseconds from `earlier` to `self`; zero if `earlier` is later. What a [`Duration`] would have to be
    /// divided into, and multiplied back from.
    #[inline]
    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `self` moved `by` into the future, at most to [`Instant::MAX`].
    #[must_use]
    pub const fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }

    /// The same, `by` so many nanoseconds.
    #[inline]
    pub(crate) const fn after_nanos(self, by: u64) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// `self` moved `by` into the past, at most to the origin.
    #[must_use]
    pub const fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(by)))
    }
}

/// A duration in whole nanoseconds, saturating at 584 years.
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let second = Duration::from_secs(1);
        assert_eq!(Instant::MAX.after(second), Instant::MAX);
        assert_eq!(Instant::ORIGIN.before(second), Instant::ORIGIN);
        assert_eq!(Instant::ORIGIN.since(Instant::MAX), Duration::ZERO);
        assert_eq!(Instant::ORIGIN.after(Duration::MAX), Instant::MAX);
        assert_eq!(Instant::from_millis(1500).since(Instant::from_millis(500)), second);
    }
}
