//! S1: a table only moves up in the order of claims.
//! S2: only a member itself raises its epoch and its incarnation.
//! S6: a late Alive revives no member.
//!
//! S1: a claim that a node holds is replaced by a newer one only, so each is held at most once, and no order
//! of arrival makes two tables differ for ever. Rows are given up in the open only: a tombstone is
//! `Forgotten`, a whole table `StartedOver`; and a node that is alone may take a lower epoch for itself, and
//! says so. What nothing has named does not change at all.
//!
//! S2: whatever is said or held of a member answers a stamp (epoch, incarnation) of its own, which it has
//! sent in a header before. So of each id the highest stamp is kept that a host of that id has sent. Excused
//! is exactly what was forged or garbled on the way: a stamp that *arrives* at a node and that no host has
//! *sent* may be passed on from then on.
//!
//! S6: a member held Dead or Left is a member again only by a higher stamp of its own: a later incarnation
//! after a Dead, a later epoch after a Left. A node must know better for `tombstone_life`, so the monitor
//! remembers by itself, whatever the table has forgotten. It counts by the node's own clock, stalls included:
//! that runs further than the clock of tombstones. Excused: a node that started over, and said so, and one
//! that may keep fewer tombstones than it needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use swim_core::{Claim, Config, Epoch, Event, Incarnation, Instant, NodeId, Status};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::formulas::supersedes;
use crate::properties::{Broken, Case, Check, Monitor, RowChange, declare};

/// S1.
#[derive(Default)]
pub(super) struct Upwards {
    reported: PerHost<ReportedNow>,
    looked: u64,
}

/// What a node has reported during one input.
#[derive(Default)]
struct ReportedNow {
    forgotten: Vec<NodeId>,
    started_over: bool,
    epoch: Option<Epoch>,
}

impl Upwards {
    fn check(&mut self, me: NodeId, host: HostId, moved: &RowChange) -> Result<(), String> {
        self.looked += 1;
        let reported = self.reported.of(host);
        if !moved.named && moved.id != me {
            return Err("changed although nothing was said of it".into());
        }
        if reported.started_over && moved.id != me {
            return Ok(());
        }
        let Some(before) = moved.before.filter(|_| !reported.forgotten.contains(&moved.id)) else {
            return Ok(());
        };
        let Some(after) = moved.after else {
            return Err(format!("{:?} is gone, and it was not reported", before.claim));
        };
        let lowered = moved.id == me && reported.epoch == Some(after.claim.epoch);
        if before.claim == after.claim || lowered || supersedes(&before.claim, &after.claim) {
            return Ok(());
        }
        Err(format!("{:?} became {:?}", before.claim, after.claim))
    }
}

impl Monitor for Upwards {
    declare! { "S1", "upwards", REPORTED | AFTER_INPUT,
    "a table only moves up in the order of claims" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Reported { host, event: Event::Forgotten { id } } => {
                self.reported.of(*host).forgotten.push(*id);
            }
            Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.reported.of(*host).started_over = true;
            }
            Happening::Reported { host, event: Event::EpochRaised { epoch } } => {
                self.reported.of(*host).epoch = Some(*epoch);
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        for moved in moves {
            if let Err(how) = self.check(me, host, moved) {
                return Err(Broken::about(
                    &world.scene(),
                    host,
                    moved.id,
                    format!("at {host:?}, what is held of {:?}: {how}", moved.id),
                ));
            }
        }
        Ok(())
    }

    fn after_input(&mut self, _world: &World, host: HostId) -> Check {
        *self.reported.of(host) = ReportedNow::default();
        Ok(())
    }
}

/// A member's stamp about itself.
type Stamp = (Epoch, Incarnation);

/// S2.
#[derive(Default)]
pub(super) struct OwnStamp {
    /// The highest stamp of each id that a host of that id has sent.
    said: BTreeMap<NodeId, Stamp>,
    /// The highest stamp of each id that came from no host.
    forged: BTreeMap<NodeId, Stamp>,
    looked: u64,
}

