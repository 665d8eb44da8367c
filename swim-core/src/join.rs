//! Finding the cluster: seeds, contacts, and the handshake that proves an address.
//!
//! Whoever wants to be known to somebody who does not know it opens a *contact*. Nothing about the
//! stranger is stored on the other side until it has shown, by returning a token, that it can be reached
//! where it says; until then it gets back no more bytes than it sends.
//!
//! ```text
//!   asking ──Join(nonce, no token)──▶                        stateless: token = PRF(source address, time)
//!          ◀──Challenge(nonce, token)──
//!   asking ──Join(nonce, token)─────▶                        what do I hold under this id?
//!          ◀──Welcome(nonce, held epoch, clock, helpers)──
//!   (epoch = max(own, held + 1))
//!   announcing ──Announce(token) + own Alive──▶              told to everybody
//!          ◀──Ack──                                          joined
//! ```
//!
//! All seeds are asked at once, each with its own back-off, until the first one welcomes: a list of ten
//! addresses of which nine are black holes joins as fast as a list of one. Seeds are remembered for ever;
//! a node that finds itself alone begins again.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identity::NodeId;
use crate::numbers::{self, Question};
use crate::time::Instant;
use crate::{HINTS_MAX, SEEDS_MAX};

/// Hints asked at once.
pub(crate) const HINTS_OPEN_MAX: usize = 8;
/// Introductions open at once.
pub(crate) const INTRODUCTIONS_MAX: usize = 16;
/// Replies to strangers open at once: what strangers send cannot crowd out what this node wants.
pub(crate) const REPLIES_MAX: usize = 4;
/// The missed asked at once.
pub(crate) const MENDING_MAX: usize = 4;
/// Contacts open at once: all seeds and some hints, introductions, replies, and some that are missed.
#[cfg(test)]
pub(crate) const CONTACTS_MAX: usize =
    SEEDS_MAX + HINTS_OPEN_MAX + INTRODUCTIONS_MAX + REPLIES_MAX + MENDING_MAX;
/// Attempts in all of a contact that is not a seed's.
const TRIES_MAX: u8 = 24;
/// Whoever refused is left alone for so many of the longest pauses between two attempts.
const REFUSED_PAUSES: u32 = 10;
/// Attempts with one token.
const TOKEN_USES_MAX: u8 = 4;

/// Why somebody is contacted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Why {
    /// It is a seed, and we look for the cluster: without end.
    Seeking,
    /// It was somebody once, and may know the cluster: a few times, then another one.
    Hint,
    /// It may be alive, and would be of use: a few times.
    Introduction,
    /// It sent something, from an address that may be forged: once, until a token comes from there. What
    /// else it says is not believed.
    Reply,
    /// It is missed: once, until it returns a token; its turn comes round again.
    Mending,
}

impl Why {
    /// Whether it is for the cluster that this is done.
    pub(crate) const fn seeks(self) -> bool {
        matches!(self, Self::Seeking | Self::Hint)
    }

    /// How many of them may be open at once.
    const fn open_max(self) -> usize {
        match self {
            Self::Seeking => SEEDS_MAX,
            Self::Hint => HINTS_OPEN_MAX,
            Self::Introduction => INTRODUCTIONS_MAX,
            Self::Reply => REPLIES_MAX,
            Self::Mending => MENDING_MAX,
        }
    }

    /// Attempts in a row that may stay unanswered.
    const fn silent_max(self) -> u8 {
        match self {
            Self::Seeking => u8::MAX,
            Self::Hint => 4,
            Self::Introduction => 8,
            Self::Reply | Self::Mending => 1,
        }
    }
}

/// How far a contact has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Stage {
    Asking,
    Announcing,
}

/// One open contact.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Contact {
    #[serde(with = "crate::state::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) nonce: u64,
    /// 0: none yet.
    pub(crate) token: u64,
    pub(crate) why: Why,
    pub(crate) stage: Stage,
    /// Who answered there.
    pub(crate) peer: Option<NodeId>,
    token_uses: u8,
    tries: u8,
    /// Attempts since the last answer: the back-off is for silence, not for a datagram lost on the way.
    silent: u8,
    next_at: Instant,
}

/// All open contacts, by place.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Contacts {
    places: Vec<Option<Contact>>,
    retry: (Duration, Duration),
}

impl Contacts {
    pub(crate) const fn new(retry: (Duration, Duration)) -> Self {
        Self { places: Vec::new(), retry }
    }

