//! L6: everybody knows what everybody attached to itself last, soon and in the end.
//!
//! Told by what the users set: the last `SetMetadata` of each life. How soon a change is known where nothing is
//! wrong is also how soon any piece of news is: twice what gossip takes to tell it to its end, and a few
//! periods in which the digests show whoever missed it.

use std::collections::BTreeMap;

use swim_core::Command;

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::due::Awaited;
use crate::properties::formulas::dissemination;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Presence, World};

/// L6.
pub(super) struct Attachments {
    set: BTreeMap<HostId, Vec<u8>>,
    changes: Awaited<HostId>,
    looked: u64,
}

impl Attachments {
    pub(super) fn new(case: &Case) -> Self {
        let changes = Awaited::new(case, |config, n| dissemination(config, n) * 2 + config.period * 10);
        Self { set: BTreeMap::new(), changes, looked: 0 }
    }

    fn judge(&mut self, world: &World, subject: HostId) -> Check {
        if world.presence(subject) != Presence::Up {
            return Ok(());
        }
        self.looked += 1;
        let said = self.set.get(&subject).map_or(&[][..], Vec::as_slice);
        for observer in world.hosts().filter(|observer| world.presence(*observer) == Presence::Up) {
            let row = world.node(observer).and_then(|node| node.member(world.id(subject)));
            let held = row.map(|row| row.metadata);
            if held != Some(said) {
                let why =
                    format!("{observer:?} holds {held:?} of {subject:?}, which attached {said:?} to itself");
                return Err(Broken::by(&[observer, subject], why));
            }
        }
        Ok(())
    }

    fn judge_due(&mut self, world: &World) -> Check {
        let due = self.changes.take_due(world, false);
        due.into_iter().try_for_each(|(host, _)| self.judge(world, host))
    }
}

impl Monitor for Attachments {
    declare! { "L6", "attachments", AFTER_INPUT,
    "everybody soon knows what each member attached to itself last" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. } | Happening::Ended { host, .. } => {
                self.set.remove(host);
                self.changes.retain(|changed| changed != host);
            }
            Happening::Commanded { host, command: Command::SetMetadata(metadata) } => {
                self.set.insert(*host, metadata.as_bytes().to_vec());
                self.changes.add(scene, *host, *host);
            }
            _ => {}
        }
        self.changes.note(scene, what);
        Ok(())
    }

    fn after_input(&mut self, world: &World, _host: HostId) -> Check {
        self.judge_due(world)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if phase != Phase::Rest {
            return Ok(());
        }
        world.hosts().try_for_each(|subject| self.judge(world, subject))
    }
}
