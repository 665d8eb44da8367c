//! Isolation: before it accuses others of silence, a node asks whether it hears anything at all.
//!
//! At the end of a period it has sent two requests or more to members, pings or ping-reqs that owe a nack, and has heard
//! no member since, nor for a direct timeout; or no request of the period left this machine, because the operating
//! system refused them all. Then it holds itself isolated: it accuses no member, and the suspicion clock is frozen until
//! a member is heard and requests leave, as long as its budget lasts (`context/clock.rs`), and as long as the whole
//! budget would last it does not count refused requests against their targets. So neither silence nor a refusal excuses for ever. (A node with one other member cannot distinguish its own isolation from the other's death
//! by silence, and does not try.)

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::Instant;
use crate::context::Clock;

/// Requests that must have been sent in vain, and other members that there must be.
const TARGETS: u8 = 2;

/// When this node last heard a member, and how many it has asked since.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Isolation {
    enabled: bool,
    heard_at: Instant,
    asked_in_vain: u8,
    /// Since when no request of a period left this machine.
    refused_since: Option<Instant>,
    isolated: bool,
}

impl Isolation {
    pub(super) const fn new(enabled: bool, now: Instant) -> Self {
        Self { enabled, heard_at: now, asked_in_vain: 0, refused_since: None, isolated: false }
    }

    /// A member was heard. `true` if this node had thought itself isolated.
    #[inline]
    pub(super) fn on_heard(&mut self, clock: &mut Clock, direct_timeout: impl FnOnce() -> Duration) -> bool {
        self.heard_at = clock.node_time();
        self.asked_in_vain = 0;
        if !self.isolated || self.refused_since.is_some() {
            return false;
        }
        self.isolated = false;
        clock.freeze_until(self.heard_at.after(direct_timeout()));
        true
    }

    /// Whether a probe that failed in the period that ends says nothing of its target.
    pub(super) fn excuses(&self, clock: &Clock) -> bool {
        let refused = |since| clock.node_time().since(since) < clock.longest_freeze();
        clock.is_frozen() || self.refused_since.is_some_and(refused)
    }

    /// So many members more are asked, and owe an answer.
    pub(super) const fn on_asked(&mut self, members: u8) {
        self.asked_in_vain = self.asked_in_vain.saturating_add(members);
    }

