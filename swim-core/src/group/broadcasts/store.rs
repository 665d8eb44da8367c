//! All that is kept of broadcasts: a log for each origin, what is still to be pushed, and which logs lack something.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::log::Log;
use crate::api::{DropReason, Epoch, Event, Handled, Instant, NodeId};
use crate::wire::{BroadcastRecord, Mark, Writer, broadcast_len};

/// How often a member pushes one broadcast. Whom no push reaches asks for it.
const PUSHES: u8 = 4;
/// Bytes of this node's own broadcasts that are kept, and as many of others'.
pub(super) const BYTES_MAX: usize = 2 << 20;
/// Marks in one datagram; the others come with the next ones.
const MARKS_MAX: usize = 4;

/// A broadcast that is still to be pushed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Push {
    origin: NodeId,
    number: u32,
    done: u8,
}

/// The logs of all origins.
#[derive(Serialize, Deserialize)]
pub(crate) struct Broadcasts {
    me: NodeId,
    /// The last number of this node's own.
    sequence: u32,
    logs: BTreeMap<NodeId, Log>,
    pushes: VecDeque<Push>,
    pushes_max: usize,
    /// Origins of which something is kept, in the order in which their marks are sent.
    active: VecDeque<NodeId>,
    /// Origins of which something can be polled.
    ready: VecDeque<NodeId>,
    /// When which origin's missing ones are asked for next, earliest first.
    asks: VecDeque<(Instant, NodeId)>,
    /// Bytes of this node's own, and of all others.
    bytes: [usize; 2],
}

impl Broadcasts {
    pub(crate) const fn new(me: NodeId, pushes_max: usize) -> Self {
        Self {
            me,
            sequence: 0,
            logs: BTreeMap::new(),
            pushes: VecDeque::new(),
            pushes_max,
            active: VecDeque::new(),
            ready: VecDeque::new(),
            asks: VecDeque::new(),
            bytes: [0; 2],
        }
    }

    /// Broadcasts that are still to be pushed.
    pub(crate) fn len(&self) -> u32 {
        self.pushes.len() as u32
    }

    /// Whether there is no room for a further one of this node's own.
    pub(super) fn is_full(&self) -> bool {
        self.pushes.len() >= self.pushes_max || self.bytes[0] >= BYTES_MAX
    }

