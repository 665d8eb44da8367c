//! S7: Left are only members that left, or that an operator removed.
//!
//! Left is final for its epoch, so it has two sources only: the member's own user (`Leave`), or an operator
//! that gives a silent member up (`Remove`). The second is never taken for the first, and is believed only
//! over a Suspect or a Dead.
//!
//! Excused is what was forged or garbled on the way: a Left that arrives at a node, and that no user asked
//! for, may be believed and passed on from then on.

use std::collections::BTreeSet;

use swim_core::{Command, Epoch, Event, NodeId, Status};
use swim_trace::SaidMember;

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Check, Monitor, RowChange, declare};

/// A member in one of its epochs.
type InEpoch = (NodeId, Epoch);

/// S7.
#[derive(Default)]
pub(super) struct Leaves {
    left: BTreeSet<InEpoch>,
    removed: BTreeSet<InEpoch>,
    /// Left that was made up: as a leave, and at all.
    forged_leaves: BTreeSet<InEpoch>,
    forged: BTreeSet<InEpoch>,
    inputs: PerHost<Input>,
    looked: u64,
}

/// What happened to one node during one input.
#[derive(Default)]
struct Input {
    /// Whom its user removes.
    removes: Option<NodeId>,
    suspected: Vec<NodeId>,
    /// Who has left, and whether another says so.
    left: Vec<(NodeId, bool)>,
}

impl Leaves {
    fn has_left(&self, in_epoch: InEpoch) -> bool {
        self.left.contains(&in_epoch) || self.forged_leaves.contains(&in_epoch)
    }

    fn is_left(&self, in_epoch: InEpoch) -> bool {
        self.has_left(in_epoch) || self.removed.contains(&in_epoch) || self.forged.contains(&in_epoch)
    }

    fn check(&mut self, host: HostId, in_epoch: InEpoch, by_itself: bool) -> Result<(), String> {
        self.looked += 1;
        let (fits, what) = if by_itself {
            (self.has_left(in_epoch), "has left by itself")
        } else {
            (self.is_left(in_epoch), "has left")
        };
        if fits {
            return Ok(());
        }
        Err(format!(
            "{host:?} says that {:?} {what} in {:?}; no user of it, and no operator, did",
            in_epoch.0, in_epoch.1
        ))
    }

    fn moved_to_left(
        &mut self,
        host: HostId,
        me: NodeId,
        moved: &RowChange,
        epoch: Epoch,
    ) -> Result<(), String> {
        let in_epoch = (moved.id, epoch);
        let input = self.inputs.of(host);
        if input.removes == Some(moved.id) {
            self.removed.insert(in_epoch);
        }
        let by_another = input.left.iter().any(|(id, by_another)| *id == moved.id && *by_another);
        let was_alive = moved.before.is_some_and(|row| row.claim.status == Status::Alive);
        let suspected = input.suspected.contains(&moved.id);
        if by_another && was_alive && !suspected {
            return Err(format!("{host:?} held {:?} Alive and lets another say that it left", moved.id));
        }
        self.check(host, in_epoch, moved.id == me || !by_another)
    }
}

/// All that is said to have left.
fn departures<'a>(said: &'a Reading<'_>) -> impl Iterator<Item = &'a SaidMember<'a>> {
    said.members().filter(|member| member.claim.status == Status::Left)
}

impl Monitor for Leaves {
    declare! { "S7", "leaves", REPORTED | READ | AFTER_INPUT,
    "Left are only members that left, or that an operator removed when they were silent" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Commanded { host, command: Command::Leave } => {
                let me = scene.identity(*host);
                self.left.insert((me.id, me.epoch));
            }
            Happening::Commanded { host, command: Command::Remove { target } } => {
                self.inputs.of(*host).removes = Some(*target);
            }
            Happening::Reported { host, event: Event::Suspect { id, .. } } => {
                self.inputs.of(*host).suspected.push(*id);
            }
            Happening::Reported { host, event: Event::Left { id, by } } => {
                self.inputs.of(*host).left.push((*id, by.is_some()));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        for member in departures(said) {
            let in_epoch = (member.id, member.claim.epoch);
            let by_itself = member.by == Some(member.id);
            match what {
                Happening::Sent { host, .. } => {
                    self.check(*host, in_epoch, by_itself)
                        .map_err(|why| Broken::about(scene, *host, member.id, why))?;
                }
                Happening::Arrived { .. } => {
                    if !self.is_left(in_epoch) {
                        self.forged.insert(in_epoch);
                    }
                    if by_itself && !self.has_left(in_epoch) {
                        self.forged_leaves.insert(in_epoch);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        for moved in moves {
            let Some(row) = moved.after.filter(|row| row.claim.status == Status::Left) else { continue };
            if let Err(why) = self.moved_to_left(host, me, moved, row.claim.epoch) {
                return Err(Broken::about(&world.scene(), host, moved.id, why));
            }
        }
        Ok(())
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        *self.inputs.of(host) = Input::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::evidence::tables::Row;
    use crate::properties::tests::worlds;

    #[test]
    fn a_leave_that_no_user_asked_for_is_found() {
        let (broken, _) = worlds::doctored(Box::new(Leaves::default()), |what| {
            !matches!(what, Happening::Commanded { command: Command::Leave, .. } | Happening::Arrived { .. })
        });
        assert_eq!(broken, Some("S7"));
    }

    #[test]
    fn a_removal_that_no_operator_asked_for_is_found() {
        let (broken, _) = worlds::doctored(Box::new(Leaves::default()), |what| {
            !matches!(
                what,
                Happening::Commanded { command: Command::Remove { .. }, .. } | Happening::Arrived { .. }
            )
        });
        assert_eq!(broken, Some("S7"));
    }

    #[test]
    fn a_removal_of_a_member_that_was_held_alive_is_found() {
        let (world, hosts) = worlds::calm(3);
        let held = worlds::row(&world, hosts[0], hosts[1]);
        let id = world.id(hosts[1]);
        let left = Row { claim: swim_core::Claim { status: Status::Left, ..held.claim }, ..held };
        for (by, status, fits) in [
            (Some(NodeId(3)), Status::Alive, false),
            (Some(NodeId(3)), Status::Dead, true),
            (None, Status::Alive, true),
        ] {
            let mut monitor = Leaves::default();
            monitor.removed.insert((id, held.claim.epoch));
            monitor.left.insert((id, held.claim.epoch));
            let event = Event::Left { id, by };
            monitor
                .on_happening(&world.scene(), &Happening::Reported { host: hosts[0], event: &event })
                .expect("not yet");
            let before = Row { claim: swim_core::Claim { status, ..held.claim }, ..held };
            let moved = RowChange { id, before: Some(before), after: Some(left), named: true };
            assert_eq!(
                monitor.on_rows_changed(&world, hosts[0], &[moved]).is_ok(),
                fits,
                "{by:?} {status:?}"
            );
        }
    }
}
