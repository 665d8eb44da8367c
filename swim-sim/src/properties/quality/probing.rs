//! Q2: every member is probed as often as any other: two probes of one member by one prober are at most 2l −
//! 1 periods apart, and three are never within one traversal, l being the number of others.
//! Q10: the local health of a node whose probe fails gets worse.
//!
//! Q2: known by the pings that a node sends by itself, on a tick. Attempts at one target that share all of
//! their number but the lowest sixteen bits are one probe (`docs/wire.md`); pings that call their target Dead
//! heal, and pings that were asked for by others answer datagrams. A member that comes or goes changes the
//! probe list, so the count begins anew with each change of l. Each traversal visits every member once, in an
//! order of its own: a member that was last in one and first in the next is probed twice in a row, and one
//! that was first and then last waits for 2l − 1 periods. Between a probe and the next but one there is
//! always a whole traversal: l + 1 periods at least.
//!
//! Q10: a probe that fails, and of which no relay said that it listens at least, may be the prober's own
//! fault: its local health is not at its best right after that. (That it is again in the end is a part of
//! Q5.)

use std::collections::BTreeMap;

use swim_core::{Event, MessageKind, NodeId};

use crate::World;
use crate::ground_truth::{Happening, Scene};
use crate::host::HostId;
use crate::properties::evidence::PerHost;
use crate::properties::evidence::datagram::Reading;
use crate::properties::{Broken, Case, Check, Monitor, declare};

/// Q2.
#[derive(Default)]
pub(super) struct Fairness {
    walks: PerHost<Walk>,
    looked: u64,
}

/// What one prober has probed since its list last changed.
#[derive(Default)]
struct Walk {
    /// Others held Alive or Suspect.
    others: u32,
    /// Probes so far.
    probes: u32,
    /// What the attempts of the last probe share.
    number: u64,
    /// The last two probes of each, counted from 1; 0: none.
    last: BTreeMap<NodeId, [u32; 2]>,
    /// The probe at which every member is looked at next.
    sweep_at: u32,
    /// The probe that began in this input.
    probed: Option<NodeId>,
    /// The list has changed, or something was done that is not seen: it begins anew.
    stale: bool,
}

impl Walk {
    fn restart(&mut self, others: u32) {
        *self = Self { others, number: self.number, ..Self::default() };
        self.sweep_at = 2 * others.max(1);
    }

    /// One more probe; what is wrong with it.
    fn probe(&mut self, target: NodeId) -> Result<(), String> {
        self.probes += 1;
        let (now, others) = (self.probes, self.others);
        let [before, last] = self.last.insert(target, [0, now]).unwrap_or_default();
        self.last.insert(target, [last, now]);
        if before > 0 && now - before <= others {
            return Err(format!("{target:?} is probed three times within {} periods", now - before + 1));
        }
        if now - last >= 2 * others {
            return Err(format!(
                "{target:?} was not probed for {} periods among {others} others",
                now - last
            ));
        }
        Ok(())
    }
}

impl Fairness {
    fn note_ping(&mut self, host: HostId, ping: &Reading<'_>) {
        let healing = ping.held_claim.is_some_and(|held_claim| !held_claim.status.is_active());
        let (Some(number), Some(target)) = (ping.number, ping.target) else { return };
        // The lowest bits say what was asked: 0 is a probe, and the place is the attempt.
        if healing || number & 0xffff != 0 {
            return;
        }
        let walk = self.walks.of(host);
        if std::mem::replace(&mut walk.number, number) == number || walk.others == 0 {
            return;
        }
        // Checked when the input is over: if the list has changed in it, this is the first of a new walk.
        walk.probed = Some(target);
    }

    /// A member that is never probed shows in no gap: now and then all are looked at.
    fn sweep(&mut self, world: &World, host: HostId) -> Check {
        let walk = self.walks.of(host);
        let Some(node) = world.node(host) else { return Ok(()) };
        walk.sweep_at = walk.probes + walk.others;
        let mut active = node.members().filter(|row| !row.is_me && row.status.is_active());
        let missed = active.find(|row| {
            let last = walk.last.get(&row.id).map_or(0, |last| last[1]);
            walk.probes - last >= 2 * walk.others
        });
        let Some(row) = missed else { return Ok(()) };
        let (probes, others) = (walk.probes, walk.others);
        let why = format!("{host:?} has not probed {:?} for {probes} periods among {others} others", row.id);
        Err(Broken::by(&[host], why))
    }
}

impl Monitor for Fairness {
    declare! { "Q2", "fairness", REPORTED | READ_SENT | AFTER_INPUT,
    "no member waits for more than 2l - 1 periods for the next probe, or is probed thrice in l" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        match what {
            // A list that changes, and a probe that leaves no datagram.
            Happening::Reported {
                host,
                event:
                    Event::Alive { .. }
                    | Event::Dead { .. }
                    | Event::Left { .. }
                    | Event::StartedOver { .. }
                    | Event::Lost { .. },
            }
            | Happening::Unsendable { host, .. }
            | Happening::Began { host, .. } => self.walks.of(*host).stale = true,
            _ => {}
        }
        Ok(())
    }

