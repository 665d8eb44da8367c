//! L1: a member that crashed and stays down is soon Dead, or gone, at every member.
//! L2, L3, L5: a member that starts, starts again, or goes on after a pause is soon Alive at every member.
//! L4: once nothing is wrong any more, all agree, and with the truth.
//!
//! Soon after a crash is twice [`Config::detection_bound`](swim_core::Config::detection_bound) where nothing else
//! is wrong; soon for a member that comes is four of the longest pauses between two attempts to join, and twenty
//! periods; and a whole recovery more where something is wrong. All who run are asked: in calm conditions each
//! of them could hear of it. A member that never knew the crashed one, or has forgotten it, is right not to hold
//! it. A member that starts has to find another, so its time does not run while no seed does.

use std::collections::BTreeMap;

use swim_core::{Instant, Status};

use crate::action::Action;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Awaited, knows, running};
use crate::properties::monitor::AFTER_INPUT;
use crate::properties::{Broken, Case, Check, Interest, Monitor, Property, declare};
use crate::{Presence, World};

/// L1.
pub(super) struct Crashes {
    down: Awaited<HostId>,
    looked: u64,
}

impl Crashes {
    pub(super) fn new(case: &Case) -> Self {
        Self { down: Awaited::new(case, |config, n| config.detection_bound(n) * 2), looked: 0 }
    }

    fn check_due(&mut self, world: &World, all: bool) -> Check {
        for (host, fact) in self.down.take_due(world, all) {
            self.looked += 1;
            let holds = |observer: &HostId| world.believes(*observer, host).is_some_and(Status::is_active);
            if let Some(observer) = running(world).find(holds) {
                let held = world.believes(observer, host);
                let why =
                    format!("{host:?} crashed at {:?} and stays down: {held:?} at {observer:?}", fact.at);
                return Err(Broken::by(&[observer, host], why));
            }
        }
        Ok(())
    }
}

impl Monitor for Crashes {
    declare! { "L1", "crashes", AFTER_INPUT,
    "a member that crashed and stays down is soon Dead at every member that could hear of it" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Ended { host, presence: Presence::Crashed } => self.down.add(scene, *host, *host),
            // Whichever host has that id from now on, the id is in use.
            Happening::Began { me, .. } => self.down.retain(|host| scene.identity(*host).id != me.id),
            _ => {}
        }
        self.down.note(scene, what);
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        self.check_due(world, false)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        self.check_due(world, phase == Phase::Rest)
    }
}

/// How a member comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// L2: for the first time.
    First,
    /// L3: in a further epoch.
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
    /// Hosts that have run before.
    known: Vec<HostId>,
    looked: u64,
}

impl Returns {
    pub(super) fn new(way: Way, case: &Case) -> Self {
        let back = Awaited::new(case, |config, _| config.join_retry.1 * 4 + config.period * 20);
        Self { way, case: case.clone(), back, pauses: BTreeMap::new(), known: Vec::new(), looked: 0 }
    }

    fn note_start(&mut self, scene: &Scene<'_>, host: HostId) {
        let again = self.known.contains(&host);
        if !again {
            self.known.push(host);
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

    /// Whether a seed runs at its first address, or the host is alone.
    fn can_be_let_in(&self, world: &World, host: HostId) -> bool {
        let others = || running(world).filter(|other| *other != host);
        let is_seed = |other: HostId| {
            self.case.scenario.is_seed(other) && world.addr(other) == World::birthplace(other)
        };
        others().any(is_seed) || others().next().is_none()
    }

    fn check_due(&mut self, world: &World, all: bool) -> Check {
        for (host, fact) in self.back.take_due(world, all) {
            if world.presence(host) != Presence::Up {
                continue;
            }
            if self.way != Way::Resumed && !self.can_be_let_in(world, host) {
                self.back.add_as(world.now(), host, false);
                continue;
            }
            self.looked += 1;
            let Some(me) = world.node(host).map(swim_core::Node::me) else { continue };
            if let Some(observer) = running(world).find(|observer| !knows(world, *observer, me)) {
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
            Happening::Began { host, .. } => self.note_start(scene, *host),
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
        self.check_due(world, false)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        self.check_due(world, phase == Phase::Rest)
    }
}

/// L4.
#[derive(Default)]
pub(super) struct Agreement {
    looked: u64,
}

impl Monitor for Agreement {
    declare! { "L4", "agreement", NONE,
    "when every fault has ended, all members soon agree with each other and with the truth" }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if !matches!(phase, Phase::Peace | Phase::Rest) {
            return Ok(());
        }
        self.looked += 1;
        if world.converged() {
            return Ok(());
        }
        let (hosts, views) = world.wrong_views();
        let when = if phase == Phase::Peace { "not in time" } else { "no more, although they had agreed" };
        Err(Broken::by(&hosts, format!("they agree {when}:\n{views}")))
    }
}
