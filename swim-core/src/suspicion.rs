//! Suspicions: the time between "it did not answer" and "it is dead" (SWIM section 4.2, Lifeguard IV-B).
//!
//! A suspicion starts with a long time to live, because one accuser may be wrong about everything. Each
//! further, independent accuser shortens it, logarithmically, down to the shortest: when K others agree
//! there is no reason to wait. The accusers are named, so the cluster can be asked who accused whom, and
//! the same accuser twice is not two.
//!
//! ```text
//!   accuse ──▶ running(longest) ──confirm──▶ running(shorter) ──▶ … ──▶ runs out: Dead
//!                  │   └─ somebody else's Dead ─▶ running(shortest) ──▶ runs out: Dead
//!                  └──────────── refuted: Alive ────────┘
//! ```
//!
//! Deviation from SWIM: somebody else's verdict does not bury, it hurries. Every node waits at least the
//! shortest timeout itself, so that whoever is buried had the time to speak up *here*. Otherwise the
//! verdicts of the other half of a healed partition would bury one's own living neighbours.
//!
//! A suspicion whose time was not shortened to the shortest is told once more half a shortest timeout before it
//! runs out. Its first telling may have ended while the suspect could not be reached; whoever can be reached
//! now is not buried unheard.
//!
//! timeout(c) = max(min, max − (max − min) · log(c + 1) / log(K + 1)), with c confirmations beyond the
//! first accuser, min = α · max(1, log₁₀ n) · period and max = β · min. K is at most n − 2: there cannot be
//! more confirmations than other members.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agenda::Agenda;
use crate::claim::Status;
use crate::members::{Members, Slab, Slot};
use crate::scale;
use crate::time::Instant;
use crate::wire::Accusers;
use crate::{Config, NodeId};

/// How patient to be with one suspect, fixed when the suspicion starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Patience {
    min: Duration,
    max: Duration,
    /// K: confirmations that bring the timeout to `min`.
    k: u8,
}

impl Patience {
    /// For a cluster of `n` members, this one included.
    pub(crate) fn new(config: &Config, n: u32) -> Self {
        let min = scale::suspicion_min(config.alpha, n, config.period);
        let others = n.saturating_sub(2).min(u32::from(config.confirmations)) as u8;
        Self { min, max: min.saturating_mul(u32::from(config.beta)), k: others }
    }

    /// Timeout with `accusers` accusers, the first included.
    pub(crate) fn timeout(&self, accusers: usize) -> Duration {
        let accusers = if mutant!(ConfirmationsIgnored) { 1 } else { accusers };
        let accusers = if mutant!(ShortestAtOnce) { usize::from(self.k) + 1 } else { accusers };
        let confirmations = (accusers.saturating_sub(1) as u8).min(self.k);
        scale::suspicion_timeout(self.min, self.max, confirmations, self.k)
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
    patience: Patience,
    accusers: Accusers,
    /// Who has called it Dead already.
    verdict: Option<NodeId>,
    /// It has been told a second time, or needs not be.
    retold: bool,
}

impl Suspicion {
    /// When it runs out.
    fn deadline(&self) -> Instant {
        let timeout = match self.verdict {
            Some(_) => self.patience.min,
            None => self.patience.timeout(self.accusers.len()),
        };
        self.started.after(if mutant!(SuspicionTooShort) { timeout / 2 } else { timeout })
    }

