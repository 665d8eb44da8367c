//! L1: whoever crashed and stays down is Dead, or gone, at everybody soon.
//!
//! Soon is twice [`Config::detection_bound`](swim_core::Config::detection_bound) where nothing else is wrong,
//! and that after a whole recovery where members may still be cut off, deaf to each other, or in bad health.
//! Asked are all who run: in calm conditions all of them could hear of it. Somebody who never knew the crashed
//! member, or has forgotten it, is right not to hold it.

use swim_core::Status;

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::due::Awaited;
use crate::properties::{Broken, Case, Check, Monitor, declare};
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

    fn judge_due(&mut self, world: &World, all: bool) -> Check {
        for (host, fact) in self.down.take_due(world, all) {
            self.looked += 1;
            let wrong = world.hosts().find(|observer| {
                world.presence(*observer) == Presence::Up
                    && world.believes(*observer, host).is_some_and(Status::is_active)
            });
            if let Some(observer) = wrong {
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
    "a member that crashed and stays down is soon Dead at everybody who could hear of it" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Ended { host, presence: Presence::Crashed } => self.down.add(scene, *host, *host),
            // Whoever bears that name from now on, the name lives.
            Happening::Began { me, .. } => self.down.retain(|host| scene.identity(*host).id != me.id),
            _ => {}
        }
        self.down.note(scene, what);
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        self.judge_due(world, false)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        self.judge_due(world, phase == Phase::Rest)
    }
}