    /// The next number of this node's own broadcasts: after the last one of an epoch comes the first of the next.
    pub(super) const fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence == u32::MAX { 1 } else { self.sequence + 1 };
        self.sequence
    }

    /// Numbers this node's own broadcasts beyond `used`; `false` if there is no number left in this epoch.
    pub(super) fn outbid(&mut self, used: u32) -> bool {
        self.sequence = self.sequence.max(used);
        self.sequence < u32::MAX
    }

    /// Keeps and pushes one of this node's own.
    pub(super) fn push_own(&mut self, epoch: Epoch, number: u32, payload: &[u8], now: Instant) {
        debug_assert!(!self.is_full(), "the user is refused before");
        let me = self.me;
        if self.logs.get(&me).is_none_or(|log| log.epoch != epoch || log.received != number - 1) {
            self.forget(me);
            self.logs.insert(me, Log::own(epoch, me, number));
        }
        self.change(me, |log| log.keep_own(number, payload, now));
        self.pushes.push_back(Push { origin: me, number, done: 0 });
    }

    /// A broadcast that a member sent. The caller has made sure that the origin is a member, which bounds the logs.
    pub(super) fn arrive(&mut self, record: &BroadcastRecord<'_>, from: NodeId, now: Instant) -> Handled {
        let &BroadcastRecord { origin, epoch, sequence: number, payload } = record;
        debug_assert!(origin != self.me, "its own broadcasts are no news to a node");
        let log = self.log_of(origin, epoch, from).ok_or(DropReason::DuplicateBroadcast)?;
        log.notice(number, from);
        log.accepts(number)?;
        self.make_room(record)?;
        self.change(origin, |log| log.keep(number, payload, now));
        if self.pushes.len() < self.pushes_max {
            self.pushes.push_back(Push { origin, number, done: 0 });
        }
        Ok(())
    }

    /// What a member says of an origin's log.
    pub(super) fn on_mark(&mut self, mark: &Mark, from: NodeId) {
        if self.log_of(mark.origin, mark.epoch, from).is_some() {
            self.change(mark.origin, |log| log.on_mark(mark, from));
        }
    }

    /// The log of this epoch of an origin, begun anew if what is held is of an earlier one. `None`: it is of a later one.
    fn log_of(&mut self, origin: NodeId, epoch: Epoch, from: NodeId) -> Option<&mut Log> {
        let held = self.logs.get(&origin).map(|log| log.epoch);
        if held > Some(epoch) {
            return None;
        }
        if held < Some(epoch) {
            self.forget(origin);
        }
        Some(self.logs.entry(origin).or_insert(Log::new(epoch, from)))
    }

    /// Changes a log, and keeps what follows from it.
    pub(super) fn change<T>(&mut self, origin: NodeId, change: impl FnOnce(&mut Log) -> T) -> Option<T> {
        let log = self.logs.get_mut(&origin)?;
        let (was_active, before) = (log.is_active(), log.bytes);
        let changed = change(log);
        let bytes = &mut self.bytes[usize::from(origin != self.me)];
        *bytes = *bytes + log.bytes - before;
        if log.is_active() && !was_active && !self.active.contains(&origin) {
            self.active.push_back(origin);
        }
        if log.is_ready() && !self.ready.contains(&origin) {
            self.ready.push_back(origin);
        }
        Some(changed)
    }

    /// Makes room for another's broadcast. What was reported goes first, of this origin before any
    /// other. For one that is next in its origin's order, and so frees those that wait for it, the highest of the log goes
    /// in which most bytes wait.
    fn make_room(&mut self, record: &BroadcastRecord<'_>) -> Handled {
        let &BroadcastRecord { origin, sequence: number, payload, .. } = record;
        while let Some(log) = self.logs.get(&origin)
            && self.bytes[1] + log.bytes_for(number, payload) > BYTES_MAX
        {
            let (logs, is_next) = (&self.logs, number == log.received + 1);
            let can_evict = |id: &&NodeId| **id != self.me && logs.get(id).is_some_and(Log::can_evict);
            let waiting = |id: &&NodeId| logs.get(id).map_or(0, Log::waiting_bytes);
            if let Some(victim) = [origin].iter().chain(&self.active).find(can_evict).copied() {
                self.change(victim, Log::evict);
            } else {
                let most = self.active.iter().filter(|_| is_next).max_by_key(waiting);
                let most = most.filter(|id| waiting(id) > 0).copied();
                self.change(most.ok_or(DropReason::BroadcastLimit)?, Log::drop_waiting);
            }
        }
        Ok(())
    }

    /// Whether anything is kept that marks would name.
    #[inline]
    pub(crate) fn has_marks(&self) -> bool {
        !self.active.is_empty()
    }

    /// Whether the user can hear something.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next thing that the user hears.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        while let Some(origin) = self.ready.front().copied() {
            let event = self.logs.get_mut(&origin).and_then(|log| log.release(origin));
            if event.is_some() {
                return event;
            }
            self.ready.pop_front();
        }
        None
    }

    /// An origin's log.
    pub(super) fn log(&self, origin: NodeId) -> Option<&Log> {
        self.logs.get(&origin)
    }

    /// Of whom broadcasts are known.
    pub(super) fn origins(&self) -> Vec<NodeId> {
        self.logs.keys().copied().filter(|origin| *origin != self.me).collect()
    }

    /// Forgets what is known of an origin that is forgotten.
    pub(crate) fn forget(&mut self, origin: NodeId) {
        if let Some(log) = self.logs.remove(&origin) {
            self.bytes[usize::from(origin != self.me)] -= log.bytes;
            self.active.retain(|active| *active != origin);
            self.asks.retain(|(_, asked)| *asked != origin);
        }
    }

    /// Forgets what was kept long enough.
    pub(super) fn expire(&mut self, now: Instant, retention: Duration) {
        for _ in 0..self.active.len() {
            let Some(origin) = self.active.pop_front() else { return };
            if self.change(origin, |log| (log.expire(now, retention), log.is_active()).1) == Some(true) {
                self.active.push_back(origin);
            }
        }
    }

    /// When the first missing ones are asked for.
    pub(crate) fn ask_at(&self) -> Option<Instant> {
        self.asks.front().map(|(at, _)| *at)
    }

    /// Plans to ask for what is missing of an origin, unless that is planned.
    pub(super) fn plan_ask(&mut self, origin: NodeId, now: Instant, wait: Duration) {
        if let Some(log) = self.logs.get_mut(&origin).filter(|log| log.lacks() && log.asked.is_none()) {
            log.asked = Some((now, log.received));
            self.asks.push_back((now.after(wait), origin));
        }
    }

    /// The origin whose missing ones are to be asked for now, and since when nothing of it was received. The next time is
    /// planned already.
    pub(super) fn next_ask(&mut self, now: Instant, wait: Duration) -> Option<(NodeId, Instant)> {
        while let Some((_, origin)) = self.asks.front().copied().filter(|(at, _)| *at <= now) {
            self.asks.pop_front();
            let Some(log) = self.logs.get_mut(&origin) else { continue };
            let received = log.received;
            log.asked = log.asked.filter(|_| log.lacks());
            if let Some((since, then)) = &mut log.asked {
                if *then != received {
                    (*since, *then) = (now, received);
                }
                self.asks.push_back((now.after(wait), origin));
                return Some((origin, *since));
            }
        }
        None
    }

    /// Bytes that the next push takes in a datagram; `None` if nothing is to be pushed.
    pub(crate) fn next_len(&mut self) -> Option<usize> {
        while let Some(Push { origin, number, .. }) = self.pushes.front() {
            if let Some(payload) = self.logs.get(origin).and_then(|log| log.get(*number)) {
                return Some(broadcast_len(payload.len()));
            }
            self.pushes.pop_front();
        }
        None
    }

    /// Writes as many as fit, first come first served; what was pushed often enough is not pushed again.
    pub(crate) fn write(&mut self, writer: &mut Writer<'_>) {
        for _ in 0..self.pushes.len() {
            let Some(Push { origin, number, done }) = self.pushes.pop_front() else { return };
            match self.put(writer, origin, number) {
                None => {}
                Some(false) => return self.pushes.push_front(Push { origin, number, done }),
                Some(true) if done + 1 < PUSHES => {
                    self.pushes.push_back(Push { origin, number, done: done + 1 });
                }
                Some(true) => {}
            }
        }
    }

    /// Writes what is kept under a number; `false` if it does not fit, `None` if nothing is.
    pub(crate) fn put(&self, writer: &mut Writer<'_>, origin: NodeId, sequence: u32) -> Option<bool> {
        let log = self.logs.get(&origin)?;
        let record = BroadcastRecord { origin, epoch: log.epoch, sequence, payload: log.get(sequence)? };
        Some(writer.broadcast(&record))
    }

    /// Writes which numbers of an origin are kept; `false` if that does not fit.
    pub(crate) fn put_mark(&self, writer: &mut Writer<'_>, origin: NodeId) -> bool {
        // A log whose beginning is not known yet says nothing of it.
        self.logs.get(&origin).filter(|log| log.begun).is_none_or(|log| writer.mark(&log.mark(origin)))
    }

    /// The same of the origins whose turn it is.
    #[cold]
    pub(crate) fn put_marks(&mut self, writer: &mut Writer<'_>) {
        for _ in 0..self.active.len().min(MARKS_MAX) {
            self.active.rotate_left(1);
            if !self.active.back().is_none_or(|origin| self.put_mark(writer, *origin)) {
                return;
            }
        }
    }

    /// What users say, to change.
    pub(crate) fn payloads_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.logs.values_mut().flat_map(Log::payloads_mut)
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self) -> bool {
        let mut bytes = [0; 2];
        for (origin, log) in &self.logs {
            bytes[usize::from(*origin != self.me)] += log.bytes;
        }
        bytes == self.bytes
            && self.bytes[1] <= BYTES_MAX
            && self.pushes.len() <= self.pushes_max
            && self.asks.iter().is_sorted_by_key(|(at, _)| *at)
            && self.logs.values().all(Log::is_sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(9);
    const NOW: Instant = Instant::ORIGIN;
    const WAIT: Duration = Duration::from_millis(200);

    fn record(origin: u64, sequence: u32, payload: &[u8]) -> BroadcastRecord<'_> {
        BroadcastRecord { origin: NodeId(origin), epoch: Epoch(1), sequence, payload }
    }

    fn arrive(broadcasts: &mut Broadcasts, origin: u64, sequence: u32, payload: &[u8]) -> Handled {
        let arrival = broadcasts.arrive(&record(origin, sequence, payload), NodeId(7), NOW);
        assert!(broadcasts.is_sound());
        while broadcasts.next_event().is_some() {}
        arrival
    }

    #[test]
    fn a_new_epoch_starts_afresh_and_an_old_one_is_over() {
        let mut broadcasts = Broadcasts::new(ME, 4);
        assert_eq!(arrive(&mut broadcasts, 1, 1, b"x"), Ok(()));
        let later = BroadcastRecord { epoch: Epoch(2), ..record(1, 1, b"y") };
        assert_eq!(broadcasts.arrive(&later, NodeId(7), NOW), Ok(()));
        assert_eq!(arrive(&mut broadcasts, 1, 2, b"x"), Err(DropReason::DuplicateBroadcast));
        broadcasts.forget(NodeId(1));
        assert_eq!((broadcasts.bytes[1], broadcasts.is_sound()), (0, true));
    }

    #[test]
    fn what_is_pushed_is_bounded_and_the_rest_is_kept_for_those_who_ask() {
        let mut broadcasts = Broadcasts::new(ME, 4);
        for number in 1..=6 {
            assert_eq!(arrive(&mut broadcasts, 1, number, b"x"), Ok(()));
        }
        assert_eq!((broadcasts.len(), broadcasts.is_full()), (4, true));
        assert_eq!(broadcasts.log(NodeId(1)).and_then(|log| log.get(6)), Some(&b"x"[..]));
    }

    #[test]
    fn others_never_take_more_than_their_bytes_and_the_own_ones_stay() {
        let mut broadcasts = Broadcasts::new(ME, 8);
        broadcasts.push_own(Epoch(1), 1, b"mine", NOW);
        let payload = [b'x'; 1000];
        for number in 1..=4_000 {
            for origin in [1, 2] {
                assert_eq!(arrive(&mut broadcasts, origin, number, &payload), Ok(()));
            }
        }
        assert!(broadcasts.bytes[1] <= BYTES_MAX);
        assert_eq!(broadcasts.log(ME).and_then(|log| log.get(1)), Some(&b"mine"[..]));
        // What waits for a missing one is not thrown away: what comes on top of it is.
        let waiting = |number| BroadcastRecord { origin: NodeId(3), ..record(3, number, &payload) };
        let refused = (2..=4_000).find(|number| {
            broadcasts.arrive(&waiting(*number), NodeId(7), NOW) == Err(DropReason::BroadcastLimit)
        });
        assert!(refused.is_some_and(|number| number > 1_900) && broadcasts.is_sound(), "{refused:?}");
    }

    #[test]
    fn an_origin_is_asked_for_again_until_nothing_is_missing() {
        let mut broadcasts = Broadcasts::new(ME, 8);
        let _ = arrive(&mut broadcasts, 1, 2, b"x");
        broadcasts.plan_ask(NodeId(1), NOW, WAIT);
        broadcasts.plan_ask(NodeId(1), NOW, WAIT);
        let due = NOW.after(WAIT);
        assert_eq!((broadcasts.asks.len(), broadcasts.next_ask(NOW, WAIT)), (1, None));
        assert_eq!(broadcasts.next_ask(due, WAIT), Some((NodeId(1), NOW)));
        assert_eq!(broadcasts.next_ask(due.after(WAIT), WAIT), Some((NodeId(1), NOW)));
        let _ = arrive(&mut broadcasts, 1, 1, b"x");
        assert_eq!((broadcasts.next_ask(due.after(WAIT * 2), WAIT), broadcasts.ask_at()), (None, None));
    }

    /// One number that is withheld keeps no memory that another could use for longer than until it arrives.
    #[test]
    fn what_others_wait_for_is_kept_however_full_the_memory_is() {
        let mut broadcasts = Broadcasts::new(ME, 8);
        let payload = [b'x'; 1000];
        let waiting = |number| BroadcastRecord { origin: NodeId(3), ..record(3, number, &payload) };
        let kept =
            (2..=4_000).take_while(|number| broadcasts.arrive(&waiting(*number), NodeId(7), NOW) == Ok(()));
        let last = 1 + kept.count() as u32;
        assert!(last < 4_000, "the memory is full");
        assert_eq!(arrive(&mut broadcasts, 4, 1, &payload), Ok(()), "of another origin");
        assert_eq!(broadcasts.arrive(&waiting(1), NodeId(7), NOW), Ok(()));
        let log = broadcasts.log(NodeId(3)).expect("a log");
        assert!(
            log.received > last - 3 && log.lacks() && broadcasts.is_sound(),
            "{} of {last}",
            log.received
        );
    }
}
