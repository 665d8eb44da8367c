//! The links that a plan draws.

use std::time::Duration;

use super::Plan;
use crate::net::{Burst, Latency, Rate};
use crate::{Link, PER_CENT, Random};

impl Plan {
    /// The link of every pair while there is trouble.
    pub(super) fn link(&self) -> Link {
        if self.quiet > 0 {
            return Link::lan();
        }
        let mut link = Link::lan().loss(self.loss * PER_CENT).duplication(self.duplication * PER_CENT);
        link.latency = self.latency();
        link.burst = (self.burst > 0).then_some(BURST);
        link.reorder_ppm = self.reordering * PER_CENT;
        link.corrupt_ppm = self.corruption * PER_CENT;
        link.spike_ppm = self.spikes * PER_CENT;
        link.rate = (self.narrow > 0).then_some(NARROW);
        link.mtu = (self.mtu > 0).then_some(self.mtu);
        link
    }

    fn latency(&self) -> Latency {
        let ms = Duration::from_millis;
        match self.latency {
            0 => Link::lan().latency,
            1 => Latency::Exponential { min: ms(1), mean_extra: ms(10) },
            2 => Latency::HeavyTail { min: ms(1), mean_extra: ms(10), max: ms(3000) },
            _ => Latency::Uniform { min: ms(40), max: ms(80) },
        }
    }

    /// A link that is bad in one way, for a while.
    pub(super) fn bad_link(&self, random: &mut Random) -> Link {
        let link = self.link();
        let worse = u32::try_from(20 + random.below(81)).unwrap_or(100) * PER_CENT;
        match random.below(6) {
            0 => link.loss(worse),
            1 => Link { burst: Some(BURST), ..link },
            2 => Link { spike_ppm: worse / 2, ..link },
            3 => Link { rate: Some(NARROW), ..link },
            4 => Link { reorder_ppm: worse, reorder_by: Duration::from_millis(300), ..link },
            _ => Link { mtu: Some(600), ..link },
        }
    }
}

/// Twenty datagrams of silence now and then.
const BURST: Burst = Burst { begin_ppm: 2 * PER_CENT, end_ppm: 5 * PER_CENT, loss_ppm: 90 * PER_CENT };
/// A few full datagrams a second.
const NARROW: Rate = Rate { bytes_per_second: 8_000, queue_bytes: 16_000 };
