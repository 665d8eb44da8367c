//! S1: a table only moves up.
//!
//! What a node holds of a member is replaced by a newer claim only: a later life, or a later word in the same
//! life, or a worse belief about the same word. So each belief about one word is held at most once, and no
//! order of arrival makes two tables differ for ever. The order is written down here a second time, from the
//! documentation: a law that asked the core for it would believe whatever the core does.
//!
//! Rows are given up in the open only: a tombstone is `Forgotten`, a whole table `StartedOver`; and a node that
//! is alone may take a lower epoch for itself, and says so. What nothing has named does not change at all.

use swim_core::{Epoch, Event, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::formulas::supersedes;
use crate::properties::{Broken, Check, Monitor, RowChange, declare};

/// S1.
#[derive(Default)]
pub(super) struct Upwards {
    said: PerHost<Said>,
    looked: u64,
}

/// What a node has told its user during one input.
#[derive(Default)]
struct Said {
    forgotten: Vec<NodeId>,
    started_over: bool,
    epoch: Option<Epoch>,
}

impl Upwards {
    fn judge(&mut self, me: NodeId, host: HostId, moved: &RowChange) -> Result<(), String> {
        self.looked += 1;
        let said = self.said.of(host);
        if !moved.named && moved.id != me {
            return Err("changed although nothing was said of it".into());
        }
        if said.started_over && moved.id != me {
            return Ok(());
        }
        match (moved.before, moved.after) {
            (Some(_), None) if said.forgotten.contains(&moved.id) => Ok(()),
            (Some(before), None) => Err(format!("{:?} is gone, and nobody was told", before.claim)),
            (Some(before), Some(after)) => {
                let lowered = moved.id == me && said.epoch == Some(after.claim.epoch);
                let forgotten = said.forgotten.contains(&moved.id);
                if before.claim == after.claim
                    || lowered
                    || forgotten
                    || supersedes(&before.claim, &after.claim)
                {
                    return Ok(());
                }
                Err(format!("{:?} became {:?}", before.claim, after.claim))
            }
            (None, Some(_) | None) => Ok(()),
        }
    }
}

impl Monitor for Upwards {
    declare! { "S1", "upwards", REPORTED | AFTER_INPUT,
    "a table only moves up in the order of claims" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Reported { host, event: Event::Forgotten { id } } => {
                self.said.of(*host).forgotten.push(*id);
            }
            Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.said.of(*host).started_over = true;
            }
            Happening::Reported { host, event: Event::EpochRaised { epoch } } => {
                self.said.of(*host).epoch = Some(*epoch);
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        for moved in moves {
            if let Err(how) = self.judge(me, host, moved) {
                let about = world.scene().host_named(moved.id);
                let hosts: Vec<HostId> = [Some(host), about].into_iter().flatten().collect();
                return Err(Broken::by(
                    &hosts,
                    format!("at {host:?}, what is held of {:?}: {how}", moved.id),
                ));
            }
        }
        Ok(())
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        let said = self.said.of(host);
        said.forgotten.clear();
        (said.started_over, said.epoch) = (false, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::{Claim, Incarnation, Status};

    use super::*;
    use crate::properties::evidence::tables::Row;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(Upwards::default()));
        assert_eq!(broken, None);
        assert!(looked > 50, "{looked}");
    }

    #[test]
    fn every_step_down_is_found_and_no_step_up() {
        let (mut world, hosts) = test_worlds::calm(3);
        world.run_for(Duration::from_secs(1));
        let row = |epoch, incarnation, status| Row {
            claim: Claim { epoch: Epoch(epoch), incarnation: Incarnation(incarnation), status },
            addr: world.addr(hosts[1]),
        };
        let mut rows = Vec::new();
        for epoch in 1..3 {
            for incarnation in 0..3 {
                for status in [Status::Alive, Status::Suspect, Status::Dead] {
                    rows.push(row(epoch, incarnation, status));
                }
            }
            rows.push(row(epoch, 1, Status::Left));
        }
        for (low, before) in rows.iter().enumerate() {
            for (high, after) in rows.iter().enumerate() {
                let moved = RowChange {
                    id: world.id(hosts[1]),
                    before: Some(*before),
                    after: Some(*after),
                    named: true,
                };
                let check = Upwards::default().on_rows_changed(&world, hosts[0], &[moved]);
                assert_eq!(check.is_ok(), low <= high, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn a_row_that_vanishes_or_changes_in_silence_is_found() {
        let (world, hosts) = test_worlds::calm(3);
        let id = world.id(hosts[1]);
        let held = test_worlds::row(&world, hosts[0], hosts[1]);
        let vanished = RowChange { id, before: Some(held), after: None, named: true };
        let mut law = Upwards::default();
        assert!(law.on_rows_changed(&world, hosts[0], &[vanished]).is_err());
        let event = Event::Forgotten { id };
        law.on_happening(&world.scene(), &Happening::Reported { host: hosts[0], event: &event })
            .expect("no law yet");
        assert!(law.on_rows_changed(&world, hosts[0], &[vanished]).is_ok(), "it was told");
        let unnamed = RowChange { id, before: None, after: Some(held), named: false };
        assert!(law.on_rows_changed(&world, hosts[0], &[unnamed]).is_err());
    }
}
