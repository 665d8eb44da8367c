//! The broadcasts of one origin: which were delivered, which are kept for others, which are missing.
//!
//! An origin numbers its broadcasts from 1. They are delivered in this order; what arrives too early waits.
//!
//! ```text
//!            first           delivered        highest
//!  forgotten │ kept for others │ missing, waiting │ not sent yet
//! ```

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, Instant, NodeId};
use crate::wire::{Mark, Ranges};

/// Numbers above the delivered ones that are kept or asked for.
pub(super) const WINDOW_MAX: u32 = 4096;

/// Bytes that a number takes beside its payload.
pub(super) const SLOT_LEN: usize = size_of::<Option<Kept>>();

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    payload: Box<[u8]>,
    since: Instant,
}

/// What is known of one origin's broadcasts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Log {
    pub(super) epoch: Epoch,
    /// The number of the first slot of `kept`.
    first: u32,
    kept: VecDeque<Option<Kept>>,
    /// All up to this number were delivered, or are given up.
    delivered: u32,
    /// The highest number that is known to be used.
    highest: u32,
    /// Missing ones up to this number are not waited for.
    given_up: u32,
    /// Whether it is known where this node's part of the log begins.
    begun: bool,
    /// This node may have missed the news of numbers above `highest`; the origin is asked.
    doubted: bool,
    /// A member that had what is missing.
    pub(super) holder: NodeId,
    /// While it is asked for: since when, and the last number that was delivered then.
    pub(super) asked: Option<(Instant, u32)>,
    /// Bytes that it takes.
    bytes: usize,
}

/// What became of a broadcast that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    New,
    Known,
    /// It is too far ahead: it will be asked for.
    Beyond,
}

/// What a user is told next.
#[derive(Debug)]
pub(super) enum Release<'a> {
    Payload(&'a [u8]),
    Missed(u32),
}

impl Log {
    /// Nothing is known of it but that it exists.
    pub(super) const fn new(epoch: Epoch, holder: NodeId) -> Self {
        Self {
            epoch,
            first: 1,
            kept: VecDeque::new(),
            delivered: 0,
            highest: 0,
            given_up: 0,
            begun: false,
            doubted: false,
            holder,
            asked: None,
            bytes: 0,
        }
    }

    /// This node's own, from `number` on.
    pub(super) fn own(epoch: Epoch, me: NodeId, number: u32) -> Self {
        let delivered = number - 1;
        Self { first: number, delivered, highest: delivered, begun: true, ..Self::new(epoch, me) }
    }

    /// Bytes that it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that keeping a payload under `number` would take.
    pub(super) fn bytes_for(&self, number: u32, payload: &[u8]) -> usize {
        let slots = (number.saturating_sub(self.first()) as usize + 1).saturating_sub(self.kept.len());
        slots * SLOT_LEN + payload.len()
    }

    /// Whether keeping `number` would be new.
    pub(super) fn arrival(&self, number: u32) -> Arrival {
        if number <= self.delivered || self.get(number).is_some() {
            Arrival::Known
        } else if number - self.delivered > WINDOW_MAX {
            Arrival::Beyond
        } else {
            Arrival::New
        }
    }

    /// Keeps a broadcast whose [`arrival`](Self::arrival) was new.
    pub(super) fn keep(&mut self, number: u32, payload: &[u8], now: Instant) {
        debug_assert_eq!(self.arrival(number), Arrival::New, "a number is kept once, and within the window");
        self.first = self.first();
        let at = (number - self.first) as usize;
        while self.kept.len() <= at {
            self.kept.push_back(None);
            self.bytes += SLOT_LEN;
        }
        self.bytes += payload.len();
        self.kept[at] = Some(Kept { payload: payload.into(), since: now });
        self.highest = self.highest.max(number);
    }

    /// This node's own broadcast: known to its user.
    pub(super) fn keep_own(&mut self, number: u32, payload: &[u8], now: Instant) {
        debug_assert!(self.follows(number), "the own numbers have no gap");
        self.keep(number, payload, now);
        self.delivered = number;
    }

