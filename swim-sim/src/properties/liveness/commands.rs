//! L8: every join ends.
//!
//! All other commands return what they have done. A join may take as long as there is no member to answer, so it must
//! have ended when all agree with each other; a leave is watched by L7. A process that ends takes its joins with it,
//! and one that lost events may have lost those.

use std::collections::BTreeSet;

use swim_core::{Done, Event};

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::{Broken, Check, Monitor, declare};
use crate::{Presence, World};

/// L8.
#[derive(Default)]
pub(super) struct Commands {
    joining: BTreeSet<HostId>,
    looked: u64,
}

impl Monitor for Commands {
    declare! { "L8", "promises", REPORTED,
    "every join ends in an event" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Returned { host, result: Ok(Done::Seeking) } => {
                self.looked += 1;
                self.joining.insert(*host);
            }
            Happening::Reported {
                host,
                event: Event::Joined { .. } | Event::JoinFailed { .. } | Event::Lost { .. },
            }
            | Happening::Ended { host, .. } => {
                self.joining.remove(host);
            }
            _ => {}
        }
        Ok(())
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        let up = |host: &HostId| world.presence(*host) == Presence::Up;
        if phase != Phase::Rest || world.hosts().filter(up).count() < 2 {
            return Ok(());
        }
        match self.joining.iter().find(|host| up(host)) {
            Some(host) => {
                let why =
                    format!("{host:?} is among its cluster and has reported neither Joined nor JoinFailed");
                Err(Broken::by(&[*host], why))
            }
            None => Ok(()),
        }
    }
}
