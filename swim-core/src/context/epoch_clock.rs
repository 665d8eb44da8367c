//! The cluster's epoch clock: which epochs may be believed.
//!
//! Epochs are read off calendars, and calendars are wrong now and then. A claim of the year 10889 must not
//! be believed, or nobody could ever outlive it; a claim by a member whose calendar is a few hours ahead must
//! be. So every node believes what is at most `lead` ahead of the cluster's clock.
//!
//! The clock starts at the calendar of the node that founds a cluster. Every other node takes it over from the
//! members that its search finds, and nothing else moves it. So all members read the same clock, and what one of them
//! believes, all do, no matter which claims each has heard, and in which order. A clock that followed the epochs
//! of members would run ahead where such a claim came by, and what is believed there could not be believed
//! elsewhere.
//!
//! Two founders may let each other in at once. Then the one that is behind takes over, and the one that is ahead,
//! which has just told the other the time, does not.
//!
//! A node remembers its own calendar if that is ahead: of two clocks the one ahead is right, so a seed that reads
//! no more than that is no reason to start over.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, Instant};

/// What the cluster takes for the time of day, in ms.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EpochClock {
    read: Epoch,
    at: Instant,
    /// How far the latest clock that this node has read is ahead of it: its own, or that of an earlier cluster.
    behind_ms: u64,
    lead_ms: u64,
    /// When another node was last told what it reads.
    told: Option<Instant>,
}

impl EpochClock {
    /// A clock that reads `read` at `at`, and believes what is `lead` ahead of it.
    pub(crate) const fn new(read: Epoch, at: Instant, lead: Duration) -> Self {
        Self { read, at, behind_ms: 0, lead_ms: lead.as_millis() as u64, told: None }
    }

    /// It reads `theirs` at `now`, as the clock of those who let this node in does.
    pub(crate) fn take_over(&mut self, theirs: Epoch, now: Instant) {
        let behind_ms = self.latest(now).0.saturating_sub(theirs.0);
        (self.read, self.at, self.behind_ms) = (theirs, now, behind_ms);
    }

    /// What it reads, for a node that may take it over.
    pub(crate) fn tell(&mut self, now: Instant) -> Epoch {
        self.told = Some(now);
        self.now(now)
    }

    /// Whether another node was told what it reads less than `span` ago.
    pub(crate) fn was_told(&self, span: Duration, now: Instant) -> bool {
        self.told.is_some_and(|told| now.since(told) < span)
    }

    /// What it reads.
    pub(crate) fn now(&self, now: Instant) -> Epoch {
        let passed = now.since(self.at).as_millis() as u64;
        Epoch(self.read.0.saturating_add(passed)).min(Epoch::MAX)
    }

    /// What the latest of all clocks reads that this node has read.
    pub(crate) fn latest(&self, now: Instant) -> Epoch {
        Epoch(self.now(now).0.saturating_add(self.behind_ms)).min(Epoch::MAX)
    }

    /// Whether `epoch` may be believed. Nearly always it may by what the clock read when it was set, which
    /// takes no dividing of time into milliseconds.
    #[inline]
    pub(crate) fn is_plausible(&self, epoch: Epoch, now: Instant) -> bool {
        self.is_credible(epoch, self.read) || self.is_credible(epoch, self.now(now))
    }

    /// Whether a node whose clock reads `clock` may believe `epoch`.
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
    fn all_that_one_lets_in_believe_the_same_as_it_does_whatever_their_calendars_read() {
        let founder = EpochClock::new(Epoch(1000), at(0), LEAD);
        for calendar in [0, 950, 1000, 1050, 9000] {
            let mut clock = EpochClock::new(Epoch(calendar), at(0), LEAD);
            clock.take_over(founder.now(at(7)), at(7));
            for epoch in [0, 1000, 1107, 1108, 1130, 1131, 8000, 9000, 9100] {
                let (now, epoch) = (at(30), Epoch(epoch));
                assert_eq!(clock.is_plausible(epoch, now), founder.is_plausible(epoch, now), "{calendar}");
            }
        }
    }

    #[test]
    fn of_its_own_clock_and_those_that_it_took_over_it_remembers_the_latest() {
        let mut clock = EpochClock::new(Epoch(1000), at(0), LEAD);
        clock.take_over(Epoch(300), at(0));
        assert_eq!((clock.latest(at(7)), clock.now(at(7))), (Epoch(1007), Epoch(307)));
        clock.take_over(Epoch(400), at(7));
        assert_eq!((clock.latest(at(7)), clock.now(at(7))), (Epoch(1007), Epoch(400)));
        clock.take_over(Epoch(5000), at(7));
        assert_eq!((clock.latest(at(8)), clock.now(at(8))), (Epoch(5001), Epoch(5001)));
    }

    #[test]
    fn it_stops_at_the_largest_epoch() {
        let clock = EpochClock::new(Epoch::MAX, at(0), LEAD);
        assert_eq!(clock.now(at(9)), Epoch::MAX);
    }
}
