//! Self-doubt: before blaming others for silence, a node asks whether it was deaf itself.
//!
//! Two signs. *Stall*: this node was run later than it asked to be (a paused process, a starved CPU, a
//! sleeping laptop). *Deafness*: at the end of a period it has asked two different members, for a probe or
//! as relays that owe a nack, and has heard nobody at all since, nor for a direct timeout. In either case it
//! accuses nobody, and no suspicion runs out. (Whoever has one other member only cannot tell its own
//! deafness from the other's death, and does not try.)
//!
//! ```text
//!  real time    ────────────┤ stalled ├──────────────────────────────▶   what the driver says
//!  awake time   ────────────┤─────────────────────────────────────────▶  all timers: stalls cut out
//!  patience     ────────────┤══ frozen ══┤────┤══ deaf: frozen ══┤────▶  suspicions: doubt cut out too
//! ```
//!
//! Rules. A stall is lateness above max(50 ms, direct timeout / 4), measured from the later of the last
//! deadline and the last input, whatever the input. It is cut out of awake time, so timers that fell into
//! it do not all fire at once. After a stall patience is frozen for one direct timeout: the answers
//! that came meanwhile are still in the socket. While deaf it is frozen until somebody is heard.
//! Freezing is bounded by a budget of half the longest suspicion that refills at half speed, so no
//! suspicion lasts longer than twice its maximum, and a node whose whole cluster died says so in the end.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Instant, nanos};

/// Lateness below this is ordinary scheduling.
const STALL_MIN: Duration = Duration::from_millis(50);
/// Different members that must have been asked in vain.
const DEAF_TARGETS: u8 = 2;

/// The node's three clocks and its reasons to mistrust itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Doubt {
    enabled: bool,
    real: Instant,
    deadline: Option<Instant>,
    stalled_ns: u64,

    frozen_ns: u64,
    freeze: Option<Freeze>,
    budget_ns: u64,
    budget_max_ns: u64,
    awake_seen: Instant,

    heard: Instant,
    asked_in_vain: u8,
    deaf: bool,
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

impl Doubt {
    pub(crate) const fn new(enabled: bool, now: Instant) -> Self {
        Self {
            enabled,
            real: now,
            deadline: None,
            stalled_ns: 0,
            frozen_ns: 0,
            freeze: None,
            budget_ns: 0,
            budget_max_ns: 0,
            awake_seen: now,
            heard: now,
            asked_in_vain: 0,
            deaf: false,
        }
    }

