//! What grows with the cluster, and how: everything in SWIM and Lifeguard grows with a logarithm.
//!
//! An update reaches all members after a number of rounds that is logarithmic in the number of members, so
//! a suspicion must last that much longer in a bigger cluster, and an update be repeated that much more
//! often. Lifeguard adds a logarithm of its own: each further accuser takes less off a suspicion's time
//! than the one before.
//!
//! Floating point would make a replay depend on the machine, so logarithms are fixed point here: Q16
//! means that 1.0 is 65,536. They come from repeated squaring: a number in [1, 2) is squared, each time
//! that it passes 2 a one bit is written and it is halved. All results are exact to the last bit or one.

use core::time::Duration;

use crate::api::nanos;

/// 1.0 in Q16.
const ONE_Q16: u32 = 1 << 16;
/// Bits after the point in [`log2_q24`].
const LOG2_BITS: u32 = 24;
/// log₁₀ 2 in Q32.
const LOG10_OF_2_Q32: u64 = 1_292_913_986;

/// ⌈log₁₀ x⌉, exact; 0 for x ≤ 1. Callers that mean ⌈log₁₀(n + 1)⌉ pass n + 1.
#[must_use]
pub(crate) const fn log10_ceil(n_plus_1: u32) -> u32 {
    if n_plus_1 <= 1 { 0 } else { (n_plus_1 - 1).ilog10() + 1 }
}

/// log₁₀ n in Q16, to the nearest; 0 for n ≤ 1.
#[must_use]
pub(crate) const fn log10_q16(n: u32) -> u32 {
    let shift = LOG2_BITS + 32 - 16;
    let product = log2_q24(n) as u64 * LOG10_OF_2_Q32;
    ((product + (1 << (shift - 1))) >> shift) as u32
}

/// log(c + 1) / log(k + 1) in Q16: what `c` of `k` confirmations are worth, from 0 to 1.0. More than
/// `k` are worth no more than `k`; where none are asked for (`k` = 0) the answer is 1.0.
#[must_use]
pub(crate) const fn log_ratio_q16(c: u8, k: u8) -> u32 {
    if c >= k {
        return ONE_Q16;
    }
    // No logarithm for what every suspicion begins with.
    if c == 0 {
        return 0;
    }
    let numerator = (log2_q24(c as u32 + 1) as u64) << 16_u32;
    let denominator = log2_q24(k as u32 + 1) as u64;
    ((numerator + denominator / 2) / denominator) as u32
}

/// The shortest timeout of a suspicion in a cluster of `n` members: α · max(1, log₁₀ n) · period
/// (Lifeguard, section IV-B). Saturates at 584 years.
#[must_use]
pub(crate) const fn suspicion_min(alpha: u8, n: u32, period: Duration) -> Duration {
    let scale_q16 = if n <= 10 { ONE_Q16 } else { log10_q16(n) };
    scaled(nanos(period), alpha as u64 * scale_q16 as u64)
}

/// The timeout of a suspicion that `confirmations` members beside the first accuser share:
/// max(min, max − (max − min) · log(c + 1) / log(k + 1)). Without any it is `max`, from `k` on it is
/// `min`; with `k` = 0 it is always `min`.
#[must_use]
pub(crate) const fn suspicion_timeout(min: Duration, max: Duration, confirmations: u8, k: u8) -> Duration {
    let (min_ns, max_ns) = (nanos(min), nanos(max));
    let span = max_ns.saturating_sub(min_ns);
    let shortened = nanos(scaled(span, log_ratio_q16(confirmations, k) as u64));
    let left = max_ns.saturating_sub(shortened);
    Duration::from_nanos(if left > min_ns { left } else { min_ns })
}

/// How often each member sends one update in a cluster of `n`: λ · ⌈log₁₀(n + 1)⌉, at least λ.
#[must_use]
pub(crate) const fn transmit_limit(lambda: u8, n: u32) -> u32 {
    let rounds = log10_ceil(n.saturating_add(1));
    lambda as u32 * if rounds == 0 { 1 } else { rounds }
}

/// `value_ns` times a Q16 factor, saturating.
const fn scaled(value_ns: u64, factor_q16: u64) -> Duration {
    let product = (value_ns as u128 * factor_q16 as u128) >> 16_u32;
    Duration::from_nanos(if product > u64::MAX as u128 { u64::MAX } else { product as u64 })
}

