//! How long a datagram is under way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::scale;
use crate::text;

/// A distribution of one-way delays. Whatever varies also reorders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Latency {
    /// Always the same.
    Constant(#[serde(with = "text::duration")] Duration),
    /// Any value of the range, both ends included.
    Uniform {
        /// Shortest.
        #[serde(with = "text::duration")]
        min: Duration,
        /// Longest.
        #[serde(with = "text::duration")]
        max: Duration,
    },
    /// At least `min`, and on the average `mean_extra` more, with an exponential tail (its logarithm is
    /// drawn by straight lines between the powers of two: integers only, at most 3 % off anywhere).
    Exponential {
        /// Shortest.
        #[serde(with = "text::duration")]
        min: Duration,
        /// Mean of what is added to it.
        #[serde(with = "text::duration")]
        mean_extra: Duration,
    },
    /// At least `min`, and on the average `mean_extra` more, with a heavy tail: one in a hundred waits nine
    /// times the mean and one in a million a thousand times (a Lomax distribution of shape 2, whose variance
    /// is infinite), but never longer than `max`.
    HeavyTail {
        /// Shortest.
        #[serde(with = "text::duration")]
        min: Duration,
        /// Mean of what is added to it, if `max` cut nothing off.
        #[serde(with = "text::duration")]
        mean_extra: Duration,
        /// Longest.
        #[serde(with = "text::duration")]
        max: Duration,
    },
}

impl Latency {
    /// The delay that 64 random bits mean.
    #[must_use]
    pub(crate) fn delay(&self, bits: u64) -> Duration {
        match *self {
            Self::Constant(delay) => delay,
            Self::Uniform { min, max } => {
                let width = nanos(max).saturating_sub(nanos(min)).saturating_add(1);
                Duration::from_nanos(nanos(min).saturating_add(scale(bits, width)))
            }
            Self::Exponential { min, mean_extra } => {
                let extra = (u128::from(nanos(mean_extra)) * u128::from(minus_ln_16(bits))) >> 16;
                min + Duration::from_nanos(u64::try_from(extra).unwrap_or(u64::MAX))
            }
            Self::HeavyTail { min, mean_extra, max } => {
                // (bits / 2⁶⁴)^(-1/2) in 1/65,536, less 1.
                let stretch = (1_u64 << 48) / bits.isqrt().max(1) - 65_536;
                let extra = (u128::from(nanos(mean_extra)) * u128::from(stretch)) >> 16;
                let extra = Duration::from_nanos(u64::try_from(extra).unwrap_or(u64::MAX));
                min.saturating_add(extra).min(max.max(min))
            }
        }
    }
}

/// -ln(bits / 2⁶⁴) in 1/65,536: 0 at the top, at most 44.4 (64 halvings).
fn minus_ln_16(bits: u64) -> u64 {
    const LN_2_16: u64 = 45_426;
    let halvings = u64::from(bits.leading_zeros());
    if halvings == 64 {
        return 64 * LN_2_16;
    }
    // The bits after the leading one: 0 just below the next halving, 65,536 just below this one.
    let mantissa = (bits << halvings << 1) >> 48;
    ((halvings * 65_536 + (65_536 - mantissa)) * LN_2_16) >> 16
}

fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn uniform_delays_fill_their_range_and_never_leave_it() {
        let latency = Latency::Uniform { min: MILLI, max: 2 * MILLI };
        assert_eq!((latency.delay(0), latency.delay(u64::MAX)), (MILLI, 2 * MILLI));
        let mut random = Random::new(3, 0, 0);
        assert!((0..1000).all(|_| (MILLI..=2 * MILLI).contains(&latency.delay(random.bits()))));
    }

    #[test]
    fn exponential_delays_have_the_mean_and_the_tail_of_an_exponential() {
        let latency = Latency::Exponential { min: Duration::ZERO, mean_extra: MILLI };
        let mut random = Random::new(4, 0, 0);
        let mut delays: Vec<Duration> = (0..100_000).map(|_| latency.delay(random.bits())).collect();
        delays.sort_unstable();
        let mean = delays.iter().sum::<Duration>() / 100_000;
        let p99 = delays[99_000];
        assert!((960..=1_070).contains(&mean.as_micros()), "mean {mean:?}");
        assert!((4_400..=4_800).contains(&p99.as_micros()), "p99 {p99:?}, of a true exponential 4.6 ms");
    }

    #[test]
    fn heavy_tailed_delays_have_their_median_their_tail_and_their_end() {
        let latency = Latency::HeavyTail { min: MILLI, mean_extra: 10 * MILLI, max: Duration::from_secs(1) };
        let mut random = Random::new(5, 0, 0);
        let mut delays: Vec<Duration> = (0..100_000).map(|_| latency.delay(random.bits())).collect();
        delays.sort_unstable();
        let [median, p99] = [50_000, 99_000].map(|rank: usize| delays[rank].as_micros());
        assert!((5_000..=5_300).contains(&median), "median {median}, of a true one 1 + 4.14 ms");
        assert!((86_000..=96_000).contains(&p99), "p99 {p99}, of a true one 1 + 90 ms");
        assert_eq!((latency.delay(0), latency.delay(u64::MAX)), (Duration::from_secs(1), MILLI));
    }

    #[test]
    fn no_bits_overflow_a_delay() {
        let latency = Latency::Exponential { min: MILLI, mean_extra: Duration::from_secs(3600) };
        assert!(latency.delay(0) < Duration::from_secs(45 * 3600));
        assert!(latency.delay(u64::MAX) < 2 * MILLI);
    }
}
