//! What the group does.

use core::net::SocketAddr;

use super::receive::{Gossip, OUTDATED_MAX};
use super::telling::Cargo;
use super::timers::EXPIRIES_MAX;
use super::{Core, Life};
#[cfg(not(swim_mutants))]
use crate::claim::supersedes;
use crate::claim::{Claim, Status};
use crate::gossip::Novelty;
use crate::identity::{Epoch, Incarnation, NodeId};
use crate::members::{Flag, SAMPLE_MAX, Slot};
#[cfg(swim_mutants)]
use crate::mutant::supersedes;
use crate::output::Event;
use crate::random::Purpose;
use crate::stats::DropReason;
use crate::suspicion::Due;
use crate::time::Instant;
use crate::wire::{Body, BroadcastRecord, Header, Message, Ping};

/// What is told of a member where it may not be.
const NOTHING: Claim = Claim { epoch: Epoch(0), incarnation: Incarnation(0), status: Status::Alive };

impl Core {
    /// What is held of the sender, if that is more than what its header says.
    pub(super) fn belief(&self, slot: Slot, header: &Header) -> Option<Claim> {
        if self.members.status(slot) == Status::Alive {
            return None;
        }
        let held = self.members.claim(slot);
        let word = Claim { epoch: header.epoch, incarnation: header.incarnation, status: Status::Alive };
        supersedes(&word, &held).then_some(held)
    }

    /// Hears everything that rode on a member's datagram.
    pub(super) fn absorb(&mut self, body: &Body<'_>, from: NodeId) -> Gossip {
        let mut gossip = Gossip::NOTHING;
        let mut updates = body.updates.clone();
        loop {
            self.cx.stats.updates_known += updates.pass(|said| self.is_held(said));
            let Some(update) = updates.next() else { break };
            match update.map(|update| self.hear(&update, from)) {
                Ok(super::claims::Outcome::News) => gossip.news += 1,
                Ok(super::claims::Outcome::Outdated(slot)) if gossip.outdated_len < OUTDATED_MAX => {
                    gossip.outdated[gossip.outdated_len] = slot;
                    gossip.outdated_len += 1;
                }
                Ok(super::claims::Outcome::Rival(namesake)) => gossip.namesake = gossip.namesake.or(Some(namesake)),
                Ok(_) => {}
                Err(reason) => self.cx.drop_for(reason),
            }
        }
        for broadcast in body.broadcasts.clone() {
            match broadcast {
                Ok(record) => self.hear_broadcast(&record),
                Err(reason) => self.cx.drop_for(reason),
            }
        }
        gossip
    }

    fn hear_broadcast(&mut self, record: &BroadcastRecord<'_>) {
        let (origin, epoch, sequence) = (record.origin, record.epoch, record.sequence);
        if origin == self.cx.me.id {
            // Nobody would hear this node's next ones, had somebody used a higher number in its name.
            if epoch == self.cx.me.epoch && self.cx.life == Life::Running && !self.broadcasts.outbid(sequence) {
                self.outlive(epoch);
            }
            return self.cx.drop_for(DropReason::DuplicateBroadcast);
        }
        let known = self.members.find(origin).is_some_and(|slot| self.members.claim(slot).epoch == epoch);
        if !known {
            return self.cx.drop_for(DropReason::UnknownMember);
        }
        let seen = self.broadcasts.note(origin, epoch, sequence) == Novelty::Seen;
        if seen && !mutant!(BroadcastTwice) {
            return self.cx.drop_for(DropReason::DuplicateBroadcast);
        }
        self.cx.stats.broadcasts_delivered += 1;
        if !self.broadcasts.push(origin, epoch, sequence, record.payload) {
            self.cx.drop_for(DropReason::BroadcastLimit);
        }
        self.cx.event(Event::Broadcast { origin, payload: record.payload.into() });
    }

    /// A right number from a wrong address: told once for each member.
    pub(super) fn tell_wrong_source(&mut self, slot: Slot, answered: SocketAddr) {
        if !self.members.flag(slot, Flag::WrongSourceTold) {
            self.members.set_flag(slot, Flag::WrongSourceTold, true);
            let (id, asked) = (self.members.id(slot), self.members.addr(slot));
            self.cx.event(Event::WrongSource { id, asked, answered });
        }
    }

    /// Whether there are more tombstones than there may be.
    #[inline]
    pub(super) fn has_surplus(&self) -> bool {
        let tombstones = self.members.count(Status::Dead) + self.members.count(Status::Left);
        tombstones > self.cx.config.tombstones_max
    }

