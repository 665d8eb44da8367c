//! How long it takes until a crashed member is Dead at every survivor: the number that users, tests and
//! the demo wait for. `docs/protocol.md` derives it and holds its table.
//!
//! ```text
//!   crash ──▶ probed by c + 1 of the survivors ──▶ their periods end ──▶ suspicion(c) ──▶ the last one hears
//! ```
//!
//! Each survivor walks through its own shuffled list, so after m periods it has not yet probed a given
//! member with a probability of at most (1 − m / 2l)², where l is the length of the list, and surely has
//! after 2l − 1. With l independent survivors the number of accusers is binomial; its tail is summed up in
//! fixed point, rounded upwards, until what is left is at most one in two million.

use core::time::Duration;

use crate::api::{Config, LARGEST_TABLE};
use crate::group::{SuspicionTimeout, scale};

/// 1.0 in Q62.
const ONE: u64 = 1 << 62;
/// What may be left to chance for each of two events: 5·10⁻⁷ in Q62, so that both together are one in a
/// million.
const CHANCE: u64 = ONE / 2_000_000;
/// Periods within which the digests of a survivor that missed all news and of one that did not are
/// compared: two for the victim twice in a row, one for another member.
const REPAIR_PERIODS: u32 = 3;

impl Config {
    /// Longest time from the crash of one member of `n` until all others call it Dead, but for one crash
    /// in a million, while nothing else is wrong: the others run on time, nothing is lost, their local
    /// health is 0, and relays are on. `n` counts the victim; fewer than 2 members count as 2.
    ///
    /// The usual time is well below it. Loss, a slow machine or a second crash add to it; see
    /// `docs/protocol.md` for what each of them costs.
    #[must_use]
    pub fn detection_bound(&self, n: u32) -> Duration {
        let n = n.clamp(2, LARGEST_TABLE);
        let concluded = concluded(self, n).saturating_add(self.direct_timeout);
        if n == 2 {
            return concluded;
        }
        let repair = self.period.saturating_mul(REPAIR_PERIODS);
        concluded.saturating_add(news(self, n).saturating_mul(2)).saturating_add(repair)
    }
}

/// When a survivor that hears everything at once calls the victim Dead.
fn concluded(config: &Config, n: u32) -> Duration {
    debug_assert!(n >= 2, "a victim has a survivor");
    let timeouts = SuspicionTimeout::new(config, n);
    let accused = |others| config.period.saturating_mul(periods_until_probed(n - 1, others) + 1);
    let first = accused(0);
    let with = |others: u8| {
        let timeout = timeouts.timeout(usize::from(others) + 1);
        accused(u32::from(others)).max(first.saturating_add(timeout))
    };
    (0..=timeouts.confirmations()).map(with).min().unwrap_or(Duration::MAX)
}

/// How long a piece of news is gossiped: until it has grown to all members, and the last have sent it as often as
/// they say anything.
fn news(config: &Config, n: u32) -> Duration {
    // Without a gossip tick it is piggybacked on a ping and on an ack in each period.
    let (interval, fanout) = match config.gossip_interval {
        Some(interval) => (interval, u32::from(config.gossip_fanout)),
        None => (config.period, 2),
    };
    let (mut growth, mut reached) = (0, 1);
    while reached < n {
        reached = reached.saturating_mul(fanout + 1);
        growth += 1;
    }
    debug_assert!(reached >= n, "news grows to all members");
    let sends = scale::transmit_limit(config.lambda, n);
    interval.saturating_mul(growth + sends.div_ceil(fanout) + 1)
}

/// Periods within which more than `others` of `survivors` begin a probe of a given member.
fn periods_until_probed(survivors: u32, others: u32) -> u32 {
    let surely = 2 * survivors - 1;
    (1..surely).find(|periods| chance_of_fewer(survivors, others, *periods) <= CHANCE).unwrap_or(surely)
}

/// An upper bound, in Q62, of the chance that at most `others` of `survivors` have probed a given member
/// within `periods` < 2 · `survivors`: the lower tail of a binomial distribution.
fn chance_of_fewer(survivors: u32, others: u32, periods: u32) -> u64 {
    let ends = 2 * u64::from(survivors);
    let left = (u128::from(ends - u64::from(periods)) * u128::from(ONE)).div_ceil(u128::from(ends)) as u64;
    let missed = times(left, left);
    let mut term = power(missed, survivors);
    let mut sum = term;
    for probed in 1..=others.min(survivors) {
        // term(i) = term(i − 1) · (l − i + 1) / i · (1 − missed) / missed; the factor in Q40, upwards.
        let ways = u128::from(survivors - probed + 1) * u128::from(ONE - missed);
        let factor_q40 = (ways << 40_u32).div_ceil(u128::from(probed) * u128::from(missed));
        term = u64::try_from((u128::from(term) * factor_q40) >> 40_u32).unwrap_or(ONE).saturating_add(1);
        sum = sum.saturating_add(term);
    }
    sum
}

