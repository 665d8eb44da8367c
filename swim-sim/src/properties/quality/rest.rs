//! Q3: at rest a member sends a ping and an ack in each period and little else; Q4: it asks for no pages.
//!
//! The rest is measured in stretches. What somebody still learns late (how somebody else went) may stir one of
//! them, but not every one. What healing costs is taken off: a ping that calls its target Dead goes with a word
//! about the dead one to somebody else, and a seed or an address of the forgotten is asked by up to four attempts
//! at the handshake, as often as the nodes count contacts.

use std::sync::Arc;

use swim_core::{Instant, MessageKind, inspect};

use crate::ground_truth::{Happening, Phase, Scene};
use crate::properties::evidence::datagram::is_kind;
use crate::properties::evidence::measures::Ledger;
use crate::properties::monitor::SENT;
use crate::properties::{Broken, Case, Check, Interest, Monitor, Property};
use crate::scenario::{REST_PERIODS, RESTS};
use crate::{Presence, World};

/// Datagrams of a thousand periods of a member, at most.
const REST_PERMILLE: u64 = 2_100;
/// Datagrams that one contact by handshake may cost, with its answers.
const HANDSHAKE: u64 = 8;

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Q3.
    Load,
    /// Q4.
    Pages,
}

/// Q3 or Q4.
pub(super) struct Rest {
    part: Part,
    case: Case,
    ledger: Arc<Ledger>,
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
    pub(super) fn new(part: Part, case: &Case, ledger: Arc<Ledger>) -> Self {
        let stretches = [Stretch::default(); RESTS as usize];
        Self { part, case: case.clone(), ledger, began: None, stretches, looked: 0 }
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
            let belief = inspect(bytes).ok().and_then(|ping| ping.belief);
            stretch.dead += u64::from(belief.is_some_and(|belief| !belief.status.is_active()));
        } else if kinds.iter().any(|kind| is_kind(bytes, *kind)) {
            stretch.handshakes += 1;
        }
    }

    fn load(&mut self, world: &World) -> Check {
        let up = || world.hosts().filter(|host| world.presence(*host) == Presence::Up);
        let contacts: u64 =
            up().filter_map(|host| world.node(host)).map(|node| node.stats().heal_contacts).sum();
        let member_periods = up().count() as u64 * u64::from(REST_PERIODS);
        if member_periods == 0 {
            return Ok(());
        }
        self.looked += 1;
        let permille = self.stretches.map(|stretch| {
            let excused = 2 * stretch.dead + stretch.handshakes.min(HANDSHAKE * contacts);
            stretch.sent.saturating_sub(excused) * 1000 / member_periods
        });
        permille.iter().for_each(|permille| self.ledger.note_rest(*permille));
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
    fn property(&self) -> Property {
        match self.part {
            Part::Load => Property {
                id: "Q3",
                name: "rest",
                claim: "at rest a member sends a ping and an ack in each period and little else",
            },
            Part::Pages => {
                Property { id: "Q4", name: "pages-at-rest", claim: "members in agreement ask for no pages" }
            }
        }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn interest(&self) -> Interest {
        SENT
    }

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
            Part::Pages => self.pages(),
        }
    }
}
