//! What comes first at a process that stood still and goes on: the timers that are overdue, or the datagrams
//! that have gathered?
//!
//! In reality that is an accident of the loop, and a bug may need either order. So a coin is thrown each time.

use swim_core::Instant;

use crate::random::purpose;
use crate::{HostId, Random, World};

/// Whether a process stands still, and what happens when it does not any more.
pub(super) struct Awakening {
    stands_still: bool,
    /// Its timers do not fire earlier.
    timers_from: Instant,
    coin: Random,
}

impl Awakening {
    pub(super) fn new(seed: u64, host: HostId) -> Self {
        let coin = Random::new(seed, purpose::AWAKENING, u64::from(host.0));
        Self { stands_still: false, timers_from: Instant::ORIGIN, coin }
    }

    /// Looks at the process after something happened.
    pub(super) fn look(&mut self, world: &World, host: HostId) {
        let stood_still = std::mem::replace(&mut self.stands_still, !world.is_running(host));
        if stood_still && !self.stands_still {
            // What has gathered is read at this very instant, and at equal times timers come first.
            self.timers_from = Instant::from_nanos(world.now().as_nanos() + self.coin.below(2));
        }
    }

    pub(super) const fn timers_from(&self) -> Instant {
        self.timers_from
    }
}