    pub(super) fn bury_expired(&mut self) {
        self.expire();
        self.arm_suspicions();
    }

    fn expire(&mut self) {
        if self.cx.doubt.doubts() {
            return;
        }
        let now = self.cx.doubt.patience();
        for _ in 0..EXPIRIES_MAX {
            let slot = match self.suspicions.due(now) {
                None => return,
                Some(Due::Retell(slot)) => {
                    let id = self.members.id(slot);
                    self.tell(slot, id, id);
                    continue;
                }
                Some(Due::Expired(slot)) => slot,
            };
            let held = self.members.claim(slot);
            let place = self.members.suspicion(slot);
            let accuser = place.and_then(|place| self.suspicions.accusers(place));
            let accuser = accuser.map_or(self.cx.me.id, crate::wire::Accusers::first);
            self.cx.stats.suspicions_expired += 1;
            let by = place.and_then(|place| self.suspicions.verdict(place)).unwrap_or(self.cx.me.id);
            self.bury(slot, Claim { status: Status::Dead, ..held }, by, accuser);
        }
    }

    /// When to gossip next, if there is something to say and somebody to say it to.
    pub(super) fn gossip_at(&self) -> Option<Instant> {
        if (self.updates.len() == 0 && self.broadcasts.len() == 0) || mutant!(GossipTickForgotten) {
            return None;
        }
        let leaving = matches!(self.cx.life, Life::Leaving { .. });
        let interval = match self.cx.config.gossip_interval {
            Some(interval) => interval,
            None if leaving => self.cx.config.period / 5,
            None => return None,
        };
        let others = self.members.len_active() > u32::from(!leaving);
        others.then(|| self.gossip_last.after(interval))
    }

    /// One gossip tick.
    pub(super) fn spread(&mut self) {
        self.gossip_last = self.cx.now();
        let mut found = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.cx.streams;
        let random = &mut |n| streams.below(Purpose::Gossip, n);
        let fanout = usize::from(self.cx.config.gossip_fanout);
        let count = self.members.sample(random, &mut found, fanout, |_| true);
        for slot in &found[..count] {
            if self.updates.len() == 0 && self.broadcasts.len() == 0 {
                break;
            }
            let addr = self.members.addr(*slot);
            let sent = self.send(addr, &Message::Gossip, Cargo::GOSSIP);
            if let Life::Leaving { datagrams } = &mut self.cx.life {
                *datagrams += u32::from(sent);
            }
        }
    }

    pub(super) fn forget_tombstones(&mut self, mut remember: impl FnMut(SocketAddr)) {
        if self.members.count(Status::Dead) + self.members.count(Status::Left) == 0 {
            return;
        }
        let now = self.cx.now();
        let (updates, broadcasts) = (&mut self.updates, &mut self.broadcasts);
        let (outbox, stats) = (&mut self.cx.outbox, &mut self.cx.stats);
        self.members.forget_expired(now, EXPIRIES_MAX, |forgotten| {
            if let Some(place) = forgotten.queue {
                updates.remove(place);
            }
            broadcasts.forget(forgotten.id);
            if forgotten.status == Status::Dead {
                remember(forgotten.addr);
            }
            if !outbox.event(Event::Forgotten { id: forgotten.id }) {
                stats.events_lost += 1;
            }
        });
    }

    /// Pings `target` and says what is believed of it, so that it can speak up at once (Lifeguard's
    /// buddy rule; it holds for the Dead too: that is how a partition heals).
    pub(super) fn ping(&mut self, target: Slot, addr: SocketAddr, number: u64, cargo: Cargo<'_>) -> bool {
        // Of somebody who may be there, where the member is not held (any longer), nothing is believed: told
        // the member's word, a namesake would outbid it.
        let here = self.members.addr(target) == addr;
        let held = if here { self.members.claim(target) } else { NOTHING };
        let buddy = self.cx.config.buddy && !mutant!(BuddyForgotten);
        let status = if buddy || held.status == Status::Dead { held.status } else { Status::Alive };
        let ping = Ping {
            target: self.members.id(target),
            target_epoch: held.epoch,
            target_incarnation: held.incarnation,
            target_status: status,
            number,
            root: self.digest_root(),
        };
        self.send(addr, &Message::Ping(ping), cargo)
    }

    /// The digest of everything that this node holds; 0 if there is no anti-entropy.
    pub(super) fn digest_root(&self) -> u64 {
        if self.cx.config.sync_interval_max.is_some() { self.members.digest_root() } else { 0 }
    }
}
