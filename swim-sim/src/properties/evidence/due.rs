//! Facts that must become known soon, and when each is due: what laws of the kind "soon everybody knows" share.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Config, Instant};

use crate::World;
use crate::action::Action;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::Case;
use crate::properties::evidence::conditions::{Conditions, Fact, is_healthy, recovery};

/// How soon in fair conditions, in a cluster of so many hosts.
pub(in crate::properties) type Soon = fn(&Config, u32) -> Duration;

/// Facts by what they are about.
pub(in crate::properties) struct Awaited<K> {
    case: Case,
    soon: Soon,
    conditions: Conditions,
    facts: BTreeMap<K, Fact>,
    /// Those of which it is not known yet whether the cluster was healthy, and about whom they are.
    unsure: Vec<(K, HostId)>,
    /// When the first of them is due; worked out anew whenever something happens to the world.
    due: Option<Instant>,
    stale: bool,
}

impl<K: Ord + Clone> Awaited<K> {
    pub(in crate::properties) fn new(case: &Case, soon: Soon) -> Self {
        let (conditions, facts, unsure) = (Conditions::new(), BTreeMap::new(), Vec::new());
        Self { case: case.clone(), soon, conditions, facts, unsure, due: None, stale: false }
    }

    /// `about` becomes true, by what happens to `host` now: before [`Awaited::note`] hears of it, for the conditions
    /// before it counts.
    pub(in crate::properties) fn add(&mut self, scene: &Scene<'_>, about: K, host: HostId) {
        let calm = self.is_calm(scene);
        self.add_if(scene, about, host, calm);
    }

    /// The same where somebody else knows whether it was calm.
    pub(in crate::properties) fn add_if(&mut self, scene: &Scene<'_>, about: K, host: HostId, calm: bool) {
        self.add_as(scene, about.clone(), false);
        if calm {
            self.unsure.push((about, host));
        }
    }

    /// The same where somebody else knows whether the cluster was healthy.
    pub(in crate::properties) fn add_as(&mut self, scene: &Scene<'_>, about: K, fair: bool) {
        self.facts.insert(about, Fact { at: scene.now(), fair });
        self.stale = true;
    }

    /// It may take longer: it counts from `now`, and nothing is taken to be healthy.
    pub(in crate::properties) fn wait(&mut self, about: K, now: Instant) {
        self.facts.insert(about, Fact { at: now, fair: false });
        self.stale = true;
    }

    /// Whether the cluster may be healthy, by what was done to it lately.
    pub(in crate::properties) fn is_calm(&self, scene: &Scene<'_>) -> bool {
        self.conditions.is_calm(scene.now(), &self.case.config)
    }

    /// Whether nothing but this was done to the world, and lasts, since `at`.
    pub(in crate::properties) fn is_all(&self, action: &Action, at: Instant) -> bool {
        self.conditions.changed() == at && self.conditions.lasting() == std::slice::from_ref(action)
    }

    /// It is true no more, or nobody needs to know.
    pub(in crate::properties) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.facts.retain(|about, _| keep(about));
        self.unsure.retain(|(about, _)| keep(about));
    }

    /// Hears of everything that happens.
    pub(in crate::properties) fn note(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let changed = self.conditions.changed();
        self.conditions.note(scene.now(), what);
        if self.stale || (self.conditions.changed() != changed && !self.facts.is_empty()) {
            self.reckon(count(scene));
        }
    }

    /// Those that must be known by now, or all; each is given out once.
    pub(in crate::properties) fn take_due(&mut self, world: &World, all: bool) -> Vec<(K, Fact)> {
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
        fact.due(&self.conditions, (self.soon)(config, hosts), recovery(config, hosts))
    }
}

fn count(scene: &Scene<'_>) -> u32 {
    scene.hosts().count() as u32
}
