//! L4: once nothing is wrong any more, all agree, and with the truth.
//!
//! Every running member holds every running member as Alive, in its present life and at its present address,
//! and nobody else as Alive or Suspect: soon after peace came, and for as long as it lasts.

use crate::World;
use crate::evidence::Phase;
use crate::invariants::{Broken, Check, Heeds, Invariant, Law};

/// L4.
#[derive(Default)]
pub(super) struct Agreement {
    looked: u64,
}

impl Invariant for Agreement {
    fn law(&self) -> Law {
        Law {
            number: "L4",
            name: "agreement",
            says: "when every fault has ended, all members soon agree with each other and with the truth",
        }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn heeds(&self) -> Heeds {
        Heeds::NONE
    }

    fn over(&mut self, world: &World, phase: Phase) -> Check {
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
