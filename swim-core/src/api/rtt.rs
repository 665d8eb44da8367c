//! Round-trip times: a histogram per node. (The smoothed one per member is in the table.)
//!
//! Only answers to direct pings count, each matched by its own number (Karn's rule holds by itself:
//! a retry has another number). The histogram has four buckets to an octave, so a quantile read from it
//! is at most 19 % too high, whatever the scale; all of it is integers.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Four buckets per octave from 1 µs to 2³² µs.
const BUCKETS: usize = 4 * 32;

/// Round-trip times of all direct pings that this node had answered, in log-spaced buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RttHistogram {
    #[serde(with = "crate::collections::serial::array")]
    counts: [u32; BUCKETS],
    sum_us: u64,
    total: u64,
    min_us: u32,
    max_us: u32,
    /// Mean of |rtt − previous rtt|, the jitter, in 1/16 µs.
    jitter_us_16: u64,
    last_us: u32,
}

impl Default for RttHistogram {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            sum_us: 0,
            total: 0,
            min_us: u32::MAX,
            max_us: 0,
            jitter_us_16: 0,
            last_us: 0,
        }
    }
}

impl RttHistogram {
    pub(crate) fn record(&mut self, rtt_us: u32) {
        let bucket = bucket(rtt_us);
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.sum_us = self.sum_us.saturating_add(u64::from(rtt_us));
        if self.total > 0 {
            // RFC 3550, section 6.4.1: J += (|D| - J) / 16.
            let step = u64::from(rtt_us.abs_diff(self.last_us));
            self.jitter_us_16 = self.jitter_us_16 - self.jitter_us_16 / 16 + step;
        }
        self.total += 1;
        self.last_us = rtt_us;
        self.min_us = self.min_us.min(rtt_us);
        self.max_us = self.max_us.max(rtt_us);
    }

    /// How many were measured.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.total
    }

    /// The shortest; `None` if none was measured.
    #[must_use]
    pub const fn min(&self) -> Option<Duration> {
        if self.total == 0 { None } else { Some(Duration::from_micros(self.min_us as u64)) }
    }

    /// The longest; `None` if none was measured.
    #[must_use]
    pub const fn max(&self) -> Option<Duration> {
        if self.total == 0 { None } else { Some(Duration::from_micros(self.max_us as u64)) }
    }

    /// The mean; `None` if none was measured.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        self.sum_us.checked_div(self.total).map(Duration::from_micros)
    }

    /// Interarrival jitter of successive measurements (RFC 3550); `None` if none was measured.
    #[must_use]
    pub const fn jitter(&self) -> Option<Duration> {
        if self.total == 0 { None } else { Some(Duration::from_micros(self.jitter_us_16 / 16)) }
    }

    /// The value that `per_mille` of 1,000 measurements do not exceed: 500 is the median, 990 the 99th
    /// percentile. An upper bound of its bucket, at most the largest measured; `None` if none was.
    #[must_use]
    pub fn quantile(&self, per_mille: u16) -> Option<Duration> {
        if self.total == 0 {
            return None;
        }
        let rank = (self.total * u64::from(per_mille.min(1000))).div_ceil(1000).max(1);
        let mut seen = 0_u64;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                let bound = upper_bound_us(bucket).clamp(u64::from(self.min_us), u64::from(self.max_us));
                return Some(Duration::from_micros(bound));
            }
        }
        self.max()
    }
}

const fn bucket(rtt_us: u32) -> usize {
    let value = if rtt_us == 0 { 1 } else { rtt_us };
    let octave = value.ilog2();
    let quarter = if octave >= 2 { (value >> (octave - 2)) & 3 } else { (value << (2 - octave)) & 3 };
    (octave * 4 + quarter) as usize
}

const fn upper_bound_us(bucket: usize) -> u64 {
    let (octave, quarter) = (bucket as u64 / 4, bucket as u64 % 4);
    ((1_u64 << octave) * (quarter + 5)).div_ceil(4) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_below_its_buckets_upper_bound_and_above_the_one_before() {
        for value in (1..10_000).chain([u32::MAX - 1, u32::MAX]) {
            let b = bucket(value);
            assert!(u64::from(value) <= upper_bound_us(b), "{value} in {b}");
            if b > 0 && value > 8 {
                assert!(u64::from(value) > upper_bound_us(b - 1), "{value} in {b}");
            }
        }
    }

    #[test]
    fn quantiles_are_within_a_fifth_of_the_truth() {
        let mut histogram = RttHistogram::default();
        for rtt in 1..=1000 {
            histogram.record(rtt);
        }
        for (per_mille, truth) in [(500, 500), (950, 950), (990, 990), (1000, 1000)] {
            let read = histogram.quantile(per_mille).expect("measured").as_micros();
            assert!(read >= truth && read * 100 <= truth * 119, "{per_mille}: {read} for {truth}");
        }
        assert_eq!(histogram.mean(), Some(Duration::from_micros(500)));
        assert_eq!(histogram.min(), Some(Duration::from_micros(1)));
        assert_eq!(histogram.jitter(), Some(Duration::from_micros(1)));
    }

    #[test]
    fn nothing_measured_is_not_zero() {
        let histogram = RttHistogram::default();
        assert_eq!((histogram.count(), histogram.quantile(500), histogram.mean()), (0, None, None));
    }
}
