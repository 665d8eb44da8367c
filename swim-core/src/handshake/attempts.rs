//! The open handshake attempts: each has a purpose, a stage, and its own back-off.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::SEEDS_MAX;
use crate::api::{Instant, NodeId};
use crate::context::{RequestKind, requests};

/// Known peers asked at once.
pub(crate) const KNOWN_PEERS_OPEN_MAX: usize = 8;
/// Introductions open at once.
pub(crate) const INTRODUCTIONS_MAX: usize = 16;
/// Replies to strangers open at once: what strangers send cannot crowd out what this node wants.
pub(crate) const REPLIES_MAX: usize = 4;
/// Attempts open at once: all seeds and some known peers, introductions and replies.
#[cfg(test)]
pub(crate) const OPEN_ATTEMPTS_MAX: usize =
    SEEDS_MAX + KNOWN_PEERS_OPEN_MAX + INTRODUCTIONS_MAX + REPLIES_MAX;
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
}

impl Purpose {
    /// Whether it is for the cluster that this is done.
    pub(crate) const fn seeks(self) -> bool {
        matches!(self, Self::Join | Self::KnownPeer)
    }

    /// How many of them may be open at once.
    const fn open_max(self) -> usize {
        match self {
            Self::Join => SEEDS_MAX,
            Self::KnownPeer => KNOWN_PEERS_OPEN_MAX,
            Self::Introduction => INTRODUCTIONS_MAX,
            Self::Reply => REPLIES_MAX,
        }
    }

    /// Attempts in a row that may stay unanswered.
    const fn silent_max(self) -> u8 {
        match self {
            Self::Join => u8::MAX,
            Self::KnownPeer => 4,
            Self::Introduction => 8,
            Self::Reply => 1,
        }
    }
}

/// How far an attempt has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Stage {
    Asking,
    Announcing,
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
    pub(crate) stage: Stage,
    /// The member that answered there.
    pub(crate) peer: Option<NodeId>,
    token_uses: u8,
    tries: u8,
    /// Attempts since the last answer: the back-off is for silence, not for a datagram lost on the way.
    silent: u8,
    next_at: Instant,
}

/// All open attempts, by index.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attempts {
    entries: Vec<Option<Attempt>>,
    retry: (Duration, Duration),
}

impl Attempts {
    pub(crate) const fn new(retry: (Duration, Duration)) -> Self {
        Self { entries: Vec::new(), retry }
    }

    /// Opens one that is due at `at`. `false` if as many are open as may be; one to the same address is kept.
    pub(crate) fn open(&mut self, addr: SocketAddr, purpose: Purpose, random: u64, at: Instant) -> bool {
        if let Some(open) = self.entries.iter_mut().flatten().find(|attempt| attempt.addr == addr) {
            if purpose == Purpose::Join && open.purpose != purpose {
                (open.purpose, open.next_at) = (purpose, at);
            }
            return true;
        }
        let alike = self.entries.iter().flatten().filter(|attempt| attempt.purpose == purpose).count();
        if alike >= purpose.open_max() {
            return false;
        }
        let index = self.entries.iter().position(Option::is_none).unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        let nonce = requests::compose(random, RequestKind::Handshake { index: index as u16 });
        debug_assert!(self.entries[index].is_none(), "an open attempt keeps its index");
        debug_assert!(alike < purpose.open_max(), "the attempts of one purpose are bounded");
        self.entries[index] = Some(Attempt {
            addr,
            nonce,
            token: 0,
            purpose,
            stage: Stage::Asking,
            peer: None,
            token_uses: 0,
            tries: 0,
            silent: 0,
            next_at: at,
        });
        true
    }

    /// The open attempt that `number` belongs to, if it was made to `source` and stands at `stage`.
    pub(crate) fn find(&self, number: u64, source: SocketAddr, stage: Stage) -> Option<Attempt> {
        let Some(RequestKind::Handshake { index }) = requests::kind(number) else { return None };
        let attempt = (*self.entries.get(usize::from(index))?)?;
        let fits = attempt.nonce == number && attempt.addr == source && attempt.stage == stage;
        fits.then_some(attempt)
    }

    /// Whether `nonce` is that of an open attempt.
    pub(crate) fn is_mine(&self, nonce: u64) -> bool {
        self.entries.iter().flatten().any(|attempt| attempt.nonce == nonce)
    }

    /// Whether the cluster is still looked for.
    pub(crate) fn is_seeking(&self) -> bool {
        self.entries.iter().flatten().any(|attempt| attempt.purpose.seeks())
    }

