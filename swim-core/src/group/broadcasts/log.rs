//! The broadcasts of one origin: which were received, which are kept for others, which are missing.
//!
//! An origin numbers its broadcasts from 1. They are reported in this order; what arrives too early waits.
//!
//! ```text
//!            first            reported    received           highest
//!  forgotten │ kept for others │ to be polled │ missing, waiting │ not sent yet
//! ```

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{DropReason, Epoch, Event, Handled, Instant, NodeId};
use crate::wire::{Mark, RANGES_MAX};

/// Numbers above the last received one that are kept or asked for.
pub(super) const WINDOW_MAX: u32 = 4096;

/// Bytes that a number takes beside its payload.
const SLOT_LEN: usize = size_of::<Option<Kept>>();

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    payload: Box<[u8]>,
    since: Instant,
}

/// What is known of one origin's broadcasts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Log {
    pub(super) epoch: Epoch,
    /// The number of the first slot of `kept`; of the next one to receive if there is none.
    first: u32,
    kept: VecDeque<Option<Kept>>,
    /// Bytes that `kept` takes.
    pub(super) bytes: usize,
    /// All up to this number were polled.
    reported: u32,
    /// All up to this number arrived, or are given up.
    pub(super) received: u32,
    /// The highest number that is known to be used.
    highest: u32,
    /// Whether it is known where this node's part of the log begins.
    pub(super) begun: bool,
    /// This node may have missed the news of numbers above `highest`: the origin is asked.
    rechecks: bool,
    /// Pulls since the last sign that there is more.
    pulls: u32,
    /// A member that had what is missing.
    holder: NodeId,
    /// While it is asked for: since when, and the last number that was received then.
    pub(super) asked: Option<(Instant, u32)>,
}

impl Log {
    /// Nothing is known of it but that it exists, and a member that knows more.
    pub(super) const fn new(epoch: Epoch, holder: NodeId) -> Self {
        Self {
            epoch,
            first: 1,
            kept: VecDeque::new(),
            bytes: 0,
            reported: 0,
            received: 0,
            highest: 0,
            begun: false,
            rechecks: false,
            pulls: 0,
            holder,
            asked: None,
        }
    }

    /// This node's own, in which the next number is `next`.
    pub(super) fn own(epoch: Epoch, me: NodeId, next: u32) -> Self {
        let last = next - 1;
        let (reported, received, highest) = (last, last, last);
        Self { first: next, reported, received, highest, begun: true, ..Self::new(epoch, me) }
    }

    /// Bytes that keeping a payload under `number` would take.
    pub(super) fn bytes_for(&self, number: u32, payload: &[u8]) -> usize {
        let slots = (number.saturating_sub(self.first) as usize + 1).saturating_sub(self.kept.len());
        slots * SLOT_LEN + payload.len()
    }

    /// Whether `number` is new, and not too far ahead.
    pub(super) fn accepts(&self, number: u32) -> Handled {
        if number <= self.received || self.get(number).is_some() {
            Err(DropReason::DuplicateBroadcast)
        } else if number - self.received > WINDOW_MAX {
            Err(DropReason::BroadcastLimit)
        } else {
            Ok(())
        }
    }

    /// Keeps a broadcast that it [accepts](Self::accepts).
    pub(super) fn keep(&mut self, number: u32, payload: &[u8], now: Instant) {
        debug_assert_eq!(self.accepts(number), Ok(()), "a number is kept once, and within the window");
        let at = (number - self.first) as usize;
        while self.kept.len() <= at {
            self.kept.push_back(None);
            self.bytes += SLOT_LEN;
        }
        self.kept[at] = Some(Kept { payload: payload.into(), since: now });
        self.bytes += payload.len();
        self.begun |= number == 1;
        self.highest = self.highest.max(number);
        self.advance(0);
    }

    /// Keeps this node's own next broadcast, which its user knows.
    pub(super) fn keep_own(&mut self, number: u32, payload: &[u8], now: Instant) {
        debug_assert_eq!(self.highest + 1, number, "the own numbers have no gap");
        self.keep(number, payload, now);
        self.reported = number;
    }

    /// `number` is in use, as a member says.
    pub(super) fn notice(&mut self, number: u32, from: NodeId) {
        if number > self.highest {
            (self.highest, self.holder, self.pulls) = (number, from, 0);
        }
    }

    /// There may be numbers that this node has not heard of.
    pub(super) const fn recheck(&mut self) {
        (self.rechecks, self.pulls) = (true, 0);
    }

    /// Whom to ask for what is missing: the member that had it and the origin in turns, and only the origin whether there
    /// is more.
    pub(super) fn next_to_ask(&mut self, origin: NodeId) -> NodeId {
        let turn = self.pulls;
        self.pulls = turn.saturating_add(1);
        if self.rechecks || !turn.is_multiple_of(2) { origin } else { self.holder }
    }

