//! The open handshake attempts: each has a purpose and its own back-off, and has come as far as its token and its member say.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::SEEDS_MAX;
use crate::api::{Instant, NodeId};

/// Known peers asked at once.
pub(crate) const KNOWN_PEERS_OPEN_MAX: usize = 8;
/// Introductions open at once.
pub(crate) const INTRODUCTIONS_MAX: usize = 16;
/// Replies to strangers open at once: what strangers send cannot crowd out what this node wants.
pub(crate) const REPLIES_MAX: usize = 4;
/// Peers that refused and are remembered.
const REFUSED_MAX: usize = 16;
/// Attempts open at once: all seeds and some known peers, introductions, replies and refusals.
pub(crate) const OPEN_ATTEMPTS_MAX: usize =
    SEEDS_MAX + KNOWN_PEERS_OPEN_MAX + INTRODUCTIONS_MAX + REPLIES_MAX + REFUSED_MAX;
/// Attempts in all of an attempt that is not a seed's.
const TRIES_MAX: u8 = 24;
/// A peer that refused is left alone for so many of the longest pauses between two attempts.
const REFUSED_PAUSES: u32 = 10;
/// Attempts with one token.
const TOKEN_USES_MAX: u8 = 4;

/// What an attempt is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// It is a seed, and the cluster is looked for: without end.
    Join,
    /// It was a member once, and may know the cluster: a few times, then another one.
    KnownPeer,
    /// It may be alive, and would be of use: a few times.
    Introduction,
    /// It sent something, from an address that may be forged: once, until a token comes from there. What
    /// else it says is not believed.
    Reply,
    /// It refused this node: nothing, and only the user asks there again for a while.
    Refused,
}

impl Purpose {
    /// Whether it is for the cluster that this is done.
    pub(crate) const fn seeks(self) -> bool {
        matches!(self, Self::Join | Self::KnownPeer)
    }

    /// How many may be open at once, and how many of one's datagrams in a row may stay unanswered.
    const fn limits(self) -> (usize, u8) {
        match self {
            Self::Join => (SEEDS_MAX, u8::MAX),
            Self::KnownPeer => (KNOWN_PEERS_OPEN_MAX, 4),
            Self::Introduction => (INTRODUCTIONS_MAX, 8),
            Self::Reply => (REPLIES_MAX, 1),
            Self::Refused => (REFUSED_MAX, 0),
        }
    }
}

/// One open attempt.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    #[serde(with = "crate::collections::serial::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) nonce: u64,
    /// 0: none yet.
    pub(crate) token: u64,
    pub(crate) purpose: Purpose,
    /// The member that lets this node in, which announces itself there.
    pub(crate) peer: Option<NodeId>,
    token_uses: u8,
    tries: u8,
    /// Attempts since the last answer: the back-off is for silence, not for a datagram lost on the way.
    silent: u8,
    next_at: Instant,
}

impl Attempt {
    /// The peer answered: the next step, with this token and for this member, is due at once.
    pub(crate) const fn advance(&mut self, token: u64, peer: Option<NodeId>, now: Instant) {
        if self.token != token {
            self.token_uses = 0;
        }
        (self.token, self.peer, self.silent, self.next_at) = (token, peer, 0, now);
    }

    /// Whether it was made often enough. A seed's never is; an address that has returned a token is not forged.
    fn is_exhausted(&self) -> bool {
        let proven = self.purpose == Purpose::Reply && self.token != 0;
        let purpose = if proven { Purpose::Introduction } else { self.purpose };
        self.purpose != Purpose::Join && (self.silent >= purpose.limits().1 || self.tries >= TRIES_MAX)
    }
}

/// All open attempts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attempts {
    open: Vec<Attempt>,
    retry: (Duration, Duration),
}

impl Attempts {
    pub(crate) const fn new(retry: (Duration, Duration)) -> Self {
        Self { open: Vec::new(), retry }
    }

    /// Opens one that is due at `at`. `false` if as many are open as may be; one to the same address is kept.
    pub(crate) fn open(&mut self, addr: SocketAddr, purpose: Purpose, nonce: u64, at: Instant) -> bool {
        if let Some(open) = self.open.iter_mut().find(|attempt| attempt.addr == addr) {
            if purpose == Purpose::Join && open.purpose != purpose {
                (open.purpose, open.next_at) = (purpose, at);
            }
            return true;
        }
        let has_room = self.has_room(purpose);
        if has_room {
            let (token, token_uses, tries, silent) = (0, 0, 0, 0);
            let peer = None;
            let next_at = at;
            self.open.push(Attempt { addr, nonce, token, purpose, peer, token_uses, tries, silent, next_at });
        }
        has_room
    }

    fn has_room(&self, purpose: Purpose) -> bool {
        self.open.iter().filter(|attempt| attempt.purpose == purpose).count() < purpose.limits().0
    }

