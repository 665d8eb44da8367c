//! The three clocks of a node, and how it notices that it was not run.
//!
//! Before blaming others for silence a node asks whether it was itself that did not listen. A *stall*: it was run later
//! than it asked to be (a paused process, a starved CPU, a sleeping laptop). What others did meanwhile it could not
//! hear, so a stall is cut out of the time that its timers run on, and no suspicion times out while the answers that
//! came meanwhile are still in the socket. A node that finds itself isolated (`detector/isolation.rs`) freezes the
//! suspicion clock in the same way.
//!
//! ```text
//!  real time        ────────────┤ stalled ├─────────────────────────────────▶   what the driver says
//!  node time        ────────────┤────────────────────────────────────────────▶  all timers: stalls removed
//!  suspicion clock  ────────────┤══ frozen ══┤────┤══ isolated: frozen ══┤───▶  suspicions: doubtful times removed too
//! ```
//!
//! A stall is lateness above max(50 ms, direct timeout / 4), measured from the later of the last deadline and the last
//! input, whatever the input. After it the suspicion clock is frozen for one direct timeout. Freezing is bounded by a
//! budget of half the longest suspicion that refills at half speed, so no suspicion lasts longer than twice its
//! maximum, and a node whose whole cluster died says so in the end.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Instant, nanos};

/// Lateness below this is ordinary scheduling.
const STALL_MIN: Duration = Duration::from_millis(50);

/// The three clocks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Clock {
    enabled: bool,
    real: Instant,
    /// When the driver has to come back; the end of time: it need not.
    deadline: Instant,
    stalled_ns: u64,

    frozen_ns: u64,
    freeze: Option<Freeze>,
    budget_ns: u64,
    budget_max_ns: u64,
    node_time_seen: Instant,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Freeze {
    since: Instant,
    until: Instant,
}

/// What moving the clocks forward brought to light.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Noticed {
    /// This node was run so much too late.
    pub(crate) stall: Option<Duration>,
    /// The driver's clock went backwards.
    pub(crate) backwards: bool,
}

impl Clock {
    pub(crate) const fn new(enabled: bool, now: Instant) -> Self {
        Self {
            enabled,
            real: now,
            deadline: Instant::MAX,
            stalled_ns: 0,
            frozen_ns: 0,
            freeze: None,
            budget_ns: 0,
            budget_max_ns: 0,
            node_time_seen: now,
        }
    }

