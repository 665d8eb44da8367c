//! L1: a member that crashed and stays down is soon Dead, or gone, at every member.
//! L2, L3, L5: a member that starts, starts again, or goes on after a pause is soon Alive at every member.
//! L4: once nothing is wrong any more, all agree, and with the truth.
//! L6: every member soon knows the metadata that each set last.
//!
//! Each of the four "soon" has a time of its own where nothing else is wrong, and a whole recovery more where
//! something is. All who run are asked: in calm conditions each of them could know. A member that never knew the
//! crashed one, or has forgotten it, is right not to hold it. A member that starts has to find another, so its time
//! does not run while no seed does. A host whose clock came in a garbled welcome is excused from all of them: the
//! clock says which epochs are plausible, so such a host cannot believe what the others do.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::{Command, Config, Instant, Node, Status};

use crate::action::Action;
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::{Awaited, knows, running};
use crate::properties::evidence::datagram::Misled;
use crate::properties::formulas::dissemination;
use crate::properties::{Broken, Case, Check, Monitor, Property, declare};
use crate::{Presence, World};

/// What all members must know soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// L1: a crash.
    Crash,
    /// L2: a member that starts for the first time.
    Start,
    /// L3: a member that starts again.
    Restart,
    /// L5: a member that goes on after a pause.
    Resume,
    /// L6: metadata.
    Metadata,
}

impl What {
    const fn property(self) -> Property {
        let (id, name, claim) = match self {
            Self::Crash => {
                ("L1", "crashes", "a member that crashed and stays down is soon Dead at all that could know")
            }
            Self::Start => ("L2", "newcomers", "a newcomer is soon Alive at every member"),
            Self::Restart => {
                ("L3", "restarts", "a member that was started again is soon Alive at every member")
            }
            Self::Resume => {
                ("L5", "pauses", "a member that goes on after a pause is soon Alive at every member")
            }
            Self::Metadata => ("L6", "metadata", "every member soon knows the metadata that each set last"),
        };
        Property { id, name, claim }
    }

    /// How soon in a healthy cluster of so many hosts: twice the detection bound; four of the longest pauses
    /// between two attempts to join, and twenty periods; twice what gossip takes, and a few periods in which the
    /// digests show which member missed it.
    fn soon(self, config: &Config, hosts: u32) -> Duration {
        match self {
            Self::Crash => config.detection_bound(hosts) * 2,
            Self::Start | Self::Restart | Self::Resume => config.join_retry.1 * 4 + config.period * 20,
            Self::Metadata => dissemination(config, hosts) * 2 + config.period * 10,
        }
    }
}

/// L1, L2, L3, L5 or L6.
pub(super) struct Soon {
    what: What,
    case: Case,
    awaited: Awaited<HostId>,
    /// The pauses, when they began, and whether it was calm before.
    pauses: BTreeMap<HostId, (Action, Instant, bool)>,
    /// Hosts that have run before.
    known: Vec<HostId>,
    /// What the user of each host set last, in this epoch.
    metadata: BTreeMap<HostId, Vec<u8>>,
    misled: Misled,
    looked: u64,
}

impl Soon {
    pub(super) fn new(what: What, case: &Case) -> Self {
        let (pauses, known, metadata, misled) = Default::default();
        let awaited = Awaited::new(case, move |config, hosts| what.soon(config, hosts));
        Self { what, case: case.clone(), awaited, pauses, known, metadata, misled, looked: 0 }
    }

    fn note_start(&mut self, scene: &Scene<'_>, host: HostId) {
        let again = self.known.contains(&host);
        if !again {
            self.known.push(host);
        }
        if self.what == if again { What::Restart } else { What::Start } {
            self.awaited.add(scene, host, host);
        }
    }

