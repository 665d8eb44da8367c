//! L6: every member knows the metadata that each member set last, soon and in the end.
//!
//! Known by what the users set: the last `SetMetadata` of each epoch. How soon a change is known where
//! nothing is wrong is also how soon any update is: twice what gossip takes to spread it to its end, and a
//! few periods in which the digests show which member missed it.

use std::collections::BTreeMap;

use swim_core::Command;

use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::properties::evidence::conditions::Awaited;
use crate::properties::formulas::dissemination;
use crate::properties::{Broken, Case, Check, Monitor, declare};
use crate::{Presence, World};

/// L6.
pub(super) struct LastMetadata {
    set: BTreeMap<HostId, Vec<u8>>,
    changes: Awaited<HostId>,
    looked: u64,
}

impl LastMetadata {
    pub(super) fn new(case: &Case) -> Self {
        let changes = Awaited::new(case, |config, n| dissemination(config, n) * 2 + config.period * 10);
        Self { set: BTreeMap::new(), changes, looked: 0 }
    }

    fn check(&mut self, world: &World, subject: HostId) -> Check {
        if world.presence(subject) != Presence::Up {
            return Ok(());
        }
        self.looked += 1;
        let said = self.set.get(&subject).map_or(&[][..], Vec::as_slice);
        for observer in world.hosts().filter(|observer| world.presence(*observer) == Presence::Up) {
            let row = world.node(observer).and_then(|node| node.member(world.id(subject)));
            let held = row.map(|row| row.metadata);
            if held != Some(said) {
                let why = format!("{observer:?} holds {held:?} of {subject:?}, which set {said:?}");
                return Err(Broken::by(&[observer, subject], why));
            }
        }
        Ok(())
    }

    fn check_due(&mut self, world: &World) -> Check {
        let due = self.changes.take_due(world, false);
        due.into_iter().try_for_each(|(host, _)| self.check(world, host))
    }
}

impl Monitor for LastMetadata {
    declare! { "L6", "metadata", AFTER_INPUT,
    "every member soon knows the metadata that each set last" }

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
        self.check_due(world)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        if phase != Phase::Rest {
            return Ok(());
        }
        world.hosts().try_for_each(|subject| self.check(world, subject))
    }
}