    /// A token came: the attempt is due at once.
    pub(crate) fn challenge(&mut self, nonce: u64, token: u64, now: Instant) {
        if let Some(attempt) = self.at(nonce) {
            attempt.token = token;
            attempt.token_uses = 0;
            attempt.silent = 0;
            attempt.next_at = now;
        }
    }

    /// `peer` lets this node in: the announcement is due at once.
    pub(crate) fn announce(&mut self, nonce: u64, peer: NodeId, now: Instant) {
        if let Some(attempt) = self.at(nonce) {
            attempt.stage = Stage::Announcing;
            attempt.peer = Some(peer);
            attempt.silent = 0;
            attempt.next_at = now;
        }
    }

    /// This node's address has changed: no token is good any longer, and all begin again at once.
    pub(crate) fn start_over(&mut self, now: Instant) {
        for attempt in self.entries.iter_mut().flatten() {
            (attempt.stage, attempt.token, attempt.silent, attempt.next_at) = (Stage::Asking, 0, 0, now);
        }
    }

    /// It refuses: only the user asks there again for a while.
    pub(crate) fn refuse(&mut self, nonce: u64, now: Instant) {
        let pause = self.retry.1.saturating_mul(REFUSED_PAUSES);
        if let Some(attempt) = self.at(nonce) {
            (attempt.purpose, attempt.tries, attempt.next_at) =
                (Purpose::Introduction, TRIES_MAX, now.after(pause));
        }
    }

    pub(crate) fn close(&mut self, nonce: u64) {
        if let Some(RequestKind::Handshake { index }) = requests::kind(nonce)
            && let Some(entry) = self.entries.get_mut(usize::from(index))
            && entry.is_some_and(|attempt| attempt.nonce == nonce)
        {
            *entry = None;
        }
        debug_assert!(!self.is_mine(nonce), "a closed attempt has no number");
    }

    /// Ends the search: every attempt that only sought is closed.
    pub(crate) fn close_seeking(&mut self) {
        for entry in &mut self.entries {
            if entry.is_some_and(|attempt| attempt.purpose.seeks()) {
                *entry = None;
            }
        }
        debug_assert!(!self.is_seeking(), "no attempt outlasts the search that it was made for");
    }

