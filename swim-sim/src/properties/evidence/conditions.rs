//! Whether anything is wrong with the world now, and since when nothing is: what a promise of the kind "soon"
//! is measured from.
//!
//! A fact that nobody knows of yet (a crash, a newcomer) must be known to all after a while in which nothing
//! else went wrong. If nothing was wrong before it either, that is a short while; if members still recover
//! from something (their health is bad, halves of the cluster look for each other), it is a long one. Whatever
//! is done to the world meanwhile begins the wait anew. What a watcher cannot know is which of the two a
//! fault of a later version is, so every action counts as trouble until [`Action::ended_by`] it is over.

use std::time::Duration;

use swim_core::{Config, Identity, Instant, Status};

use crate::action::{Action, FaultClass};
use crate::ground_truth::{Happening, Phase};
use crate::host::HostId;
use crate::{Presence, World};

/// Periods in which a cluster recovers from whatever was done to it, and for each host two more: somebody may
/// be the last to learn of a death, and only by probing the dead member itself.
const RECOVERY_PERIODS: u32 = 90;

/// Periods without trouble after which a cluster may be healthy.
const CALM_PERIODS: u32 = 3;

/// What is wrong now, and when something was last done.
#[derive(Clone, Debug)]
pub(in crate::properties) struct Conditions {
    /// What lasts, until it is ended.
    lasting: Vec<Action>,
    /// The links between all are not whole.
    faulty_links: bool,
    changed: Instant,
}

impl Conditions {
    pub(in crate::properties) const fn new() -> Self {
        Self { lasting: Vec::new(), faulty_links: false, changed: Instant::ORIGIN }
    }

    /// Hears of everything that happens.
    pub(in crate::properties) fn note(&mut self, now: Instant, what: &Happening<'_>) {
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
            // Who hears everything twice hears everything.
            Action::SetDefaultLink(link) => {
                self.faulty_links = link.faults().iter().any(|fault| *fault != FaultClass::Duplication);
            }
            // The dead trouble nobody: others go on without them.
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

    /// Since when nothing was done to anybody; `None`: something is wrong.
    pub(in crate::properties) fn calm_since(&self) -> Option<Instant> {
        (self.lasting.is_empty() && !self.faulty_links).then_some(self.changed)
    }

    /// Whether nothing was done to anybody for a little while: what it takes besides [`is_healthy`].
    pub(in crate::properties) fn is_calm(&self, now: Instant, config: &Config) -> bool {
        self.calm_since().is_some_and(|since| since.after(config.period * CALM_PERIODS) <= now)
    }

    /// What lasts now.
    pub(in crate::properties) fn lasting(&self) -> &[Action] {
        &self.lasting
    }

    /// When something was last done.
    pub(in crate::properties) const fn changed(&self) -> Instant {
        self.changed
    }
}

/// Whether everybody who runs, but for `newcomer`, knows everybody else who runs as it is, suspects nobody, and is
/// in good health. It asks everybody about everybody: only for what is rare.
pub(in crate::properties) fn is_healthy(world: &World, newcomer: HostId) -> bool {
    let up = || world.hosts().filter(|host| *host != newcomer && world.presence(*host) == Presence::Up);
    let nodes = || up().filter_map(|host| world.node(host));
    nodes().all(|node| {
        let stats = node.stats();
        let knows = |me: Identity| {
            let row = node.member(me.id);
            row.is_some_and(|row| row.status == Status::Alive && (row.epoch, row.addr) == (me.epoch, me.addr))
        };
        stats.suspect == 0 && stats.health == 0 && nodes().all(|other| knows(other.me()))
    })
}

/// How long a cluster of so many hosts may take to recover from whatever was done to it.
pub(in crate::properties) fn recovery(config: &Config, hosts: u32) -> Duration {
    config.period * (RECOVERY_PERIODS + 2 * hosts)
}

/// Something that must become known.
#[derive(Clone, Copy, Debug)]
pub(in crate::properties) struct Fact {
    /// Since when it is true.
    pub(in crate::properties) at: Instant,
    /// Whether the cluster was healthy before it.
    pub(in crate::properties) fair: bool,
}

impl Fact {
    /// When it must be known: `soon` after it came true in fair conditions, and later if something is or was
    /// wrong besides. `None`: not while that lasts.
    pub(in crate::properties) fn due(
        &self,
        conditions: &Conditions,
        soon: Duration,
        recovery: Duration,
    ) -> Option<Instant> {
        let calm = conditions.calm_since()?;
        if self.fair && calm <= self.at {
            return Some(self.at.after(soon));
        }
        Some(self.at.max(calm).after(recovery + soon))
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
        let fact = Fact { at, fair: true };
        acted(&mut conditions, 200, &Action::Crash(HostId(1)));
        assert_eq!(fact.due(&conditions, soon, long), Some(at.after(soon)));
        acted(&mut conditions, 203, &Action::Crash(HostId(2)));
        assert_eq!(fact.due(&conditions, soon, long), Some(Instant::from_millis(313_000)));
        acted(&mut conditions, 204, &Action::Unplug(HostId(2)));
        assert_eq!(fact.due(&conditions, soon, long), None);
        assert!(!conditions.is_calm(Instant::from_millis(300_000), &config));
    }
}
