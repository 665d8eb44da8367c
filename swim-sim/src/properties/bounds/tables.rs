//! B7, B9, B12: tables and queues that a node's own gauges show, looked at after every few inputs.
//! B8: no more tombstones than `tombstones_max`, and each is kept for `tombstone_life`, and not much longer.
//!
//! The gauges are counted by the tables themselves as they change; that they agree with what the tables hold
//! is a matter of the core's own tests.
//!
//! B8: a tombstone that is forgotten early lets an old rumour revive the dead. Since when each is held, and
//! when it is forgotten, is known by what the node reports; a tombstone that learns of a later epoch of its
//! subject begins anew without a report. Too early is checked at each report, too late in the end, by what is
//! still held: forgetting happens on the probe's wake-up, so a node that probes no member keeps what it has.
//! Beyond `tombstones_max` the oldest go at once, up to 64 in an input, and no datagram or tick makes more. A
//! clock that was made to leap, or runs fast, may forget early.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swim_core::{Config, Event, Instant, NodeId, Stats};

use crate::action::FaultClass;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::{Broken, Case, Check, Monitor, Property, RowChange, declare};
use crate::{Presence, World};

/// Inputs of all hosts between two looks: what is too full stays so for a while, and a prime number meets every
/// host.
const LOOK_EVERY: u64 = 7;

/// What is held, and at most how much.
type Reading = fn(&Stats, &Config) -> (u32, u32);

/// One bound.
pub(super) struct Gauge {
    property: Property,
    case: Case,
    read: Reading,
    inputs: u64,
    looked: u64,
}

impl Gauge {
    /// All of them.
    pub(super) fn all(case: &Case) -> [Self; 3] {
        let gauge = |id, name, claim, read: Reading| Self {
            property: Property { id, name, claim },
            case: case.clone(),
            read,
            inputs: 0,
            looked: 0,
        };
        [
            gauge(
                "B7",
                "members",
                "no table holds more than members_max Alive and Suspect members",
                |stats, config| (stats.alive + stats.suspect, config.members_max),
            ),
            gauge("B9", "updates", "no more updates wait than members are known", |stats, _| {
                (stats.updates_queued, stats.alive + stats.suspect + stats.dead + stats.left)
            }),
            gauge(
                "B12",
                "broadcasts-queued",
                "no more broadcasts wait than broadcasts_max",
                |stats, config| (stats.broadcasts_queued, config.broadcasts_max.into()),
            ),
        ]
    }
}

impl Monitor for Gauge {
    declare! { self, self.property, AFTER_INPUT }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        self.inputs += 1;
        if !self.inputs.is_multiple_of(LOOK_EVERY) {
            return Ok(());
        }
        let Some(node) = world.node(host) else { return Ok(()) };
        self.looked += 1;
        let (held, max) = (self.read)(&node.stats(), &self.case.config);
        if held <= max {
            return Ok(());
        }
        Err(Broken::by(&[host], format!("{host:?} holds {held}; at most {max}")))
    }
}

/// B8.
pub(super) struct Tombstones {
    case: Case,
    /// Since when each is gone, by observer and subject.
    gone: BTreeMap<(HostId, NodeId), Instant>,
    /// Hosts whose clocks were changed.
    hasty: BTreeSet<HostId>,
    /// Those that have been over the bound in this input or the one before.
    full: BTreeSet<HostId>,
    looked: u64,
}

impl Tombstones {
    pub(super) fn new(case: &Case) -> Self {
        let (gone, hasty, full) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { case: case.clone(), gone, hasty, full, looked: 0 }
    }

