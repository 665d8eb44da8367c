//! User messages to all members: each reaches every member, once, in the order of its origin.
//!
//! Pushing alone cannot do that: whom a push reaches is chance. So members push each broadcast a few times, say on
//! every datagram which numbers they keep, and who lacks one of these asks for it.
//!
//! ```text
//!  broadcast ──▶ store (log of each origin) ──▶ pushed PUSHES times: gossip, every 10 ms while there is a backlog
//!                  │        ▲
//!                  │        └── records of others; a gap ──▶ BroadcastPull to whom has more, then to the origin
//!                  └──▶ marks: lowest and highest number kept, on what carries gossip
//! ```
//!
//! What was delivered is kept for others for [`RETENTION`] periods. A number that its origin no longer keeps, or that no
//! member has given for as long, is given up, and the user hears how many were missed.

mod log;
mod store;

use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use log::{Log, WINDOW_MAX};
pub(super) use store::Broadcasts;

use super::{Group, Piggyback, Rare};
use crate::api::{DropReason, Epoch, Event, Handled, NodeId, Refusal};
use crate::context::Stream;
use crate::timers::Timer;
use crate::wire::{BroadcastRecord, HEADER_LEN, Mark, Marks, Message, PART_LEN, RANGES_MAX, broadcast_len};

/// How many periods a broadcast is kept for those who missed it.
const RETENTION: u32 = 5;
/// Broadcasts that one pull is answered with.
const ANSWERED_MAX: usize = 256;

impl Group {
    /// Broadcasts a payload of the user's.
    pub(crate) fn broadcast(&mut self, payload: &[u8]) -> Result<u32, Refusal> {
        if self.is_broadcast_queue_full() {
            return Err(Refusal::QueueFull { limit: u32::from(self.cx.config.broadcasts_max) });
        }
        let number = self.broadcasts.next_sequence();
        if self.n() > 1 {
            self.broadcasts.push_own(self.cx.me.epoch, number, payload, self.cx.now());
        }
        Ok(number)
    }

    /// Whether there is no room for a further one of the user's.
    pub(crate) fn is_broadcast_queue_full(&self) -> bool {
        self.n() > 1 && self.broadcasts.is_full()
    }

    /// A broadcast arrived.
    pub(super) fn on_broadcast(&mut self, record: &BroadcastRecord<'_>, from: NodeId) -> Handled {
        self.check_current(record.origin, record.epoch, record.sequence)?;
        let arrived = self.broadcasts.arrive(record, from, self.cx.now());
        self.plan_ask(record.origin);
        arrived
    }

    /// A member says which numbers of an origin it keeps.
    pub(super) fn on_mark(&mut self, mark: &Mark, from: NodeId) -> Handled {
        self.check_current(mark.origin, mark.epoch, mark.highest)?;
        self.broadcasts.on_mark(mark, from);
        self.plan_ask(mark.origin);
        Ok(())
    }

    /// Whether this is about the present epoch of another member.
    fn check_current(&mut self, origin: NodeId, epoch: Epoch, number: u32) -> Handled {
        if origin == self.cx.me.id {
            // If another node used a higher number in this one's name, the next ones would be dropped everywhere.
            if epoch == self.cx.me.epoch && self.cx.is_running() && !self.broadcasts.outbid(number) {
                self.start_new_epoch(epoch);
            }
            return Err(DropReason::DuplicateBroadcast);
        }
        let is_held = self.find(origin).is_some_and(|slot| self.claim(slot).epoch == epoch);
        is_held.then_some(()).ok_or(DropReason::UnknownMember)
    }

    /// Whether the user can hear one.
    #[inline]
    pub(crate) fn has_broadcast(&self) -> bool {
        self.broadcasts.is_ready()
    }

    /// The next broadcast that the user hears, or how many were missed.
    #[inline(never)]
    pub(crate) fn next_broadcast(&mut self) -> Option<Event> {
        let event = self.broadcasts.next_event()?;
        match event {
            Event::BroadcastsMissed { count, .. } => self.cx.stats.broadcasts_missed += u64::from(count),
            _ => self.cx.stats.broadcasts_delivered += 1,
        }
        Some(event)
    }

