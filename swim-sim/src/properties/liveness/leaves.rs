//! L7: a leave ends, and in a healthy cluster every member soon knows of it.
//!
//! A member that was commanded to leave gossips that as often as any update, and reports `LeaveSent`; it gets twice
//! the time that this takes on a gossip tick (or a fifth of a period where there is none), not counting pauses.
//! If it knows of others it has informed at least one of them by then. Every member that runs then holds it as Left,
//! unless it never knew it. Where something was wrong the leave may have reached no member, and the one that left
//! is Dead like any other that is silent: L1 and L4 check that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swim_core::{Command, Event, Instant, Status};

use crate::action::Action;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Awaited, is_healthy, running};
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::{dissemination, sends};
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};
use crate::{Presence, World};

/// L7.
pub(super) struct Leaves {
    case: Case,
    /// The hosts that leave, by when they must have ended, and whether the cluster was healthy before.
    leaving: BTreeMap<HostId, (Instant, bool)>,
    /// The hosts that have left.
    left: Awaited<HostId>,
    /// How many others each host knows, when something last changed in its table.
    others: BTreeMap<HostId, u32>,
    /// The hosts whose leave was sent to any other.
    informed: BTreeSet<HostId>,
    /// Whether the cluster is healthy is still to be asked.
    unsure: bool,
    looked: u64,
}

impl Leaves {
    pub(super) fn new(case: &Case) -> Self {
        let left = Awaited::new(case, |config, n| dissemination(config, n) * 2 + config.period * 3);
        let (leaving, others, informed) = Default::default();
        Self { case: case.clone(), leaving, left, others, informed, unsure: false, looked: 0 }
    }

    /// By when a leave that begins now must have ended.
    fn until(&self, scene: &Scene<'_>) -> Instant {
        let config = &self.case.config;
        let interval = config.gossip_interval.unwrap_or(config.period / 5);
        let takes: Duration = interval * (sends(config, scene.hosts().count() as u32) + 1);
        scene.now().after(takes * 2 + config.period * 2)
    }

    fn check_known(&mut self, world: &World, host: HostId) -> Check {
        self.looked += 1;
        let id = world.id(host);
        let wrong = |observer: &HostId| {
            let row = world.node(*observer).and_then(|node| node.member(id));
            row.is_some_and(|row| row.status != Status::Left)
        };
        let Some(observer) = running(world).find(wrong) else { return Ok(()) };
        let held = world.believes_id(observer, id);
        Err(Broken::by(&[observer, host], format!("{host:?} has left, and is {held:?} at {observer:?}")))
    }

    fn note_sent(&mut self, scene: &Scene<'_>, host: HostId, datagrams: u64) -> Check {
        self.looked += 1;
        let others = self.others.get(&host).copied().unwrap_or_default();
        if others > 0 && !self.informed.contains(&host) {
            let why = format!("{host:?} knew {others} others, and has sent its leave to none of them");
            return Err(Broken::by(&[host], why));
        }
        let healthy = self.leaving.remove(&host).is_some_and(|(_, healthy)| healthy);
        if healthy && datagrams > 0 {
            self.left.add_as(scene.now(), host, true);
        }
        Ok(())
    }
}

impl Monitor for Leaves {
    declare! { "L7", "leaves", REPORTED | READ_SENT | AFTER_INPUT,
    "a leave ends in LeaveSent, and in a healthy cluster every member soon knows of it" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Commanded { host, command: Command::Leave } => {
                let calm = self.left.is_calm(scene);
                let until = self.until(scene);
                self.unsure |= calm;
                self.leaving.entry(*host).or_insert((until, calm));
            }
            Happening::Acted { action: Action::Resume(host), done: true }
                if self.leaving.contains_key(host) =>
            {
                self.leaving.insert(*host, (self.until(scene), false));
            }
            Happening::Reported { host, event: Event::LeaveSent { datagrams } } => {
                self.note_sent(scene, *host, u64::from(*datagrams))?;
            }
            // Its own machine refuses: it has tried.
            Happening::Unsendable { host, .. } => drop(self.informed.insert(*host)),
            Happening::Ended { host, .. } => {
                self.leaving.remove(host);
            }
            Happening::Began { host, me } => {
                self.informed.remove(host);
                self.others.remove(host);
                self.left.retain(|host| scene.identity(*host).id != me.id);
            }
            _ => {}
        }
        // The end of the process that left is part of it.
        if !matches!(what, Happening::Ended { presence: Presence::Gone, .. }) {
            let changed = matches!(what, Happening::Acted { done: true, .. } | Happening::Forged { .. });
            if changed && !matches!(what, Happening::Acted { action: Action::Leave(_), .. }) {
                self.left.retain(|_| false);
            }
            self.left.note(scene, what);
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let Happening::Sent { host, .. } = what
            && self.leaving.contains_key(host)
        {
            let id = scene.identity(*host).id;
            if said.members().any(|member| member.id == id && member.claim.status == Status::Left) {
                self.informed.insert(*host);
            }
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, _changes: &[RowChange]) -> Check {
        if let Some(node) = world.node(host) {
            let stats = node.stats();
            self.others.insert(host, (stats.alive + stats.suspect).saturating_sub(1));
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        if std::mem::take(&mut self.unsure)
            && let Some((_, healthy)) = self.leaving.get_mut(&host)
        {
            *healthy = *healthy && is_healthy(world, host);
        }
        if self.leaving.get(&host).is_some_and(|(until, _)| *until < world.now()) {
            let why = format!("{host:?} was commanded to leave and does not come to an end");
            return Err(Broken::by(&[host], why));
        }
        let due = self.left.take_due(world, false);
        due.into_iter().try_for_each(|(gone, _)| self.check_known(world, gone))
    }

    fn after_phase(&mut self, world: &World, _phase: Phase) -> Check {
        let late =
            running(world).find(|host| self.leaving.get(host).is_some_and(|(until, _)| *until < world.now()));
        match late {
            Some(host) => {
                Err(Broken::by(&[host], format!("{host:?} was commanded to leave and is still there")))
            }
            None => Ok(()),
        }
    }
}