    /// The open attempt with this nonce, if it was made to `source`.
    pub(crate) fn find(&mut self, nonce: u64, source: SocketAddr) -> Option<&mut Attempt> {
        self.open.iter_mut().find(|attempt| attempt.nonce == nonce && attempt.addr == source)
    }

    /// Whether `nonce` is that of an open attempt.
    pub(crate) fn is_mine(&self, nonce: u64) -> bool {
        self.open.iter().any(|attempt| attempt.nonce == nonce)
    }

    /// Whether the cluster is still looked for.
    pub(crate) fn is_seeking(&self) -> bool {
        self.open.iter().any(|attempt| attempt.purpose.seeks())
    }

    /// This node's address has changed: no token is good any longer, and all begin again at once.
    pub(crate) fn start_over(&mut self, now: Instant) {
        self.open.iter_mut().for_each(|attempt| attempt.advance(0, None, now));
    }

    /// The peer refuses: only the user asks there again for a while.
    pub(crate) fn refuse(&mut self, nonce: u64, now: Instant) {
        let next_at = now.after(self.retry.1.saturating_mul(REFUSED_PAUSES));
        let has_room = self.has_room(Purpose::Refused);
        match self.open.iter_mut().find(|attempt| attempt.nonce == nonce) {
            Some(attempt) if has_room => (attempt.purpose, attempt.next_at) = (Purpose::Refused, next_at),
            _ => self.close(nonce),
        }
    }

    pub(crate) fn close(&mut self, nonce: u64) {
        self.open.retain(|attempt| attempt.nonce != nonce);
    }

    /// Ends the attempts at seeds that are none any more.
    pub(crate) fn close_forgotten(&mut self, is_seed: impl Fn(SocketAddr) -> bool) {
        self.open.retain(|attempt| attempt.purpose != Purpose::Join || is_seed(attempt.addr));
    }

    /// Ends the search: every attempt that only sought is closed.
    pub(crate) fn close_seeking(&mut self) {
        self.open.retain(|attempt| !attempt.purpose.seeks());
    }

    /// The next attempt that is due, rescheduled; attempts that were tried often enough are closed.
    /// `jitter` makes a delay of at most the given one.
    pub(crate) fn take_due(
        &mut self,
        now: Instant,
        mut jitter: impl FnMut(Duration) -> Duration,
    ) -> Option<Attempt> {
        self.open.retain(|attempt| attempt.next_at > now || !attempt.is_exhausted());
        let attempt = self.open.iter_mut().find(|attempt| attempt.next_at <= now)?;
        // A token is valid for a while only: after a few attempts in vain a new one is asked for.
        attempt.token_uses = attempt.token_uses.saturating_add(1);
        if attempt.token_uses > TOKEN_USES_MAX {
            (attempt.token, attempt.peer) = (0, None);
        }
        // A node that may be suspected meanwhile has no time for a back-off.
        let doubled = if attempt.purpose == Purpose::Join { attempt.silent.min(16) } else { 0 };
        let delay = self.retry.0.saturating_mul(1 << doubled).min(self.retry.1);
        attempt.tries = attempt.tries.saturating_add(1);
        attempt.silent = attempt.silent.saturating_add(1);
        attempt.next_at = now.after(jitter(delay));
        debug_assert!(attempt.peer.is_none() || attempt.token != 0, "an announcement has a token");
        Some(*attempt)
    }

