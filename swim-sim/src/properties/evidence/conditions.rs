//! Whether anything is wrong with the world now, and since when nothing is: what a promise of the kind "soon" is
//! measured from.
//!
//! A fact that is not known yet (a crash, a newcomer) must be known to all members after a while in which nothing
//! else goes wrong. If nothing was wrong before it either, that while is short; if members still recover (their
//! health is bad, halves of the cluster look for each other), it is long. Whatever is done to the world meanwhile
//! starts the wait anew. Every action counts as trouble until [`Action::ended_by`] it is over.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Config, Identity, Instant, Status};

use super::super::Case;
use crate::action::{Action, FaultClass};
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::{Presence, World};

/// Periods in which a cluster recovers from whatever was done to it, and for each host two more: the last member
/// to learn of a death may learn it only by probing the dead one itself.
const RECOVERY_PERIODS: u32 = 90;

/// Periods without trouble after which a cluster may be healthy.
const CALM_PERIODS: u32 = 3;

/// What is wrong now, and when something was last done.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    /// What lasts, until it is ended.
    lasting: Vec<Action>,
    /// The links between all are not whole.
    faulty_links: bool,
    changed: Instant,
}

impl Conditions {
    pub(crate) const fn new() -> Self {
        Self { lasting: Vec::new(), faulty_links: false, changed: Instant::ORIGIN }
    }

    /// Takes in everything that happens. Whether it was done to a host, or to all, later than anything before.
    pub(crate) fn note(&mut self, now: Instant, what: &Happening<'_>) -> bool {
        let before = self.changed;
        match what {
            Happening::Acted { action, done: true } => self.act(now, action),
            Happening::Began { .. } | Happening::Ended { .. } | Happening::Forged { .. } => {
                self.changed = now
            }
            Happening::Entered { phase: Phase::Peace } => {
                self.lasting.clear();
                self.changed = now;
            }
            _ => {}
        }
        self.changed != before
    }

    fn act(&mut self, now: Instant, action: &Action) {
        // What users do is no trouble.
        if matches!(
            action,
            Action::Join { .. } | Action::SetMetadata { .. } | Action::Broadcast { .. } | Action::Send { .. }
        ) {
            return;
        }
        self.changed = now;
        match action {
            Action::Peace => {
                self.lasting.clear();
                self.faulty_links = false;
            }
            // A datagram that arrives twice arrives.
            Action::SetDefaultLink(link) => {
                self.faulty_links = link.faults().iter().any(|fault| *fault != FaultClass::Duplication);
            }
            // The others go on without the dead.
            Action::Crash(_) | Action::Restart(_) => {}
            Action::Heal => self.lasting.retain(|lasting| {
                !matches!(lasting.fault_class(), Some(FaultClass::Partition | FaultClass::OneWayCut))
            }),
            other => {
                self.lasting.retain(|lasting| lasting != other && lasting.ended_by().as_ref() != Some(other));
                if other.ended_by().is_some() {
                    self.lasting.push(other.clone());
                }
            }
        }
    }

    /// Since when nothing was done to any host; `None`: something is wrong.
    pub(crate) fn calm_since(&self) -> Option<Instant> {
        (self.lasting.is_empty() && !self.faulty_links).then_some(self.changed)
    }

    /// Whether nothing was done to any host for a little while: what it takes besides [`is_healthy`].
    pub(crate) fn is_calm(&self, now: Instant, config: &Config) -> bool {
        self.calm_since().is_some_and(|since| since.after(config.period * CALM_PERIODS) <= now)
    }
}

/// The hosts that run.
pub(crate) fn running(world: &World) -> impl Iterator<Item = HostId> {
    world.hosts().filter(|host| world.presence(*host) == Presence::Up)
}

/// Whether the node of `observer` holds this member as Alive, in this epoch and at this address.
pub(crate) fn knows(world: &World, observer: HostId, me: Identity) -> bool {
    let row = world.node(observer).and_then(|node| node.member(me.id));
    row.is_some_and(|row| row.status == Status::Alive && (row.epoch, row.addr) == (me.epoch, me.addr))
}

/// Whether every node that runs, but for `newcomer`, knows every other as it is, suspects none, and is in good
/// health. It asks all about all: only for what is rare.
pub(crate) fn is_healthy(world: &World, newcomer: HostId) -> bool {
    let up = || running(world).filter(|host| *host != newcomer);
    let nodes = || up().filter_map(|host| world.node(host));
    up().all(|host| {
        world.node(host).is_none_or(|node| {
            let stats = node.stats();
            stats.suspect == 0 && stats.health == 0 && nodes().all(|other| knows(world, host, other.me()))
        })
    })
}

/// When a fact came true, and whether the cluster was healthy before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fact {
    pub(crate) at: Instant,
    healthy: bool,
}

impl Fact {
    /// When it must be known: `soon` after it came true in a healthy cluster, and later if something is or was
    /// wrong besides. `None`: not while that lasts.
    fn due(&self, conditions: &Conditions, soon: Duration, recovery: Duration) -> Option<Instant> {
        let calm = conditions.calm_since()?;
        if self.healthy && calm <= self.at {
            return Some(self.at.after(soon));
        }
        Some(self.at.max(calm).after(recovery + soon))
    }
}

/// How soon something is known in a healthy cluster of so many hosts.
type Soon = Box<dyn Fn(&Config, u32) -> Duration + Send>;

/// Facts that must become known soon, by what they are about.
pub(crate) struct Awaited<K> {
    case: Case,
    soon: Soon,
    conditions: Conditions,
    facts: BTreeMap<K, Fact>,
    /// Facts of which it is not known yet whether the cluster was healthy, and the hosts concerned.
    unsure: Vec<(K, HostId)>,
    /// When the first of them is due; worked out anew when something happens to the world.
    due: Option<Instant>,
    stale: bool,
}