/// The product of two numbers in Q62, rounded upwards.
const fn times(a: u64, b: u64) -> u64 {
    (a as u128 * b as u128).div_ceil(ONE as u128) as u64
}

/// A number of at most 1.0 in Q62 to a power, rounded upwards.
const fn power(base: u64, exponent: u32) -> u64 {
    let (mut result, mut square, mut left) = (ONE, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = times(result, square);
        }
        square = times(square, square);
        left >>= 1_u32;
    }
    result
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use core::fmt::Write as _;
    use std::fs;
    use std::path::Path;

    use super::*;

    const SIZES: [u32; 8] = [2, 3, 5, 10, 20, 50, 100, 1000];

    /// In tenths of a second, rounded up.
    fn seconds(time: Duration) -> String {
        let tenths = time.as_millis().div_ceil(100);
        alloc::format!("{}.{} s", tenths / 10, tenths % 10)
    }

    /// The bound with the last survivor of all probing as late as it can.
    fn surely(config: &Config, n: u32) -> Duration {
        let timeouts = SuspicionTimeout::new(config, n);
        let (hard, likely) = (2 * (n - 1), concluded(config, n));
        let all = config.period * hard + timeouts.timeout(usize::from(timeouts.confirmations()) + 1);
        config.detection_bound(n) - likely + all
    }

    fn table() -> String {
        let mut table = String::new();
        let _ = writeln!(
            table,
            "| n | periods to the first probe | to K + 1 probers | `local` | `lan` | `wan` | `lan`, surely |"
        );
        let _ = writeln!(table, "| --- | --- | --- | --- | --- | --- | --- |");
        let (local, lan, wan) = (Config::local(), Config::lan(), Config::wan());
        for n in SIZES {
            let others = u32::from(SuspicionTimeout::new(&lan, n).confirmations());
            let [first, last] = [0, others].map(|others| periods_until_probed(n - 1, others));
            let [l, m, w] = [&local, &lan, &wan].map(|config| seconds(config.detection_bound(n)));
            let surely = seconds(surely(&lan, n));
            let _ = writeln!(table, "| {n} | {first} | {last} | {l} | {m} | {w} | {surely} |");
        }
        table
    }

    #[test]
    fn the_table_in_the_document_is_what_the_options_give() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
        let document = fs::read_to_string(&path).expect("docs/protocol.md beside the crate");
        assert!(document.contains(&table()), "docs/protocol.md should hold this table:\n\n{}", table());
    }

    /// The lower tail of the binomial distribution once more, in floating point.
    fn tail(survivors: u32, others: u32, periods: u32) -> f64 {
        let missed = (1.0 - f64::from(periods) / (2.0 * f64::from(survivors))).powi(2);
        let (mut term, mut sum) = (missed.powf(f64::from(survivors)), 0.0);
        for i in 0..=others.min(survivors) {
            sum += term;
            term *= f64::from(survivors - i) / f64::from(i + 1) * (1.0 - missed) / missed;
        }
        sum
    }

    #[test]
    fn the_tail_in_fixed_point_is_the_tail() {
        for survivors in [1, 2, 3, 4, 7, 19, 99, 999, 100_000, LARGEST_TABLE] {
            for others in 0..=6 {
                for periods in 1..(2 * survivors).min(60) {
                    let exact = tail(survivors, others, periods);
                    let read = chance_of_fewer(survivors, others, periods) as f64 / ONE as f64;
                    // It is rounded upwards, which shows where next to nothing is left.
                    let close = read >= exact * 0.999_999 && (read <= exact * 1.25 || exact < 1e-8);
                    assert!(close, "{survivors} {others} {periods}: {read} for {exact}");
                }
            }
        }
    }

    #[test]
    fn one_survivor_probes_its_victim_in_every_period_and_two_at_the_latest_in_the_third() {
        assert_eq!(periods_until_probed(1, 0), 1);
        assert_eq!(periods_until_probed(2, 0), 3);
        assert_eq!(periods_until_probed(999, 0), 15, "ln(2·10⁶) = 14.5");
    }

    #[test]
    fn the_bound_grows_with_the_cluster_but_hardly() {
        let config = Config::lan();
        let bounds = SIZES.map(|n| config.detection_bound(n));
        assert!(bounds[1..].is_sorted(), "{bounds:?}");
        assert!(bounds[7] < bounds[3] * 3, "{bounds:?}");
        let most = config.detection_bound(u32::MAX);
        assert!(most < config.detection_bound(1000) * 3, "{most:?}");
    }
}