    /// Moves the clocks to the driver's `now`.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant, direct_timeout: impl FnOnce() -> Duration) -> Noticed {
        let backwards = now < self.real;
        let now = now.max(self.real);
        let expected = self.deadline.map_or(now, |deadline| deadline.max(self.real));
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
        if self.enabled && late > STALL_MIN.max(direct_timeout / 4) && !mutant!(StallUnnoticed) {
            self.stalled_ns = self.stalled_ns.saturating_add(nanos(late));
            stall = Some(late);
        }
        self.thaw();
        if stall.is_some() {
            let grace = self.awake().after(direct_timeout);
            self.freeze_until(self.freeze.map_or(grace, |freeze| freeze.until.max(grace)));
        }
        stall
    }

    /// What the driver was told; lateness is measured from it.
    pub(crate) const fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// The longest suspicion there can be now: it bounds the doubt.
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

    /// Time without stalls: all timers run on it.
    pub(crate) const fn awake(&self) -> Instant {
        Instant::from_nanos(self.real.as_nanos().saturating_sub(self.stalled_ns))
    }

    /// Time without stalls and without doubt: suspicions run on it.
    pub(crate) const fn patience(&self) -> Instant {
        let at = match self.freeze {
            Some(freeze) => freeze.since,
            None => self.awake(),
        };
        Instant::from_nanos(at.as_nanos().saturating_sub(self.frozen_ns))
    }

    /// An awake instant in the driver's time.
    pub(crate) const fn to_real(self, awake: Instant) -> Instant {
        Instant::from_nanos(awake.as_nanos().saturating_add(self.stalled_ns))
    }

    /// When, in awake time, `patience` will be reached if nothing else happens.
    pub(crate) fn when_patient(&self, patience: Instant) -> Instant {
        let resumes = self.freeze.map_or(self.awake(), |freeze| freeze.until);
        resumes.after(patience.since(self.patience()))
    }

    /// Whether this node mistrusts itself now: it accuses nobody, and no suspicion runs out.
    pub(crate) const fn doubts(&self) -> bool {
        self.freeze.is_some()
    }

    /// When the present doubt ends by itself.
    #[cfg(test)]
    pub(crate) fn doubt_ends(&self) -> Option<Instant> {
        self.freeze.map(|freeze| freeze.until)
    }

    /// A member was heard. `true` if this node had thought itself deaf.
    #[inline]
    pub(crate) fn hear(&mut self, direct_timeout: impl FnOnce() -> Duration) -> bool {
        self.heard = self.awake();
        self.asked_in_vain = 0;
        if !self.deaf {
            return false;
        }
        self.deaf = false;
        self.freeze_until(self.awake().after(direct_timeout()));
        true
    }

    /// So many members more are asked, and owe an answer.
    pub(crate) const fn ask(&mut self, members: u8) {
        self.asked_in_vain = self.asked_in_vain.saturating_add(members);
    }

    /// A period ends, among so many other members. `true` if this node finds itself deaf from now on.
    pub(crate) fn listen(&mut self, others: u32, direct_timeout: Duration) -> bool {
        let silent = self.awake().since(self.heard) >= direct_timeout;
        let in_vain = self.asked_in_vain >= DEAF_TARGETS && others >= u32::from(DEAF_TARGETS);
        if !self.enabled || self.deaf || !silent || !in_vain || mutant!(DeafnessUnnoticed) {
            return false;
        }
        self.deaf = true;
        self.freeze_until(Instant::MAX);
        true
    }

    /// Ends or prolongs the freeze, never beyond what the budget allows.
    fn freeze_until(&mut self, until: Instant) {
        let awake = self.awake();
        let since = self.freeze.map_or(awake, |freeze| freeze.since);
        let latest = since.after(Duration::from_nanos(self.budget_ns));
        let until = until.min(latest);
        self.freeze = (until > awake).then_some(Freeze { since, until });
        if self.freeze.is_none() {
            self.close_freeze(since, awake);
        }
    }

    /// Refills the budget while patient, and ends a freeze whose time has come.
    #[inline]
    fn thaw(&mut self) {
        let awake = self.awake();
        match self.freeze {
            None => {
                let passed = awake.nanos_since(self.awake_seen);
                self.budget_ns = (self.budget_ns + passed / 2).min(self.budget_max_ns);
            }
            Some(freeze) if awake >= freeze.until => {
                self.freeze = None;
                self.close_freeze(freeze.since, freeze.until);
            }
            Some(_) => {}
        }
        self.awake_seen = awake;
    }

    fn close_freeze(&mut self, since: Instant, until: Instant) {
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

    fn doubt() -> Doubt {
        let mut doubt = Doubt::new(true, at(0));
        doubt.set_longest_suspicion(Duration::from_secs(24));
        doubt
    }

    #[test]
    fn being_called_on_time_is_no_stall() {
        let mut doubt = doubt();
        doubt.set_deadline(Some(at(1000)));
        assert_eq!(doubt.advance(at(1100), || DIRECT), Noticed::default());
        assert_eq!(doubt.awake(), at(1100));
    }

    #[test]
    fn a_long_wait_that_was_asked_for_is_no_stall() {
        let mut doubt = doubt();
        doubt.set_deadline(Some(at(3_600_000)));
        assert_eq!(doubt.advance(at(3_600_001), || DIRECT), Noticed::default());
        doubt.set_deadline(None);
        assert_eq!(doubt.advance(at(9_600_001), || DIRECT), Noticed::default());
    }

    #[test]
    fn a_stall_is_cut_out_of_awake_time_and_freezes_patience_for_a_direct_timeout() {
        let mut doubt = doubt();
        doubt.set_deadline(Some(at(1000)));
        let noticed = doubt.advance(at(31_000), || DIRECT);
        assert_eq!(noticed.stall, Some(Duration::from_secs(30)));
        assert_eq!(doubt.awake(), at(1000));
        assert_eq!(doubt.patience(), at(1000));
        assert!(doubt.doubts());
        assert_eq!(doubt.to_real(doubt.awake()), at(31_000));
        doubt.set_deadline(Some(at(31_500)));
        doubt.advance(at(31_500), || DIRECT);
        assert!(!doubt.doubts());
        assert_eq!(doubt.patience(), at(1000));
        assert_eq!(doubt.awake(), at(1500));
    }

    #[test]
    fn lateness_counts_from_the_last_input_when_that_was_later_than_the_deadline() {
        let mut doubt = doubt();
        doubt.set_deadline(Some(at(100)));
        doubt.advance(at(200), || DIRECT);
        assert_eq!(doubt.advance(at(300), || DIRECT).stall, None);
        assert!(doubt.advance(at(500), || DIRECT).stall.is_some());
    }

    /// The ends of the first periods in which nobody answers; one member is asked in each.
    fn deafen(doubt: &mut Doubt) -> [bool; 4] {
        [1000, 2000, 3000, 4000].map(|millis| {
            doubt.advance(at(millis), || DIRECT);
            let deaf = doubt.listen(9, DIRECT);
            doubt.ask(1);
            deaf
        })
    }

    #[test]
    fn silence_after_two_questions_is_deafness_until_somebody_is_heard() {
        let mut doubt = doubt();
        assert_eq!(deafen(&mut doubt), [false, false, true, false]);
        assert_eq!(doubt.patience(), at(3000));
        doubt.advance(at(5000), || DIRECT);
        assert!(doubt.hear(|| DIRECT));
        assert!(doubt.doubts());
        doubt.advance(at(5500), || DIRECT);
        assert!(!doubt.doubts());
        assert_eq!(doubt.patience(), at(3000));
        doubt.advance(at(6000), || DIRECT);
        assert_eq!(doubt.patience(), at(3500));
    }

    #[test]
    fn relays_that_owe_a_nack_are_questions_too() {
        let mut doubt = doubt();
        doubt.ask(1);
        doubt.ask(3);
        doubt.advance(at(1000), || DIRECT);
        assert!(doubt.listen(9, DIRECT));
    }

    #[test]
    fn who_was_heard_just_now_is_not_deaf() {
        let mut doubt = doubt();
        doubt.advance(at(600), || DIRECT);
        doubt.hear(|| DIRECT);
        doubt.ask(3);
        doubt.advance(at(1000), || DIRECT);
        assert!(!doubt.listen(9, DIRECT));
    }

    #[test]
    fn with_one_other_member_silence_is_its_death() {
        let mut doubt = doubt();
        for millis in [1000, 2000, 3000, 4000] {
            doubt.ask(1);
            doubt.advance(at(millis), || DIRECT);
            assert!(!doubt.listen(1, DIRECT));
        }
    }

    #[test]
    fn doubt_ends_when_its_budget_is_spent() {
        let mut doubt = doubt();
        deafen(&mut doubt);
        assert_eq!(doubt.doubt_ends(), Some(at(15_000)));
        assert_eq!(doubt.when_patient(at(4000)), at(16_000));
        doubt.advance(at(16_000), || DIRECT);
        assert!(!doubt.doubts());
        assert_eq!(doubt.patience(), at(4000));
    }

    #[test]
    fn a_stall_does_not_end_deafness() {
        let mut doubt = doubt();
        deafen(&mut doubt);
        doubt.set_deadline(Some(at(4100)));
        assert!(doubt.advance(at(9100), || DIRECT).stall.is_some());
        doubt.advance(at(12_000), || DIRECT);
        assert!(doubt.doubts(), "nobody has been heard since");
    }

    #[test]
    fn a_node_that_is_always_late_still_gets_somewhere() {
        let mut doubt = doubt();
        let mut now = 0;
        for _ in 0..2_000 {
            doubt.set_deadline(Some(at(now + 10)));
            now += 300;
            doubt.advance(at(now), || DIRECT);
        }
        assert!(doubt.patience() > at(5_000), "{:?}", doubt.patience());
    }

    #[test]
    fn a_clock_that_goes_backwards_stands_still() {
        let mut doubt = doubt();
        doubt.advance(at(100), || DIRECT);
        assert!(doubt.advance(at(50), || DIRECT).backwards);
        assert_eq!(doubt.real(), at(100));
    }

    #[test]
    fn switched_off_it_never_doubts() {
        let mut doubt = Doubt::new(false, at(0));
        doubt.set_longest_suspicion(Duration::from_secs(24));
        doubt.set_deadline(Some(at(10)));
        assert_eq!(doubt.advance(at(60_000), || DIRECT).stall, None);
        doubt.ask(9);
        assert!(!doubt.listen(9, DIRECT));
        assert_eq!(doubt.patience(), at(60_000));
    }
}