/// log₂ n in Q24, rounded down; 0 for n ≤ 1.
const fn log2_q24(n: u32) -> u32 {
    if n <= 1 {
        return 0;
    }
    let whole = n.ilog2();
    // In Q31 from here: n / 2^whole, in [1, 2). Its square is in [1, 4) and fits 64 bits in Q62.
    let mut mantissa = (n as u64) << (31 - whole);
    let mut fraction = 0_u32;
    let mut bit = 0;
    while bit < LOG2_BITS {
        mantissa = (mantissa * mantissa) >> 31_u32;
        fraction <<= 1_u32;
        if mantissa >= 2 << 31_u32 {
            fraction |= 1;
            mantissa >>= 1_u32;
        }
        bit += 1;
    }
    (whole << LOG2_BITS) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// All small numbers, then every power of two and of ten with its neighbours.
    fn numbers() -> impl Iterator<Item = u32> {
        let twos = (0..32).map(|e| 1_u32 << e);
        let tens = (0..10).map(|e| 10_u32.pow(e));
        let edges = twos.chain(tens).flat_map(|x| [x.saturating_sub(1), x, x + 1]);
        (0..20_000).chain(edges).chain([u32::MAX - 1, u32::MAX])
    }

    fn seconds(duration: Duration) -> f64 {
        duration.as_nanos() as f64 / 1e9
    }

    #[test]
    fn the_logarithm_is_within_one_unit_of_the_last_place_of_f64s() {
        for n in numbers().filter(|n| *n > 0) {
            let exact = f64::from(n).log10() * 65_536.0;
            let error = (f64::from(log10_q16(n)) - exact).abs();
            assert!(error <= 1.0, "log10 {n}: {} for {exact}", log10_q16(n));
        }
        assert_eq!(log10_q16(0), 0);
    }

    #[test]
    fn powers_of_ten_have_whole_logarithms() {
        for exponent in 0..10 {
            assert_eq!(log10_q16(10_u32.pow(exponent)), exponent << 16);
        }
    }

    #[test]
    fn the_logarithm_never_falls() {
        for n in numbers().filter(|n| *n < u32::MAX) {
            assert!(log10_q16(n) <= log10_q16(n + 1), "{n}");
        }
    }

    #[test]
    fn the_ceiling_steps_just_above_each_power_of_ten() {
        assert_eq!([0, 1, 2, 10, 11, 100, 101, 1_000, 1_001].map(log10_ceil), [0, 0, 1, 1, 2, 2, 3, 3, 4]);
        assert_eq!(log10_ceil(u32::MAX), 10);
        for n in numbers() {
            let ceiling = u64::from(log10_ceil(n));
            let power = |e: u64| 10_u64.pow(u32::try_from(e).expect("at most ten"));
            assert!(u64::from(n) <= power(ceiling), "{n}");
            assert!(ceiling == 0 || u64::from(n) > power(ceiling - 1), "{n}");
        }
    }

    #[test]
    fn confirmations_count_like_their_logarithm() {
        for k in 1..=6 {
            for c in 0..=k {
                let exact = f64::from(c + 1).ln() / f64::from(k + 1).ln() * 65_536.0;
                assert!((f64::from(log_ratio_q16(c, k)) - exact).abs() <= 1.0, "{c} of {k}");
            }
            assert_eq!(log_ratio_q16(0, k), 0);
            assert_eq!(log_ratio_q16(k, k), ONE_Q16);
            assert_eq!(log_ratio_q16(k + 1, k), ONE_Q16);
        }
        assert_eq!(log_ratio_q16(0, 0), ONE_Q16);
    }

    #[test]
    fn the_shortest_suspicion_grows_with_the_logarithm_of_the_cluster() {
        for n in [1, 2, 9, 10, 11, 50, 100, 1_000, 12_345, 1 << 24] {
            for alpha in [1, 3, 4, 32] {
                let period = Duration::from_millis(500);
                let exact = f64::from(alpha) * f64::from(n).log10().max(1.0) * 0.5;
                let read = seconds(suspicion_min(alpha, n, period));
                assert!((read - exact).abs() < exact * 1e-4, "α {alpha}, n {n}: {read} for {exact}");
            }
        }
        assert_eq!(suspicion_min(4, 0, SECOND), 4 * SECOND);
        assert_eq!(suspicion_min(4, 100, SECOND), 8 * SECOND);
    }

    #[test]
    fn each_further_accuser_shortens_a_suspicion_down_to_the_shortest() {
        let (min, max) = (4 * SECOND, 24 * SECOND);
        assert_eq!(suspicion_timeout(min, max, 0, 3), max);
        assert_eq!(suspicion_timeout(min, max, 1, 3), 14 * SECOND);
        assert_eq!(suspicion_timeout(min, max, 3, 3), min);
        assert_eq!(suspicion_timeout(min, max, 9, 3), min);
        assert_eq!(suspicion_timeout(min, max, 0, 0), min);
        for k in 1..=6 {
            for c in 0..=k {
                let exact = 24.0 - 20.0 * f64::from(c + 1).ln() / f64::from(k + 1).ln();
                let read = seconds(suspicion_timeout(min, max, c, k));
                assert!((read - exact).abs() < 0.001, "{c} of {k}: {read} for {exact}");
            }
        }
    }

    #[test]
    fn durations_saturate_and_a_longest_below_the_shortest_gives_the_shortest() {
        assert_eq!(suspicion_min(32, u32::MAX, Duration::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(suspicion_timeout(SECOND, Duration::ZERO, 1, 3), SECOND);
        let longest = Duration::from_nanos(u64::MAX);
        assert_eq!(suspicion_timeout(SECOND, Duration::MAX, 0, 3), longest);
    }

    #[test]
    fn an_update_is_repeated_lambda_times_for_each_decade() {
        assert_eq!(
            [0, 1, 9, 10, 99, 100, 999, 1_000].map(|n| transmit_limit(4, n)),
            [4, 4, 4, 8, 8, 12, 12, 16]
        );
        assert_eq!(transmit_limit(1, u32::MAX), 10);
    }
}
