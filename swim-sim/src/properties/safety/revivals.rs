//! S6: a late Alive revives nobody.
//!
//! Who was called Dead or Left is a member again only by a higher word of its own: a later incarnation after a
//! Dead, a later life after a Left. A node must know better for as long as it promised to remember, a tombstone's
//! life; so this law remembers by itself, whatever the table has forgotten.
//!
//! How long is told by the node's own clock, stalls included: it runs further than the one that tombstones live by.
//!
//! Excused: a node that started over has given its memory up and said so, and one that may remember fewer
//! tombstones than there are members to bury.

use std::collections::BTreeMap;
use std::sync::Arc;

use swim_core::{Claim, Config, Event, Instant, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::per_host::PerHost;
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};

/// S6.
pub(super) struct Revivals {
    config: Arc<Config>,
    buried: PerHost<BTreeMap<NodeId, (Claim, Instant)>>,
    looked: u64,
}

impl Revivals {
    pub(super) fn new(case: &Case) -> Self {
        Self { config: Arc::clone(&case.config), buried: PerHost::default(), looked: 0 }
    }
}

/// Whether a member speaks up against `tombstone` in the word that `claim` answers.
fn is_higher(claim: &Claim, tombstone: &Claim) -> bool {
    match tombstone.status {
        Status::Left => claim.epoch > tombstone.epoch,
        _ => (claim.epoch, claim.incarnation) > (tombstone.epoch, tombstone.incarnation),
    }
}

impl Monitor for Revivals {
    declare! { "S6", "revivals", REPORTED,
    "who is Dead or has left is a member again only by a higher word of its own" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. }
            | Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.buried.of(*host).clear();
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        let buried = self.buried.of(host);
        for moved in moves.iter().filter(|moved| moved.id != me) {
            let Some(after) = moved.after.map(|row| row.claim) else { continue };
            if !after.status.is_active() {
                buried.insert(moved.id, (after, world.local(host)));
                continue;
            }
            let Some((tombstone, since)) = buried.remove(&moved.id) else { continue };
            self.looked += 1;
            let remembered = buried.len() < self.config.tombstones_max as usize
                && world.local(host) < since.after(self.config.tombstone_life);
            if remembered && !is_higher(&after, &tombstone) {
                let why = format!(
                    "at {host:?}, {:?} was buried at {since:?} ({tombstone:?}) and is back by an old word ({after:?})",
                    moved.id
                );
                let about = world.scene().host_named(moved.id);
                let hosts: Vec<HostId> = [Some(host), about].into_iter().flatten().collect();
                return Err(Broken::by(&hosts, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::{Epoch, Incarnation};

    use super::*;
    use crate::properties::evidence::tables::Row;
    use crate::properties::test_worlds;

    #[test]
    fn it_is_silent_while_members_crash_restart_move_and_are_cut_off() {
        let (broken, looked) = test_worlds::troubled(|case| Box::new(Revivals::new(case)));
        assert_eq!(broken, None);
        assert!(looked > 3, "{looked}");
    }

    /// What the law says when a member goes from one belief to the other, by way of being forgotten or not.
    fn from_to(tombstone: (Status, u32), later: (u64, u32), forgotten: bool, after: Duration) -> Check {
        let (mut world, hosts) = test_worlds::calm(3);
        let id = world.id(hosts[1]);
        let row = |epoch, incarnation, status| Row {
            claim: Claim { epoch: Epoch(epoch), incarnation: Incarnation(incarnation), status },
            addr: world.addr(hosts[1]),
        };
        let alive = row(5, 0, Status::Alive);
        let buried = row(5, tombstone.1, tombstone.0);
        let back = row(later.0, later.1, Status::Alive);
        let step = |before, after| [RowChange { id, before, after, named: true }];
        let mut law = Revivals::new(&test_worlds::case(3));
        law.on_rows_changed(&world, hosts[0], &step(Some(alive), Some(buried)))?;
        world.run_for(after);
        if forgotten {
            law.on_rows_changed(&world, hosts[0], &step(Some(buried), None))?;
            return law.on_rows_changed(&world, hosts[0], &step(None, Some(back)));
        }
        law.on_rows_changed(&world, hosts[0], &step(Some(buried), Some(back)))
    }

    #[test]
    fn only_a_higher_word_brings_anybody_back() {
        let soon = Duration::from_secs(9);
        for forgotten in [false, true] {
            let check = |tombstone, later| from_to(tombstone, later, forgotten, soon).is_ok();
            assert!(!check((Status::Dead, 1), (5, 1)));
            assert!(check((Status::Dead, 1), (5, 2)));
            assert!(!check((Status::Left, 1), (5, 2)));
            assert!(check((Status::Left, 1), (6, 0)));
        }
    }

    #[test]
    fn what_was_forgotten_after_a_tombstone_s_life_may_be_learnt_anew() {
        let day = Duration::from_secs(24 * 3600 + 1);
        assert!(from_to((Status::Dead, 1), (5, 1), true, day).is_ok());
    }
}
