//! Q3: at rest a member sends a ping and an ack in each period and little else. Q4: it asks for no pages.
//! Q5: storms end.
//!
//! The rest is measured in stretches. What a member still learns late (how another went) may stir one of
//! them, but not every one. What healing costs is taken off: a ping that calls its target Dead goes with a
//! claim about the dead one to another member, and a seed or an address of the forgotten is asked by up to
//! four attempts at the handshake, as often as the nodes count them.
//!
//! Q5: every node that runs comes to rest: no member is suspected, nothing is queued, health is good, no
//! event was lost and no clock went backwards. Each must have been at rest at some moment of the last
//! stretch. And no member has to refute any more, but for an old claim that comes round once.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Event, Instant, MessageKind};
use swim_trace::inspect;

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::is_kind;
use crate::properties::{Broken, Case, Check, Monitor, Property, declare};
use crate::scenario::{REST_PERIODS, RESTS};
use crate::{Presence, World};

/// Datagrams of a thousand periods of a member, at most.
const REST_PERMILLE: u64 = 2_100;
/// Datagrams that one handshake attempt may cost, with its answers.
const HANDSHAKE: u64 = 8;

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Q3.
    Load,
    /// Q4.
    Pages,
}

impl Part {
    const fn property(self) -> Property {
        let (id, name, claim) = match self {
            Self::Load => {
                ("Q3", "rest", "at rest a member sends a ping and an ack in each period and little else")
            }
            Self::Pages => ("Q4", "pages-at-rest", "members in agreement ask for no pages"),
        };
        Property { id, name, claim }
    }
}

/// Q3 or Q4.
pub(super) struct Rest {
    part: Part,
    case: Case,
    began: Option<Instant>,
    stretches: [Stretch; RESTS as usize],
    looked: u64,
}

#[derive(Clone, Copy, Default, Debug)]
struct Stretch {
    sent: u64,
    pages: u64,
    /// Pings to the dead.
    dead: u64,
    handshakes: u64,
}

impl Rest {
    pub(super) fn new(part: Part, case: &Case) -> Self {
        let stretches = [Stretch::default(); RESTS as usize];
        Self { part, case: case.clone(), began: None, stretches, looked: 0 }
    }

    fn count(&mut self, scene: &Scene<'_>, bytes: &[u8]) {
        let Some(began) = self.began else { return };
        let length = self.case.config.period * REST_PERIODS;
        let number = (scene.now().since(began).as_nanos() / length.as_nanos().max(1)) as usize;
        let Some(stretch) = self.stretches.get_mut(number) else { return };
        stretch.sent += 1;
        let kinds = [MessageKind::Join, MessageKind::Challenge, MessageKind::Welcome, MessageKind::Announce];
        if is_kind(bytes, MessageKind::SyncPull) {
            stretch.pages += 1;
        } else if is_kind(bytes, MessageKind::Ping) {
            let held_claim = inspect(bytes).ok().and_then(|ping| ping.held_claim);
            stretch.dead += u64::from(held_claim.is_some_and(|held_claim| !held_claim.status.is_active()));
        } else if kinds.iter().any(|kind| is_kind(bytes, *kind)) {
            stretch.handshakes += 1;
        }
    }

    fn load(&mut self, world: &World) -> Check {
        let up = || world.hosts().filter(|host| world.presence(*host) == Presence::Up);
        let attempts: u64 =
            up().filter_map(|host| world.node(host)).map(|node| node.stats().reconnects).sum();
        let member_periods = up().count() as u64 * u64::from(REST_PERIODS);
        if member_periods == 0 {
            return Ok(());
        }
        self.looked += 1;
        let permille = self.stretches.map(|stretch| {
            let excused = 2 * stretch.dead + stretch.handshakes.min(HANDSHAKE * attempts);
            stretch.sent.saturating_sub(excused) * 1000 / member_periods
        });
        if permille.iter().any(|permille| *permille <= REST_PERMILLE) {
            return Ok(());
        }
        let why = format!(
            "{permille:?} datagrams in a thousand periods of a member, at rest: {:?}",
            self.stretches
        );
        Err(Broken::by(&[], why))
    }

    fn pages(&mut self) -> Check {
        self.looked += 1;
        let pages = self.stretches.map(|stretch| stretch.pages);
        if pages.contains(&0) {
            return Ok(());
        }
        Err(Broken::by(&[], format!("{pages:?} pages were asked for at rest: digests differ")))
    }
}

impl Monitor for Rest {
    declare! { self, self.part.property(), SENT }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Entered { phase: Phase::Rest } => self.began = Some(scene.now()),
            Happening::Sent { bytes, .. } if self.began.is_some() => self.count(scene, bytes),
            _ => {}
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        match self.part {
            _ if phase != Phase::Rest => Ok(()),
            Part::Load => self.load(world),
            // Members that do not agree have reason to ask.
            Part::Pages if !world.converged() => Ok(()),
            Part::Pages => self.pages(),
        }
    }
}

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
    "when nothing is wrong any more, no member is suspected, nothing is queued and all are in good health" }

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