    /// The next attempt that is due, rescheduled; attempts that were tried often enough are closed.
    /// `jitter` makes a delay of at most the given one.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        mut jitter: impl FnMut(Duration) -> Duration,
    ) -> Option<Attempt> {
        for entry in &mut self.entries {
            let Some(attempt) = entry else { continue };
            if attempt.next_at > now {
                continue;
            }
            let proven = attempt.purpose == Purpose::Reply && attempt.token != 0;
            let purpose = if proven { Purpose::Introduction } else { attempt.purpose };
            let exhausted = attempt.silent >= purpose.silent_max() || attempt.tries >= TRIES_MAX;
            if attempt.purpose != Purpose::Join && exhausted {
                *entry = None;
                continue;
            }
            // A token is valid for a while only: after a few attempts in vain a new one is asked for.
            attempt.token_uses = attempt.token_uses.saturating_add(1);
            if attempt.token_uses > TOKEN_USES_MAX && attempt.token != 0 {
                attempt.token = 0;
                attempt.stage = Stage::Asking;
            }
            // A node that may be suspected meanwhile has no time for a back-off.
            let doubled = if attempt.purpose == Purpose::Join { attempt.silent.min(16) } else { 0 };
            let delay = self.retry.0.saturating_mul(1 << doubled).min(self.retry.1);
            attempt.tries = attempt.tries.saturating_add(1);
            attempt.silent = attempt.silent.saturating_add(1);
            attempt.next_at = now.after(jitter(delay));
            debug_assert!(
                attempt.token == 0 || attempt.token_uses <= TOKEN_USES_MAX,
                "the uses of a token are bounded"
            );
            debug_assert!(attempt.tries > 0 && attempt.silent > 0, "an attempt that was made is counted");
            debug_assert!(attempt.next_at >= now, "the next attempt is not in the past");
            return Some(*attempt);
        }
        // Nothing is looked through while there is no attempt.
        while let Some(None) = self.entries.last() {
            self.entries.pop();
        }
        None
    }

    /// When the next one is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.entries.iter().flatten().map(|attempt| attempt.next_at).min()
    }

    /// Whether every open attempt bears the number of its own index, and no address has two.
    pub(super) fn is_sound(&self) -> bool {
        let at = |addr| self.entries.iter().flatten().filter(|attempt| attempt.addr == addr).count();
        (0_u16..).zip(&self.entries).all(|(index, entry)| {
            entry.is_none_or(|attempt| {
                requests::kind(attempt.nonce) == Some(RequestKind::Handshake { index })
                    && at(attempt.addr) == 1
            })
        })
    }

    fn at(&mut self, nonce: u64) -> Option<&mut Attempt> {
        let Some(RequestKind::Handshake { index }) = requests::kind(nonce) else { return None };
        self.entries.get_mut(usize::from(index))?.as_mut().filter(|attempt| attempt.nonce == nonce)
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

    #[test]
    fn a_seed_is_asked_for_ever_with_a_back_off_that_stops_growing() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Join, 0, at(0));
        let mut times = alloc::vec![];
        for millis in (0..2_000).step_by(50) {
            if attempts.due(at(millis), |delay| delay).is_some() {
                times.push(millis);
            }
        }
        assert_eq!(times, [0, 100, 300, 650, 1000, 1350, 1700]);
    }

    #[test]
    fn an_introduction_is_given_up_after_a_few_attempts() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Introduction, 0, at(0));
        let tries = (0..100).filter(|step| attempts.due(at(step * 100), |delay| delay).is_some()).count();
        assert_eq!(tries, usize::from(Purpose::Introduction.silent_max()));
        assert_eq!(attempts.deadline(), None);
    }

    #[test]
    fn an_answer_ends_the_back_off_but_not_the_bound_on_attempts() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Introduction, 0, at(0));
        let mut times = alloc::vec![];
        for millis in (0..9_000).step_by(50) {
            if let Some(attempt) = attempts.due(at(millis), |delay| delay) {
                times.push(millis);
                attempts.announce(attempt.nonce, NodeId(1), at(millis + 50));
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
        attempts.open(addr(2), Purpose::Reply, 0, at(0));
        let first = attempts.due(at(0), |delay| delay).expect("one answer each");
        assert!(attempts.due(at(0), |delay| delay).is_some());
        attempts.challenge(first.nonce, 7, at(1));
        let tries = (0..100).filter(|step| attempts.due(at(1 + step * 400), |delay| delay).is_some()).count();
        let bound = usize::from(Purpose::Introduction.silent_max());
        assert!((2..=bound).contains(&tries), "{tries}: only the one that has proven its address");
    }

    #[test]
    fn an_answer_must_fit_number_source_and_stage() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Join, 0x1234_0000, at(0));
        let attempt = attempts.due(at(0), |delay| delay).expect("it is due");
        assert!(attempts.find(attempt.nonce, addr(1), Stage::Asking).is_some());
        assert!(attempts.find(attempt.nonce, addr(2), Stage::Asking).is_none());
        assert!(attempts.find(attempt.nonce ^ (1 << 40), addr(1), Stage::Asking).is_none());
        assert!(attempts.find(attempt.nonce, addr(1), Stage::Announcing).is_none());
        attempts.challenge(attempt.nonce, 7, at(1));
        assert_eq!(attempts.due(at(1), |delay| delay).map(|attempt| attempt.token), Some(7));
        attempts.announce(attempt.nonce, NodeId(1), at(2));
        assert!(attempts.find(attempt.nonce, addr(1), Stage::Announcing).is_some());
        attempts.close(attempt.nonce);
        assert_eq!(attempts.deadline(), None);
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
                assert!(attempts.open(addr(next), purpose, 0, at(0)), "{purpose:?} {next}");
            }
            assert!(!attempts.open(addr(999), purpose, 0, at(0)), "{purpose:?}");
        }
        assert_eq!(attempts.entries.len(), OPEN_ATTEMPTS_MAX);
    }

    #[test]
    fn a_token_that_gets_no_answer_is_given_up_for_a_new_one() {
        let mut attempts = Attempts::new(RETRY);
        attempts.open(addr(1), Purpose::Join, 0, at(0));
        let nonce = attempts.due(at(0), |delay| delay).expect("it is due").nonce;
        attempts.challenge(nonce, 7, at(0));
        attempts.announce(nonce, NodeId(1), at(0));
        let used: alloc::vec::Vec<_> = (0..6)
            .filter_map(|step| attempts.due(at(step * 400), |delay| delay))
            .map(|attempt| (attempt.token, attempt.stage))
            .collect();
        let uses = usize::from(TOKEN_USES_MAX);
        assert!(used[..uses].iter().all(|use_| *use_ == (7, Stage::Announcing)), "{used:?}");
        assert!(used[uses..].iter().all(|use_| *use_ == (0, Stage::Asking)), "{used:?}");
    }
}
