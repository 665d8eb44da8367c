//! L7: a goodbye ends, and where nothing is wrong everybody has heard it soon after.
//!
//! A member that was told to leave says so as often as any news is said, and reports `LeaveSent`; it gets twice
//! the time that this takes on a gossip tick (or a fifth of a period where there is none), not counting pauses.
//! Whoever knows of others has told at least one of them by then.
//! Everybody who runs then holds it as Left, but whoever never knew it. Where something was wrong the goodbye may
//! have reached nobody, and who left is Dead like anybody else who is silent: L1 and L4 see to that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swim_core::{Command, Event, Instant, Said, Status};

use crate::action::Action;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::is_healthy;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::due::Awaited;
use crate::properties::formulas::{dissemination, sends};
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};
use crate::{Presence, World};

/// L7.
pub(super) struct Farewells {
    case: Case,
    /// Who is saying goodbye, by when it must have been said, and whether all was well when it began.
    saying: BTreeMap<HostId, (Instant, bool)>,
    /// Who has said goodbye.
    said: Awaited<HostId>,
    /// Of whom each host knows besides itself, when something last changed in its table.
    others: BTreeMap<HostId, u32>,
    /// Whose goodbyes have been told to anybody.
    told: BTreeSet<HostId>,
    /// Whether the cluster is healthy is still to be asked.
    unsure: bool,
    looked: u64,
}

impl Farewells {
    pub(super) fn new(case: &Case) -> Self {
        let said = Awaited::new(case, |config, n| dissemination(config, n) * 2 + config.period * 3);
        Self {
            case: case.clone(),
            saying: BTreeMap::new(),
            said,
            others: BTreeMap::new(),
            told: BTreeSet::new(),
            unsure: false,
            looked: 0,
        }
    }

    /// How long saying it may take.
    fn patience(&self, hosts: u32) -> Duration {
        let config = &self.case.config;
        let interval = config.gossip_interval.unwrap_or(config.period / 5);
        interval * (sends(config, hosts) + 1) * 2 + config.period * 2
    }

    fn judge_known(&mut self, world: &World, host: HostId) -> Check {
        self.looked += 1;
        let id = world.id(host);
        let knows = |observer: &HostId| {
            let Some(node) = world.node(*observer) else { return true };
            node.member(id).is_none_or(|row| row.status == Status::Left)
        };
        let mut up = world.hosts().filter(|other| world.presence(*other) == Presence::Up);
        let Some(observer) = up.find(|observer| !knows(observer)) else { return Ok(()) };
        let held = world.believes_id(observer, id);
        Err(Broken::by(&[observer, host], format!("{host:?} said goodbye, and is {held:?} at {observer:?}")))
    }
}

impl Monitor for Farewells {
    declare! { "L7", "farewells", REPORTED | READ_SENT | AFTER_INPUT,
    "a goodbye ends in LeaveSent, and in a healthy cluster all soon know of it" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        let patience = |law: &Self| scene.now().after(law.patience(scene.hosts().count() as u32));
        match what {
            Happening::Commanded { host, command: Command::Leave } => {
                let until = (patience(self), self.said.is_calm(scene));
                self.unsure |= until.1;
                self.saying.entry(*host).or_insert(until);
            }
            Happening::Acted { action: Action::Resume(host), done: true }
                if self.saying.contains_key(host) =>
            {
                self.saying.insert(*host, (patience(self), false));
            }
            Happening::Reported { host, event: Event::LeaveSent { datagrams } } => {
                self.looked += 1;
                let others = self.others.get(host).copied().unwrap_or_default();
                if others > 0 && !self.told.contains(host) {
                    let why = format!("{host:?} knew {others} others, and has told its goodbye to nobody");
                    return Err(Broken::by(&[*host], why));
                }
                let fair = self.saying.remove(host).is_some_and(|(_, fair)| fair);
                if fair && *datagrams > 0 {
                    self.said.add_as(scene, *host, true);
                }
            }
            // Its own machine refuses: it has tried.
            Happening::Unsendable { host, .. } => drop(self.told.insert(*host)),
            Happening::Ended { host, .. } => {
                self.saying.remove(host);
            }
            Happening::Began { host, me } => {
                self.told.remove(host);
                self.others.remove(host);
                self.said.retain(|host| scene.identity(*host).id != me.id);
            }
            _ => {}
        }
        // The end of the process that said goodbye is part of it.
        if !matches!(what, Happening::Ended { presence: Presence::Gone, .. }) {
            let changed = matches!(what, Happening::Acted { done: true, .. } | Happening::Forged { .. });
            if changed && !matches!(what, Happening::Acted { action: Action::Leave(_), .. }) {
                self.said.retain(|_| false);
            }
            self.said.note(scene, what);
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let Happening::Sent { host, .. } = what
            && self.saying.contains_key(host)
        {
            let id = scene.identity(*host).id;
            let goodbye = |said: &Said<'_>| matches!(said, Said::Member(member) if member.id == id && member.claim.status == Status::Left);
            if said.records().iter().any(goodbye) {
                self.told.insert(*host);
            }
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, _moves: &[RowChange]) -> Check {
        if let Some(node) = world.node(host) {
            let stats = node.stats();
            self.others.insert(host, (stats.alive + stats.suspect).saturating_sub(1));
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        if std::mem::take(&mut self.unsure)
            && let Some((_, fair)) = self.saying.get_mut(&host)
        {
            *fair = *fair && is_healthy(world, host);
        }
        if self.saying.get(&host).is_some_and(|(until, _)| *until < world.now()) {
            return Err(Broken::by(
                &[host],
                format!("{host:?} was told to leave and does not come to an end"),
            ));
        }
        for (gone, _) in self.said.take_due(world, false) {
            self.judge_known(world, gone)?;
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, _phase: Phase) -> Check {
        let late = self
            .saying
            .iter()
            .find(|(host, (until, _))| *until < world.now() && world.presence(**host) == Presence::Up);
        match late {
            Some((host, _)) => {
                Err(Broken::by(&[*host], format!("{host:?} was told to leave and is still there")))
            }
            None => Ok(()),
        }
    }
}
