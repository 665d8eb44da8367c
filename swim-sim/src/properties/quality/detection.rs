//! Q1: a crash in a healthy cluster is known to all within [`Config::detection_bound`](swim_core::Config).
//!
//! Healthy is what the bound supposes: nothing is wrong and nothing was for a while, links are whole, every
//! survivor knows all, suspects none, has no update queued and is in good health, relays are on,
//! and nothing else happens until the bound has passed. Checked by what the survivors report.

use std::collections::BTreeSet;
use std::time::Duration;

use swim_core::{Event, Instant, NodeId};

use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Conditions, is_healthy};
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Presence, World};

/// Q1.
pub(super) struct Detection {
    case: Case,
    conditions: Conditions,
    crash: Option<Crash>,
    looked: u64,
}

/// The crash that is watched.
struct Crash {
    host: HostId,
    id: NodeId,
    at: Instant,
    due: Instant,
    /// `None`: it is not known yet whether they were healthy.
    silent: Option<BTreeSet<HostId>>,
}

impl Detection {
    pub(super) fn new(case: &Case) -> Self {
        Self { case: case.clone(), conditions: Conditions::new(), crash: None, looked: 0 }
    }

    /// Whether the options are those that the bound is derived for.
    fn is_derived(&self) -> bool {
        let config = &self.case.config;
        config.relays > 0 && config.sync_interval_max.is_some() && config.lambda >= 2
    }

    fn begin(&mut self, scene: &Scene<'_>, host: HostId) {
        let n = scene.hosts().filter(|other| scene.presence(*other) == Presence::Up).count() as u32 + 1;
        let fair = self.is_derived() && self.conditions.is_calm(scene.now(), &self.case.config);
        // A second one within the bound spoils the first.
        let first = self.crash.take().is_none();
        if fair && first && n >= 2 {
            let (at, id) = (scene.now(), scene.identity(host).id);
            let due = at.after(self.case.config.detection_bound(n));
            self.crash = Some(Crash { host, id, at, due, silent: None });
        }
    }

    /// At the first input after the crash: the survivors, if the assumptions hold.
    fn survivors(world: &World, crash: &Crash) -> Option<BTreeSet<HostId>> {
        let up: BTreeSet<HostId> =
            world.hosts().filter(|host| world.presence(*host) == Presence::Up).collect();
        let n = up.len() as u32 + 1;
        let healthy = |host: &HostId| {
            let Some(node) = world.node(*host) else { return false };
            let stats = node.stats();
            let knows = node.member(crash.id).is_some_and(|row| row.status.is_active());
            stats.alive == n && stats.updates_queued == 0 && knows
        };
        (is_healthy(world, crash.host) && up.iter().all(healthy)).then_some(up)
    }
}

impl Monitor for Detection {
    declare! { "Q1", "detection", TICKED | ARRIVED | REPORTED | AFTER_INPUT,
    "a crash in a healthy cluster is known to all within the detection bound" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Ended { host, presence: Presence::Crashed } => self.begin(scene, *host),
            Happening::Reported { host, event: Event::Dead { id, .. } } => {
                if let Some(Crash { silent: Some(silent), .. }) =
                    self.crash.as_mut().filter(|crash| crash.id == *id)
                {
                    silent.remove(host);
                }
            }
            _ => {}
        }
        let spoilt = self.conditions.note(scene.now(), what) || self.conditions.calm_since().is_none();
        if spoilt && self.crash.as_ref().is_some_and(|crash| crash.at != scene.now()) {
            self.crash = None;
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        let Some(crash) = &mut self.crash else { return Ok(()) };
        if crash.silent.is_none() {
            match Self::survivors(world, crash) {
                Some(survivors) => crash.silent = Some(survivors),
                None => self.crash = None,
            }
            return Ok(());
        }
        if world.now() <= crash.due {
            return Ok(());
        }
        let Some(crash) = self.crash.take() else { return Ok(()) };
        self.looked += 1;
        let Some(late) = crash.silent.and_then(|silent| silent.first().copied()) else { return Ok(()) };
        let bound: Duration = crash.due.since(crash.at);
        let why = format!(
            "{:?} crashed at {:?}; {late:?} has not reported it within {bound:?}",
            crash.host, crash.at
        );
        Err(Broken::by(&[late, crash.host], why))
    }
}