    /// A member's mark. What the origin itself no longer keeps is given up.
    pub(super) fn on_mark(&mut self, mark: &Mark, from: NodeId) {
        self.notice(mark.highest, from);
        let before = mark.lowest - 1;
        if !self.begun {
            // This node was not there when the earlier ones were sent.
            self.begun = true;
            (self.reported, self.received) = (before, before);
            while self.first <= before && self.forget_first() {}
        }
        let given_up = if from == mark.origin { before } else { 0 };
        self.advance(given_up);
        if from == mark.origin && self.pulls > 0 {
            // No other node can know of more. Without a pull the mark may be older than the sign that there is.
            self.rechecks = false;
            self.highest = mark.highest.max(self.last_kept());
        }
    }

    /// Nothing that is missing now is waited for any longer.
    pub(super) fn give_up_missing(&mut self) {
        (self.begun, self.rechecks) = (true, false);
        self.highest = self.last_kept();
        self.advance(self.highest);
    }

    /// Receives what is next; up to `given_up` without waiting for what is missing.
    fn advance(&mut self, given_up: u32) {
        self.received = self.received.max(given_up.min(self.highest));
        while self.received < self.highest && self.get(self.received + 1).is_some() {
            self.received += 1;
        }
        if !self.is_active() {
            self.first = self.received.saturating_add(1);
        }
    }

    /// The mark that this node gives.
    pub(super) fn mark(&self, origin: NodeId) -> Mark {
        Mark { origin, epoch: self.epoch, lowest: self.first, highest: self.last_kept() }
    }

    /// Whether something is missing, or may be.
    pub(super) const fn lacks(&self) -> bool {
        self.received < self.highest || self.rechecks
    }

    /// The numbers that are missing, as many ranges as a pull names, and the one above all if there may be more.
    pub(super) fn missing(&self, origin: NodeId) -> Vec<Mark> {
        let mut ranges: Vec<Mark> = Vec::new();
        let last = self.highest.min(self.received.saturating_add(WINDOW_MAX));
        let missing =
            (self.received..last).map(|before| before + 1).filter(|number| self.get(*number).is_none());
        let more = self.rechecks.then(|| self.highest.saturating_add(1));
        for number in missing.chain(more) {
            let is_full = ranges.len() == RANGES_MAX;
            match ranges.last_mut() {
                Some(range) if range.highest.checked_add(1) == Some(number) => range.highest = number,
                _ if is_full => break,
                _ => ranges.push(Mark { origin, epoch: self.epoch, lowest: number, highest: number }),
            }
        }
        ranges
    }

    /// What the user hears next, in the origin's order.
    pub(super) fn release(&mut self, origin: NodeId) -> Option<Event> {
        let before = self.reported;
        while self.reported < self.received && self.get(self.reported + 1).is_none() {
            self.reported += 1;
        }
        if self.reported > before {
            return Some(Event::BroadcastsMissed { origin, count: self.reported - before });
        }
        if !self.is_ready() {
            return None;
        }
        self.reported += 1;
        self.get(self.reported).map(|payload| Event::Broadcast { origin, payload: payload.into() })
    }

    /// Whether [`release`](Self::release) gives something.
    pub(super) const fn is_ready(&self) -> bool {
        self.reported < self.received
    }

    /// The payload of `number`, if it is kept.
    pub(super) fn get(&self, number: u32) -> Option<&[u8]> {
        let at = number.checked_sub(self.first)?;
        self.kept.get(at as usize)?.as_ref().map(|kept| &*kept.payload)
    }

    /// Forgets what was reported and kept long enough.
    pub(super) fn expire(&mut self, now: Instant, retention: Duration) {
        let is_over = |kept: &Kept| kept.since.after(retention) <= now;
        while self.kept.front().is_some_and(|front| front.as_ref().is_none_or(is_over)) && self.evict() {}
    }

    /// Forgets the oldest that was reported; `false` if there is none.
    pub(super) fn evict(&mut self) -> bool {
        self.can_evict() && self.forget_first()
    }

    /// Whether something is kept only for others.
    pub(super) fn can_evict(&self) -> bool {
        self.first <= self.reported && self.is_active()
    }

    /// How many bytes wait for an earlier one, at most: 0 if none does.
    pub(super) fn waiting_bytes(&self) -> usize {
        if self.last_kept() > self.received { self.bytes } else { 0 }
    }

    /// Forgets the highest that waits for an earlier one: it is asked for again.
    pub(super) fn drop_waiting(&mut self) {
        debug_assert!(self.last_kept() > self.received, "one waits");
        let mut drops = true;
        while drops || self.kept.back().is_some_and(Option::is_none) {
            let last = self.kept.pop_back().flatten();
            self.bytes -= SLOT_LEN + last.map_or(0, |kept| kept.payload.len());
            drops = false;
        }
        self.advance(0);
    }