    /// Opens one that is due at `at`. `false` if as many are open as may be; one to the same address is kept.
    pub(crate) fn open(&mut self, addr: SocketAddr, why: Why, random: u64, at: Instant) -> bool {
        if let Some(open) = self.places.iter_mut().flatten().find(|contact| contact.addr == addr) {
            if why == Why::Seeking && open.why != why {
                (open.why, open.next_at) = (why, at);
            } else if open.why == Why::Mending {
                open.why = why;
            }
            return true;
        }
        let alike = self.places.iter().flatten().filter(|contact| contact.why == why).count();
        if alike >= why.open_max() {
            return false;
        }
        let place = self.places.iter().position(Option::is_none).unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        let nonce = numbers::compose(random, Question::Announce { place: place as u16 });
        self.places[place] = Some(Contact {
            addr,
            nonce,
            token: 0,
            why,
            stage: Stage::Asking,
            peer: None,
            token_uses: 0,
            tries: 0,
            silent: 0,
            next_at: at,
        });
        true
    }

    /// The open contact that `number` belongs to, if it was made to `source` and stands at `stage`.
    pub(crate) fn find(&self, number: u64, source: SocketAddr, stage: Stage) -> Option<Contact> {
        let Some(Question::Announce { place }) = numbers::question(number) else { return None };
        let contact = (*self.places.get(usize::from(place))?)?;
        let fits = contact.nonce == number && contact.addr == source && contact.stage == stage;
        fits.then_some(contact)
    }

    /// Whether `nonce` is that of an open contact.
    pub(crate) fn is_mine(&self, nonce: u64) -> bool {
        self.places.iter().flatten().any(|contact| contact.nonce == nonce)
    }

    /// Whether anybody is still being sought.
    pub(crate) fn is_seeking(&self) -> bool {
        self.places.iter().flatten().any(|contact| contact.why.seeks())
    }

    /// A token came: the contact is due at once.
    pub(crate) fn challenge(&mut self, nonce: u64, token: u64, now: Instant) {
        if let Some(contact) = self.at(nonce) {
            contact.token = token;
            if contact.why == Why::Mending {
                contact.why = Why::Introduction;
            }
            contact.token_uses = 0;
            contact.silent = 0;
            contact.next_at = now;
        }
    }

    /// `peer` bids us welcome: the announcement is due at once.
    pub(crate) fn announce(&mut self, nonce: u64, peer: NodeId, now: Instant) {
        if let Some(contact) = self.at(nonce) {
            contact.stage = Stage::Announcing;
            contact.peer = Some(peer);
            contact.silent = 0;
            contact.next_at = now;
        }
    }

    /// This node's address has changed: no token is good any longer, and all begin again at once.
    pub(crate) fn start_over(&mut self, now: Instant) {
        for contact in self.places.iter_mut().flatten() {
            (contact.stage, contact.token, contact.silent, contact.next_at) = (Stage::Asking, 0, 0, now);
        }
    }

    /// It does not want us: nobody but the user asks there again for a while.
    pub(crate) fn refuse(&mut self, nonce: u64, now: Instant) {
        let pause = self.retry.1.saturating_mul(REFUSED_PAUSES);
        if let Some(contact) = self.at(nonce) {
            (contact.why, contact.tries, contact.next_at) = (Why::Introduction, TRIES_MAX, now.after(pause));
        }
    }

    pub(crate) fn close(&mut self, nonce: u64) {
        if let Some(Question::Announce { place }) = numbers::question(nonce)
            && let Some(entry) = self.places.get_mut(usize::from(place))
            && entry.is_some_and(|contact| contact.nonce == nonce)
        {
            *entry = None;
        }
    }

    /// Ends the search: every contact that only sought is closed.
    pub(crate) fn close_seeking(&mut self) {
        for entry in &mut self.places {
            if entry.is_some_and(|contact| contact.why.seeks()) {
                *entry = None;
            }
        }
    }

    /// The next contact that is due, rescheduled; contacts that were tried often enough are closed.
    /// `jitter` makes a delay of at most the given one.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        mut jitter: impl FnMut(Duration) -> Duration,
    ) -> Option<Contact> {
        for entry in &mut self.places {
            let Some(contact) = entry else { continue };
            if contact.next_at > now {
                continue;
            }
            let proven = contact.why == Why::Reply && contact.token != 0;
            let why = if proven { Why::Introduction } else { contact.why };
            let exhausted = contact.silent >= why.silent_max() || contact.tries >= TRIES_MAX;
            if contact.why != Why::Seeking && exhausted {
                *entry = None;
                continue;
            }
            // A token lives for a while only: after a few attempts in vain a new one is asked for.
            contact.token_uses = contact.token_uses.saturating_add(1);
            if contact.token_uses > TOKEN_USES_MAX && contact.token != 0 {
                contact.token = 0;
                contact.stage = Stage::Asking;
            }
            // Whoever may be suspected meanwhile has no time for a back-off.
            let doubled = if contact.why == Why::Seeking { contact.silent.min(16) } else { 0 };
            let delay = self.retry.0.saturating_mul(1 << doubled).min(self.retry.1);
            contact.tries = contact.tries.saturating_add(1);
            contact.silent = contact.silent.saturating_add(1);
            contact.next_at =
                if mutant!(JoinRetryForgotten) { Instant::MAX } else { now.after(jitter(delay)) };
            return Some(*contact);
        }
        // Nothing is looked through while nobody is contacted.
        while let Some(None) = self.places.last() {
            self.places.pop();
        }
        None
    }

    /// When the next one is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.places.iter().flatten().map(|contact| contact.next_at).min()
    }

    fn at(&mut self, nonce: u64) -> Option<&mut Contact> {
        let Some(Question::Announce { place }) = numbers::question(nonce) else { return None };
        self.places.get_mut(usize::from(place))?.as_mut().filter(|contact| contact.nonce == nonce)
    }
}

