//! Dissemination: what is gossiped, how often, and in which order.
//!
//! Every datagram that leaves anyway carries news (SWIM section 4.1). [`updates`] holds what happened to
//! members, [`broadcasts`] what users send to all members; both pick what was sent least, and each has
//! room in every datagram that the other cannot take. What finds no datagram to be piggybacked on leaves with the
//! gossip timer.

mod broadcasts;
mod updates;

pub(super) use broadcasts::Broadcasts;
pub(super) use updates::{News, Updates};

use super::members::Slot;
use super::{Group, Piggyback, scale};
use crate::api::{DropReason, Event, Instant, NodeId, Refusal};
use crate::collections::SENDS_MAX;
use crate::context::{Phase, Stream};
use crate::timers::Timer;
use crate::wire::{BroadcastRecord, Message};

impl Group {
    /// What is held of a member now is gossiped from the beginning; what was still being gossiped of it is not.
    #[inline]
    pub(super) fn enqueue(&mut self, slot: Slot, by: NodeId, accuser: NodeId) {
        if let Some(index) = self.members.queue(slot) {
            self.updates.remove(index);
        }
        let index = self.updates.push(News { slot, by, accuser });
        self.members.set_queue(slot, Some(index));
    }

    /// Nothing is gossiped of a member any longer.
    pub(super) fn withdraw(&mut self, slot: Slot) {
        if let Some(index) = self.members.queue(slot) {
            self.updates.remove(index);
            self.members.set_queue(slot, None);
        }
        debug_assert!(self.members.queue(slot).is_none(), "a withdrawn member has no entry in the queue");
    }

    /// Broadcasts a payload of the user's.
    pub(crate) fn broadcast(&mut self, payload: &[u8]) -> Result<u32, Refusal> {
        if self.broadcasts.is_full() {
            return Err(Refusal::QueueFull { limit: u32::from(self.cx.config.broadcasts_max) });
        }
        let sequence = self.broadcasts.next_sequence();
        if self.n() > 1 {
            self.broadcasts.push(self.cx.me.id, self.cx.me.epoch, sequence, payload);
        }
        Ok(sequence)
    }

    /// A broadcast arrived.
    pub(super) fn on_broadcast(&mut self, record: &BroadcastRecord<'_>) {
        let &BroadcastRecord { origin, epoch, sequence, payload } = record;
        if origin == self.cx.me.id {
            // If another node used a higher number in this one's name, the next ones would be dropped everywhere.
            if epoch == self.cx.me.epoch && self.cx.is_running() && !self.broadcasts.outbid(sequence) {
                self.start_new_epoch(epoch);
            }
            return self.cx.stats.drop(DropReason::DuplicateBroadcast);
        }
        if self.find(origin).is_none_or(|slot| self.claim(slot).epoch != epoch) {
            return self.cx.stats.drop(DropReason::UnknownMember);
        }
        if !self.broadcasts.note(origin, epoch, sequence) {
            return self.cx.stats.drop(DropReason::DuplicateBroadcast);
        }
        self.cx.stats.broadcasts_delivered += 1;
        if !self.broadcasts.push(origin, epoch, sequence, payload) {
            self.cx.stats.drop(DropReason::BroadcastLimit);
        }
        self.cx.event(Event::Broadcast { origin, payload: payload.into() });
    }

    /// Sets the timer for the next gossip, if there is something to gossip and a member to gossip to.
    #[inline]
    pub(crate) fn arm_gossip(&mut self) {
        let at = self.gossip_at();
        self.cx.timers.set(Timer::Gossip, at);
    }

    /// When gossip is sent next.
    #[inline]
    pub(super) fn gossip_at(&self) -> Option<Instant> {
        if !self.has_gossip() {
            return None;
        }
        let leaving = matches!(self.cx.phase, Phase::Leaving { .. });
        let interval = match self.cx.config.gossip_interval {
            Some(interval) => interval,
            None if leaving => self.cx.config.period / 5,
            None => return None,
        };
        let others = self.n() > u32::from(!leaving);
        others.then(|| self.gossiped_at.after(interval))
    }

    /// Sends gossip to a few members.
    pub(crate) fn on_gossip_timer(&mut self) {
        self.gossiped_at = self.cx.now();
        let fanout = usize::from(self.cx.config.gossip_fanout);
        for slot in self.sample(Stream::Gossip, fanout, |_, _| true) {
            if !self.has_gossip() {
                break;
            }
            let sent = self.send(self.addr(slot), &Message::Gossip, Piggyback::GOSSIP);
            if let Phase::Leaving { datagrams } = &mut self.cx.phase {
                *datagrams += u32::from(sent);
            }
        }
    }

    /// Whether anything is queued.
    #[inline]
    pub(super) const fn has_gossip(&self) -> bool {
        self.updates.len() > 0 || self.broadcasts.len() > 0
    }

    /// How often each member sends an update: λ · ⌈log₁₀(n + 1)⌉.
    pub(super) fn sends_max(&self) -> usize {
        let limit = scale::transmit_limit(self.cx.config.lambda, self.n()) as usize;
        limit.min(SENDS_MAX)
    }
}
