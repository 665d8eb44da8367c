//! Q5: storms end.
//!
//! Everybody who runs comes to rest: nobody is suspected, nothing waits to be told, health is good, no event was
//! lost and no clock went backwards. Now and then somebody still learns late how somebody else went, and tells
//! it: so each must have been at rest at some moment of the last stretch of the rest. And nobody has to defend
//! itself any more, but for an old word that comes round once.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Event, Instant};

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::scenario::{REST_PERIODS, RESTS};
use crate::{Presence, World};

/// Times that one member may have to refute something at rest.
const REFUTATIONS_MAX: u32 = 3;

/// Q5.
pub(super) struct Storms {
    case: Case,
    /// When the last stretch of the rest begins.
    last: Option<Instant>,
    /// Who has been seen at rest in it.
    clean: BTreeSet<HostId>,
    refuted: BTreeMap<HostId, u32>,
    looked: u64,
}

impl Storms {
    pub(super) fn new(case: &Case) -> Self {
        let (clean, refuted) = (BTreeSet::new(), BTreeMap::new());
        Self { case: case.clone(), last: None, clean, refuted, looked: 0 }
    }
}

/// What is left over at a node: updates and broadcasts that wait, suspects, ill health.
fn left_over(world: &World, host: HostId) -> [u32; 4] {
    let stats = world.node(host).map(swim_core::Node::stats).unwrap_or_default();
    [stats.updates_queued, stats.broadcasts_queued, stats.suspect, stats.health.into()]
}

impl Monitor for Storms {
    declare! { "Q5", "storms", REPORTED | AFTER_INPUT,
    "when nothing is wrong any more, nobody is suspected, nothing waits and all are in good health" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Entered { phase: Phase::Rest } => {
                let before = self.case.config.period * (REST_PERIODS * (RESTS - 1));
                self.last = Some(scene.now().after(before));
            }
            Happening::Reported { host, event: Event::Accused { by, incarnation } }
                if self.last.is_some() =>
            {
                let times = self.refuted.entry(*host).or_default();
                *times += 1;
                if *times > REFUTATIONS_MAX {
                    let why = format!(
                        "{host:?} is accused at rest for the {times}th time, by {by:?}, {incarnation:?}"
                    );
                    return Err(Broken::by(&[*host], why));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let due = self.last.is_some_and(|last| last <= world.now());
        if due && !self.clean.contains(&host) && left_over(world, host) == [0; 4] {
            self.clean.insert(host);
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if phase != Phase::Rest {
            return Ok(());
        }
        for host in world.hosts().filter(|host| world.presence(*host) == Presence::Up) {
            let Some(stats) = world.node(host).map(swim_core::Node::stats) else { continue };
            self.looked += 1;
            if stats.events_lost + stats.clock_backwards > 0 {
                let (lost, backwards) = (stats.events_lost, stats.clock_backwards);
                let why =
                    format!("{host:?} lost {lost} events, and its clock went backwards {backwards} times");
                return Err(Broken::by(&[host], why));
            }
            let left = left_over(world, host);
            if !self.clean.contains(&host) && left != [0; 4] {
                let why =
                    format!("{host:?} has left over [updates, broadcasts, suspects, health] = {left:?}");
                return Err(Broken::by(&[host], why));
            }
        }
        Ok(())
    }
}
