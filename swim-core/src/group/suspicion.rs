//! Suspicions: the time between "it did not answer" and "it is dead" (SWIM section 4.2, Lifeguard IV-B).
//!
//! A suspicion starts with a long timeout, because one accuser may be wrong about everything. Each
//! further, independent accuser shortens it, logarithmically, down to the shortest: when K others agree
//! there is no reason to wait. The accusers are named, so the cluster can be asked who accused whom, and
//! the same accuser twice is not two.
//!
//! ```text
//!   accuse ──▶ running(longest) ──confirm──▶ running(shorter) ──▶ … ──▶ times out: Dead
//!                  │   └─ another node's Dead ─▶ running(shortest) ──▶ times out: Dead
//!                  └──────────── refuted: Alive ────────┘
//! ```
//!
//! Deviation from SWIM: another node's Dead only shortens the suspicion. Every node waits at least the shortest timeout
//! itself, so that a member marked Dead had the time to refute *here*. Otherwise what the other half of a healed
//! partition holds would mark one's own living neighbours Dead.
//!
//! A suspicion that was not shortened to the shortest timeout is gossiped again half a shortest timeout before it times
//! out. The first gossip may have ended while the suspect could not be reached.
//!
//! timeout(c) = max(min, max − (max − min) · log(c + 1) / log(K + 1)), with c confirmations beyond the
//! first accuser, min = α · max(1, log₁₀ n) · period and max = β · min. K is at most n − 2: there cannot be
//! more confirmations than other members.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::members::{Flag, Members, Slot};
use super::{EXPIRIES_MAX, Group, scale};
use crate::api::{Claim, Config, DropReason, Event, Instant, NodeId, Status};
use crate::collections::{Heap, Slab};
use crate::timers::Timer;
use crate::wire::Accusers;

/// How long a suspicion lasts, fixed when it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SuspicionTimeout {
    min: Duration,
    max: Duration,
    /// K: confirmations that bring the timeout to `min`.
    k: u8,
}

impl SuspicionTimeout {
    /// For a cluster of `n` members, this one included.
    pub(crate) fn new(config: &Config, n: u32) -> Self {
        let min = scale::suspicion_min(config.alpha, n, config.period);
        let others = n.saturating_sub(2).min(u32::from(config.confirmations)) as u8;
        Self { min, max: min.saturating_mul(u32::from(config.beta)), k: others }
    }

    /// Timeout with `accusers` accusers, the first included.
    pub(crate) fn timeout(&self, accusers: usize) -> Duration {
        let confirmations = (accusers.saturating_sub(1) as u8).min(self.k);
        let timeout = scale::suspicion_timeout(self.min, self.max, confirmations, self.k);
        debug_assert!(
            timeout >= self.min || crate::api::nanos(self.min) == u64::MAX,
            "no suspicion is shorter than the shortest"
        );
        timeout
    }

    /// How many confirmations count.
    pub(crate) const fn confirmations(&self) -> u8 {
        self.k
    }

    /// The longest that a suspicion can last.
    pub(crate) const fn longest(&self) -> Duration {
        self.max
    }
}

/// One running suspicion.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Suspicion {
    slot: Slot,
    started: Instant,
    timeouts: SuspicionTimeout,
    accusers: Accusers,
    /// Who has called it Dead already.
    declared_by: Option<NodeId>,
    /// It has been gossiped again, or needs not be.
    gossiped_again: bool,
}

impl Suspicion {
    /// When it runs out.
    fn deadline(&self) -> Instant {
        let timeout = match self.declared_by {
            Some(_) => self.timeouts.min,
            None => self.timeouts.timeout(self.accusers.len()),
        };
        self.started.after(timeout)
    }

    /// When something is to be done about it.
    fn due_at(&self) -> Instant {
        let deadline = self.deadline();
        let shortest = self.started.after(self.timeouts.min);
        if self.gossiped_again || deadline <= shortest {
            return deadline;
        }
        let left = deadline.since(self.started).saturating_sub(self.timeouts.min / 2);
        self.started.after(left)
    }
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SuspicionDue {
    /// It is to be gossiped again.
    GossipAgain(Slot),
    /// It has run out. Who accused first, and who called it Dead already.
    TimedOut { slot: Slot, accuser: NodeId, declared_by: Option<NodeId> },
}

/// All running suspicions, by index; each suspect's record holds its index.
#[derive(Serialize, Deserialize)]
pub(crate) struct Suspicions {
    items: Slab<Suspicion>,
    /// When something is due about each. Follows from the items: not saved.
    #[serde(skip)]
    due: Heap<Instant>,
}

impl Default for Suspicions {
    fn default() -> Self {
        Self { items: Slab::new(), due: Heap::default() }
    }
}

impl Suspicions {
    /// Starts one at `now` (of the suspicion clock) and returns its index.
    pub(crate) fn start(
        &mut self,
        slot: Slot,
        accusers: Accusers,
        timeouts: SuspicionTimeout,
        now: Instant,
    ) -> u32 {
        let suspicion =
            Suspicion { slot, started: now, timeouts, accusers, declared_by: None, gossiped_again: false };
        let index = self.items.insert(suspicion);
        self.schedule(index);
        index
    }