    /// When something is to be done about it.
    fn due_at(&self) -> Instant {
        let deadline = self.deadline();
        let shortest = self.started.after(self.patience.min);
        if self.retold || deadline <= shortest {
            return deadline;
        }
        let left = deadline.since(self.started).saturating_sub(self.patience.min / 2);
        self.started.after(left)
    }
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// It is to be told once more.
    Retell(Slot),
    /// It has run out.
    Expired(Slot),
}

/// All running suspicions, by place; each suspect's record holds its place.
#[derive(Serialize, Deserialize)]
pub(crate) struct Suspicions {
    places: Slab<Suspicion>,
    /// When something is due about each. Follows from the places: not saved.
    #[serde(skip)]
    due: Agenda,
}

impl Default for Suspicions {
    fn default() -> Self {
        Self { places: Slab::new(), due: Agenda::default() }
    }
}

impl Suspicions {
    /// Starts one at `now` (patience time) and returns its place and its timeout.
    pub(crate) fn start(
        &mut self,
        slot: Slot,
        accusers: Accusers,
        patience: Patience,
        now: Instant,
    ) -> (u32, Duration) {
        let suspicion = Suspicion { slot, started: now, patience, accusers, verdict: None, retold: false };
        let place = self.places.insert(suspicion);
        self.schedule(place);
        (place, patience.timeout(accusers.len()))
    }

    /// Adds an accuser. `true` if it is news; the deadline has moved closer then.
    pub(crate) fn confirm(&mut self, place: u32, accuser: NodeId) -> bool {
        let Some(suspicion) = self.get_mut(place) else { return false };
        let counted = usize::from(suspicion.patience.k) + 1;
        if suspicion.accusers.len() >= counted || !suspicion.accusers.insert(accuser) {
            return false;
        }
        if suspicion.verdict.is_none() {
            self.schedule(place);
        }
        true
    }

    /// Somebody else calls it Dead: it gets the shortest timeout.
    pub(crate) fn hurry(&mut self, place: u32, by: NodeId) {
        let Some(suspicion) = self.get_mut(place) else { return };
        if suspicion.verdict.is_none() {
            suspicion.verdict = Some(by);
            self.schedule(place);
        }
    }

    /// Ends one, whatever the outcome, and says who accused.
    pub(crate) fn end(&mut self, place: u32) -> Option<Accusers> {
        let suspicion = self.places.remove(place)?;
        self.due.remove(place);
        Some(suspicion.accusers)
    }

    /// The next one about which something is due at `now`, in order of time. One that has expired stays
    /// until it is ended.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Due> {
        let (at, place) = self.due.first()?;
        let suspicion = self.get_mut(place).filter(|_| at <= now)?;
        let slot = suspicion.slot;
        if at >= suspicion.deadline() {
            return Some(Due::Expired(slot));
        }
        suspicion.retold = true;
        self.schedule(place);
        Some(Due::Retell(slot))
    }