impl<K: Ord + Clone> Awaited<K> {
    pub(crate) fn new(case: &Case, soon: impl Fn(&Config, u32) -> Duration + Send + 'static) -> Self {
        let (conditions, facts, unsure) = (Conditions::new(), BTreeMap::new(), Vec::new());
        Self { case: case.clone(), soon: Box::new(soon), conditions, facts, unsure, due: None, stale: false }
    }

    /// `about` becomes true by what happens to `host` now: before [`Awaited::note`] takes it in, for the
    /// conditions before it count.
    pub(crate) fn add(&mut self, scene: &Scene<'_>, about: K, host: HostId) {
        let calm = self.is_calm(scene);
        self.add_if(scene, about, host, calm);
    }

    /// The same where the caller knows whether it was calm.
    pub(crate) fn add_if(&mut self, scene: &Scene<'_>, about: K, host: HostId, calm: bool) {
        self.add_as(scene.now(), about.clone(), false);
        if calm {
            self.unsure.push((about, host));
        }
    }

    /// The same where the caller knows whether the cluster was healthy.
    pub(crate) fn add_as(&mut self, at: Instant, about: K, healthy: bool) {
        self.facts.insert(about, Fact { at, healthy });
        self.stale = true;
    }

    /// Whether the cluster may be healthy, by what was done to it lately.
    pub(crate) fn is_calm(&self, scene: &Scene<'_>) -> bool {
        self.conditions.is_calm(scene.now(), &self.case.config)
    }

    /// Whether nothing but this was done to the world, and lasts, since `at`.
    pub(crate) fn is_all(&self, action: &Action, at: Instant) -> bool {
        self.conditions.changed == at && self.conditions.lasting == std::slice::from_ref(action)
    }

    /// Drops the others: they are true no more, or need not be known.
    pub(crate) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.facts.retain(|about, _| keep(about));
        self.unsure.retain(|(about, _)| keep(about));
    }

    /// Takes in everything that happens.
    pub(crate) fn note(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        let changed = self.conditions.note(scene.now(), what);
        if self.stale || (changed && !self.facts.is_empty()) {
            self.reckon(scene.hosts().count() as u32);
        }
    }

    /// The facts that must be known by now, or all; each is given out once.
    pub(crate) fn take_due(&mut self, world: &World, all: bool) -> Vec<(K, Fact)> {
        for (about, host) in std::mem::take(&mut self.unsure) {
            if let Some(fact) = self.facts.get_mut(&about) {
                fact.healthy = is_healthy(world, host);
                self.stale = true;
            }
        }
        if !self.stale && !all && self.due.is_none_or(|due| due > world.now()) {
            return Vec::new();
        }
        let (now, hosts) = (world.now(), world.hosts().count() as u32);
        let is_due = |fact: &Fact| all || self.due_of(fact, hosts).is_some_and(|due| due <= now);
        let due: Vec<(K, Fact)> = (self.facts.iter())
            .filter(|(_, fact)| is_due(fact))
            .map(|(about, fact)| (about.clone(), *fact))
            .collect();
        for (about, _) in &due {
            self.facts.remove(about);
        }
        self.reckon(hosts);
        due
    }

    fn reckon(&mut self, hosts: u32) {
        self.due = self.facts.values().filter_map(|fact| self.due_of(fact, hosts)).min();
        self.stale = false;
    }

    fn due_of(&self, fact: &Fact, hosts: u32) -> Option<Instant> {
        let config = &self.case.config;
        let recovery = config.period * (RECOVERY_PERIODS + 2 * hosts);
        fact.due(&self.conditions, (self.soon)(config, hosts), recovery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Inbox;

    fn acted(conditions: &mut Conditions, second: u64, action: &Action) {
        conditions.note(Instant::from_millis(second * 1000), &Happening::Acted { action, done: true });
    }

    #[test]
    fn what_lasts_is_wrong_until_it_is_ended_and_a_crash_is_over_at_once() {
        let mut conditions = Conditions::new();
        let host = HostId(1);
        acted(&mut conditions, 1, &Action::Pause { host, inbox: Inbox::Kept });
        acted(&mut conditions, 2, &Action::Cut { source: host, target: HostId(0) });
        assert_eq!(conditions.calm_since(), None);
        acted(&mut conditions, 3, &Action::Heal);
        assert_eq!(conditions.calm_since(), None);
        acted(&mut conditions, 4, &Action::Resume(host));
        assert_eq!(conditions.calm_since(), Some(Instant::from_millis(4000)));
        acted(&mut conditions, 5, &Action::Crash(host));
        assert_eq!(conditions.calm_since(), Some(Instant::from_millis(5000)));
    }

    #[test]
    fn a_fact_is_due_soon_in_fair_weather_and_later_else() {
        let (config, mut conditions) = (Config::lan(), Conditions::new());
        assert!(conditions.is_calm(Instant::from_millis(3000), &config));
        let (soon, long) = (Duration::from_secs(10), Duration::from_secs(100));
        let at = Instant::from_millis(200_000);
        let fact = Fact { at, healthy: true };
        acted(&mut conditions, 200, &Action::Crash(HostId(1)));
        assert_eq!(fact.due(&conditions, soon, long), Some(at.after(soon)));
        acted(&mut conditions, 203, &Action::Crash(HostId(2)));
        assert_eq!(fact.due(&conditions, soon, long), Some(Instant::from_millis(313_000)));
        acted(&mut conditions, 204, &Action::Unplug(HostId(2)));
        assert_eq!(fact.due(&conditions, soon, long), None);
        assert!(!conditions.is_calm(Instant::from_millis(300_000), &config));
    }
}
