//! L4: once nothing is wrong any more, all agree, and with the truth.
//!
//! Every running member holds every running member as Alive, in its present life and at its present address,
//! and nobody else as Alive or Suspect: soon after peace came, and for as long as it lasts.

use crate::World;
use crate::ground_truth::Phase;
use crate::properties::{Broken, Check, Monitor, declare};

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