    /// Adds an accuser. `true` if it is news; the deadline has moved closer then.
    pub(crate) fn confirm(&mut self, index: u32, accuser: NodeId) -> bool {
        let Some(suspicion) = self.items.get_mut(index) else { return false };
        let counted = usize::from(suspicion.timeouts.k) + 1;
        if suspicion.accusers.len() >= counted || !suspicion.accusers.insert(accuser) {
            return false;
        }
        debug_assert!(suspicion.accusers.len() <= counted, "no more accusers are kept than count");
        if suspicion.declared_by.is_none() {
            self.schedule(index);
        }
        true
    }

    /// `by` calls it Dead: it gets the shortest timeout.
    pub(crate) fn shorten(&mut self, index: u32, by: NodeId) {
        let Some(suspicion) = self.items.get_mut(index) else { return };
        if suspicion.declared_by.is_none() {
            let before = suspicion.deadline();
            suspicion.declared_by = Some(by);
            debug_assert!(suspicion.deadline() <= before, "a Dead claim never prolongs a suspicion");
            self.schedule(index);
        }
    }

    /// Ends one, whatever the outcome, and says who accused.
    pub(crate) fn end(&mut self, index: u32) -> Option<Accusers> {
        let suspicion = self.items.remove(index)?;
        self.due.remove(index);
        debug_assert!(self.due.first().is_some() == (self.items.len() > 0), "every suspicion has a deadline");
        Some(suspicion.accusers)
    }

    /// The next one about which something is due at `now`, in order of time. One that has expired stays
    /// until it is ended.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<SuspicionDue> {
        let (at, index) = self.due.first()?;
        let suspicion = self.items.get_mut(index).filter(|_| at <= now)?;
        let &mut Suspicion { slot, ref accusers, declared_by, .. } = suspicion;
        if at >= suspicion.deadline() {
            return Some(SuspicionDue::TimedOut { slot, accuser: accusers.first(), declared_by });
        }
        suspicion.gossiped_again = true;
        self.schedule(index);
        debug_assert!(self.due.first().is_some_and(|(next, _)| next >= at), "what was due is past");
        Some(SuspicionDue::GossipAgain(slot))
    }

    /// When something is due next, on the suspicion clock.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| at)
    }

    /// Who accuses.
    pub(crate) fn accusers(&self, index: u32) -> Option<&Accusers> {
        self.items.get(index).map(|suspicion| &suspicion.accusers)
    }

    /// After loading: queues what is due anew.
    pub(crate) fn rebuild(&mut self) {
        let indexes: Vec<u32> = self.items.indexes().collect();
        indexes.into_iter().for_each(|index| self.schedule(index));
    }

    /// Whether it contradicts neither itself nor the table.
    pub(crate) fn is_sound(&self, members: &Members) -> bool {
        let is_mine = |slot, index| self.items.get(index).is_some_and(|suspicion| suspicion.slot == slot);
        let named = || members.slots().filter_map(|slot| Some((slot, members.suspicion(slot)?)));
        self.items.is_sound()
            && named().all(|(slot, index)| is_mine(slot, index) && members.status(slot) == Status::Suspect)
            && named().count() == self.items.len() as usize
            && self.items.indexes().all(|index| self.accusers(index).is_some_and(Accusers::is_sound))
    }

    fn schedule(&mut self, index: u32) {
        let Some(suspicion) = self.items.get_mut(index) else { return };
        let due_at = suspicion.due_at();
        self.due.set(index, due_at);
    }
}

