//! The cluster's epoch clock: which epochs may be believed.
//!
//! Epochs are read off calendars, and calendars are wrong now and then. A claim of the year 10889 must not
//! be believed, or nobody could ever outlive it; a claim by somebody whose calendar is a few hours ahead
//! must be. So every node keeps a clock of its own and believes what is at most `lead` ahead of it.
//!
//! It starts at the node's own calendar, and is set by whoever lets the node in, if he is ahead: of two
//! clocks the one ahead is right, so two that let each other in end with the same one. If he is behind, he
//! may never hear of a better clock: the node keeps its own, but tells others his, by which everybody is
//! believed. Then there are two clocks that an epoch may have been read off; what lies days between them was
//! read off neither, and others could never believe it, as long as nobody is known to live by the faster one.
//!
//! It also follows the members: an epoch is a reading of a calendar in the past, so a member whose epoch is
//! ahead of what the clock tells shows that it is slow. By that it follows at most one `lead`, so that liars
//! cannot push it far.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, Instant};

/// What a node takes for the time of day, in ms.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EpochClock {
    read: Epoch,
    at: Instant,
    /// How far members were ahead of it.
    ahead_ms: u64,
    /// How far those who let this node in are behind it.
    behind_ms: u64,
    /// How far members have moved what it tells, since it was last told the time.
    followed_ms: u64,
    /// Whether somebody lives by this clock who could not live by what it tells.
    shared: bool,
    lead_ms: u64,
}

impl EpochClock {
    /// A clock that reads `read` at `at`, and believes what is `lead` ahead of it.
    pub(crate) const fn new(read: Epoch, at: Instant, lead: Duration) -> Self {
        Self {
            read,
            at,
            ahead_ms: 0,
            behind_ms: 0,
            followed_ms: 0,
            shared: false,
            lead_ms: lead.as_millis() as u64,
        }
    }

    /// It reads `read` at `at` from now on.
    pub(crate) const fn set(&mut self, read: Epoch, at: Instant) {
        (self.read, self.at) = (read, at);
        (self.ahead_ms, self.behind_ms, self.followed_ms, self.shared) = (0, 0, 0, false);
    }

    /// Those who let this node in read `theirs`, which is behind: what they can believe is what it tells.
    pub(crate) fn defer_to(&mut self, theirs: Epoch, now: Instant) {
        let others = theirs.0.abs_diff(self.told(now).0) > self.lead_ms;
        self.shared &= !others;
        (self.behind_ms, self.followed_ms) = (self.now(now).0.saturating_sub(theirs.0), 0);
    }

    /// A member lives in `epoch`, which was plausible.
    #[inline]
    pub(crate) fn follow(&mut self, epoch: Epoch, now: Instant) {
        if epoch.0 <= self.read.0.saturating_sub(self.behind_ms) {
            return;
        }
        let told = self.told(now);
        if !self.is_credible(epoch, told) {
            self.shared = true;
            return;
        }
        let slow_by = epoch.0.saturating_sub(told.0);
        let step = slow_by.min(self.lead_ms.saturating_sub(self.followed_ms));
        let made_up = step.min(self.behind_ms);
        self.followed_ms += step;
        self.behind_ms -= made_up;
        self.ahead_ms = (self.ahead_ms + step - made_up).min(self.lead_ms);
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
        self.is_credible(epoch, Epoch(self.read.0.saturating_sub(self.behind_ms)))
            || self.is_near_a_clock(epoch, now)
    }

    fn is_near_a_clock(&self, epoch: Epoch, now: Instant) -> bool {
        let own = self.now(now);
        let near = self.is_credible(epoch, own) && (self.shared || self.is_credible(own, epoch));
        near || self.is_credible(epoch, self.told(now))
    }

    /// Whether somebody is known to live by this clock whom those who let this node in cannot believe.
    pub(crate) const fn is_shared(&self) -> bool {
        self.shared
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
        clock.set(Epoch(5000), at(0));
        assert_eq!(clock.told(at(0)), Epoch(5000));
    }

    #[test]
    fn of_two_clocks_either_is_believed_and_nothing_that_lies_days_between_them() {
        let mut clock = EpochClock::new(Epoch(1000), at(0), LEAD);
        clock.defer_to(Epoch(300), at(0));
        for (epoch, believed) in
            [(100, true), (400, true), (401, false), (899, false), (900, true), (1100, true)]
        {
            assert_eq!(clock.is_plausible(Epoch(epoch), at(0)), believed, "{epoch}");
        }
        assert!(!clock.is_plausible(Epoch(1101), at(0)));
    }

    #[test]
    fn what_it_tells_follows_the_members_as_everybody_s_clock_does() {
        let mut clock = EpochClock::new(Epoch(1000), at(0), LEAD);
        clock.defer_to(Epoch(300), at(0));
        clock.follow(Epoch(380), at(0));
        assert_eq!(clock.told(at(0)), Epoch(380));
        clock.follow(Epoch(480), at(0));
        assert_eq!((clock.told(at(0)), clock.now(at(0))), (Epoch(400), Epoch(1000)), "by one lead at most");
    }

    #[test]
    fn whoever_hears_of_somebody_that_lives_by_its_own_clock_believes_all_that_it_has_passed() {
        let mut clock = EpochClock::new(Epoch(1000), at(0), LEAD);
        clock.defer_to(Epoch(300), at(0));
        clock.follow(Epoch(950), at(0));
        assert!(clock.is_plausible(Epoch(600), at(0)) && clock.is_shared());
        assert_eq!(clock.told(at(0)), Epoch(300), "those who let it in believe what they did");
        clock.defer_to(Epoch(350), at(0));
        assert!(clock.is_shared(), "the same cluster");
        clock.defer_to(Epoch(500), at(0));
        assert!(!clock.is_shared() && !clock.is_plausible(Epoch(601), at(0)), "another one");
    }

    #[test]
    fn it_stops_at_the_largest_epoch() {
        let clock = EpochClock::new(Epoch::MAX, at(0), LEAD);
        assert_eq!(clock.now(at(9)), Epoch::MAX);
    }
}
