//! A distribution of durations, as much of it as a curve needs.

use serde::Serialize;

/// Points of a curve at most.
const POINTS_MAX: usize = 400;

/// Durations in µs.
#[derive(Serialize)]
pub(super) struct Distribution {
    n: usize,
    /// How many more there were than could be kept.
    skipped: u64,
    p50: u64,
    p99: u64,
    max: u64,
    /// Quantiles at equal distances, the smallest and the largest included.
    points: Vec<u64>,
}

impl Distribution {
    /// Of durations in ns. `None`: there are none.
    pub(super) fn of(samples: &[u64], skipped: u64) -> Option<Self> {
        let mut sorted: Vec<u64> = samples.iter().map(|nanos| nanos / 1000).collect();
        sorted.sort_unstable();
        let (n, max) = (sorted.len(), *sorted.last()?);
        // The smallest value that at least so many per cent do not exceed.
        let percentile = |percent: usize| sorted[(n * percent).div_ceil(100).max(1) - 1];
        let count = n.min(POINTS_MAX);
        let points = (0..count).map(|i| sorted[if count == 1 { 0 } else { i * (n - 1) / (count - 1) }]);
        Some(Self { n, skipped, p50: percentile(50), p99: percentile(99), max, points: points.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let samples: Vec<u64> = (1..=1000).rev().map(|millis| millis * 1_000_000).collect();
        let of = Distribution::of(&samples, 0).expect("there are samples");
        assert_eq!((of.n, of.p50, of.p99, of.max), (1000, 500_000, 990_000, 1_000_000));
        assert_eq!((of.points.len(), of.points[0], of.points[POINTS_MAX - 1]), (POINTS_MAX, 1000, 1_000_000));
    }

    #[test]
    fn one_sample_is_all_of_its_distribution_and_none_is_no_distribution() {
        let of = Distribution::of(&[7_000], 0).expect("there is one");
        assert_eq!((of.n, of.p50, of.p99, of.max, of.points), (1, 7, 7, 7, vec![7]));
        assert!(Distribution::of(&[], 0).is_none());
    }
}