    /// Forgets what is kept lowest; `false` if nothing is.
    fn forget_first(&mut self) -> bool {
        let Some(first) = self.kept.pop_front() else { return false };
        self.bytes -= SLOT_LEN + first.map_or(0, |kept| kept.payload.len());
        self.first = self.first.saturating_add(1);
        if self.kept.is_empty() {
            // Its room is given back.
            self.kept = VecDeque::new();
        }
        self.advance(0);
        true
    }

    /// The highest number that is kept (the last slot is never empty), or was received.
    fn last_kept(&self) -> u32 {
        (self.first - 1 + self.kept.len() as u32).max(self.received)
    }

    /// Whether anything is kept.
    pub(super) fn is_active(&self) -> bool {
        !self.kept.is_empty()
    }

    pub(super) fn payloads_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.kept.iter_mut().flatten().map(|kept| &mut *kept.payload)
    }

    /// Whether it contradicts itself nowhere.
    pub(super) fn is_sound(&self) -> bool {
        let payloads = self.kept.iter().flatten().map(|kept| kept.payload.len());
        self.bytes == self.kept.len() * SLOT_LEN + payloads.sum::<usize>()
            && self.first > 0
            && self.first <= self.received.saturating_add(1)
            && (self.is_active() || self.first == self.received.saturating_add(1))
            && self.reported <= self.received
            && self.received <= self.highest
            && self.last_kept() <= self.highest
            && self.kept.back().is_none_or(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGIN: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);
    const NOW: Instant = Instant::ORIGIN;

    fn log() -> Log {
        Log::new(Epoch(1), OTHER)
    }

    fn mark(lowest: u32, highest: u32) -> Mark {
        Mark { origin: ORIGIN, epoch: Epoch(1), lowest, highest }
    }

    /// Keeps a number with itself as the payload, if it is new.
    fn arrive(log: &mut Log, number: u32) -> Handled {
        log.notice(number, OTHER);
        let accepted = log.accepts(number);
        if accepted.is_ok() {
            log.keep(number, &number.to_le_bytes(), NOW);
        }
        assert!(log.is_sound());
        accepted
    }

    /// Everything that can be reported: a number, or minus how many were missed.
    fn reported(log: &mut Log) -> Vec<i64> {
        let mut reported = Vec::new();
        while let Some(event) = log.release(ORIGIN) {
            reported.push(match event {
                Event::BroadcastsMissed { count, .. } => -i64::from(count),
                Event::Broadcast { payload, .. } => {
                    i64::from(u32::from_le_bytes((*payload).try_into().expect("a number")))
                }
                _ => panic!("a log has no other events"),
            });
        }
        assert!(log.is_sound() && !log.is_ready());
        reported
    }

    fn missing(log: &Log) -> Vec<u32> {
        log.missing(ORIGIN).iter().flat_map(|range| range.lowest..=range.highest).collect()
    }

    #[test]
    fn what_arrives_early_waits_for_what_is_missing() {
        let mut log = log();
        for number in [3, 5, 2] {
            assert_eq!(arrive(&mut log, number), Ok(()));
            assert_eq!(reported(&mut log), []);
        }
        assert_eq!(missing(&log), [1, 4]);
        let _ = arrive(&mut log, 1);
        assert_eq!((reported(&mut log), missing(&log)), (Vec::from([1, 2, 3]), Vec::from([4])));
        assert_eq!([2, 5].map(|number| arrive(&mut log, number)), [Err(DropReason::DuplicateBroadcast); 2]);
        let _ = arrive(&mut log, 4);
        assert_eq!((reported(&mut log), log.lacks()), (Vec::from([4, 5]), false));
    }

    #[test]
    fn what_is_too_far_ahead_is_not_kept_and_is_asked_for_later() {
        let mut log = log();
        assert_eq!(arrive(&mut log, WINDOW_MAX + 1), Err(DropReason::BroadcastLimit));
        assert_eq!(arrive(&mut log, WINDOW_MAX), Ok(()));
        assert_eq!(missing(&log).last(), Some(&(WINDOW_MAX - 1)));
        log.on_mark(&mark(1, u32::MAX), OTHER);
        assert_eq!(missing(&log).len(), WINDOW_MAX as usize - 1, "a mark makes no pull longer");
    }

    #[test]
    fn the_first_mark_says_where_a_newcomer_begins() {
        let mut log = log();
        let _ = arrive(&mut log, 50);
        log.on_mark(&mark(48, 50), OTHER);
        assert_eq!((reported(&mut log), missing(&log)), (Vec::new(), Vec::from([48, 49])));
        log.on_mark(&mark(50, 50), OTHER);
        assert_eq!(reported(&mut log), [], "what another has forgotten, a third one may still keep");
        log.on_mark(&mark(50, 50), ORIGIN);
        assert_eq!(reported(&mut log), [-2, 50], "but not after the origin");
    }

    #[test]
    fn only_the_origin_says_that_there_is_no_more() {
        let mut log = log();
        log.on_mark(&mark(1, 7), OTHER);
        assert_eq!(missing(&log).len(), 7);
        log.on_mark(&mark(1, 0), ORIGIN);
        assert_eq!(missing(&log).len(), 7, "its mark may be older");
        assert_eq!([(); 3].map(|()| log.next_to_ask(ORIGIN)), [OTHER, ORIGIN, OTHER]);
        log.on_mark(&mark(1, 0), ORIGIN);
        assert_eq!((reported(&mut log), log.lacks()), (Vec::new(), false), "the other was wrong");
        log.recheck();
        log.on_mark(&mark(1, 0), ORIGIN);
        assert_eq!((missing(&log), log.lacks()), (Vec::from([1]), true), "nothing was asked yet");
        assert_eq!(log.next_to_ask(ORIGIN), ORIGIN);
        log.on_mark(&mark(1, 0), ORIGIN);
        assert!(!log.lacks());
    }

    #[test]
    fn what_is_given_up_is_reported_once_and_never_delivered_later() {
        let mut log = log();
        log.on_mark(&mark(1, 9), OTHER);
        for number in [2, 3, 6] {
            let _ = arrive(&mut log, number);
        }
        log.give_up_missing();
        assert_eq!((reported(&mut log), log.lacks()), (Vec::from([-1, 2, 3, -2, 6]), false));
        assert_eq!([1, 4].map(|number| arrive(&mut log, number)), [Err(DropReason::DuplicateBroadcast); 2]);
    }

    #[test]
    fn what_was_delivered_is_kept_for_a_time_and_what_waits_until_it_is_delivered() {
        let mut log = log();
        for number in [1, 2, 4] {
            let _ = arrive(&mut log, number);
        }
        assert_eq!(reported(&mut log), [1, 2]);
        let second = Duration::from_secs(1);
        log.expire(NOW.after(second / 2), second);
        assert_eq!(log.mark(ORIGIN), mark(1, 4));
        log.expire(NOW.after(second), second);
        assert_eq!((log.get(1), log.get(4).is_some(), log.mark(ORIGIN)), (None, true, mark(3, 4)));
        assert!(!log.evict() && log.is_sound());
    }

    #[test]
    fn no_number_overflows() {
        let mut log = Log::own(Epoch(1), ORIGIN, u32::MAX);
        log.keep_own(u32::MAX, b"last", NOW);
        assert!(log.is_sound() && !log.lacks() && missing(&log).is_empty());
        let mut log = self::log();
        log.on_mark(&mark(u32::MAX, u32::MAX), OTHER);
        let _ = arrive(&mut log, u32::MAX);
        log.recheck();
        assert_eq!((reported(&mut log), log.is_sound()), (Vec::from([i64::from(u32::MAX)]), true));
        missing(&log);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Arrive(u32),
        Mark(u32, u32, bool),
        GiveUp,
        Expire,
        Evict,
        Recheck,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (1..60_u32).prop_map(Step::Arrive),
            3 => (1..60_u32, 0..60_u32, any::<bool>())
                .prop_map(|(low, high, origin)| Step::Mark(low, high.max(low - 1), origin)),
            1 => Just(Step::GiveUp),
            1 => Just(Step::Expire),
            1 => Just(Step::Evict),
            1 => Just(Step::Recheck),
        ]
    }

    proptest! {
        /// Whatever is heard, the user hears ever higher numbers.
        #[test]
        fn numbers_are_reported_in_order_and_once(steps in prop::collection::vec(step(), 0..80)) {
            let mut log = log();
            let mut last = 0;
            for step in steps {
                match step {
                    Step::Arrive(number) => drop(arrive(&mut log, number).ok()),
                    Step::Mark(low, high, origin) => {
                        log.on_mark(&mark(low, high), if origin { ORIGIN } else { OTHER });
                    }
                    Step::GiveUp => log.give_up_missing(),
                    Step::Expire => log.expire(NOW.after(Duration::from_secs(9)), Duration::from_secs(9)),
                    Step::Evict => drop(log.evict()),
                    Step::Recheck => log.recheck(),
                }
                for number in reported(&mut log).into_iter().filter(|number| *number > 0) {
                    prop_assert!(number > last, "{} after {}", number, last);
                    last = number;
                }
            }
        }
    }
}
