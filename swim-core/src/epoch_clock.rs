//! The cluster's epoch clock: which epochs may be believed.
//!
//! Epochs are read off calendars, and calendars are wrong now and then. A claim of the year 10889 must not
//! be believed, or nobody could ever outlive it; a claim by somebody whose calendar is a few hours ahead
//! must be. So every node keeps a clock of its own and believes what is at most `lead` ahead of it.
//!
//! It starts at the node's own calendar, and is set by whoever lets the node in, if he is ahead: of two
//! clocks the one ahead is right, so two that let each other in end with the same one. If he is behind, he
//! may never hear of a better clock: the node keeps its own, but tells others his, by which everybody is
//! believed. It also follows the members: an epoch is a reading of a calendar in the past, so a member whose
//! epoch is ahead of the clock shows that the clock is slow. By that it follows at most one `lead` in all, so
//! that liars cannot push it far.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identity::Epoch;
use crate::time::Instant;

/// What a node takes for the time of day, in ms.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EpochClock {
    read: Epoch,
    at: Instant,
    /// How far members were ahead of it.
    ahead_ms: u64,
    /// How far those who let this node in are behind it.
    behind_ms: u64,
    lead_ms: u64,
}

impl EpochClock {
    /// A clock that reads `read` at `at`, and believes what is `lead` ahead of it.
    pub(crate) const fn new(read: Epoch, at: Instant, lead: Duration) -> Self {
        Self { read, at, ahead_ms: 0, behind_ms: 0, lead_ms: lead.as_millis() as u64 }
    }

    /// It reads `read` at `at` from now on.
    pub(crate) const fn set(&mut self, read: Epoch, at: Instant) {
        (self.read, self.at, self.ahead_ms, self.behind_ms) = (read, at, 0, 0);
    }

    /// Those who let this node in read `theirs`, which is behind: what they can believe is what it tells.
    pub(crate) fn defer_to(&mut self, theirs: Epoch, now: Instant) {
        self.behind_ms = self.now(now).0.saturating_sub(theirs.0);
    }

    /// A member lives in `epoch`, which was plausible.
    #[inline]
    pub(crate) fn follow(&mut self, epoch: Epoch, now: Instant) {
        if epoch <= self.read {
            return;
        }
        let behind = epoch.0.saturating_sub(self.now(now).0);
        self.ahead_ms = (self.ahead_ms + behind).min(self.lead_ms);
    }

    /// What it reads.
    pub(crate) fn now(&self, now: Instant) -> Epoch {
        let passed = now.since(self.at).as_millis() as u64;
        Epoch(self.read.0.saturating_add(passed).saturating_add(self.ahead_ms)).min(Epoch::MAX)
    }

    /// What newcomers are told: whoever lives by it is believed by everybody.
    pub(crate) fn told(&self, now: Instant) -> Epoch {
        Epoch(self.now(now).0.saturating_sub(self.behind_ms))
    }

    /// Whether `epoch` may be believed. Nearly always it may by what the clock read when it was set, which
    /// takes no dividing of time into milliseconds.
    #[inline]
    pub(crate) fn is_plausible(&self, epoch: Epoch, now: Instant) -> bool {
        self.is_credible(epoch, self.read) || self.is_credible(epoch, self.now(now))
    }

    /// Whether somebody whose clock reads `clock` may believe `epoch`.
    #[inline]
    pub(crate) const fn is_credible(&self, epoch: Epoch, clock: Epoch) -> bool {
        epoch.0 <= clock.0.saturating_add(self.lead_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAD: Duration = Duration::from_millis(100);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn what_is_at_most_the_lead_ahead_is_plausible() {
        let clock = EpochClock::new(Epoch(1000), at(5), LEAD);
        assert!(clock.is_plausible(Epoch(1100), at(5)));
        assert!(!clock.is_plausible(Epoch(1101), at(5)));
        assert!(clock.is_plausible(Epoch(1101), at(6)));
    }

    #[test]
    fn it_follows_members_that_are_ahead_but_by_one_lead_at_most() {
        let mut clock = EpochClock::new(Epoch(1000), at(0), LEAD);
        clock.follow(Epoch(900), at(0));
        assert_eq!(clock.now(at(0)), Epoch(1000));
        clock.follow(Epoch(1080), at(0));
        assert_eq!(clock.now(at(7)), Epoch(1087));
        for _ in 0..10 {
            let now = clock.now(at(0));
            clock.follow(Epoch(now.0 + 100), at(0));
        }
        assert_eq!(clock.now(at(0)), Epoch(1100));
        clock.set(Epoch(5000), at(0));
        assert_eq!(clock.now(at(0)), Epoch(5000));
    }

    #[test]
    fn what_it_tells_is_believed_by_those_who_are_behind_as_well() {
        let mut clock = EpochClock::new(Epoch(1000), at(0), LEAD);
        clock.defer_to(Epoch(300), at(0));
        assert_eq!((clock.now(at(7)), clock.told(at(7))), (Epoch(1007), Epoch(307)));
        assert!(clock.is_plausible(Epoch(1100), at(0)));
        clock.set(Epoch(5000), at(0));
        assert_eq!(clock.told(at(0)), Epoch(5000));
    }

    #[test]
    fn it_stops_at_the_largest_epoch() {
        let clock = EpochClock::new(Epoch::MAX, at(0), LEAD);
        assert_eq!(clock.now(at(9)), Epoch::MAX);
    }
}
