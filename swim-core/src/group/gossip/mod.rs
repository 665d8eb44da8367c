//! Dissemination: what is gossiped, how often, and in which order.
//!
//! Every datagram that leaves anyway carries news (SWIM section 4.1). [`updates`] holds what happened to members, and
//! picks what was sent least; `group/broadcasts/` holds what users send to all members, first come first served. Each has
//! room in every datagram that the other cannot take. What finds no datagram to be piggybacked on leaves with the
//! gossip timer.

mod updates;

pub(super) use updates::{News, Updates};

use core::time::Duration;

use super::members::Slot;
use super::{Group, Piggyback, SAMPLE_MAX, scale};
use crate::api::{Instant, NodeId};
use crate::collections::SENDS_MAX;
use crate::context::{Phase, Stream};
use crate::timers::Timer;
use crate::wire::Message;

/// Time between gossip while broadcasts are to be pushed, and samples of members that it goes to.
const BUSY: (Duration, usize) = (Duration::from_millis(10), 2);

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
            Some(interval) if self.broadcasts.len() > 0 => interval.min(BUSY.0),
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
        let mut fanout = usize::from(self.cx.config.gossip_fanout);
        let (samples, size) = if self.broadcasts.len() > 0 { (BUSY.1, SAMPLE_MAX) } else { (1, fanout) };
        for _ in 0..samples {
            for slot in self.sample(Stream::Gossip, size, |_, _| true) {
                if !self.has_gossip() || fanout == 0 && self.broadcasts.len() == 0 {
                    return;
                }
                fanout = fanout.saturating_sub(1);
                let sent = self.send(self.addr(slot), &Message::Gossip, Piggyback::GOSSIP);
                if let Phase::Leaving { datagrams } = &mut self.cx.phase {
                    *datagrams += u32::from(sent);
                }
            }
        }
    }

    /// Whether anything is queued.
    #[inline]
    pub(super) fn has_gossip(&self) -> bool {
        self.updates.len() > 0 || self.broadcasts.len() > 0
    }

    /// How often each member sends an update: λ · ⌈log₁₀(n + 1)⌉.
    pub(super) fn sends_max(&self) -> usize {
        let limit = scale::transmit_limit(self.cx.config.lambda, self.n()) as usize;
        limit.min(SENDS_MAX)
    }
}
