//! S7: Left are only those who said so themselves, or whom an operator removed.
//!
//! Left is final for its epoch, so it may come from two mouths only: the member's own user (`Leave`), or an
//! operator who gives somebody up that does not answer (`Remove`). The second is never taken for the first, and
//! it is believed only over a Suspect or a Dead.
//!
//! Excused is what was forged or garbled on the way: a Left that is handed to a node, and that nobody's user
//! asked for, may be believed and passed on from then on.

use std::collections::BTreeSet;

use swim_core::{Command, Epoch, Event, NodeId, Said, SaidMember, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::datagram::Reading;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::{Broken, Check, Monitor, RowChange, declare};

/// A member in one of its lives.
type Life = (NodeId, Epoch);

/// S7.
#[derive(Default)]
pub(super) struct Goodbyes {
    left: BTreeSet<Life>,
    removed: BTreeSet<Life>,
    /// Left that was made up: as a goodbye, and at all.
    forged_goodbyes: BTreeSet<Life>,
    forged: BTreeSet<Life>,
    inputs: PerHost<Input>,
    looked: u64,
}

/// What happened to one node during one input.
#[derive(Default)]
struct Input {
    /// Whom its user removes.
    removes: Option<NodeId>,
    suspected: Vec<NodeId>,
    /// Who has left, and whether somebody else says so.
    left: Vec<(NodeId, bool)>,
}

impl Goodbyes {
    fn is_goodbye(&self, life: Life) -> bool {
        self.left.contains(&life) || self.forged_goodbyes.contains(&life)
    }

    fn is_left(&self, life: Life) -> bool {
        self.is_goodbye(life) || self.removed.contains(&life) || self.forged.contains(&life)
    }

    fn judge(&mut self, host: HostId, life: Life, by_itself: bool) -> Result<(), String> {
        self.looked += 1;
        let (fits, what) = if by_itself {
            (self.is_goodbye(life), "has said goodbye")
        } else {
            (self.is_left(life), "has left")
        };
        if fits {
            return Ok(());
        }
        Err(format!(
            "{host:?} says that {:?} {what} in {:?}; no user of it, and no operator, did",
            life.0, life.1
        ))
    }

    fn moved_to_left(
        &mut self,
        host: HostId,
        me: NodeId,
        moved: &RowChange,
        epoch: Epoch,
    ) -> Result<(), String> {
        let life = (moved.id, epoch);
        let input = self.inputs.of(host);
        if input.removes == Some(moved.id) {
            self.removed.insert(life);
        }
        let by_another = input.left.iter().any(|(id, by_another)| *id == moved.id && *by_another);
        let was_alive = moved.before.is_some_and(|row| row.claim.status == Status::Alive);
        let doubted = input.suspected.contains(&moved.id);
        if by_another && was_alive && !doubted {
            return Err(format!(
                "{host:?} held {:?} Alive and lets somebody else say that it left",
                moved.id
            ));
        }
        self.judge(host, life, moved.id == me || !by_another)
    }
}

/// All that is said to have left.
fn departures<'a>(said: &'a Reading<'_>) -> impl Iterator<Item = &'a SaidMember<'a>> {
    said.records().iter().filter_map(|said| match said {
        Said::Member(member) if member.claim.status == Status::Left => Some(member),
        _ => None,
    })
}

fn broken(scene: &Scene<'_>, host: HostId, id: NodeId, why: String) -> Broken {
    let hosts: Vec<HostId> = [Some(host), scene.host_named(id)].into_iter().flatten().collect();
    Broken::by(&hosts, why)
}

impl Monitor for Goodbyes {
    declare! { "S7", "goodbyes", REPORTED | READ | AFTER_INPUT,
    "Left are only those who said so themselves, or whom an operator removed when they were silent" }

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
            let life = (member.id, member.claim.epoch);
            let by_itself = member.by == Some(member.id);
            match what {
                Happening::Sent { host, .. } => {
                    self.judge(*host, life, by_itself).map_err(|why| broken(scene, *host, member.id, why))?;
                }
                Happening::Arrived { .. } => {
                    if !self.is_left(life) {
                        self.forged.insert(life);
                    }
                    if by_itself && !self.is_goodbye(life) {
                        self.forged_goodbyes.insert(life);
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
                return Err(broken(&world.scene(), host, moved.id, why));
            }
        }
        Ok(())
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        let input = self.inputs.of(host);
        input.removes = None;
        input.suspected.clear();
        input.left.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::evidence::tables::Row;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|_| Box::new(Goodbyes::default()));
        assert_eq!(broken, None);
        assert!(looked > 20, "{looked}");
    }

    #[test]
    fn a_goodbye_that_no_user_asked_for_is_found() {
        let (broken, _) = test_worlds::doctored(Box::new(Goodbyes::default()), |what| {
            !matches!(what, Happening::Commanded { command: Command::Leave, .. } | Happening::Arrived { .. })
        });
        assert_eq!(broken, Some("S7"));
    }

    #[test]
    fn a_removal_that_no_operator_asked_for_is_found() {
        let (broken, _) = test_worlds::doctored(Box::new(Goodbyes::default()), |what| {
            !matches!(
                what,
                Happening::Commanded { command: Command::Remove { .. }, .. } | Happening::Arrived { .. }
            )
        });
        assert_eq!(broken, Some("S7"));
    }

    #[test]
    fn a_removal_of_a_member_that_was_held_alive_is_found() {
        let (world, hosts) = test_worlds::calm(3);
        let held = test_worlds::row(&world, hosts[0], hosts[1]);
        let id = world.id(hosts[1]);
        let left = Row { claim: swim_core::Claim { status: Status::Left, ..held.claim }, ..held };
        for (by, status, fits) in [
            (Some(NodeId(3)), Status::Alive, false),
            (Some(NodeId(3)), Status::Dead, true),
            (None, Status::Alive, true),
        ] {
            let mut law = Goodbyes::default();
            law.removed.insert((id, held.claim.epoch));
            law.left.insert((id, held.claim.epoch));
            let event = Event::Left { id, by };
            law.on_happening(&world.scene(), &Happening::Reported { host: hosts[0], event: &event })
                .expect("not yet");
            let before = Row { claim: swim_core::Claim { status, ..held.claim }, ..held };
            let moved = RowChange { id, before: Some(before), after: Some(left), named: true };
            assert_eq!(law.on_rows_changed(&world, hosts[0], &[moved]).is_ok(), fits, "{by:?} {status:?}");
        }
    }
}
