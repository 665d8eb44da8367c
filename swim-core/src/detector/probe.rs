//! The one open probe of a period (SWIM section 3.1), as bookkeeping: no IO, no clock.
//!
//! A lost datagram is far more likely than a dead member, so within one period a member gets several
//! chances: up to three direct pings, then k relays that try from elsewhere. Only the end of the period
//! decides.
//!
//! ```text
//!  period begins                                                        period ends
//!  │ping ── rto ──▶ ping ── rto ──▶ ping ── rto ──▶ ping-req × k ───────▶│ no answer: accuse
//!  └── an ack with the right number, from the right address ──▶ answered └ else: healthy
//! ```
//!
//! Deviation from SWIM and Lifeguard: the retries. At 25 % loss a probe of a living member then fails in
//! 2.7 % of the cases instead of 14 %. `rto` is the share of the direct timeout that each ping gets.

use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Epoch, Instant, NodeId, nanos};
use crate::context::{RequestKind, requests};
use crate::group::Slot;

/// Direct pings in one period, the first included.
pub(crate) const ATTEMPTS_MAX: usize = 3;
/// Relays in one period.
pub(crate) const RELAYS_MAX: usize = 8;

/// A member asked to ping on our behalf.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Asked {
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    nacked: bool,
}

/// What a probe wants done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Ping the target again; which attempt it is.
    Retry { attempt: u8 },
    /// Ask relays.
    AskRelays,
}

/// How a probe ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProbeOutcome {
    /// The target is alive.
    Answered,
    /// No answer. How many relays were asked, and how many of them did not even say no.
    Failed { relays: u8, silent: u8 },
}

/// The open probe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Probe {
    pub(crate) target: Slot,
    pub(crate) target_id: NodeId,
    #[serde(with = "crate::collections::serial::addr")]
    pub(crate) target_addr: SocketAddr,
    pub(crate) target_epoch: Epoch,
    number: u64,
    sent: [Instant; ATTEMPTS_MAX],
    attempts: u8,
    undelivered: u8,
    attempts_max: u8,
    rto_ns: u64,
    relays_at: Instant,
    ends: Instant,
    relays: [Option<Asked>; RELAYS_MAX],
    relays_asked: bool,
    answered: bool,
}

/// When to do what, from the configuration and the local health.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Local health scaled already.
    pub(crate) period: Duration,
    /// Local health scaled already.
    pub(crate) direct_timeout: Duration,
    pub(crate) retries: u8,
}

impl Probe {
    /// A probe that begins now; the caller sends the first ping (attempt 0).
    #[inline]
    pub(crate) fn begin(
        target: Slot,
        (target_id, target_addr, target_epoch): (NodeId, SocketAddr, Epoch),
        number: u64,
        timing: Timing,
        now: Instant,
    ) -> Self {
        let rto_ns = nanos(timing.direct_timeout) / (u64::from(timing.retries) + 1);
        debug_assert!(usize::from(timing.retries) < ATTEMPTS_MAX, "every attempt has a slot for its time");
        debug_assert!(target != Slot::ME, "a probe is of another member");
        Self {
            target,
            target_id,
            target_addr,
            target_epoch,
            number,
            sent: [now; ATTEMPTS_MAX],
            attempts: 1,
            undelivered: 0,
            attempts_max: timing.retries + 1,
            rto_ns,
            relays_at: now.after_nanos(rto_ns.saturating_mul(u64::from(timing.retries) + 1)),
            ends: now.after(timing.period),
            relays: [None; RELAYS_MAX],
            relays_asked: false,
            answered: false,
        }
    }

    /// The number of attempt `attempt`: all of a probe have the same random part.
    pub(crate) const fn number(&self, attempt: u8) -> u64 {
        requests::compose(self.number, RequestKind::Probe { attempt })
    }

    /// When the period ends.
    pub(crate) const fn ends(&self) -> Instant {
        self.ends
    }