    /// `number` is in use, as a member says.
    pub(super) fn notice(&mut self, number: u32, from: NodeId) {
        if number > self.highest {
            (self.highest, self.holder) = (number, from);
        }
    }

    /// A member's mark. What the origin itself no longer keeps is given up.
    pub(super) fn on_mark(&mut self, mark: &Mark, from: NodeId) {
        self.notice(mark.highest, from);
        if from == mark.origin {
            self.doubted = false;
            // No other node can know of more.
            self.highest = mark.highest.max(self.last_kept()).max(self.delivered);
            self.give_up(mark.lowest - 1);
        }
        if !self.begun {
            // This node was not there when the earlier ones were sent.
            self.begun = true;
            self.delivered = mark.lowest - 1;
            while self.first <= self.delivered && !self.kept.is_empty() {
                self.forget_first();
            }
        }
    }

    /// The mark that this node gives.
    pub(super) fn mark(&self, origin: NodeId) -> Mark {
        let lowest = self.first();
        Mark { origin, epoch: self.epoch, lowest, highest: self.highest.max(lowest - 1) }
    }

    /// Does not wait any longer for missing ones up to `number`.
    pub(super) fn give_up(&mut self, number: u32) {
        self.given_up = self.given_up.max(number.min(self.highest));
    }

    /// Does not wait any longer for anything that is missing now.
    pub(super) fn give_up_missing(&mut self) {
        self.doubted = false;
        self.highest = self.last_kept().max(self.delivered);
        self.given_up = self.highest;
    }

    /// Asks the origin whether there is more than this node knows of.
    pub(super) const fn doubt(&mut self) {
        self.doubted = true;
    }

    pub(super) const fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// Whether something is missing or in doubt.
    pub(super) fn lacks(&self) -> bool {
        self.delivered < self.highest && !self.is_ready() || self.doubted
    }

    /// The numbers that are missing, as many as a pull names. In doubt, the one above all as well.
    pub(super) fn missing(&self) -> Ranges {
        let mut ranges = Ranges::default();
        let last = self.highest.min(self.delivered.saturating_add(WINDOW_MAX));
        for number in (self.delivered..last).map(|before| before + 1) {
            if self.get(number).is_none() && !ranges.push(number) {
                return ranges;
            }
        }
        if self.doubted {
            ranges.push(self.highest.saturating_add(1));
        }
        ranges
    }