impl OwnStamp {
    fn has_said(&self, id: NodeId, stamp: Stamp) -> bool {
        self.said.get(&id).is_some_and(|said| stamp <= *said)
    }

    fn check(&mut self, scene: &Scene<'_>, host: HostId, does: &str, id: NodeId, stamp: Stamp) -> Check {
        self.looked += 1;
        if self.has_said(id, stamp) || self.forged.get(&id).is_some_and(|forged| stamp <= *forged) {
            return Ok(());
        }
        let said = self.said.get(&id);
        let why = format!("{host:?} {does} {id:?} in {stamp:?}, but all that it ever said is {said:?}");
        Err(Broken::about(scene, host, id, why))
    }

    fn hear(&mut self, id: NodeId, stamp: Stamp) {
        if !self.has_said(id, stamp) {
            raise(&mut self.forged, id, stamp);
        }
    }
}

fn raise(stamps: &mut BTreeMap<NodeId, Stamp>, id: NodeId, stamp: Stamp) {
    let highest = stamps.entry(id).or_insert(stamp);
    *highest = stamp.max(*highest);
}

/// Every stamp about a member other than the sender, as far as it can be known about which.
fn stamps(said: &Reading<'_>) -> impl Iterator<Item = (NodeId, Stamp)> {
    let asked = said.target.zip(said.held_claim);
    let asked = asked.map(|(id, held_claim)| (id, (held_claim.epoch, held_claim.incarnation)));
    let gossiped = said.members().map(|member| (member.id, (member.claim.epoch, member.claim.incarnation)));
    asked.into_iter().chain(gossiped)
}