    /// When the next step is due; `None` if only the end of the period is left.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        if self.answered || self.relays_asked {
            return None;
        }
        if self.attempts < self.attempts_max {
            return Some(self.sent[usize::from(self.attempts) - 1].after_nanos(self.rto_ns));
        }
        Some(self.relays_at.max(self.sent[usize::from(self.attempts) - 1]))
    }

    /// Takes the step that is due at `now`.
    pub(crate) fn step(&mut self, now: Instant) -> Option<Step> {
        if self.next_at()? > now {
            return None;
        }
        if self.attempts < self.attempts_max {
            let attempt = self.attempts;
            self.sent[usize::from(attempt)] = now;
            self.attempts += 1;
            debug_assert!(self.is_sound(), "the attempts of a probe are bounded");
            return Some(Step::Retry { attempt });
        }
        self.relays_asked = true;
        debug_assert!(self.attempts == self.attempts_max, "relays follow the last direct ping");
        Some(Step::AskRelays)
    }

    /// A relay was asked.
    pub(crate) fn add_relay(&mut self, addr: SocketAddr) {
        if let Some(empty) = self.relays.iter_mut().find(|relay| relay.is_none()) {
            *empty = Some(Asked { addr, nacked: false });
        }
    }

    /// The number belongs to this probe and to an attempt that was made.
    pub(crate) fn knows(&self, number: u64, attempt: u8) -> bool {
        let ours = number >> 16_u32 == self.number >> 16_u32;
        ours && attempt < self.attempts
    }

    /// The target answered attempt `attempt` itself. The round trip, if this is the first answer.
    pub(crate) fn answer(&mut self, attempt: u8, now: Instant) -> Option<Duration> {
        debug_assert!(attempt < self.attempts, "an answer belongs to an attempt that was made");
        if core::mem::replace(&mut self.answered, true) {
            return None;
        }
        Some(now.since(self.sent[usize::from(attempt)]))
    }

    /// A relay says that the target answered. `true` if this relay was asked.
    pub(crate) fn answer_by_relay(&mut self, relay: SocketAddr) -> bool {
        let asked = self.relays.iter().flatten().any(|asked| asked.addr == relay);
        self.answered |= asked;
        asked
    }

    /// A relay says that the target did not answer. `true` once for each relay that was asked.
    pub(crate) fn nack(&mut self, relay: SocketAddr) -> bool {
        let Some(asked) = self.relays.iter_mut().flatten().find(|asked| asked.addr == relay) else {
            return false;
        };
        !core::mem::replace(&mut asked.nacked, true)
    }

    /// The operating system refused to send to `addr`.
    pub(crate) fn undelivered(&mut self, addr: SocketAddr) {
        if addr == self.target_addr {
            self.undelivered = self.undelivered.saturating_add(1);
        }
        for relay in &mut self.relays {
            if relay.is_some_and(|asked| asked.addr == addr) {
                *relay = None;
            }
        }
    }

    /// Whether it is one that could have been begun here.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=ATTEMPTS_MAX as u8).contains(&self.attempts_max)
            && (1..=self.attempts_max).contains(&self.attempts)
    }

    /// Whether there was an answer.
    pub(crate) const fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether no request of it left this machine: nothing is known of the target.
    pub(crate) fn is_refused(&self) -> bool {
        self.undelivered >= self.attempts && !self.answered && self.relays.iter().all(Option::is_none)
    }

    /// The outcome at the end of the period.
    pub(crate) fn outcome(&self) -> ProbeOutcome {
        if self.answered {
            return ProbeOutcome::Answered;
        }
        let relays = self.relays.iter().flatten().count() as u8;
        let silent = self.relays.iter().flatten().filter(|asked| !asked.nacked).count() as u8;
        debug_assert!(silent <= relays, "a relay that is silent was asked");
        ProbeOutcome::Failed { relays, silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 7946))
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn probe() -> Probe {
        let timing =
            Timing { period: Duration::from_secs(1), direct_timeout: Duration::from_millis(480), retries: 2 };
        Probe::begin(Slot(1), (NodeId(1), addr(1), Epoch(1)), 0xabcd_0000, timing, at(0))
    }

    #[test]
    fn retries_share_the_direct_timeout() {
        let mut probe = probe();
        assert_eq!(probe.next_at(), Some(at(160)));
        assert_eq!(probe.step(at(159)), None);
        assert_eq!(probe.step(at(160)), Some(Step::Retry { attempt: 1 }));
        assert_eq!(probe.step(at(320)), Some(Step::Retry { attempt: 2 }));
        assert_eq!(probe.step(at(480)), Some(Step::AskRelays));
        assert_eq!(probe.next_at(), None);
        assert_eq!(probe.ends(), at(1000));
    }

    #[test]
    fn an_answered_probe_wants_nothing_more() {
        let mut probe = probe();
        assert_eq!(probe.answer(0, at(3)), Some(Duration::from_millis(3)));
        assert_eq!(probe.answer(0, at(4)), None, "the second answer measures nothing");
        assert_eq!((probe.next_at(), probe.step(at(999))), (None, None));
        assert_eq!(probe.outcome(), ProbeOutcome::Answered);
    }

    #[test]
    fn only_numbers_of_attempts_that_were_made_are_known() {
        let probe = probe();
        assert!(probe.knows(0xabcd_0000, 0));
        assert!(!probe.knows(0xabcd_0000, 1));
        assert!(!probe.knows(0xabce_0000, 0));
    }

    #[test]
    fn a_relay_counts_once_and_only_if_it_was_asked() {
        let mut probe = probe();
        probe.add_relay(addr(2));
        probe.add_relay(addr(3));
        assert!(probe.nack(addr(2)));
        assert!(!probe.nack(addr(2)));
        assert!(!probe.nack(addr(4)));
        assert_eq!(probe.outcome(), ProbeOutcome::Failed { relays: 2, silent: 1 });
        assert!(!probe.answer_by_relay(addr(4)));
        assert!(probe.answer_by_relay(addr(3)));
        assert_eq!(probe.outcome(), ProbeOutcome::Answered);
    }

    #[test]
    fn a_ping_that_never_left_proves_nothing() {
        let mut probe = probe();
        probe.undelivered(addr(1));
        assert!(probe.is_refused());
        probe.step(at(160));
        assert_eq!(probe.outcome(), ProbeOutcome::Failed { relays: 0, silent: 0 });
    }
}