    /// Moves the clocks to the driver's `now`.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant, direct_timeout: impl FnOnce() -> Duration) -> Noticed {
        let backwards = now < self.real;
        let now = now.max(self.real);
        let expected = self.deadline.max(self.real);
        self.real = now;
        // Nearly always it is in time.
        let stall = if now.nanos_since(expected) > nanos(STALL_MIN) {
            self.come_late(now.since(expected), direct_timeout())
        } else {
            self.thaw();
            None
        };
        Noticed { stall, backwards }
    }

    /// So much later than expected. Returns it if that is a stall.
    #[cold]
    fn come_late(&mut self, late: Duration, direct_timeout: Duration) -> Option<Duration> {
        let mut stall = None;
        if self.enabled && late > STALL_MIN.max(direct_timeout / 4) {
            self.stalled_ns = self.stalled_ns.saturating_add(nanos(late));
            stall = Some(late);
        }
        self.thaw();
        if stall.is_some() {
            let grace = self.node_time().after(direct_timeout);
            self.freeze_until(self.freeze.map_or(grace, |freeze| freeze.until.max(grace)));
        }
        stall
    }

    /// The next deadline; lateness is measured from it.
    pub(crate) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline.unwrap_or(Instant::MAX);
    }

    /// When the driver has to come back.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        (self.deadline < Instant::MAX).then_some(self.deadline)
    }

    /// The longest suspicion there can be now: it bounds all freezes.
    pub(crate) fn set_longest_suspicion(&mut self, longest: Duration) {
        let max = nanos(longest) / 2;
        if self.budget_max_ns == 0 {
            self.budget_ns = max;
        }
        self.budget_max_ns = max;
    }

    /// The driver's time, never backwards.
    pub(crate) const fn real(&self) -> Instant {
        self.real
    }

    /// Node time, without stalls: all timers run on it.
    pub(crate) const fn node_time(&self) -> Instant {
        Instant::from_nanos(self.real.as_nanos().saturating_sub(self.stalled_ns))
    }

    /// The suspicion clock, without stalls and frozen times.
    pub(crate) const fn suspicion_time(&self) -> Instant {
        let at = match self.freeze {
            Some(freeze) => freeze.since,
            None => self.node_time(),
        };
        Instant::from_nanos(at.as_nanos().saturating_sub(self.frozen_ns))
    }

    /// An instant of node time in the driver's time.
    pub(crate) const fn real_time_of(&self, at: Instant) -> Instant {
        Instant::from_nanos(at.as_nanos().saturating_add(self.stalled_ns))
    }

    /// When, in node time, the suspicion clock will reach `at` if nothing else happens.
    pub(crate) fn when_suspicion_time(&self, at: Instant) -> Instant {
        let resumes = self.freeze.map_or(self.node_time(), |freeze| freeze.until);
        resumes.after(at.since(self.suspicion_time()))
    }

    /// Whether the suspicion clock stands still: the node accuses no member, and no suspicion times out.
    pub(crate) const fn is_frozen(&self) -> bool {
        self.freeze.is_some()
    }

    /// How long the suspicion clock may stand still at once.
    pub(crate) const fn longest_freeze(&self) -> Duration {
        Duration::from_nanos(self.budget_max_ns)
    }

    /// Whether a freeze ends after it starts.
    pub(crate) fn is_sound(&self) -> bool {
        self.freeze.is_none_or(|freeze| freeze.since <= freeze.until)
    }

    /// When the freeze ends by itself.
    #[cfg(test)]
    pub(crate) fn freeze_ends(&self) -> Option<Instant> {
        self.freeze.map(|freeze| freeze.until)
    }

    /// Ends or prolongs the freeze, never beyond what the budget allows.
    pub(crate) fn freeze_until(&mut self, until: Instant) {
        let node_time = self.node_time();
        let since = self.freeze.map_or(node_time, |freeze| freeze.since);
        let latest = since.after(Duration::from_nanos(self.budget_ns));
        let until = until.min(latest);
        self.freeze = (until > node_time).then_some(Freeze { since, until });
        if self.freeze.is_none() {
            self.close_freeze(since, node_time);
        }
    }

    /// Refills the budget while the suspicion clock runs, and ends a freeze whose time has come.
    #[inline]
    fn thaw(&mut self) {
        let node_time = self.node_time();
        match self.freeze {
            None => {
                let passed = node_time.nanos_since(self.node_time_seen);
                self.budget_ns = (self.budget_ns + passed / 2).min(self.budget_max_ns);
            }
            Some(freeze) if node_time >= freeze.until => {
                self.freeze = None;
                self.close_freeze(freeze.since, freeze.until);
            }
            Some(_) => {}
        }
        self.node_time_seen = node_time;
        debug_assert!(
            self.is_sound() && self.suspicion_time() <= node_time,
            "suspicions age no faster than node time"
        );
    }

    fn close_freeze(&mut self, since: Instant, until: Instant) {
        debug_assert!(since <= until, "a freeze ends after it starts");
        let frozen = until.nanos_since(since);
        self.frozen_ns = self.frozen_ns.saturating_add(frozen);
        self.budget_ns = self.budget_ns.saturating_sub(frozen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECT: Duration = Duration::from_millis(500);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn clock() -> Clock {
        let mut clock = Clock::new(true, at(0));
        clock.set_longest_suspicion(Duration::from_secs(24));
        clock
    }

    #[test]
    fn being_called_on_time_is_no_stall() {
        let mut clock = clock();
        clock.set_deadline(Some(at(1000)));
        assert_eq!(clock.advance(at(1100), || DIRECT), Noticed::default());
        assert_eq!(clock.node_time(), at(1100));
    }

    #[test]
    fn a_long_wait_that_was_asked_for_is_no_stall() {
        let mut clock = clock();
        clock.set_deadline(Some(at(3_600_000)));
        assert_eq!(clock.advance(at(3_600_001), || DIRECT), Noticed::default());
        clock.set_deadline(None);
        assert_eq!(clock.advance(at(9_600_001), || DIRECT), Noticed::default());
    }

    #[test]
    fn a_stall_is_cut_out_of_node_time_and_freezes_suspicions_for_a_direct_timeout() {
        let mut clock = clock();
        clock.set_deadline(Some(at(1000)));
        let noticed = clock.advance(at(31_000), || DIRECT);
        assert_eq!(noticed.stall, Some(Duration::from_secs(30)));
        assert_eq!(clock.node_time(), at(1000));
        assert_eq!(clock.suspicion_time(), at(1000));
        assert!(clock.is_frozen());
        assert_eq!(clock.real_time_of(clock.node_time()), at(31_000));
        clock.set_deadline(Some(at(31_500)));
        clock.advance(at(31_500), || DIRECT);
        assert!(!clock.is_frozen());
        assert_eq!(clock.suspicion_time(), at(1000));
        assert_eq!(clock.node_time(), at(1500));
    }

    #[test]
    fn lateness_counts_from_the_last_input_when_that_was_later_than_the_deadline() {
        let mut clock = clock();
        clock.set_deadline(Some(at(100)));
        clock.advance(at(200), || DIRECT);
        assert_eq!(clock.advance(at(300), || DIRECT).stall, None);
        assert!(clock.advance(at(500), || DIRECT).stall.is_some());
    }

    #[test]
    fn a_node_that_is_always_late_still_gets_somewhere() {
        let mut clock = clock();
        let mut now = 0;
        for _ in 0..2_000 {
            clock.set_deadline(Some(at(now + 10)));
            now += 300;
            clock.advance(at(now), || DIRECT);
        }
        assert!(clock.suspicion_time() > at(5_000), "{:?}", clock.suspicion_time());
    }

    #[test]
    fn a_clock_that_goes_backwards_stands_still() {
        let mut clock = clock();
        clock.advance(at(100), || DIRECT);
        assert!(clock.advance(at(50), || DIRECT).backwards);
        assert_eq!(clock.real(), at(100));
    }

    #[test]
    fn switched_off_it_notices_no_stall() {
        let mut clock = Clock::new(false, at(0));
        clock.set_longest_suspicion(Duration::from_secs(24));
        clock.set_deadline(Some(at(10)));
        assert_eq!(clock.advance(at(60_000), || DIRECT).stall, None);
        assert_eq!(clock.suspicion_time(), at(60_000));
    }
}
