//! The timers of a node: one slot for each reason to wake up by itself.
//!
//! A mechanism that owns a queue of timed things (suspicions, relays, …) keeps their order itself and sets its slot
//! to the earliest. What is due is then found in one place, and the node's deadline is the minimum of nine numbers.

use serde::{Deserialize, Serialize};

use crate::api::Instant;

/// What a node wakes up for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// A suspicion expires, or is gossiped again.
    Suspicion,
    /// The probe period ends and the next one begins.
    Period,
    /// The open probe pings again or asks relays.
    ProbeStep,
    /// A ping for another member stayed unanswered.
    Relay,
    /// The holder of an id that a joiner or this node claims is pinged, or has stayed silent.
    Inquiry,
    /// A handshake sends its next datagram.
    Handshake,
    /// Gossip is sent.
    Gossip,
    /// Missing broadcasts are asked for.
    Ask,
    /// Pages of the digest are asked for, or have not come.
    Pull,
}

const TIMERS: usize = Timer::Pull as usize + 1;

/// When each timer fires, in node time; a timer that is not set never does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Timers {
    at: [Instant; TIMERS],
}

impl Default for Timers {
    fn default() -> Self {
        Self { at: [Instant::MAX; TIMERS] }
    }
}

impl Timers {
    /// `timer` fires at `at`, or not at all.
    #[inline]
    pub(crate) fn set(&mut self, timer: Timer, at: Option<Instant>) {
        self.at[timer as usize] = at.unwrap_or(Instant::MAX);
    }

    /// Whether `timer` has to do something at `now`.
    #[inline]
    pub(crate) fn is_due(&self, timer: Timer, now: Instant) -> bool {
        self.at[timer as usize] <= now
    }

    /// A timer whose time has passed fires at `now`.
    #[inline]
    pub(crate) fn creep(&mut self, timer: Timer, now: Instant) {
        let at = &mut self.at[timer as usize];
        *at = (*at).max(now);
    }

    /// When `timer` fires.
    #[inline]
    pub(crate) fn get(&self, timer: Timer) -> Option<Instant> {
        let at = self.at[timer as usize];
        (at < Instant::MAX).then_some(at)
    }

    /// When the first timer fires.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        let mut next = Instant::MAX;
        for at in self.at {
            next = next.min(at);
        }
        (next < Instant::MAX).then_some(next)
    }

    /// Whether `timer` fires at `at`, or not at all: what its owner's queue says.
    pub(crate) fn is_set_to(&self, timer: Timer, at: Option<Instant>) -> bool {
        self.at[timer as usize] == at.unwrap_or(Instant::MAX)
    }
}