impl Group {
    /// Starts a suspicion. `false`: the table is full (the suspect would come back from the dead).
    pub(crate) fn mark_suspect(&mut self, slot: Slot, new: Claim, accusers: Accusers) -> bool {
        debug_assert!(slot != Slot::ME, "a node never suspects itself");
        debug_assert!(new.status == Status::Suspect, "the claim says Suspect");
        let held = self.claim(slot);
        let pending = self.members.flag(slot, Flag::Pending) || held.stamp() != new.stamp();
        if !self.members.set_claim(slot, new, pending, self.cx.now()) {
            self.cx.stats.drop(DropReason::MembersFull);
            return false;
        }
        self.end_suspicion(slot);
        let (id, addr) = (self.id(slot), self.addr(slot));
        if !held.status.is_active() {
            self.cx.event(Event::Alive { id, addr, epoch: new.epoch });
        }
        self.adjust_suspicion_timeout();
        let (timeouts, now) = (self.suspicion_timeout.1, self.cx.clock.suspicion_time());
        let timeout = timeouts.timeout(accusers.len());
        let index = self.suspicions.start(slot, accusers, timeouts, now);
        self.members.set_suspicion(slot, Some(index));
        debug_assert_eq!(
            self.suspicions.items.len(),
            self.members.count(Status::Suspect),
            "every suspect has one suspicion"
        );
        self.arm_suspicions();
        self.cx.event(Event::Suspect { id, by: accusers.first(), incarnation: new.incarnation, timeout });
        self.enqueue(slot, id, id);
        true
    }

    /// This node's own probe of a member failed.
    pub(crate) fn accuse(&mut self, slot: Slot) {
        let held = self.claim(slot);
        debug_assert!(slot != Slot::ME, "a node never accuses itself");
        let me = self.cx.me.id;
        match held.status {
            Status::Alive => {
                let suspect = Claim { status: Status::Suspect, ..held };
                self.cx.stats.suspicions_raised +=
                    u64::from(self.mark_suspect(slot, suspect, Accusers::new(me)));
            }
            Status::Suspect => _ = self.confirm(slot, me),
            Status::Dead | Status::Left => {}
        }
    }

    /// One more accuser of a suspect. `true` if it is news.
    pub(super) fn confirm(&mut self, slot: Slot, accuser: NodeId) -> bool {
        let Some(index) = self.members.suspicion(slot) else { return false };
        let id = self.id(slot);
        if accuser == id || !self.suspicions.confirm(index, accuser) {
            return false;
        }
        self.arm_suspicions();
        let accusers = self.suspicions.accusers(index).map_or(0, Accusers::len) as u8;
        self.cx.event(Event::Confirmed { id, by: accuser, accusers });
        self.enqueue(slot, id, id);
        true
    }

    /// `by` calls the suspect Dead.
    pub(super) fn shorten_suspicion(&mut self, slot: Slot, by: NodeId) {
        if let Some(index) = self.members.suspicion(slot) {
            self.suspicions.shorten(index, by);
            self.arm_suspicions();
        }
    }

    /// Ends the suspicion of a member, if there is one.
    pub(super) fn end_suspicion(&mut self, slot: Slot) -> Option<Accusers> {
        let index = self.members.suspicion(slot)?;
        self.members.set_suspicion(slot, None);
        let ended = self.suspicions.end(index);
        self.arm_suspicions();
        ended
    }

    /// Does what is due about suspicions.
    pub(crate) fn on_suspicion_timer(&mut self) {
        if !self.cx.clock.is_frozen() {
            self.expire_suspicions();
        }
        self.arm_suspicions();
    }

    fn expire_suspicions(&mut self) {
        let now = self.cx.clock.suspicion_time();
        for _ in 0..EXPIRIES_MAX {
            match self.suspicions.take_due(now) {
                None => return,
                Some(SuspicionDue::GossipAgain(slot)) => {
                    let id = self.id(slot);
                    self.enqueue(slot, id, id);
                }
                Some(SuspicionDue::TimedOut { slot, accuser, declared_by }) => {
                    self.cx.stats.suspicions_expired += 1;
                    debug_assert!(self.status(slot) == Status::Suspect, "only a suspect times out");
                    let dead = Claim { status: Status::Dead, ..self.claim(slot) };
                    self.mark_dead(slot, dead, declared_by.unwrap_or(self.cx.me.id), accuser);
                }
            }
        }
    }

    /// Sets the timer, which runs on node time: to be called when the suspicion clock is frozen or goes on, too.
    pub(crate) fn arm_suspicions(&mut self) {
        let at = self.suspicions.deadline().map(|at| self.cx.clock.when_suspicion_time(at));
        self.cx.timers.set(Timer::Suspicion, at);
    }

