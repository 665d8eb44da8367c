//! From a plan to a scenario: the faults themselves.

use std::collections::BTreeMap;

use super::Plan;
use super::steps::Drawing;
use crate::Random;
use crate::host::HostId;
use crate::random::purpose;
use crate::scenario::{Expect, Profile, Scenario, Setting, Settings};

/// Hosts that everybody knows as seeds.
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
            about: String::new(),
            seed: self.seed,
            hosts: self.hosts,
            seeds: SEEDS,
            profile: self.profile(),
            mutant: None,
            trouble: Some(drawing.at),
            absent: self.absent(),
            options: self.options(),
            link: self.link(),
            expect: Expect::default(),
            steps: drawing.steps,
        }
    }

    pub(super) const fn profile(&self) -> Profile {
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