    fn forget(&mut self, now: Instant, host: HostId, id: NodeId) -> Check {
        let Some(since) = self.gone.remove(&(host, id)) else { return Ok(()) };
        self.looked += 1;
        // How many there were when it was due cannot be known; that many may be forgotten at once.
        let many = self.full.contains(&host)
            || self.gone.range((host, NodeId(0))..=(host, NodeId(u64::MAX))).count() as u32
                >= self.case.config.tombstones_max;
        if many || self.hasty.contains(&host) || now >= since.after(self.case.config.tombstone_life) {
            return Ok(());
        }
        let kept = now.since(since);
        Err(Broken::by(&[host], format!("{host:?} forgot {id:?} after {kept:?}, before its time")))
    }

    fn forget_all(&mut self, host: HostId) {
        self.gone.retain(|(observer, _), _| *observer != host);
    }
}

impl Monitor for Tombstones {
    declare! { "B8", "tombstones", REPORTED,
    "the dead are remembered for tombstone_life, no shorter and not much longer, and not too many" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Reported { host, event } => match event {
                Event::Dead { id, .. } | Event::Left { id, .. } => {
                    self.gone.insert((*host, *id), scene.now());
                }
                Event::Alive { id, .. } => {
                    self.gone.remove(&(*host, *id));
                }
                Event::Forgotten { id } => return self.forget(scene.now(), *host, *id),
                Event::StartedOver { .. } | Event::Lost { .. } => self.forget_all(*host),
                _ => {}
            },
            Happening::Began { host, .. } => self.forget_all(*host),
            Happening::Acted { action, done: true } => {
                let hasty = matches!(action.fault_class(), Some(FaultClass::Jump | FaultClass::Drift));
                if hasty {
                    self.hasty.extend(action.hosts());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Only a table that changes has more of them.
    fn on_rows_changed(&mut self, world: &World, host: HostId, _moves: &[RowChange]) -> Check {
        let Some(node) = world.node(host) else { return Ok(()) };
        let stats = node.stats();
        let (held, max) = (stats.dead + stats.left, self.case.config.tombstones_max);
        if held >= max {
            self.full.insert(host);
        }
        if held <= max {
            return Ok(());
        }
        Err(Broken::by(&[host], format!("{host:?} remembers {held} that are gone; at most {max}")))
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        let config = &self.case.config;
        if phase != Phase::Rest {
            return Ok(());
        }
        // Dead and then Left, or gossiped again in a later epoch: twice tombstone_life is always too long.
        let longest =
            config.tombstone_life * 2 + config.period * u32::from(config.health_max) + Duration::from_secs(2);
        for ((host, id), since) in &self.gone {
            let Some(node) = world.node(*host).filter(|_| world.presence(*host) == Presence::Up) else {
                continue;
            };
            let probes = node.stats().alive > 1;
            if probes && !self.hasty.contains(host) && since.after(longest) < world.now() {
                self.looked += 1;
                let why = format!("{host:?} still remembers {id:?}, which is gone since {since:?}");
                return Err(Broken::by(&[*host], why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gauge_reads_its_own_bound() {
        let case = Case::of(&crate::scenario::Scenario::calm(1, 3)).expect("a valid scenario");
        let stats = Stats::default();
        let mut full = stats;
        (full.alive, full.suspect, full.dead, full.left) = (7, 20, 300, 4000);
        (full.updates_queued, full.broadcasts_queued) = (50_000, 600_000);
        let read = Gauge::all(&case).map(|gauge| (gauge.read)(&full, &case.config));
        assert_eq!(read, [(27, 100_000), (50_000, 4327), (600_000, 256)]);
    }

    #[test]
    fn more_than_the_bound_is_found() {
        let (world, hosts) = crate::properties::tests::worlds::calm(2);
        let [mut members, ..] = Gauge::all(&crate::properties::tests::worlds::case(2));
        let look = |gauge: &mut Gauge| (0..LOOK_EVERY).try_for_each(|_| gauge.after_input(&world, hosts[0]));
        assert_eq!(look(&mut members), Ok(()));
        members.read = |stats, _| (stats.alive, 1);
        assert!(look(&mut members).is_err());
    }
}