    /// Sees to it that new suspicions last as long as the present number of members asks for.
    #[inline]
    pub(crate) fn adjust_suspicion_timeout(&mut self) {
        let n = self.n();
        if self.suspicion_timeout.0 != n {
            let timeouts = SuspicionTimeout::new(&self.cx.config, n);
            self.suspicion_timeout = (n, timeouts);
            self.cx.clock.set_longest_suspicion(timeouts.longest());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn started(n: u32) -> (Suspicions, u32, Duration) {
        let mut suspicions = Suspicions::default();
        let timeouts = SuspicionTimeout::new(&Config::lan(), n);
        let index = suspicions.start(Slot(1), Accusers::new(NodeId(10)), timeouts, at(0));
        (suspicions, index, timeouts.timeout(1))
    }

    fn timed_out(slot: u32, declared_by: Option<NodeId>) -> SuspicionDue {
        SuspicionDue::TimedOut { slot: Slot(slot), accuser: NodeId(10), declared_by }
    }

    #[test]
    fn each_independent_accuser_brings_the_end_closer_down_to_the_shortest() {
        let (mut suspicions, index, timeout) = started(10);
        assert_eq!(timeout, Duration::from_secs(24));
        let mut last = at(24_000);
        for accuser in 11..=13 {
            assert!(suspicions.confirm(index, NodeId(accuser)));
            let next = suspicions.deadline().expect("it is running");
            assert!(next < last);
            last = next;
        }
        assert_eq!(last, at(4_000));
        assert!(!suspicions.confirm(index, NodeId(14)), "beyond K nothing changes");
    }

    #[test]
    fn the_same_accuser_twice_is_not_two() {
        let (mut suspicions, index, _) = started(10);
        assert!(!suspicions.confirm(index, NodeId(10)));
        assert_eq!(suspicions.accusers(index).map(Accusers::len), Some(1));
    }

    #[test]
    fn a_dead_claim_of_another_node_shortens_a_suspicion_and_does_not_end_it() {
        let (mut suspicions, index, _) = started(10);
        suspicions.shorten(index, NodeId(20));
        assert_eq!(suspicions.deadline(), Some(at(4_000)));
        assert_eq!(suspicions.take_due(at(3_999)), None);
        assert!(suspicions.confirm(index, NodeId(11)));
        assert_eq!(suspicions.deadline(), Some(at(4_000)));
        assert_eq!(suspicions.take_due(at(4_000)), Some(timed_out(1, Some(NodeId(20)))));
    }

    #[test]
    fn two_members_expect_no_confirmations() {
        assert_eq!(started(2).2, Duration::from_secs(4));
        assert_eq!(started(3).2, Duration::from_secs(24));
    }

    #[test]
    fn a_suspicion_above_the_shortest_timeout_is_gossiped_again_in_time_for_a_refutation() {
        let (mut suspicions, index, _) = started(10);
        assert!(suspicions.confirm(index, NodeId(11)));
        assert_eq!(suspicions.take_due(at(11_999)), None);
        assert_eq!(suspicions.take_due(at(12_000)), Some(SuspicionDue::GossipAgain(Slot(1))));
        assert_eq!(suspicions.take_due(at(13_999)), None, "once");
        assert_eq!(suspicions.take_due(at(14_000)), Some(timed_out(1, None)));
        for accuser in 12..14 {
            suspicions.confirm(index, NodeId(accuser));
        }
        assert_eq!(suspicions.deadline(), Some(at(4_000)), "the shortest leaves no time for it");
    }

    #[test]
    fn suspicions_that_come_and_go_leave_nothing_behind() {
        let (mut suspicions, _, _) = started(10);
        for turn in 1..10_000 {
            let timeouts = SuspicionTimeout::new(&Config::lan(), 10);
            let index = suspicions.start(Slot(2), Accusers::new(NodeId(10)), timeouts, at(turn));
            suspicions.end(index);
        }
        assert_eq!(suspicions.items.indexes().max(), Some(0));
        assert_eq!(suspicions.deadline(), Some(at(22_000)));
    }

    #[test]
    fn a_suspicion_that_ended_never_expires() {
        let (mut suspicions, index, _) = started(10);
        let other = suspicions.start(
            Slot(2),
            Accusers::new(NodeId(10)),
            SuspicionTimeout::new(&Config::lan(), 10),
            at(5),
        );
        assert!(suspicions.end(index).is_some());
        assert_eq!(suspicions.take_due(at(22_004)), None);
        assert_eq!(suspicions.take_due(at(22_005)), Some(SuspicionDue::GossipAgain(Slot(2))));
        assert_eq!(suspicions.take_due(at(24_004)), None);
        assert_eq!(suspicions.take_due(at(24_005)), Some(timed_out(2, None)));
        assert!(suspicions.end(other).is_some());
        assert_eq!(suspicions.deadline(), None);
    }
}