/// A seed, and which member it turned out to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SeedAt {
    #[serde(with = "crate::state::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) id: Option<NodeId>,
}

/// Where this node stands with its cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Search {
    /// Nothing is looked for: no seed was ever named, or the search was cancelled.
    Idle,
    /// Looking.
    Seeking,
    /// Somebody let us in.
    Joined,
}

/// What is looked for, and where.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Join {
    pub(crate) search: Search,
    pub(crate) seeds: Vec<SeedAt>,
    /// Addresses from an earlier life, asked beside the seeds.
    #[serde(with = "crate::state::addrs")]
    pub(crate) hints: Vec<SocketAddr>,
    pub(crate) contacts: Contacts,
    /// Whether this life has been announced to anybody.
    pub(crate) announced: bool,
    /// How many seeds are no active members, as of this revision of the table; see [`Join::unmet`].
    #[serde(skip)]
    counted: Option<(u64, u32)>,
}

impl Join {
    pub(crate) const fn new(retry: (Duration, Duration)) -> Self {
        Self {
            search: Search::Idle,
            seeds: Vec::new(),
            hints: Vec::new(),
            contacts: Contacts::new(retry),
            announced: false,
            counted: None,
        }
    }

    /// Remembers a seed; `false` if there are as many as there may be.
    pub(crate) fn add_seed(&mut self, addr: SocketAddr) -> bool {
        if self.seeds.iter().any(|seed| seed.addr == addr) {
            return true;
        }
        if self.seeds.len() >= SEEDS_MAX {
            return false;
        }
        self.seeds.push(SeedAt { addr, id: None });
        self.counted = None;
        true
    }

    /// Remembers a hint; `false` if there are as many as there may be.
    pub(crate) fn add_hint(&mut self, addr: SocketAddr) -> bool {
        if self.hints.contains(&addr) {
            return true;
        }
        if self.hints.len() >= HINTS_MAX {
            return false;
        }
        self.hints.push(addr);
        true
    }

    /// Whether `addr` is a seed.
    pub(crate) fn is_seed(&self, addr: SocketAddr) -> bool {
        self.seeds.iter().any(|seed| seed.addr == addr)
    }

    /// A seed turned out to be this member.
    pub(crate) fn identify(&mut self, addr: SocketAddr, id: NodeId) {
        if let Some(seed) = self.seeds.iter_mut().find(|seed| seed.addr == addr) {
            seed.id = Some(id);
            self.counted = None;
        }
    }

    /// How many seeds are not met. While neither the table, whose `revision` this is, nor a seed changes, nobody
    /// is looked for.
    pub(crate) fn unmet(&mut self, revision: u64, is_met: impl Fn(NodeId) -> bool) -> u32 {
        if let Some((counted_at, unmet)) = self.counted
            && counted_at == revision
        {
            return unmet;
        }
        let unmet = self.seeds.iter().filter(|seed| !seed.id.is_some_and(&is_met)).count() as u32;
        self.counted = Some((revision, unmet));
        unmet
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
        let mut contacts = Contacts::new(RETRY);
        contacts.open(addr(1), Why::Seeking, 0, at(0));
        let mut times = alloc::vec![];
        for millis in (0..2_000).step_by(50) {
            if contacts.due(at(millis), |delay| delay).is_some() {
                times.push(millis);
            }
        }
        assert_eq!(times, [0, 100, 300, 650, 1000, 1350, 1700]);
    }

    #[test]
    fn an_introduction_is_given_up_after_a_few_attempts() {
        let mut contacts = Contacts::new(RETRY);
        contacts.open(addr(1), Why::Introduction, 0, at(0));
        let tries = (0..100).filter(|step| contacts.due(at(step * 100), |delay| delay).is_some()).count();
        assert_eq!(tries, usize::from(Why::Introduction.silent_max()));
        assert_eq!(contacts.deadline(), None);
    }