impl Monitor for OwnStamp {
    declare! { "S2", "own-stamp", READ,
    "only a member itself raises its epoch and incarnation" }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        match what {
            Happening::Sent { host, .. } => {
                let me = scene.identity(*host).id;
                if said.sender != me {
                    let why = format!("{host:?} is {me:?} and speaks as {:?}", said.sender);
                    return Err(Broken::by(&[*host], why));
                }
                raise(&mut self.said, me, (said.epoch, said.incarnation));
                for (id, stamp) in stamps(said) {
                    self.check(scene, *host, "speaks of", id, stamp)?;
                }
            }
            Happening::Arrived { .. } => {
                self.hear(said.sender, (said.epoch, said.incarnation));
                for (id, stamp) in stamps(said) {
                    self.hear(id, stamp);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        for moved in moves.iter().filter(|moved| moved.id != me) {
            if let Some(row) = moved.after {
                let stamp = (row.claim.epoch, row.claim.incarnation);
                self.check(&world.scene(), host, "holds", moved.id, stamp)?;
            }
        }
        Ok(())
    }
}

/// S6.
pub(super) struct Revivals {
    config: Arc<Config>,
    tombstones: PerHost<BTreeMap<NodeId, (Claim, Instant)>>,
    looked: u64,
}

impl Revivals {
    pub(super) fn new(case: &Case) -> Self {
        Self { config: Arc::clone(&case.config), tombstones: PerHost::default(), looked: 0 }
    }
}

/// Whether a member refutes `tombstone` in the stamp that `claim` answers.
fn is_higher(claim: &Claim, tombstone: &Claim) -> bool {
    match tombstone.status {
        Status::Left => claim.epoch > tombstone.epoch,
        _ => (claim.epoch, claim.incarnation) > (tombstone.epoch, tombstone.incarnation),
    }
}

impl Monitor for Revivals {
    declare! { "S6", "revivals", REPORTED,
    "a member held Dead or Left is a member again only by a higher stamp of its own" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            Happening::Began { host, .. }
            | Happening::Reported { host, event: Event::StartedOver { .. } } => {
                self.tombstones.of(*host).clear();
            }
            _ => {}
        }
        Ok(())
    }

    fn on_rows_changed(&mut self, world: &World, host: HostId, moves: &[RowChange]) -> Check {
        let me = world.id(host);
        let tombstones = self.tombstones.of(host);
        for moved in moves.iter().filter(|moved| moved.id != me) {
            let Some(after) = moved.after.map(|row| row.claim) else { continue };
            if !after.status.is_active() {
                tombstones.insert(moved.id, (after, world.local(host)));
                continue;
            }
            let Some((tombstone, since)) = tombstones.remove(&moved.id) else { continue };
            self.looked += 1;
            let remembered = tombstones.len() < self.config.tombstones_max as usize
                && world.local(host) < since.after(self.config.tombstone_life);
            if remembered && !is_higher(&after, &tombstone) {
                let why = format!(
                    "at {host:?}, {:?} was tombstones at {since:?} ({tombstone:?}) and is back by an old stamp ({after:?})",
                    moved.id
                );
                return Err(Broken::about(&world.scene(), host, moved.id, why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use swim_core::{Claim, Epoch, Incarnation, Status};

    use super::*;
    use crate::properties::evidence::tables::Row;
    use crate::properties::tests::worlds;

    #[test]
    fn every_step_down_is_found_and_no_step_up() {
        let (mut world, hosts) = worlds::calm(3);
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
        let (world, hosts) = worlds::calm(3);
        let id = world.id(hosts[1]);
        let held = worlds::row(&world, hosts[0], hosts[1]);
        let vanished = RowChange { id, before: Some(held), after: None, named: true };
        let mut monitor = Upwards::default();
        assert!(monitor.on_rows_changed(&world, hosts[0], &[vanished]).is_err());
        let event = Event::Forgotten { id };
        monitor
            .on_happening(&world.scene(), &Happening::Reported { host: hosts[0], event: &event })
            .expect("no monitor yet");
        assert!(monitor.on_rows_changed(&world, hosts[0], &[vanished]).is_ok(), "it was reported");
        let unnamed = RowChange { id, before: None, after: Some(held), named: false };
        assert!(monitor.on_rows_changed(&world, hosts[0], &[unnamed]).is_err());
    }

    #[test]
    fn a_stamp_that_its_member_was_never_seen_to_send_is_found() {
        // Nothing that the second host sends is shown to the property, nor where it arrives.
        let (broken, _) = worlds::doctored(Box::new(OwnStamp::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(1), .. } | Happening::Arrived { .. })
        });
        assert_eq!(broken, Some("S2"));
    }

    #[test]
    fn a_stamp_that_came_from_no_host_may_be_passed_on() {
        let (broken, looked) = worlds::doctored(Box::new(OwnStamp::default()), |what| {
            !matches!(what, Happening::Sent { host: HostId(1), .. })
        });
        assert_eq!(broken, None);
        assert!(looked > 0);
    }

    /// What the property says when a member goes from one claim to the other, by way of being forgotten or not.
    fn from_to(tombstone: (Status, u32), later: (u64, u32), forgotten: bool, after: Duration) -> Check {
        let (mut world, hosts) = worlds::calm(3);
        let id = world.id(hosts[1]);
        let row = |epoch, incarnation, status| Row {
            claim: Claim { epoch: Epoch(epoch), incarnation: Incarnation(incarnation), status },
            addr: world.addr(hosts[1]),
        };
        let alive = row(5, 0, Status::Alive);
        let tombstones = row(5, tombstone.1, tombstone.0);
        let back = row(later.0, later.1, Status::Alive);
        let step = |before, after| [RowChange { id, before, after, named: true }];
        let mut monitor = Revivals::new(&worlds::case(3));
        monitor.on_rows_changed(&world, hosts[0], &step(Some(alive), Some(tombstones)))?;
        world.run_for(after);
        if forgotten {
            monitor.on_rows_changed(&world, hosts[0], &step(Some(tombstones), None))?;
            return monitor.on_rows_changed(&world, hosts[0], &step(None, Some(back)));
        }
        monitor.on_rows_changed(&world, hosts[0], &step(Some(tombstones), Some(back)))
    }

    #[test]
    fn only_a_higher_stamp_brings_a_member_back() {
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
    fn what_was_forgotten_with_its_tombstone_may_be_learnt_anew() {
        let day = Duration::from_secs(24 * 3600 + 1);
        assert!(from_to((Status::Dead, 1), (5, 1), true, day).is_ok());
    }
}