    fn plan_ask(&mut self, origin: NodeId) {
        let (now, wait) = (self.cx.now(), self.ask_interval());
        self.broadcasts.plan_ask(origin, now, wait);
        self.arm_asks();
    }

    /// Asks for what is missing.
    pub(crate) fn on_ask_timer(&mut self) {
        let (now, wait) = (self.cx.now(), self.ask_interval());
        while self.cx.outbox.budget_left() > 0
            && let Some((origin, since)) = self.broadcasts.next_ask(now, wait)
        {
            if since.after(self.retention()) <= now {
                self.broadcasts.change(origin, Log::give_up_missing);
            } else {
                self.ask_for(origin);
            }
        }
        self.arm_asks();
    }

    /// Asks for what is missing of an origin.
    fn ask_for(&mut self, origin: NodeId) {
        let Some(first) = self.broadcasts.change(origin, |log| log.next_to_ask(origin)) else { return };
        let missing = self.broadcasts.log(origin).map(|log| log.missing(origin)).unwrap_or_default();
        let target = self.find_active(first).or_else(|| self.sample(Stream::Gossip, 1, |_, _| true).next());
        let Some(slot) = target else { return };
        self.cx.stats.broadcasts_asked += 1;
        let wanted = Piggyback { rare: Some(&Rare::Wanted(&missing)), ..Piggyback::EMPTY };
        self.send(self.addr(slot), &Message::BroadcastPull, wanted);
    }

    /// A member asks for ranges of an origin's broadcasts. It gets what is kept of them, and hears which are kept.
    pub(crate) fn on_broadcast_pull(&mut self, source: SocketAddr, wanted: &Marks<'_>) -> Handled {
        let mut ranges = wanted.clone().flatten().take(RANGES_MAX).peekable();
        let Mark { origin, epoch, .. } = *ranges.peek().ok_or(DropReason::Malformed)?;
        let log = self.broadcasts.log(origin).filter(|log| log.epoch == epoch);
        let log = log.ok_or(DropReason::UnknownMember)?;
        let of_origin = ranges.filter(|range| (range.origin, range.epoch) == (origin, epoch));
        let numbers = of_origin.flat_map(|range| range.lowest..=range.highest).take(WINDOW_MAX as usize);
        let kept = numbers.filter_map(|number| log.get(number).map(|payload| (number, payload.len())));
        let (numbers, lengths): (Vec<u32>, Vec<usize>) = kept.take(ANSWERED_MAX).unzip();
        let room = self.datagram_room() - HEADER_LEN - PART_LEN - Mark::LEN - PART_LEN;
        let fit = room / broadcast_len(lengths.into_iter().max().unwrap_or(0));
        let answers = numbers.chunks(fit).chain(numbers.is_empty().then_some(&[][..]));
        for numbers in answers {
            self.cx.take_page()?;
            self.send(
                source,
                &Message::Gossip,
                Piggyback { rare: Some(&Rare::Asked(origin, numbers)), ..Piggyback::EMPTY },
            );
            if self.cx.outbox.budget_left() == 0 {
                break;
            }
        }
        Ok(())
    }

    /// This node may have missed broadcasts of an origin, or, if `None`, of any: the origins are asked.
    pub(crate) fn recheck_broadcasts(&mut self, origin: Option<NodeId>) {
        for origin in origin.map_or_else(|| self.broadcasts.origins(), |origin| vec![origin]) {
            self.broadcasts.change(origin, Log::recheck);
            self.plan_ask(origin);
        }
    }

    /// Forgets broadcasts that were kept long enough.
    pub(crate) fn expire_broadcasts(&mut self) {
        self.broadcasts.expire(self.cx.now(), self.retention());
    }

    /// Sets the timer for the next ask, if something is missing.
    #[inline]
    pub(crate) fn arm_asks(&mut self) {
        self.cx.timers.set(Timer::Ask, self.broadcasts.ask_at());
    }

    fn ask_interval(&self) -> Duration {
        self.cx.config.period / 5
    }

    fn retention(&self) -> Duration {
        self.cx.config.period * RETENTION
    }
}