    /// A period ends, among so many other members; `refused` if no request of it left this machine. `true` if this node
    /// finds itself isolated from now on.
    pub(super) fn on_period(
        &mut self,
        clock: &mut Clock,
        others: u32,
        direct_timeout: Duration,
        refused: bool,
    ) -> bool {
        let refused = refused && self.enabled;
        self.refused_since = refused.then(|| self.refused_since.unwrap_or_else(|| clock.node_time()));
        let silent = clock.node_time().since(self.heard_at) >= direct_timeout;
        let in_vain = self.asked_in_vain >= TARGETS && others >= u32::from(TARGETS);
        if !self.enabled || self.isolated || !(refused || silent && in_vain) {
            return false;
        }
        self.isolated = true;
        clock.freeze_until(Instant::MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECT: Duration = Duration::from_millis(500);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn both() -> (Clock, Isolation) {
        let mut clock = Clock::new(true, at(0));
        clock.set_longest_suspicion(Duration::from_secs(24));
        (clock, Isolation::new(true, at(0)))
    }

    /// The ends of the first periods in which no member answers; one member is asked in each.
    fn isolate((clock, isolation): (&mut Clock, &mut Isolation)) -> [bool; 4] {
        [1000, 2000, 3000, 4000].map(|millis| {
            clock.advance(at(millis), || DIRECT);
            let isolated = isolation.on_period(clock, 9, DIRECT, false);
            isolation.on_asked(1);
            isolated
        })
    }

    #[test]
    fn silence_after_two_requests_is_isolation_until_a_member_is_heard() {
        let (mut clock, mut isolation) = both();
        assert_eq!(isolate((&mut clock, &mut isolation)), [false, false, true, false]);
        assert_eq!(clock.suspicion_time(), at(3000));
        clock.advance(at(5000), || DIRECT);
        assert!(isolation.on_heard(&mut clock, || DIRECT));
        assert!(clock.is_frozen());
        clock.advance(at(5500), || DIRECT);
        assert!(!clock.is_frozen());
        assert_eq!(clock.suspicion_time(), at(3000));
        clock.advance(at(6000), || DIRECT);
        assert_eq!(clock.suspicion_time(), at(3500));
    }

    #[test]
    fn relays_that_owe_a_nack_count_too() {
        let (mut clock, mut isolation) = both();
        isolation.on_asked(1);
        isolation.on_asked(3);
        clock.advance(at(1000), || DIRECT);
        assert!(isolation.on_period(&mut clock, 9, DIRECT, false));
    }

    #[test]
    fn a_node_that_heard_a_member_just_now_is_not_isolated() {
        let (mut clock, mut isolation) = both();
        clock.advance(at(600), || DIRECT);
        isolation.on_heard(&mut clock, || DIRECT);
        isolation.on_asked(3);
        clock.advance(at(1000), || DIRECT);
        assert!(!isolation.on_period(&mut clock, 9, DIRECT, false));
    }

    #[test]
    fn with_one_other_member_silence_is_its_death() {
        let (mut clock, mut isolation) = both();
        for millis in [1000, 2000, 3000, 4000] {
            isolation.on_asked(1);
            clock.advance(at(millis), || DIRECT);
            assert!(!isolation.on_period(&mut clock, 1, DIRECT, false));
        }
    }

    #[test]
    fn a_node_whose_requests_are_all_refused_is_isolated_until_one_is_sent() {
        let (mut clock, mut isolation) = both();
        assert!(isolation.on_period(&mut clock, 1, DIRECT, true));
        assert!(!isolation.on_heard(&mut clock, || DIRECT) && clock.is_frozen());
        assert!(!isolation.on_period(&mut clock, 1, DIRECT, false));
        assert!(isolation.on_heard(&mut clock, || DIRECT));
    }

    #[test]
    fn refused_requests_excuse_for_as_long_as_the_longest_freeze_each_time() {
        let (mut clock, mut isolation) = both();
        for began in [0, 20_000, 40_000] {
            isolation.on_period(&mut clock, 9, DIRECT, false);
            for (millis, excused) in [(0, true), (11_999, true), (12_000, false), (15_000, false)] {
                clock.advance(at(began + millis), || DIRECT);
                isolation.on_period(&mut clock, 9, DIRECT, true);
                assert_eq!(isolation.excuses(&clock), excused, "{began} {millis}");
            }
            isolation.on_period(&mut clock, 9, DIRECT, false);
            isolation.on_heard(&mut clock, || DIRECT);
        }
    }

    #[test]
    fn a_freeze_ends_when_its_budget_is_spent() {
        let (mut clock, mut isolation) = both();
        isolate((&mut clock, &mut isolation));
        assert_eq!(clock.freeze_ends(), Some(at(15_000)));
        assert_eq!(clock.when_suspicion_time(at(4000)), at(16_000));
        clock.advance(at(16_000), || DIRECT);
        assert!(!clock.is_frozen());
        assert_eq!(clock.suspicion_time(), at(4000));
    }

    #[test]
    fn a_stall_does_not_end_isolation() {
        let (mut clock, mut isolation) = both();
        isolate((&mut clock, &mut isolation));
        clock.set_deadline(Some(at(4100)));
        assert!(clock.advance(at(9100), || DIRECT).stall.is_some());
        clock.advance(at(12_000), || DIRECT);
        assert!(clock.is_frozen(), "no member has been heard since");
    }

    #[test]
    fn switched_off_it_is_never_isolated() {
        let (mut clock, mut isolation) = (Clock::new(false, at(0)), Isolation::new(false, at(0)));
        clock.advance(at(60_000), || DIRECT);
        isolation.on_asked(9);
        assert!(!isolation.on_period(&mut clock, 9, DIRECT, false));
        assert_eq!(clock.suspicion_time(), at(60_000));
    }
}
