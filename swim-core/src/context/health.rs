//! Local health: how far a node trusts its own conclusions (Lifeguard, section IV-A).
//!
//! A node that is slow to read its own mail sees all others as dead. The multiplier counts the signs:
//! own probes that failed, nacks that did not come, suspicions of itself that it had to refute, stalls
//! and isolation that it noticed. It stretches both the period and the direct timeout, so an unhealthy node accuses
//! later and less often; every answered probe brings it back.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A counter that saturates at 0 and at S.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Health {
    multiplier: u8,
    max: u8,
}

impl Health {
    pub(crate) const fn new(max: u8) -> Self {
        Self { multiplier: 0, max }
    }

    /// A sign of trouble, worth `by`.
    pub(crate) fn worsen(&mut self, by: u8) {
        let sum = self.multiplier.saturating_add(by);
        self.multiplier = if sum > self.max { self.max } else { sum };
        debug_assert!(self.multiplier <= self.max, "the multiplier saturates at S");
    }

    /// An answered probe.
    pub(crate) fn improve(&mut self) {
        self.multiplier = self.multiplier.saturating_sub(1);
    }

    /// 0 is healthy.
    pub(crate) const fn multiplier(self) -> u8 {
        self.multiplier
    }

    /// `base · (multiplier + 1)`.
    #[inline]
    pub(crate) fn scale(self, base: Duration) -> Duration {
        if self.multiplier == 0 {
            return base;
        }
        base.saturating_mul(u32::from(self.multiplier) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_multiplier_saturates_at_both_ends() {
        let mut health = Health::new(8);
        health.improve();
        assert_eq!(health.multiplier(), 0);
        for _ in 0..20 {
            health.worsen(200);
        }
        assert_eq!(health.multiplier(), 8);
        assert_eq!(health.scale(Duration::from_secs(1)), Duration::from_secs(9));
    }

    #[test]
    fn a_maximum_of_zero_switches_it_off() {
        let mut health = Health::new(0);
        health.worsen(1);
        assert_eq!(health.scale(Duration::from_secs(1)), Duration::from_secs(1));
    }
}
