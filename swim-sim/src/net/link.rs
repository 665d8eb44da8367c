//! One direction between two hosts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::scale;
use crate::text;

/// A per cent in parts per million, the unit of every `…_ppm` of a [`Link`].
pub const PER_CENT: u32 = 10_000;

/// How a directed link treats datagrams. Each datagram's fate is drawn on its own (but for bursts and full
/// queues), and switching a model on changes what another does to no datagram.
///
/// In text every field may be left out, and then is as [`Link::lan`] has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// One-way delay.
    pub latency: Latency,
    /// Datagrams of a million that are lost.
    pub loss_ppm: u32,
    /// Times in which more is lost. Default: none.
    pub burst: Option<Burst>,
    /// Datagrams of a million that arrive twice, each copy with a delay of its own.
    pub duplicate_ppm: u32,
    /// Datagrams of a million that are held back by `reorder_by`, so that later ones overtake them.
    pub reorder_ppm: u32,
    /// How long those are held back. Default: 10 ms.
    #[serde(with = "text")]
    pub reorder_by: Duration,
    /// Datagrams of a million that take `spike` longer: rare, but far beyond every timeout.
    pub spike_ppm: u32,
    /// How much longer those take. Default: 2 s.
    #[serde(with = "text")]
    pub spike: Duration,
    /// Datagrams of a million that arrive with 1 to 8 of their bits flipped. (What a real network corrupts
    /// is caught by UDP's checksum but for about one in 65,536.)
    pub corrupt_ppm: u32,
    /// How much passes in a time. Default: any amount at once.
    pub rate: Option<Rate>,
    /// Longer datagrams, in bytes of UDP payload, vanish. Default: none is too long.
    pub mtu: Option<u32>,
}

/// Loss in bursts, after Gilbert and Elliott: the link is in a good or in a bad state, and each datagram
/// may turn it over before its fate is drawn. In the good state [`Link::loss_ppm`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// Datagrams of a million that begin a burst, if there is none.
    pub begin_ppm: u32,
    /// Datagrams of a million that end the burst: a burst is 1,000,000 / `end_ppm` datagrams long on the
    /// average.
    pub end_ppm: u32,
    /// Datagrams of a million that are lost in a burst.
    pub loss_ppm: u32,
}

/// A narrow link with a queue in front of it; what finds the queue full is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How fast it is. 0 lets nothing pass.
    pub bytes_per_second: u64,
    /// How much may wait, in bytes of datagrams, what is being sent included.
    pub queue_bytes: u64,
}

impl Link {
    /// A quiet local network: 200 to 800 µs, nothing lost.
    #[must_use]
    pub const fn lan() -> Self {
        Self::with_latency(Latency::Uniform {
            min: Duration::from_micros(200),
            max: Duration::from_micros(800),
        })
    }

    /// Whether it is that one.
    #[must_use]
    pub fn is_lan(&self) -> bool {
        *self == Self::lan()
    }

    /// Always the same delay, nothing lost: for scripts that are read by people.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self::with_latency(Latency::Constant(delay))
    }

    /// Whether it only loses, doubles and delays, each datagram for itself.
    pub(crate) const fn is_plain(&self) -> bool {
        self.burst.is_none()
            && self.rate.is_none()
            && self.mtu.is_none()
            && self.reorder_ppm | self.spike_ppm | self.corrupt_ppm == 0
    }

    const fn with_latency(latency: Latency) -> Self {
        Self {
            latency,
            loss_ppm: 0,
            burst: None,
            duplicate_ppm: 0,
            reorder_ppm: 0,
            reorder_by: Duration::from_millis(10),
            spike_ppm: 0,
            spike: Duration::from_secs(2),
            corrupt_ppm: 0,
            rate: None,
            mtu: None,
        }
    }

    /// The same link with another delay.
    #[must_use]
    pub const fn latency(self, latency: Latency) -> Self {
        Self { latency, ..self }
    }

    /// The same link that loses `ppm` of a million datagrams; see [`PER_CENT`].
    #[must_use]
    pub const fn loss(self, ppm: u32) -> Self {
        Self { loss_ppm: ppm, ..self }
    }

    /// The same link that loses in bursts.
    #[must_use]
    pub const fn burst(self, burst: Burst) -> Self {
        Self { burst: Some(burst), ..self }
    }

    /// The same link that doubles `ppm` of a million datagrams; see [`PER_CENT`].
    #[must_use]
    pub const fn duplication(self, ppm: u32) -> Self {
        Self { duplicate_ppm: ppm, ..self }
    }

    /// The same link that holds back `ppm` of a million datagrams by so much.
    #[must_use]
    pub const fn reordering(self, ppm: u32, by: Duration) -> Self {
        Self { reorder_ppm: ppm, reorder_by: by, ..self }
    }

    /// The same link that needs so much longer for `ppm` of a million datagrams.
    #[must_use]
    pub const fn spikes(self, ppm: u32, spike: Duration) -> Self {
        Self { spike_ppm: ppm, spike, ..self }
    }

    /// The same link that flips bits in `ppm` of a million datagrams.
    #[must_use]
    pub const fn corruption(self, ppm: u32) -> Self {
        Self { corrupt_ppm: ppm, ..self }
    }

    /// The same link, but narrow.
    #[must_use]
    pub const fn rate(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// The same link that swallows datagrams longer than this.
    #[must_use]
    pub const fn mtu(self, bytes: u32) -> Self {
        Self { mtu: Some(bytes), ..self }
    }
}

/// [`Link::lan`].
impl Default for Link {
    fn default() -> Self {
        Self::lan()
    }
}

/// A distribution of one-way delays. Whatever varies also reorders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Latency {
    /// Always the same.
    Constant(#[serde(with = "text")] Duration),
    /// Any value of the range, both ends included.
    Uniform {
        /// Shortest.
        #[serde(with = "text")]
        min: Duration,
        /// Longest.
        #[serde(with = "text")]
        max: Duration,
    },
    /// At least `min`, and on the average `mean_extra` more, with an exponential tail (its logarithm is
    /// drawn by straight lines between the powers of two: integers only, at most 3 % off anywhere).
    Exponential {
        /// Shortest.
        #[serde(with = "text")]
        min: Duration,
        /// Mean of what is added to it.
        #[serde(with = "text")]
        mean_extra: Duration,
    },
    /// At least `min`, and on the average `mean_extra` more, with a heavy tail: one in a hundred waits nine
    /// times the mean and one in a million a thousand times (a Lomax distribution of shape 2, whose variance
    /// is infinite), but never longer than `max`.
    HeavyTail {
        /// Shortest.
        #[serde(with = "text")]
        min: Duration,
        /// Mean of what is added to it, if `max` cut nothing off.
        #[serde(with = "text")]
        mean_extra: Duration,
        /// Longest.
        #[serde(with = "text")]
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