    fn on_datagram(&mut self, scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let Happening::Sent { host, .. } = what
            && said.kind == MessageKind::Ping
            && scene.ticks(*host)
        {
            self.note_ping(*host, said);
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let walk = self.walks.of(host);
        if std::mem::take(&mut walk.stale) || world.scene().holds_sends(host) {
            let stats = world.node(host).map(swim_core::Node::stats).unwrap_or_default();
            walk.restart((stats.alive + stats.suspect).saturating_sub(1));
        }
        if let Some(target) = walk.probed.take() {
            self.looked += 1;
            walk.probe(target).map_err(|why| Broken::by(&[host], format!("at {host:?} {why}")))?;
        }
        if walk.others > 0 && walk.probes >= walk.sweep_at {
            return self.sweep(world, host);
        }
        Ok(())
    }
}

/// Q10.
pub(super) struct Health {
    /// Whether health can become worse at all.
    enabled: bool,
    hosts: PerHost<Seen>,
    looked: u64,
}

#[derive(Default)]
struct Seen {
    /// Probes that had failed.
    failed: u64,
    /// Probes that had begun.
    begun: u64,
    /// A relay has said no since the last one began.
    nacked: bool,
}

impl Health {
    pub(super) fn new(case: &Case) -> Self {
        Self { enabled: case.config.health_max > 0, hosts: PerHost::default(), looked: 0 }
    }

    fn check(&mut self, host: HostId, (begun, failed): (u64, u64), health: u8) -> Check {
        let seen = self.hosts.of(host);
        let fails = std::mem::replace(&mut seen.failed, failed) < failed;
        let nacked = seen.nacked;
        // A probe ends where the next begins.
        seen.nacked &= std::mem::replace(&mut seen.begun, begun) == begun;
        if !fails {
            return Ok(());
        }
        self.looked += 1;
        if nacked || health > 0 {
            return Ok(());
        }
        let why = format!(
            "a probe of {host:?} failed without any answer of a relay, and its health is as good as ever"
        );
        Err(Broken::by(&[host], why))
    }
}

impl Monitor for Health {
    declare! { "Q10", "health", READ_ARRIVED | AFTER_INPUT,
    "the local health of a node whose probe fails without any answer of a relay gets worse" }

    fn on_happening(&mut self, _scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Began { host, .. } = what {
            *self.hosts.of(*host) = Seen::default();
        }
        Ok(())
    }

    fn on_datagram(&mut self, _scene: &Scene<'_>, what: &Happening<'_>, said: &Reading<'_>) -> Check {
        if let (Happening::Arrived { host, .. }, MessageKind::Nack) = (what, said.kind) {
            self.hosts.of(*host).nacked = true;
        }
        Ok(())
    }

    fn after_input(&mut self, world: &World, host: HostId) -> Check {
        let Some(node) = world.node(host).filter(|_| self.enabled) else { return Ok(()) };
        let stats = node.stats();
        self.check(host, (stats.probes, stats.probes_failed), node.health())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::tests::worlds;

    fn walk(others: u32, targets: &[u64]) -> Result<(), String> {
        let mut walk = Walk::default();
        walk.restart(others);
        targets.iter().try_for_each(|target| walk.probe(NodeId(*target)))
    }

    #[test]
    fn traversals_in_any_order_are_fair() {
        assert_eq!(walk(3, &[1, 2, 3, 3, 1, 2, 1, 2, 3]), Ok(()));
        assert_eq!(walk(3, &[1, 2, 3, 2, 3, 1]), Ok(()), "five periods for 1");
        assert_eq!(walk(1, &[1, 1, 1, 1]), Ok(()));
    }

    #[test]
    fn a_member_that_waits_too_long_or_is_probed_too_often_is_found() {
        assert!(walk(3, &[1, 2, 3, 2, 3, 2, 1]).is_err(), "six periods for 1");
        assert!(walk(3, &[1, 1, 2, 1]).is_err(), "three times 1 in two traversals that are none");
        assert!(walk(2, &[1, 1, 1]).is_err());
    }

    #[test]
    fn a_node_that_fails_and_whose_health_stays_is_found() {
        let mut monitor = Health::new(&worlds::case(3));
        let host = HostId(0);
        assert!(monitor.check(host, (1, 1), 2).is_ok());
        assert!(monitor.check(host, (2, 1), 0).is_ok(), "nothing has failed since");
        monitor.hosts.of(host).nacked = true;
        assert!(monitor.check(host, (3, 2), 0).is_ok(), "its relays listen");
        assert!(monitor.check(host, (4, 3), 0).is_err(), "they have not said so again");
    }
}
