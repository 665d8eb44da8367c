//! What a run will be like, drawn from its seed.

use std::sync::Arc;

use swim_core::{Config, Options};
use swim_sim::{Link, PER_CENT, Random};

/// Streams of a campaign's randomness.
pub(crate) const PLAN: u64 = 100;
pub(crate) const FAULTS: u64 = 101;

/// Which faults exist, and how bad they are.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) hosts: u32,
    pub(crate) profile: &'static str,
    pub(crate) loss_per_cent: u32,
    pub(crate) duplication_per_cent: u32,
    /// Faults drawn, about one in each `pace` periods.
    pub(crate) faults: u32,
    pub(crate) pace: u32,
    pub(crate) pauses: bool,
    pub(crate) crashes: bool,
    /// Calendars of restarted hosts are wrong by at most so many hours.
    pub(crate) calendar_hours: u32,
    pub(crate) partitions: bool,
    pub(crate) one_way: bool,
    pub(crate) moves: bool,
    pub(crate) leaves: bool,
    pub(crate) metadata: bool,
    pub(crate) broadcasts: bool,
    /// Tombstones live for 60 periods only.
    pub(crate) forgetful: bool,
    /// No gossip ticks: everything rides on pings and acks, as in the SWIM paper.
    pub(crate) piggyback_only: bool,
}

/// Hosts that everybody knows as seeds.
pub(crate) const SEEDS: u32 = 3;

impl Plan {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed, PLAN, 0);
        let mut below = |n: u64| u32::try_from(random.below(n)).expect("small");
        let hosts = match below(4) {
            0 => 3 + below(4),
            1 | 2 => 5 + below(16),
            _ => 20 + below(41),
        };
        let profile = ["lan", "lan", "local", "wan"][below(4) as usize];
        let partitions = below(2) == 0;
        // Members of two clusters whose clocks differ by more than a day do not hear each other. So either
        // calendars differ by less, or only single hosts restart while there is a cluster to join.
        let calendar_hours = match below(3) {
            0 => 0,
            1 => 11,
            _ if !partitions => 24 * 400,
            _ => 1,
        };
        Self {
            seed,
            hosts,
            profile,
            loss_per_cent: [0, 0, 5, 10, 20, 25, 40][below(7) as usize],
            duplication_per_cent: [0, 0, 20][below(3) as usize],
            faults: below(60),
            pace: 1 + below(12),
            pauses: below(2) == 0,
            crashes: below(3) != 0,
            calendar_hours,
            partitions,
            one_way: partitions && below(2) == 0,
            moves: below(3) == 0,
            leaves: below(3) == 0,
            metadata: below(2) == 0,
            broadcasts: below(2) == 0,
            forgetful: below(4) == 0,
            piggyback_only: below(6) == 0,
        }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        let mut options = match self.profile {
            "local" => Options::local(),
            "wan" => Options::wan(),
            _ => Options::lan(),
        };
        if self.forgetful {
            options.tombstone_life = options.period * 60;
        }
        if self.piggyback_only {
            options.gossip_interval = None;
        }
        Arc::new(Config::new(options).expect("in range"))
    }

    pub(crate) fn link(&self) -> Link {
        Link::lan().loss(self.loss_per_cent * PER_CENT).duplication(self.duplication_per_cent * PER_CENT)
    }

    /// Whether calendars may be wrong by days: then seeds stay, so that there is always a cluster to join.
    pub(crate) const fn days_off(&self) -> bool {
        self.calendar_hours > 24
    }
}