    /// When something is due next, in patience time.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| at)
    }

    /// Who accuses.
    pub(crate) fn accusers(&self, place: u32) -> Option<&Accusers> {
        self.get(place).map(|suspicion| &suspicion.accusers)
    }

    /// Who has called it Dead already.
    pub(crate) fn verdict(&self, place: u32) -> Option<NodeId> {
        self.get(place)?.verdict
    }

    /// After loading: queues what is due anew. `false` if something does not hang together.
    pub(crate) fn mend(&mut self, members: &Members) -> bool {
        if !self.places.is_sound() {
            return false;
        }
        let running = || self.places.places().filter_map(|place| Some((place, self.places.get(place)?)));
        let mut due = Agenda::default();
        for (place, suspicion) in running() {
            due.set(place, suspicion.due_at());
        }
        let are_sound = running().all(|(_, suspicion)| suspicion.accusers.is_sound());
        self.due = due;
        let is_mine = |slot, place| self.get(place).is_some_and(|suspicion| suspicion.slot == slot);
        let named = || members.slots().filter_map(|slot| Some((slot, members.suspicion(slot)?)));
        named().all(|(slot, place)| is_mine(slot, place) && members.claim(slot).status == Status::Suspect)
            && named().count() == self.places.len() as usize
            && are_sound
    }

    fn get(&self, place: u32) -> Option<&Suspicion> {
        self.places.get(place)
    }

    fn get_mut(&mut self, place: u32) -> Option<&mut Suspicion> {
        self.places.get_mut(place)
    }

    fn schedule(&mut self, place: u32) {
        let Some(suspicion) = self.get_mut(place) else { return };
        let (due_at, accusers) = (suspicion.due_at(), suspicion.accusers.len());
        if mutant!(SuspicionTimerForgotten) && accusers > 1 {
            return self.due.remove(place);
        }
        self.due.set(place, due_at);
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
        let patience = Patience::new(&Config::lan(), n);
        let (place, timeout) = suspicions.start(Slot(1), Accusers::new(NodeId(10)), patience, at(0));
        (suspicions, place, timeout)
    }

    #[test]
    fn each_independent_accuser_brings_the_end_closer_down_to_the_shortest() {
        let (mut suspicions, place, timeout) = started(10);
        assert_eq!(timeout, Duration::from_secs(24));
        let mut last = at(24_000);
        for accuser in 11..=13 {
            assert!(suspicions.confirm(place, NodeId(accuser)));
            let next = suspicions.deadline().expect("it is running");
            assert!(next < last);
            last = next;
        }
        assert_eq!(last, at(4_000));
        assert!(!suspicions.confirm(place, NodeId(14)), "beyond K nothing changes");
    }

    #[test]
    fn the_same_accuser_twice_is_not_two() {
        let (mut suspicions, place, _) = started(10);
        assert!(!suspicions.confirm(place, NodeId(10)));
        assert_eq!(suspicions.accusers(place).map(Accusers::len), Some(1));
    }

    #[test]
    fn the_verdict_of_another_hurries_a_suspicion_and_does_not_end_it() {
        let (mut suspicions, place, _) = started(10);
        suspicions.hurry(place, NodeId(20));
        assert_eq!(suspicions.deadline(), Some(at(4_000)));
        assert_eq!(suspicions.due(at(3_999)), None);
        assert!(suspicions.confirm(place, NodeId(11)));
        assert_eq!(suspicions.deadline(), Some(at(4_000)));
        assert_eq!(suspicions.verdict(place), Some(NodeId(20)));
    }

    #[test]
    fn two_members_have_nobody_to_wait_for() {
        assert_eq!(started(2).2, Duration::from_secs(4));
        assert_eq!(started(3).2, Duration::from_secs(24));
    }

    #[test]
    fn what_was_not_shortened_to_the_shortest_is_told_once_more_in_time_to_be_refuted() {
        let (mut suspicions, place, _) = started(10);
        assert!(suspicions.confirm(place, NodeId(11)));
        assert_eq!(suspicions.due(at(11_999)), None);
        assert_eq!(suspicions.due(at(12_000)), Some(Due::Retell(Slot(1))));
        assert_eq!(suspicions.due(at(13_999)), None, "once");
        assert_eq!(suspicions.due(at(14_000)), Some(Due::Expired(Slot(1))));
        for accuser in 12..14 {
            suspicions.confirm(place, NodeId(accuser));
        }
        assert_eq!(suspicions.deadline(), Some(at(4_000)), "the shortest leaves no time for it");
    }

    #[test]
    fn suspicions_that_come_and_go_leave_nothing_behind() {
        let (mut suspicions, _, _) = started(10);
        for turn in 1..10_000 {
            let patience = Patience::new(&Config::lan(), 10);
            let (place, _) = suspicions.start(Slot(2), Accusers::new(NodeId(10)), patience, at(turn));
            suspicions.end(place);
        }
        assert_eq!(suspicions.places.places().max(), Some(0));
        assert_eq!(suspicions.deadline(), Some(at(22_000)));
    }

    #[test]
    fn a_suspicion_that_ended_never_expires() {
        let (mut suspicions, place, _) = started(10);
        let (other, _) =
            suspicions.start(Slot(2), Accusers::new(NodeId(10)), Patience::new(&Config::lan(), 10), at(5));
        assert!(suspicions.end(place).is_some());
        assert_eq!(suspicions.due(at(22_004)), None);
        assert_eq!(suspicions.due(at(22_005)), Some(Due::Retell(Slot(2))));
        assert_eq!(suspicions.due(at(24_004)), None);
        assert_eq!(suspicions.due(at(24_005)), Some(Due::Expired(Slot(2))));
        assert!(suspicions.end(other).is_some());
        assert_eq!(suspicions.deadline(), None);
    }
}