    fn note_pause(&mut self, scene: &Scene<'_>, action: &Action) {
        match action {
            Action::Pause { host, .. } => {
                let calm = self.awaited.is_calm(scene);
                self.pauses.insert(*host, (action.clone(), scene.now(), calm));
            }
            Action::Resume(host) => {
                if let Some((pause, at, calm)) = self.pauses.remove(host) {
                    let calm = calm && self.awaited.is_all(&pause, at);
                    self.awaited.add_if(scene, *host, *host, calm);
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
        for (host, fact) in self.awaited.take_due(world, all) {
            let starts = matches!(self.what, What::Start | What::Restart);
            if starts && world.presence(host) == Presence::Up && !self.can_be_let_in(world, host) {
                self.awaited.add_as(world.now(), host, false);
            } else {
                self.check(world, host, fact.at)?;
            }
        }
        Ok(())
    }

    /// Whether all know it of this host since `at`.
    fn check(&mut self, world: &World, host: HostId, at: Instant) -> Check {
        if self.what != What::Crash && world.presence(host) != Presence::Up {
            return Ok(());
        }
        self.looked += 1;
        let metadata = self.metadata.get(&host).map_or(&[][..], Vec::as_slice);
        let is_wrong = |observer: &HostId| match self.what {
            What::Crash => world.believes(*observer, host).is_some_and(Status::is_active),
            What::Metadata => {
                let row = world.node(*observer).and_then(|node| node.member(world.id(host)));
                row.is_none_or(|row| row.metadata != metadata)
            }
            _ => world.node(host).map(Node::me).is_some_and(|me| !knows(world, *observer, me)),
        };
        if self.misled.contains(host) {
            return Ok(());
        }
        let mut observers = running(world).filter(|observer| !self.misled.contains(*observer));
        let Some(observer) = observers.find(is_wrong) else { return Ok(()) };
        let held = world.believes(observer, host);
        let why = match self.what {
            What::Crash => format!("{host:?} crashed at {at:?} and stays down: {held:?} at {observer:?}"),
            What::Metadata => format!("{observer:?} does not hold {metadata:?}, which {host:?} set"),
            _ => format!("{host:?} came at {at:?}, and is {held:?} at {observer:?}"),
        };
        Err(Broken::by(&[observer, host], why))
    }
}

impl Monitor for Soon {
    declare! { self, self.what.property(), AFTER_INPUT | SENT }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match (self.what, what) {
            (What::Crash, Happening::Ended { host, presence: Presence::Crashed }) => {
                self.awaited.add(scene, *host, *host);
            }
            // Whichever host has that id from now on, the id is in use.
            (What::Crash, Happening::Began { me, .. }) => {
                self.awaited.retain(|host| scene.identity(*host).id != me.id);
            }
            (What::Crash, _) => {}
            (What::Metadata, Happening::Began { host, .. }) | (_, Happening::Ended { host, .. }) => {
                self.metadata.remove(host);
                self.awaited.retain(|awaited| awaited != host);
            }
            (What::Metadata, Happening::Commanded { host, command: Command::SetMetadata(metadata) }) => {
                self.metadata.insert(*host, metadata.as_bytes().to_vec());
                self.awaited.add(scene, *host, *host);
            }
            (What::Start | What::Restart, Happening::Began { host, .. }) => self.note_start(scene, *host),
            (What::Resume, Happening::Acted { action, done: true }) => self.note_pause(scene, action),
            _ => {}
        }
        self.awaited.note(scene, what);
        self.misled.note(scene, what);
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        self.check_due(world, false)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if self.what != What::Metadata {
            return self.check_due(world, phase == Phase::Rest);
        }
        if phase != Phase::Rest {
            return Ok(());
        }
        world.hosts().try_for_each(|host| self.check(world, host, world.now()))
    }
}

/// L4.
#[derive(Default)]
pub(super) struct Agreement {
    looked: u64,
    misled: Misled,
}

impl Monitor for Agreement {
    declare! { "L4", "agreement", SENT,
    "when every fault has ended, all members soon agree with each other and with the truth" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        self.misled.note(scene, what);
        Ok(())
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if !matches!(phase, Phase::Peace | Phase::Rest) {
            return Ok(());
        }
        self.looked += 1;
        if world.converged() {
            return Ok(());
        }
        let (hosts, views) = world.wrong_views();
        if hosts.iter().all(|host| self.misled.contains(*host)) {
            return Ok(());
        }
        let when = if phase == Phase::Peace { "not in time" } else { "no more, although they had agreed" };
        Err(Broken::by(&hosts, format!("they agree {when}:\n{views}")))
    }
}
