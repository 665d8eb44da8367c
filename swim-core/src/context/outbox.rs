//! What waits to be polled.
//!
//! Datagrams are encoded inside `handle`, straight into one buffer with a fixed bound, so that how and
//! when a driver polls cannot change the protocol. A driver polls until `None`; then the buffer starts
//! again from its beginning and stays in cache. It has room for a few datagrams at first; what a burst needs beyond
//! that is given back. A driver that does not poll loses the newest datagrams
//! and the newest events: both are counted, neither is protocol state.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::api::Event;
use crate::wire::payload_ranges;

/// Datagrams that timers may send in one `handle`; what is still due stays due.
pub(crate) const SEND_BUDGET: usize = 16;
/// Datagrams that can wait: a budget of timers, and the answers of a budget of further inputs.
pub(crate) const OUTBOX_DATAGRAMS: usize = 2 * SEND_BUDGET;
/// Events that can wait. A full datagram of 1,400 bytes makes at most some 170 (its updates are at least 24
/// bytes long, and make up to three each); one of 9,000 may make more than fit, and `Event::Lost` says so.
pub(crate) const OUTBOX_EVENTS: usize = 1024;

/// Bytes whose room an empty outbox keeps: more than a ping and its three relays, or a page, take.
const KEPT: usize = 4096;
/// Bytes of a datagram without gossip.
const USUAL_LEN: usize = 52;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Sealed {
    #[serde(with = "crate::collections::serial::addr")]
    target: SocketAddr,
    start: usize,
    end: usize,
}

/// Ready datagrams and events, in the order in which they were made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    sealed: VecDeque<Sealed>,
    events: VecDeque<Event>,
    datagram_max: usize,
    budget: usize,
    lost: u64,
}

