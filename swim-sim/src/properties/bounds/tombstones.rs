//! B8: no more tombstones than `tombstones_max`, and each is kept for its life: no shorter, or an old rumour
//! revives the dead; and not much longer.
//!
//! When somebody is buried or has left is told by what the node reports, and so is when it is forgotten; a tombstone
//! that is told of a later life of its subject begins anew without a word. Too early is judged at each report.
//! Too late is judged in the end, by what is still held: forgetting rides on the probe's wake-up, so a node without
//! anybody to probe keeps what it has. Beyond `tombstones_max` the oldest go at once, up to 64 in an input, and no
//! datagram or tick makes more. A clock that was made to leap, or runs fast, may forget early.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swim_core::{Event, Instant, NodeId};

use crate::action::FaultClass;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};
use crate::{Presence, World};

/// B8.
pub(super) struct Tombstones {
    case: Case,
    /// Since when each is gone, by observer and subject.
    gone: BTreeMap<(HostId, NodeId), Instant>,
    /// Those whose clocks were meddled with.
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
        // How many there were when it was due cannot be told; that many may be forgotten at once.
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
        // Dead and then Left, or told again of a later life: twice its life is always too long.
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