    #[test]
    fn an_answer_ends_the_back_off_but_not_the_bound_on_attempts() {
        let mut contacts = Contacts::new(RETRY);
        contacts.open(addr(1), Why::Introduction, 0, at(0));
        let mut times = alloc::vec![];
        for millis in (0..9_000).step_by(50) {
            if let Some(contact) = contacts.due(at(millis), |delay| delay) {
                times.push(millis);
                contacts.announce(contact.nonce, NodeId(1), at(millis + 50));
            }
        }
        assert_eq!(times.len(), usize::from(TRIES_MAX));
        assert_eq!(times[..4], [0, 50, 100, 150], "each answer makes the next step due at once");
        assert_eq!(contacts.deadline(), None);
    }

    #[test]
    fn a_stranger_is_answered_once_unless_it_returns_a_token() {
        let mut contacts = Contacts::new(RETRY);
        contacts.open(addr(1), Why::Reply, 0, at(0));
        contacts.open(addr(2), Why::Reply, 0, at(0));
        let first = contacts.due(at(0), |delay| delay).expect("one answer each");
        assert!(contacts.due(at(0), |delay| delay).is_some());
        contacts.challenge(first.nonce, 7, at(1));
        let tries = (0..100).filter(|step| contacts.due(at(1 + step * 400), |delay| delay).is_some()).count();
        let bound = usize::from(Why::Introduction.silent_max());
        assert!((2..=bound).contains(&tries), "{tries}: only the one that has proven its address");
    }

    #[test]
    fn an_answer_must_fit_number_source_and_stage() {
        let mut contacts = Contacts::new(RETRY);
        contacts.open(addr(1), Why::Seeking, 0x1234_0000, at(0));
        let contact = contacts.due(at(0), |delay| delay).expect("it is due");
        assert!(contacts.find(contact.nonce, addr(1), Stage::Asking).is_some());
        assert!(contacts.find(contact.nonce, addr(2), Stage::Asking).is_none());
        assert!(contacts.find(contact.nonce ^ (1 << 40), addr(1), Stage::Asking).is_none());
        assert!(contacts.find(contact.nonce, addr(1), Stage::Announcing).is_none());
        contacts.challenge(contact.nonce, 7, at(1));
        assert_eq!(contacts.due(at(1), |delay| delay).map(|contact| contact.token), Some(7));
        contacts.announce(contact.nonce, NodeId(1), at(2));
        assert!(contacts.find(contact.nonce, addr(1), Stage::Announcing).is_some());
        contacts.close(contact.nonce);
        assert_eq!(contacts.deadline(), None);
    }

    #[test]
    fn contacts_seeds_and_hints_are_bounded() {
        let mut join = Join::new(RETRY);
        for last in 0..SEEDS_MAX as u16 {
            assert!(join.add_seed(addr(last)));
        }
        assert!(join.add_seed(addr(0)), "a known one takes no room");
        assert!(!join.add_seed(addr(999)));
        for last in 0..HINTS_MAX as u16 {
            assert!(join.add_hint(addr(last)));
        }
        assert!(!join.add_hint(addr(999)));
        let mut next = 0;
        for (why, max) in [
            (Why::Reply, REPLIES_MAX),
            (Why::Introduction, INTRODUCTIONS_MAX),
            (Why::Hint, HINTS_OPEN_MAX),
            (Why::Mending, MENDING_MAX),
            (Why::Seeking, SEEDS_MAX),
        ] {
            for _ in 0..max {
                next += 1;
                assert!(join.contacts.open(addr(next), why, 0, at(0)), "{why:?} {next}");
            }
            assert!(!join.contacts.open(addr(999), why, 0, at(0)), "{why:?}");
        }
        assert_eq!(join.contacts.places.len(), CONTACTS_MAX);
    }

    #[test]
    fn a_token_that_gets_no_answer_is_given_up_for_a_new_one() {
        let mut contacts = Contacts::new(RETRY);
        contacts.open(addr(1), Why::Seeking, 0, at(0));
        let nonce = contacts.due(at(0), |delay| delay).expect("it is due").nonce;
        contacts.challenge(nonce, 7, at(0));
        contacts.announce(nonce, NodeId(1), at(0));
        let used: alloc::vec::Vec<_> = (0..6)
            .filter_map(|step| contacts.due(at(step * 400), |delay| delay))
            .map(|contact| (contact.token, contact.stage))
            .collect();
        let uses = usize::from(TOKEN_USES_MAX);
        assert!(used[..uses].iter().all(|use_| *use_ == (7, Stage::Announcing)), "{used:?}");
        assert!(used[uses..].iter().all(|use_| *use_ == (0, Stage::Asking)), "{used:?}");
    }
}