    /// What the user is told next, in the origin's order.
    pub(super) fn release(&mut self) -> Option<Release<'_>> {
        let mut missed = 0;
        while self.delivered < self.given_up && self.get(self.delivered + 1).is_none() {
            self.delivered += 1;
            missed += 1;
        }
        if missed > 0 {
            self.begun = true;
            return Some(Release::Missed(missed));
        }
        if self.delivered >= self.highest || self.get(self.delivered + 1).is_none() {
            return None;
        }
        self.delivered += 1;
        self.begun = true;
        self.get(self.delivered).map(Release::Payload)
    }

    /// Whether [`release`](Self::release) would tell something.
    pub(super) fn is_ready(&self) -> bool {
        self.delivered < self.highest
            && (self.delivered < self.given_up || self.get(self.delivered + 1).is_some())
    }

    /// The payload of `number`, if it is kept.
    pub(super) fn get(&self, number: u32) -> Option<&[u8]> {
        let at = number.checked_sub(self.first)?;
        self.kept.get(at as usize)?.as_ref().map(|kept| &*kept.payload)
    }

    /// Forgets what was delivered and kept long enough.
    pub(super) fn expire(&mut self, now: Instant, retention: Duration) {
        while self.first <= self.delivered
            && let Some(front) = self.kept.front()
            && front.as_ref().is_none_or(|kept| kept.since.after(retention) <= now)
        {
            self.forget_first();
        }
    }

    /// Whether something is kept only for others.
    pub(super) fn can_evict(&self) -> bool {
        self.first <= self.delivered && !self.kept.is_empty()
    }

    /// Forgets the oldest that was delivered; `false` if there is none.
    pub(super) fn evict(&mut self) -> bool {
        let can = self.can_evict();
        if can {
            self.forget_first();
        }
        can
    }

    /// Whether `number` is the next one.
    pub(super) fn follows(&self, number: u32) -> bool {
        self.highest.checked_add(1) == Some(number)
    }

    /// The last number that was delivered.
    pub(super) const fn delivered(&self) -> u32 {
        self.delivered
    }

    fn forget_first(&mut self) {
        let Some(first) = self.kept.pop_front() else { return };
        self.first = self.first.saturating_add(1);
        self.bytes -= SLOT_LEN + first.map_or(0, |kept| kept.payload.len());
    }

    /// The lowest number that is kept, or the next one.
    fn first(&self) -> u32 {
        if self.kept.is_empty() { self.delivered.saturating_add(1) } else { self.first }
    }

    /// Whether something is kept for others.
    pub(super) fn is_active(&self) -> bool {
        !self.kept.is_empty()
    }

    fn last_kept(&self) -> u32 {
        // An empty slot is only ever made in front of one that is kept, and the last one is never taken out alone.
        if self.kept.is_empty() { 0 } else { self.first + (self.kept.len() as u32 - 1) }
    }

    pub(super) fn payloads_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.kept.iter_mut().flatten().map(|kept| &mut *kept.payload)
    }

    /// Whether it contradicts itself nowhere.
    pub(super) fn is_sound(&self) -> bool {
        let payloads = self.kept.iter().flatten().map(|kept| kept.payload.len());
        self.first > 0
            && self.bytes == self.kept.len() * SLOT_LEN + payloads.sum::<usize>()
            && self.first() <= self.delivered.saturating_add(1)
            && self.last_kept() <= self.highest
            && self.delivered <= self.highest
            && self.kept.back().is_none_or(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

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
    fn arrive(log: &mut Log, number: u32) -> Arrival {
        log.notice(number, OTHER);
        let arrival = log.arrival(number);
        if arrival == Arrival::New {
            log.keep(number, &number.to_le_bytes(), NOW);
        }
        assert!(log.is_sound());
        arrival
    }

    /// Everything that can be told: a number, or minus how many were missed.
    fn told(log: &mut Log) -> Vec<i64> {
        let mut told = Vec::new();
        while let Some(release) = log.release() {
            told.push(match release {
                Release::Payload(text) => i64::from(u32::from_le_bytes(text.try_into().expect("a number"))),
                Release::Missed(count) => -i64::from(count),
            });
        }
        assert!(log.is_sound() && !log.is_ready());
        told
    }

    fn missing(log: &Log) -> Vec<u32> {
        log.missing().numbers().collect()
    }

    #[test]
    fn what_arrives_early_waits_for_what_is_missing() {
        let mut log = log();
        for number in [3, 5, 2] {
            assert_eq!(arrive(&mut log, number), Arrival::New);
            assert_eq!(told(&mut log), []);
        }
        assert_eq!(missing(&log), [1, 4]);
        arrive(&mut log, 1);
        assert_eq!((told(&mut log), missing(&log)), (Vec::from([1, 2, 3]), Vec::from([4])));
        assert_eq!([2, 5].map(|number| arrive(&mut log, number)), [Arrival::Known; 2]);
        arrive(&mut log, 4);
        assert_eq!((told(&mut log), log.lacks()), (Vec::from([4, 5]), false));
    }

    #[test]
    fn what_is_too_far_ahead_is_not_kept_and_is_asked_for_later() {
        let mut log = log();
        assert_eq!(arrive(&mut log, WINDOW_MAX + 1), Arrival::Beyond);
        assert_eq!(arrive(&mut log, WINDOW_MAX), Arrival::New);
        assert_eq!(missing(&log).last(), Some(&(WINDOW_MAX - 1)));
        log.on_mark(&mark(1, u32::MAX), OTHER);
        assert_eq!(missing(&log).len(), WINDOW_MAX as usize - 1, "a mark makes no pull longer");
    }

    #[test]
    fn the_first_mark_says_where_a_newcomer_begins() {
        let mut log = log();
        arrive(&mut log, 50);
        log.on_mark(&mark(48, 50), OTHER);
        assert_eq!((told(&mut log), missing(&log)), (Vec::new(), Vec::from([48, 49])));
        log.on_mark(&mark(50, 50), OTHER);
        assert_eq!(told(&mut log), [], "what another has forgotten, a third one may still keep");
        log.on_mark(&mark(50, 50), ORIGIN);
        assert_eq!(told(&mut log), [-2, 50], "but not after the origin");
    }

    #[test]
    fn only_the_origin_says_that_there_is_no_more() {
        let mut log = log();
        log.on_mark(&mark(1, 7), OTHER);
        assert_eq!(missing(&log).len(), 7);
        log.on_mark(&mark(1, 0), ORIGIN);
        assert_eq!((told(&mut log), log.lacks()), (Vec::new(), false), "the other was wrong");
        log.doubt();
        assert_eq!((missing(&log), log.lacks()), (Vec::from([1]), true));
        log.on_mark(&mark(1, 0), ORIGIN);
        assert!(!log.lacks());
    }

    #[test]
    fn what_is_given_up_is_told_once_and_never_delivered_later() {
        let mut log = log();
        log.on_mark(&mark(1, 9), OTHER);
        for number in [2, 3, 6] {
            arrive(&mut log, number);
        }
        log.give_up_missing();
        assert_eq!((told(&mut log), log.lacks()), (Vec::from([-1, 2, 3, -2, 6]), false));
        assert_eq!([1, 4].map(|number| arrive(&mut log, number)), [Arrival::Known; 2]);
    }

    #[test]
    fn what_was_delivered_is_kept_for_a_time_and_what_waits_until_it_is_delivered() {
        let mut log = log();
        for number in [1, 2, 4] {
            arrive(&mut log, number);
        }
        assert_eq!(told(&mut log), [1, 2]);
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
        assert!(log.is_sound() && !log.follows(u32::MAX) && missing(&log).is_empty());
        let mut log = self::log();
        log.on_mark(&mark(u32::MAX, u32::MAX), OTHER);
        arrive(&mut log, u32::MAX);
        log.doubt();
        assert_eq!((told(&mut log), log.is_sound()), (Vec::from([i64::from(u32::MAX)]), true));
        missing(&log);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Arrive(u32),
        Mark(u32, u32, bool),
        GiveUp,
        Expire,
        Evict,
        Doubt,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (1..60_u32).prop_map(Step::Arrive),
            3 => (1..60_u32, 0..60_u32, any::<bool>())
                .prop_map(|(low, high, origin)| Step::Mark(low, high.max(low - 1), origin)),
            1 => Just(Step::GiveUp),
            1 => Just(Step::Expire),
            1 => Just(Step::Evict),
            1 => Just(Step::Doubt),
        ]
    }

    proptest! {
        /// Whatever is heard, the user is told ever higher numbers.
        #[test]
        fn numbers_are_told_in_order_and_once(steps in prop::collection::vec(step(), 0..80)) {
            let mut log = log();
            let mut last = 0;
            for step in steps {
                match step {
                    Step::Arrive(number) => drop(arrive(&mut log, number)),
                    Step::Mark(low, high, origin) => {
                        log.on_mark(&mark(low, high), if origin { ORIGIN } else { OTHER });
                    }
                    Step::GiveUp => log.give_up_missing(),
                    Step::Expire => log.expire(NOW.after(Duration::from_secs(9)), Duration::from_secs(9)),
                    Step::Evict => drop(log.evict()),
                    Step::Doubt => log.doubt(),
                }
                for number in told(&mut log).into_iter().filter(|number| *number > 0) {
                    prop_assert!(number > last, "{} after {}", number, last);
                    last = number;
                }
            }
        }
    }
}