    /// When the next one is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.open.iter().map(|attempt| attempt.next_at).min()
    }

    /// Whether no address has two, and no more are open than may be.
    pub(super) fn is_sound(&self) -> bool {
        let at = |addr| self.open.iter().filter(|attempt| attempt.addr == addr).count();
        self.open.len() <= OPEN_ATTEMPTS_MAX && self.open.iter().all(|attempt| at(attempt.addr) == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(350));

    fn addr(last: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, (last / 256) as u8, last as u8], 7946))
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn advance(attempts: &mut Attempts, nonce: u64, peer: Option<NodeId>, now: Instant) {
        let attempt = attempts.open.iter_mut().find(|attempt| attempt.nonce == nonce);
        attempt.expect("it is open").advance(7, peer, now);
    }

    #[test]
    fn a_seed_is_asked_for_ever_with_a_back_off_that_stops_growing() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Join, 0, at(0));
        let mut times = alloc::vec![];
        for millis in (0..2_000).step_by(50) {
            if attempts.take_due(at(millis), |delay| delay).is_some() {
                times.push(millis);
            }
        }
        assert_eq!(times, [0, 100, 300, 650, 1000, 1350, 1700]);
    }

    #[test]
    fn an_introduction_is_given_up_after_a_few_attempts() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Introduction, 0, at(0));
        let tries =
            (0..100).filter(|step| attempts.take_due(at(step * 100), |delay| delay).is_some()).count();
        assert_eq!(tries, usize::from(Purpose::Introduction.limits().1));
        assert_eq!(attempts.deadline(), None);
    }

    #[test]
    fn an_answer_ends_the_back_off_but_not_the_bound_on_attempts() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Introduction, 0, at(0));
        let mut times = alloc::vec![];
        for millis in (0..9_000).step_by(50) {
            if let Some(attempt) = attempts.take_due(at(millis), |delay| delay) {
                times.push(millis);
                advance(&mut attempts, attempt.nonce, Some(NodeId(1)), at(millis + 50));
            }
        }
        assert_eq!(times.len(), usize::from(TRIES_MAX));
        assert_eq!(times[..4], [0, 50, 100, 150], "each answer makes the next step due at once");
        assert_eq!(attempts.deadline(), None);
    }

    #[test]
    fn a_stranger_is_answered_once_unless_it_returns_a_token() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Reply, 0, at(0));
        attempts.open(addr(2), Purpose::Reply, 1, at(0));
        let first = attempts.take_due(at(0), |delay| delay).expect("one answer each");
        assert!(attempts.take_due(at(0), |delay| delay).is_some());
        advance(&mut attempts, first.nonce, None, at(1));
        let tries =
            (0..100).filter(|step| attempts.take_due(at(1 + step * 400), |delay| delay).is_some()).count();
        let bound = usize::from(Purpose::Introduction.limits().1);
        assert!((2..=bound).contains(&tries), "{tries}: only the one that has proven its address");
    }

    #[test]
    fn an_answer_must_fit_number_and_source() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Join, 0x1234_0000, at(0));
        let nonce = attempts.take_due(at(0), |delay| delay).expect("it is due").nonce;
        assert!(attempts.find(nonce, addr(2)).is_none());
        assert!(attempts.find(nonce ^ (1 << 40), addr(1)).is_none());
        advance(&mut attempts, nonce, None, at(1));
        assert_eq!(attempts.take_due(at(1), |delay| delay).map(|attempt| attempt.token), Some(7));
        attempts.close(nonce);
        assert_eq!((attempts.find(nonce, addr(1)).is_none(), attempts.deadline()), (true, None));
    }

    #[test]
    fn attempts_are_bounded_for_each_purpose() {
        let mut attempts = Attempts::new(RETRY);
        let mut next = 0;
        for (purpose, max) in [
            (Purpose::Reply, REPLIES_MAX),
            (Purpose::Introduction, INTRODUCTIONS_MAX),
            (Purpose::KnownPeer, KNOWN_PEERS_OPEN_MAX),
            (Purpose::Join, SEEDS_MAX),
        ] {
            for _ in 0..max {
                next += 1;
                assert!(attempts.open(addr(next), purpose, u64::from(next), at(0)), "{purpose:?} {next}");
            }
            assert!(!attempts.open(addr(999), purpose, 0, at(0)), "{purpose:?}");
        }
        (1..=REFUSED_MAX).for_each(|nonce| attempts.refuse(nonce as u64, at(0)));
        let refused: alloc::vec::Vec<_> = (1..=REFUSED_MAX as u16).map(addr).collect();
        for addr in &refused {
            assert!(attempts.open(*addr, Purpose::Introduction, 0, at(0)), "a refusal is remembered");
        }
        assert!(!attempts.is_seeking() || attempts.open.len() == next.into());
        for n in 100..100 + (REPLIES_MAX + INTRODUCTIONS_MAX) as u16 {
            let purpose = if n < 104 { Purpose::Reply } else { Purpose::Introduction };
            let _ = attempts.open(addr(n), purpose, n.into(), at(0));
        }
        assert_eq!(attempts.open.len(), OPEN_ATTEMPTS_MAX);
        attempts.refuse(100, at(0));
        assert_eq!(attempts.open.len(), OPEN_ATTEMPTS_MAX - 1, "one refusal too many is forgotten");
    }

    #[test]
    fn a_token_that_gets_no_answer_is_given_up_for_a_new_one() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Join, 0, at(0));
        let nonce = attempts.take_due(at(0), |delay| delay).expect("it is due").nonce;
        advance(&mut attempts, nonce, None, at(0));
        advance(&mut attempts, nonce, Some(NodeId(1)), at(0));
        let used: alloc::vec::Vec<_> = (0..6)
            .filter_map(|step| attempts.take_due(at(step * 400), |delay| delay))
            .map(|attempt| (attempt.token, attempt.peer))
            .collect();
        let uses = usize::from(TOKEN_USES_MAX);
        assert!(used[..uses].iter().all(|use_| *use_ == (7, Some(NodeId(1)))), "{used:?}");
        assert!(used[uses..].iter().all(|use_| *use_ == (0, None)), "{used:?}");
    }
}
