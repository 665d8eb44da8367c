//! The cluster's epoch clock: which epochs may be believed.
//!
//! An epoch is read from a wall clock, and wall clocks can be wrong. A claim of the year 10889 must be refused,
//! because no node could start a newer epoch after it. A claim by a member whose wall clock is a few hours ahead
//! must be accepted. So every node accepts epochs that are at most `lead` ahead of the cluster's clock.
//!
//! The clock starts at the wall clock of the node that founds a cluster. Every other node takes it over from the
//! members that its search finds, and nothing else moves it. So all members read the same clock and accept the same
//! claims. A clock that followed the epochs of members would differ between nodes, and so would what they accept.
//!
//! Two founders may admit each other at once. Then the one that is behind takes over, and the one that is ahead,
//! which has just sent its time, does not.
//!
//! A node remembers its own wall clock if that is ahead. A seed whose clock is not ahead of that is no reason to
//! start over.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, Instant};

/// The cluster's time of day, in ms.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EpochClock {
    read: Epoch,
    at: Instant,
    /// How far the latest clock that this node has read is ahead of it: its own, or that of an earlier cluster.
    behind_ms: u64,
    lead_ms: u64,
    /// When its time was last sent to another node.
    shared_at: Option<Instant>,
}

impl EpochClock {
    /// A clock that reads `read` at `at`, and believes what is `lead` ahead of it.
    pub(crate) const fn new(read: Epoch, at: Instant, lead: Duration) -> Self {
        Self { read, at, behind_ms: 0, lead_ms: lead.as_millis() as u64, shared_at: None }
    }

    /// It reads `theirs` at `now`, the reading of the member that admitted this node.
    pub(crate) fn take_over(&mut self, theirs: Epoch, now: Instant) {
        let latest = self.latest(now);
        let behind_ms = latest.0.saturating_sub(theirs.0);
        (self.read, self.at, self.behind_ms) = (theirs, now, behind_ms);
        debug_assert!(self.latest(now) >= latest, "the latest reading never goes back");
    }

    /// What it reads, for a node that may take it over.
    pub(crate) fn share(&mut self, now: Instant) -> Epoch {
        self.shared_at = Some(now);
        self.now(now)
    }

    /// Whether its time was sent to another node less than `span` ago.
    pub(crate) fn was_shared(&self, span: Duration, now: Instant) -> bool {
        self.shared_at.is_some_and(|at| now.since(at) < span)
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
    fn an_epoch_at_most_the_lead_ahead_is_plausible() {
        let clock = EpochClock::new(Epoch(1000), at(5), LEAD);
        assert!(clock.is_plausible(Epoch(1100), at(5)));
        assert!(!clock.is_plausible(Epoch(1101), at(5)));
        assert!(clock.is_plausible(Epoch(1101), at(6)));
    }

    #[test]
    fn all_admitted_nodes_accept_the_same_epochs_as_their_founder() {
        let founder = EpochClock::new(Epoch(1000), at(0), LEAD);
        for wall_clock in [0, 950, 1000, 1050, 9000] {
            let mut clock = EpochClock::new(Epoch(wall_clock), at(0), LEAD);
            clock.take_over(founder.now(at(7)), at(7));
            for epoch in [0, 1000, 1107, 1108, 1130, 1131, 8000, 9000, 9100] {
                let (now, epoch) = (at(30), Epoch(epoch));
                assert_eq!(clock.is_plausible(epoch, now), founder.is_plausible(epoch, now), "{wall_clock}");
            }
        }
    }

    #[test]
    fn the_clock_remembers_the_latest_of_its_own_and_adopted_readings() {
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