impl Outbox {
    pub(crate) fn new(datagram_max: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(KEPT),
            sealed: VecDeque::with_capacity(4),
            events: VecDeque::new(),
            datagram_max,
            budget: 0,
            lost: 0,
        }
    }

    /// A new `handle` begins: timers may send [`SEND_BUDGET`] datagrams again.
    pub(crate) const fn begin(&mut self) {
        self.budget = SEND_BUDGET;
    }

    /// Touches where the next datagram will be written. What is there does not matter.
    pub(crate) fn warm(&mut self) {
        if self.sealed.is_empty() && self.bytes.is_empty() && self.bytes.capacity() >= USUAL_LEN {
            self.bytes.resize(USUAL_LEN, 0);
            self.bytes.clear();
        }
    }

    /// Datagrams that timers may still send in this `handle`. A full outbox takes nothing off: what is due
    /// is done and its datagrams are lost, as on any other network; otherwise it would stay due, and a
    /// driver that waits for its socket would be called again and again.
    pub(crate) const fn budget_left(&self) -> usize {
        self.budget
    }

    /// A datagram is sent, or is as good as sent.
    pub(crate) fn spend(&mut self) {
        self.budget = self.budget.saturating_sub(1);
    }

    /// The buffer to append one datagram to, or `None` if the outbox is full.
    pub(crate) fn open(&mut self) -> Option<&mut Vec<u8>> {
        self.spend();
        let full = self.sealed.len() >= OUTBOX_DATAGRAMS
            || self.bytes.len() + self.datagram_max > OUTBOX_DATAGRAMS * self.datagram_max;
        if full { None } else { Some(&mut self.bytes) }
    }

    /// What was appended since `start` is a datagram to `target`.
    pub(crate) fn seal(&mut self, target: SocketAddr, start: usize) {
        debug_assert!(
            self.bytes.len() - start <= self.datagram_max,
            "a datagram keeps the configured length"
        );
        debug_assert!(self.sealed.len() < OUTBOX_DATAGRAMS, "only an outbox with room is opened");
        debug_assert!(self.sealed.back().is_none_or(|last| last.end <= start), "datagrams do not overlap");
        self.sealed.push_back(Sealed { target, start, end: self.bytes.len() });
    }

    /// Queues an event; `false` if it was lost.
    pub(crate) fn event(&mut self, event: Event) -> bool {
        if self.events.len() >= OUTBOX_EVENTS {
            self.lost += 1;
            return false;
        }
        if self.lost > 0 && self.events.len() + 1 < OUTBOX_EVENTS {
            self.events.push_back(Event::Lost { events: self.lost });
            self.lost = 0;
        }
        self.events.push_back(event);
        debug_assert!(self.events.len() <= OUTBOX_EVENTS, "the queue of events is bounded");
        true
    }

    /// Whether a datagram waits; if none does, the buffer begins again.
    pub(crate) fn has_datagram(&mut self) -> bool {
        self.reuse();
        !self.sealed.is_empty()
    }

    pub(crate) fn next_datagram(&mut self) -> Option<(SocketAddr, &[u8])> {
        let next = self.sealed.pop_front()?;
        Some((next.target, &self.bytes[next.start..next.end]))
    }

    /// Whether an event waits.
    #[inline]
    pub(crate) fn has_event(&self) -> bool {
        !self.events.is_empty() || self.lost > 0
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        if self.events.is_empty() && self.lost > 0 {
            return Some(Event::Lost { events: core::mem::take(&mut self.lost) });
        }
        self.events.pop_front()
    }

    /// After loading: `false` if what waits is not where it should be.
    pub(crate) fn is_sound(&self, datagram_max: usize) -> bool {
        let Self { bytes, sealed, events, .. } = self;
        let fits = bytes.len() <= OUTBOX_DATAGRAMS * datagram_max && self.datagram_max == datagram_max;
        let is_within = |sealed: &Sealed| sealed.start <= sealed.end && sealed.end <= bytes.len();
        fits && sealed.len() <= OUTBOX_DATAGRAMS
            && events.len() <= OUTBOX_EVENTS
            && sealed.iter().all(is_within)
    }

    /// Changes every payload that waits; of datagrams that were polled nothing is left.
    pub(crate) fn map_payloads(&mut self, change: &mut dyn FnMut(&mut [u8])) {
        self.reuse();
        let first = self.sealed.front().map_or(0, |sealed| sealed.start);
        self.bytes[..first].fill(0);
        for sealed in &self.sealed {
            let datagram = &mut self.bytes[sealed.start..sealed.end];
            for range in payload_ranges(datagram) {
                change(&mut datagram[range]);
            }
        }
        for event in &mut self.events {
            if let Event::Message { payload, .. } = event {
                change(payload);
            }
        }
    }

    fn reuse(&mut self) {
        if self.sealed.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NodeId;

    const TARGET: SocketAddr =
        SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 1)), 7946);

    fn put(outbox: &mut Outbox, byte: u8) -> bool {
        let Some(bytes) = outbox.open() else { return false };
        let start = bytes.len();
        bytes.extend_from_slice(&[byte; 1400]);
        outbox.seal(TARGET, start);
        true
    }

    #[test]
    fn a_full_outbox_refuses_the_newest_datagram() {
        let mut outbox = Outbox::new(1400);
        outbox.begin();
        for _ in 0..OUTBOX_DATAGRAMS {
            assert!(put(&mut outbox, 7));
        }
        assert!(!put(&mut outbox, 8));
        while outbox.has_datagram() {
            assert_eq!(outbox.next_datagram(), Some((TARGET, &[7; 1400][..])));
        }
        assert!(put(&mut outbox, 9));
    }

    #[test]
    fn a_burst_gives_its_room_back_and_a_few_datagrams_keep_theirs() {
        let mut outbox = Outbox::new(1400);
        let capacity = outbox.bytes.capacity();
        for (count, grows) in [(2, false), (OUTBOX_DATAGRAMS, true), (2, false)] {
            outbox.begin();
            assert!((0..count).all(|_| put(&mut outbox, 7)));
            assert_eq!(outbox.bytes.capacity() > capacity, grows, "{count}");
            while outbox.has_datagram() {
                outbox.next_datagram();
            }
            assert_eq!(outbox.bytes.capacity(), capacity);
        }
    }

    #[test]
    fn leftovers_survive_the_next_handle() {
        let mut outbox = Outbox::new(1400);
        outbox.begin();
        put(&mut outbox, 1);
        outbox.begin();
        put(&mut outbox, 2);
        assert_eq!(outbox.next_datagram().map(|(_, b)| b[0]), Some(1));
        assert_eq!(outbox.next_datagram().map(|(_, b)| b[0]), Some(2));
        assert_eq!(outbox.next_datagram(), None);
    }

    #[test]
    fn lost_events_are_reported() {
        let mut outbox = Outbox::new(1400);
        let event = || Event::Forgotten { id: NodeId(1) };
        for _ in 0..OUTBOX_EVENTS {
            assert!(outbox.event(event()));
        }
        assert!(!outbox.event(event()));
        let mut last = None;
        while let Some(next) = outbox.next_event() {
            last = Some(next);
        }
        assert_eq!(last, Some(Event::Lost { events: 1 }));
    }
}
