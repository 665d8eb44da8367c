//! S1: a table only moves up.
//!
//! What a node holds of a member is replaced by a newer claim only: a later life, or a later word in the same
//! life, or a worse belief about the same word. So each belief about one word is held at most once, and no
//! order of arrival makes two tables differ for ever. The order is written down here a second time, from the
//! documentation: a law that asked the core for it would believe whatever the core does.
//!
//! Rows are given up in the open only: a tombstone is `Forgotten`, a whole table `StartedOver`; and a node that
//! is alone may take a lower epoch for itself, and says so. What nothing has named does not change at all.

use std::cmp::Ordering;

use swim_core::{Claim, Epoch, Event, NodeId, Status};

use crate::World;
use crate::evidence::{Happening, Scene};
use crate::host::HostId;
use crate::invariants::accounts::per_host::PerHost;
use crate::invariants::{Broken, Check, Heeds, Invariant, Law, Move};

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
    fn judge(&mut self, me: NodeId, host: HostId, moved: &Move) -> Result<(), String> {
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
                if before.claim == after.claim || lowered || forgotten || rises(&before.claim, &after.claim) {
                    return Ok(());
                }
                Err(format!("{:?} became {:?}", before.claim, after.claim))
            }
            (None, Some(_) | None) => Ok(()),
        }
    }
}

/// Whether `new` is above `held`: epoch, then Left, then incarnation, then Alive < Suspect < Dead.
fn rises(held: &Claim, new: &Claim) -> bool {
    let rank = |claim: &Claim| match claim.status {
        Status::Alive => 0,
        Status::Suspect => 1,
        Status::Dead => 2,
        Status::Left => 3,
    };
    let left = |claim: &Claim| claim.status == Status::Left;
    let order = (new.epoch.cmp(&held.epoch))
        .then_with(|| left(new).cmp(&left(held)))
        .then_with(|| if left(new) { Ordering::Equal } else { new.incarnation.cmp(&held.incarnation) })
        .then_with(|| rank(new).cmp(&rank(held)));
    order == Ordering::Greater
}

impl Invariant for Upwards {
    fn law(&self) -> Law {
        Law { number: "S1", name: "upwards", says: "a table only moves up in the order of claims" }
    }

    fn looked(&self) -> u64 {
        self.looked
    }

    fn heeds(&self) -> Heeds {
        Heeds::REPORTED | Heeds::SETTLED
    }

    fn see(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
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

    fn moved(&mut self, world: &World, host: HostId, moves: &[Move]) -> Check {
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

    fn settled(&mut self, _world: &World, host: HostId) -> Check {
        let said = self.said.of(host);
        said.forgotten.clear();
        (said.started_over, said.epoch) = (false, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::Incarnation;

    use super::*;
    use crate::invariants::accounts::tables::Row;
    use crate::invariants::bench;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = bench::troubled(|_| Box::new(Upwards::default()));
        assert_eq!(broken, None);
        assert!(looked > 50, "{looked}");
    }

    #[test]
    fn every_step_down_is_found_and_no_step_up() {
        let (mut world, hosts) = bench::calm(3);
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
                let moved =
                    Move { id: world.id(hosts[1]), before: Some(*before), after: Some(*after), named: true };
                let check = Upwards::default().moved(&world, hosts[0], &[moved]);
                assert_eq!(check.is_ok(), low <= high, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn a_row_that_vanishes_or_changes_in_silence_is_found() {
        let (world, hosts) = bench::calm(3);
        let id = world.id(hosts[1]);
        let held = bench::row(&world, hosts[0], hosts[1]);
        let vanished = Move { id, before: Some(held), after: None, named: true };
        let mut law = Upwards::default();
        assert!(law.moved(&world, hosts[0], &[vanished]).is_err());
        let event = Event::Forgotten { id };
        law.see(&world.scene(), &Happening::Reported { host: hosts[0], event: &event }).expect("no law yet");
        assert!(law.moved(&world, hosts[0], &[vanished]).is_ok(), "it was told");
        let unnamed = Move { id, before: None, after: Some(held), named: false };
        assert!(law.moved(&world, hosts[0], &[unnamed]).is_err());
    }
}
