//! L2, L3, L5: who begins, begins again, or goes on after a pause is Alive at everybody soon.
//!
//! One check for three ways of coming: everybody who runs holds it as Alive, in its present life and at its
//! present address. Whoever begins has to find somebody, so its time does not run while no seed does. Soon is four of the longest pauses between two attempts to join, and twenty periods, where
//! nothing else is wrong; after a whole recovery where something is.

use std::collections::BTreeMap;

use swim_core::{Instant, Status};

use crate::action::Action;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::due::Awaited;
use crate::properties::monitor::AFTER_INPUT;
use crate::properties::{Broken, Case, Check, Interest, Monitor, Property};
use crate::{Presence, World};

/// How somebody comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// L2: for the first time.
    First,
    /// L3: in a further life.
    Again,
    /// L5: out of a pause.
    Resumed,
}

/// L2, L3 or L5.
pub(super) struct Returns {
    way: Way,
    case: Case,
    back: Awaited<HostId>,
    /// The pauses, when they began, and whether it was calm before.
    pauses: BTreeMap<HostId, (Action, Instant, bool)>,
    /// Who has lived before.
    lived: Vec<HostId>,
    looked: u64,
}

impl Returns {
    pub(super) fn new(way: Way, case: &Case) -> Self {
        let back = Awaited::new(case, |config, _| config.join_retry.1 * 4 + config.period * 20);
        Self { way, case: case.clone(), back, pauses: BTreeMap::new(), lived: Vec::new(), looked: 0 }
    }

    fn note_life(&mut self, scene: &Scene<'_>, host: HostId) {
        let again = self.lived.contains(&host);
        if !again {
            self.lived.push(host);
        }
        if self.way == if again { Way::Again } else { Way::First } {
            self.back.add(scene, host, host);
        }
    }

    fn note_pause(&mut self, scene: &Scene<'_>, action: &Action) {
        match action {
            Action::Pause { host, .. } => {
                let calm = self.back.is_calm(scene);
                self.pauses.insert(*host, (action.clone(), scene.now(), calm));
            }
            Action::Resume(host) => {
                if let Some((pause, at, calm)) = self.pauses.remove(host) {
                    let calm = calm && self.back.is_all(&pause, at);
                    self.back.add_if(scene, *host, *host, calm);
                }
            }
            _ => {}
        }
    }

    /// Whether a seed runs where it was born: whoever asks nobody is let in by nobody.
    fn somebody_answers(&self, world: &World, host: HostId) -> bool {
        let others =
            || world.hosts().filter(|other| *other != host && world.presence(*other) == Presence::Up);
        let is_seed = |other: HostId| {
            self.case.scenario.is_seed(other) && world.addr(other) == World::birthplace(other)
        };
        others().any(is_seed) || others().next().is_none()
    }

    fn judge_due(&mut self, world: &World, all: bool) -> Check {
        for (host, fact) in self.back.take_due(world, all) {
            if world.presence(host) != Presence::Up {
                continue;
            }
            if self.way != Way::Resumed && !self.somebody_answers(world, host) {
                self.back.wait(host, world.now());
                continue;
            }
            self.looked += 1;
            let Some(me) = world.node(host).map(swim_core::Node::me) else { continue };
            let knows = |observer: HostId| {
                let row = world.node(observer).and_then(|node| node.member(me.id));
                row.is_some_and(|row| {
                    row.status == Status::Alive && (row.epoch, row.addr) == (me.epoch, me.addr)
                })
            };
            let mut up = world.hosts().filter(|other| world.presence(*other) == Presence::Up);
            if let Some(observer) = up.find(|observer| !knows(*observer)) {
                let held = world.believes(observer, host);
                let why = format!("{host:?} came at {:?}, and is {held:?} at {observer:?}", fact.at);
                return Err(Broken::by(&[observer, host], why));
            }
        }
        Ok(())
    }
}

impl Monitor for Returns {
    fn property(&self) -> Property {
        let (id, name, claim) = match self.way {
            Way::First => ("L2", "newcomers", "a newcomer is soon Alive at every member"),
            Way::Again => ("L3", "restarts", "a member that was started again is soon Alive at every member"),
            Way::Resumed => {
                ("L5", "pauses", "a member that goes on after a pause is soon Alive at every member")
            }
        };
        Property { id, name, claim }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn interest(&self) -> Interest {
        AFTER_INPUT
    }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. } => self.note_life(scene, *host),
            Happening::Ended { host, .. } => self.back.retain(|back| back != host),
            Happening::Acted { action, done: true } if self.way == Way::Resumed => {
                self.note_pause(scene, action)
            }
            _ => {}
        }
        self.back.note(scene, what);
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        self.judge_due(world, false)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        self.judge_due(world, phase == Phase::Rest)
    }
}
