//! The round-trip times of all direct pings that a node had answered.
//!
//! The node measures and keeps a smoothed time for each member; what was measured altogether is counted here. Each
//! answer is matched to its own ping by number, so a retry never blurs a measurement (Karn's rule).

use std::time::Duration;

use hdrhistogram::Histogram;

/// Round-trip times of all direct pings of a member that were answered. Every time that is read from it is within one
/// percent of what was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct RoundTrips {
    times_us: Histogram<u32>,
    /// The mean of |time − previous time|, in 1/16 µs.
    jitter_us_16: u64,
    last_us: Option<u32>,
}

impl Default for RoundTrips {
    fn default() -> Self {
        let times_us = Histogram::new(2).expect("two significant digits can be kept");
        Self { times_us, jitter_us_16: 0, last_us: None }
    }
}

impl RoundTrips {
    pub(crate) fn record(&mut self, time_us: u32) {
        self.times_us.record(time_us.into()).expect("the histogram grows");
        if let Some(last_us) = self.last_us.replace(time_us) {
            // RFC 3550, section 6.4.1: J += (|D| - J) / 16.
            self.jitter_us_16 =
                self.jitter_us_16 - self.jitter_us_16 / 16 + u64::from(time_us.abs_diff(last_us));
        }
    }

    /// How many were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.times_us.len()
    }

    /// The shortest; `None` if none was measured.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        self.measured(self.times_us.min())
    }

    /// The longest; `None` if none was measured.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.measured(self.times_us.max())
    }

    /// The mean; `None` if none was measured.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        self.measured(self.times_us.mean() as u64)
    }

    /// Interarrival jitter of successive measurements (RFC 3550); `None` if none was measured.
    #[must_use]
    pub fn jitter(&self) -> Option<Duration> {
        self.measured(self.jitter_us_16 / 16)
    }

    /// The value that `per_mille` of 1,000 measurements do not exceed: 500 is the median, 990 the 99th percentile.
    /// `None` if none was measured.
    #[must_use]
    pub fn quantile(&self, per_mille: u16) -> Option<Duration> {
        self.measured(self.times_us.value_at_quantile(f64::from(per_mille) / 1000.0))
    }

    fn measured(&self, us: u64) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_percent_of_the_truth() {
        let mut round_trips = RoundTrips::default();
        for time in 1..=10_000 {
            round_trips.record(time);
        }
        let near = |read: Option<Duration>, truth: u128| {
            let read = read.expect("measured").as_micros();
            assert!(read.abs_diff(truth) * 100 <= truth, "{read} for {truth}");
        };
        for (per_mille, truth) in [(1, 10), (500, 5_000), (990, 9_900), (1000, 10_000)] {
            near(round_trips.quantile(per_mille), truth);
        }
        near(round_trips.mean(), 5_000);
        near(round_trips.min(), 1);
        near(round_trips.max(), 10_000);
        assert_eq!(round_trips.jitter(), Some(Duration::from_micros(1)));
    }

    #[test]
    fn any_time_can_be_counted() {
        let mut round_trips = RoundTrips::default();
        [0, u32::MAX].into_iter().for_each(|time| round_trips.record(time));
        assert_eq!((round_trips.count(), round_trips.min()), (2, Some(Duration::ZERO)));
    }

    #[test]
    fn nothing_measured_is_not_zero() {
        let none = RoundTrips::default();
        assert_eq!((none.count(), none.quantile(500), none.mean(), none.jitter()), (0, None, None, None));
    }
}
