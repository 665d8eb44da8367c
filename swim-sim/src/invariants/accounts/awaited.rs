//! Facts that must become known soon, and when each is due: what laws of the kind "soon everybody knows" share.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Config, Instant};

use crate::World;
use crate::action::Action;
use crate::evidence::{Happening, Scene};
use crate::host::HostId;
use crate::invariants::Case;
use crate::invariants::accounts::weather::{Fact, Weather, is_healthy, recovery};

/// How soon in fair weather, in a cluster of so many hosts.
pub(in crate::invariants) type Soon = fn(&Config, u32) -> Duration;

/// Facts by what they are about.
pub(in crate::invariants) struct Awaited<K> {
    case: Case,
    soon: Soon,
    weather: Weather,
    facts: BTreeMap<K, Fact>,
    /// Those of which it is not known yet whether the cluster was healthy, and about whom they are.
    unsure: Vec<(K, HostId)>,
    /// When the first of them is due; worked out anew whenever something happens to the world.
    due: Option<Instant>,
    stale: bool,
}

impl<K: Ord + Clone> Awaited<K> {
    pub(in crate::invariants) fn new(case: &Case, soon: Soon) -> Self {
        let (weather, facts, unsure) = (Weather::new(), BTreeMap::new(), Vec::new());
        Self { case: case.clone(), soon, weather, facts, unsure, due: None, stale: false }
    }

    /// `about` becomes true, by what happens to `host` now: before [`Awaited::note`] hears of it, for the weather
    /// before it counts.
    pub(in crate::invariants) fn add(&mut self, scene: &Scene<'_>, about: K, host: HostId) {
        let calm = self.is_calm(scene);
        self.add_if(scene, about, host, calm);
    }

    /// The same where somebody else knows whether it was calm.
    pub(in crate::invariants) fn add_if(&mut self, scene: &Scene<'_>, about: K, host: HostId, calm: bool) {
        self.add_as(scene, about.clone(), false);
        if calm {
            self.unsure.push((about, host));
        }
    }

    /// The same where somebody else knows whether the cluster was healthy.
    pub(in crate::invariants) fn add_as(&mut self, scene: &Scene<'_>, about: K, fair: bool) {
        self.facts.insert(about, Fact { at: scene.now(), fair });
        self.stale = true;
    }

    /// It may take longer: it counts from `now`, and nothing is taken to be healthy.
    pub(in crate::invariants) fn wait(&mut self, about: K, now: Instant) {
        self.facts.insert(about, Fact { at: now, fair: false });
        self.stale = true;
    }

    /// Whether the cluster may be healthy, by what was done to it lately.
    pub(in crate::invariants) fn is_calm(&self, scene: &Scene<'_>) -> bool {
        self.weather.is_calm(scene.now(), &self.case.config)
    }

    /// Whether nothing but this was done to the world, and lasts, since `at`.
    pub(in crate::invariants) fn is_all(&self, action: &Action, at: Instant) -> bool {
        self.weather.changed() == at && self.weather.lasting() == std::slice::from_ref(action)
    }

    /// It is true no more, or nobody needs to know.
    pub(in crate::invariants) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.facts.retain(|about, _| keep(about));
        self.unsure.retain(|(about, _)| keep(about));
    }

    /// Hears of everything that happens.
    pub(in crate::invariants) fn note(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let changed = self.weather.changed();
        self.weather.note(scene.now(), what);
        if self.stale || (self.weather.changed() != changed && !self.facts.is_empty()) {
            self.reckon(count(scene));
        }
    }

    /// Those that must be known by now, or all; each is given out once.
    pub(in crate::invariants) fn take_due(&mut self, world: &World, all: bool) -> Vec<(K, Fact)> {
        self.make_sure(world);
        if self.stale {
            self.reckon(world.hosts().count() as u32);
        }
        let now = world.now();
        if !all && self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let hosts = world.hosts().count() as u32;
        let is_due = |fact: &Fact| all || self.due_of(fact, hosts).is_some_and(|due| due <= now);
        let due: Vec<(K, Fact)> = self
            .facts
            .iter()
            .filter(|(_, fact)| is_due(fact))
            .map(|(about, fact)| (about.clone(), *fact))
            .collect();
        for (about, _) in &due {
            self.facts.remove(about);
        }
        self.reckon(hosts);
        due
    }

    fn make_sure(&mut self, world: &World) {
        if self.unsure.is_empty() {
            return;
        }
        for (about, host) in std::mem::take(&mut self.unsure) {
            if let Some(fact) = self.facts.get_mut(&about) {
                fact.fair = is_healthy(world, host);
            }
        }
        self.reckon(world.hosts().count() as u32);
    }

    fn reckon(&mut self, hosts: u32) {
        self.due = self.facts.values().filter_map(|fact| self.due_of(fact, hosts)).min();
        self.stale = false;
    }

    fn due_of(&self, fact: &Fact, hosts: u32) -> Option<Instant> {
        let config = &self.case.config;
        fact.due(&self.weather, (self.soon)(config, hosts), recovery(config, hosts))
    }
}

fn count(scene: &Scene<'_>) -> u32 {
    scene.hosts().count() as u32
}

/// How often each member tells a piece of news in a cluster of `n`: λ · ⌈log₁₀(n + 1)⌉, at most 64.
pub(in crate::invariants) fn sends(config: &Config, n: u32) -> u32 {
    (u32::from(config.lambda) * (n.max(1).ilog10() + 1)).min(64)
}

/// How long a piece of news is told: until it has grown to everybody, and the last have said it as often as
/// they say anything. Without a gossip tick it rides on a ping and an ack in each period.
pub(in crate::invariants) fn news(config: &Config, n: u32) -> Duration {
    let (interval, fanout) = match config.gossip_interval {
        Some(interval) => (interval, u32::from(config.gossip_fanout)),
        None => (config.period, 2),
    };
    let (mut growth, mut told) = (0, 1_u32);
    while told < n {
        told = told.saturating_mul(fanout + 1);
        growth += 1;
    }
    interval * (growth + sends(config, n).div_ceil(fanout) + 1)
}
