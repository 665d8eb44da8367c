//! Swarm testing: the seed first draws which faults a run knows at all, and only then the faults themselves.
//!
//! A run with every fault at once seldom gets far enough to show anything, and it never shows what needs one
//! fault a hundred times and no other. So a [`Plan`] of a few dozen dials is drawn: how many hosts, which of
//! the faults exist, how bad, how often. Each dial has a stream of its own, so setting one by hand leaves all
//! others as they were drawn; all of them are plain values that are printed, and overridden by name. The
//! plan then draws the steps of a [`Scenario`], and that is what is carried out.

mod dials;
mod faults;

use faults::Drawing;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::host_id::HostId;
use crate::net::{Burst, Latency, Rate};
use crate::random::purpose;
use crate::scenario::{Profile, Scenario, Setting, Settings};
use crate::{Link, PER_CENT, Random};

pub use dials::{Dial, Plan};

/// Hosts that all know as seeds.
const SEEDS: u32 = 3;
/// One of so many hosts that are down when the trouble ends stays down.
const ABSENT_ONE_IN: u64 = 10;

impl Plan {
    /// The scenario that this plan means.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        let drawing = Drawing::of(self);
        Scenario {
            name: format!("seed-{}", self.seed),
            seeds: SEEDS,
            profile: self.profile(),
            trouble: Some(drawing.at),
            absent: self.absent(),
            options: self.options(),
            link: self.link(),
            steps: drawing.steps,
            ..Scenario::calm(self.seed, self.hosts)
        }
    }

    const fn profile(&self) -> Profile {
        match self.profile {
            0 => Profile::Lan,
            1 => Profile::Local,
            _ => Profile::Wan,
        }
    }

    fn options(&self) -> Settings {
        let mut options = BTreeMap::new();
        let mut set = |name: &str, value: &str| {
            options.insert(name.to_owned(), Setting::Text(value.to_owned()));
        };
        if self.forgetful > 0 {
            set("tombstone_life", ["1m", "30s", "5m"][self.profile.min(2) as usize]);
        }
        if self.piggyback_only > 0 {
            set("gossip_interval", "never");
        }
        options.extend(self.options.0.clone());
        Settings(options)
    }

    /// Seeds always come back.
    fn absent(&self) -> Vec<HostId> {
        let mut random = Random::new(self.seed, purpose::ABSENT, 0);
        let others = (SEEDS..self.hosts).map(HostId);
        others.filter(|_| random.below(ABSENT_ONE_IN) == 0).collect()
    }
}

impl Plan {
    /// The link of every pair while there is trouble.
    fn link(&self) -> Link {
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
    fn bad_link(&self, random: &mut Random) -> Link {
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
