//! Anti-entropy: finding and fetching what gossip missed.
//!
//! Gossip stops after λ · ⌈log₁₀(n + 1)⌉ sends, so now and then a member misses something for good. Every ping carries
//! the root of the sender's digest, an ack carries a root only if it differs. A node that sees a different
//! root *pulls*: it sends the sixteen hashes below a prefix, and gets the members below those children
//! that differ, or, where they do not fit into one datagram, the word to ask again one level deeper.
//! A page is a range of hashes, never an index, so tables that change meanwhile do no harm.
//!
//! ```text
//!   idle ──root differs──▶ pulling: work = [whole range], window of 4 pages in flight
//!     ▲                        │ page: apply; children that did not fit ──▶ work
//!     └── nothing left ────────┘ productive: again at once · nothing new: wait twice as long, to 30 s
//! ```
//!
//! The puller never learns that it has *more*: the other side sees the same two roots and pulls in turn.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::ControlFlow;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Config, DropReason, Handled, Instant, NodeId};
use crate::context::{RequestKind, Stream, requests};
use crate::group::{Absorbed, Group, Piggyback, SAMPLE_MAX, Slot, digest, row_len};
use crate::timers::Timer;
use crate::wire::{HEADER_LEN, Message, PART_LEN, SyncPage, SyncPull};

/// Pages in flight.
const WINDOW: usize = 4;
/// Ranges waiting to be asked for; what does not fit is found again by the next comparison.
const WORK_MAX: usize = 512;
/// Members asked in one session.
const PEERS_MAX: usize = 8;
/// Attempts at one range, each at another member.
const TRIES_MAX: u8 = 3;
/// Pages in one session; what is missing then is left to the next.
const PAGES_MAX: u32 = 16_384;

/// Pulling what this node lacks, and serving what others lack.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AntiEntropy {
    session: Session,
    /// Scratch space of a page that is made.
    #[serde(skip)]
    rows: Vec<Slot>,
}

impl AntiEntropy {
    pub(crate) fn new(config: &Config) -> Self {
        Self { session: Session::new(config), rows: Vec::new() }
    }

    /// The table is empty: nothing that was found is of use.
    pub(crate) fn start_over(&mut self, group: &mut Group) {
        self.session = Session::new(&group.cx.config);
        self.arm(group);
    }

    /// A member's root is known to differ (`Some`), or not stated because it is the same.
    #[inline]
    pub(crate) fn compare(&mut self, group: &mut Group, peer: NodeId, root: Option<u64>) {
        if root.is_some_and(|root| root != group.digest_root()) {
            self.session.differs(peer, &group.cx.config, group.cx.now());
            self.arm(group);
        }
    }

    /// Pulls what the cluster holds, from the member that let this node in and a few others.
    pub(crate) fn catch_up(&mut self, group: &mut Group, peer: NodeId) {
        let now = group.cx.now();
        self.session.skip_wait(&group.cx.config, now);
        self.session.differs(peer, &group.cx.config, now);
        for helper in group.sample(Stream::Joining, SAMPLE_MAX, |_, _| true) {
            self.session.add_peer(group.id(helper));
        }
        self.arm(group);
    }

    /// Asks for as many pages as the window and the send budget allow.
    pub(crate) fn on_pull_timer(&mut self, group: &mut Group) {
        let now = group.cx.now();
        self.session.expire(&group.cx.config, now);
        while group.cx.outbox.budget_left() > 0
            && let Some((range, peer, index)) = self.session.next_pull()
        {
            let Some(slot) = group.find_active(peer) else {
                self.session.drop_peer(peer, &group.cx.config, now);
                continue;
            };
            let number = group.cx.number(RequestKind::Pull { index });
            let Some(hashes) = group.members().child_hashes((range.prefix, range.depth), number) else {
                break;
            };
            let addr = group.addr(slot);
            self.session.asked(index, addr, number, now);
            group.cx.stats.pages_asked += 1;
            let pull = SyncPull { number, prefix: range.prefix, depth: range.depth, hashes };
            group.send(addr, &Message::SyncPull(pull), Piggyback::EMPTY);
        }
        self.arm(group);
    }

    /// A member asks for what differs below a prefix.
    pub(crate) fn on_pull(&mut self, group: &mut Group, source: SocketAddr, pull: SyncPull) -> Handled {
        let mine = group.members().child_hashes((pull.prefix, pull.depth), pull.number);
        let mine = mine.ok_or(DropReason::Malformed)?;
        group.cx.take_page()?;
        let range = Range { prefix: pull.prefix, depth: pull.depth };
        let mut room = group.datagram_room() - (HEADER_LEN + SyncPage::LEN + PART_LEN);
        let mut more = 0_u16;
        self.rows.clear();
        for (nibble, (mine, theirs)) in (0_u32..).zip(mine.iter().zip(&pull.hashes)) {
            if mine == theirs {
                continue;
            }
            if !collect(group, range.child(nibble), &mut self.rows, &mut room) {
                more |= 1 << nibble;
            }
        }
        let page = SyncPage { number: pull.number, prefix: pull.prefix, depth: pull.depth, more };
        group.cx.stats.pages_served += 1;
        group.send(source, &Message::SyncPage(page), Piggyback { rows: &self.rows, ..Piggyback::EMPTY });
        Ok(())
    }

    /// A page that was asked for. Its updates are applied already.
    pub(crate) fn on_page(
        &mut self,
        group: &mut Group,
        source: SocketAddr,
        page: SyncPage,
        absorbed: &Absorbed,
    ) -> Handled {
        let Some(RequestKind::Pull { index }) = requests::kind(page.number) else {
            return Err(DropReason::UnexpectedAnswer);
        };
        let range = self.session.page(index, page.number, source).ok_or(DropReason::UnexpectedAnswer)?;
        self.session.progress(range, page.more, absorbed.news > 0, &group.cx.config, group.cx.now());
        self.arm(group);
        Ok(())
    }

    fn arm(&self, group: &mut Group) {
        group.cx.timers.set(Timer::Pull, self.session.deadline(&group.cx.config));
        debug_assert!(self.is_sound(group), "a session is idle, or waits for something by its timer");
    }

    /// Whether the session contradicts itself nowhere, and its timer is armed.
    pub(crate) fn is_sound(&self, group: &Group) -> bool {
        let config = &group.cx.config;
        self.session.is_sound(config) && group.cx.timers.is_set_to(Timer::Pull, self.session.deadline(config))
    }
}

/// Collects all members below a prefix; if they do not fit into `room`, none, and `false`. At the last level, where
/// there is no finer question, as many as fit.
fn collect(group: &Group, Range { prefix, depth }: Range, rows: &mut Vec<Slot>, room: &mut usize) -> bool {
    let (start, before) = (rows.len(), *room);
    let mut complete = true;
    let _ = group.members().for_each_in(prefix, depth, |slot| {
        let len = row_len(group.members(), slot);
        if len > *room {
            complete = false;
            return ControlFlow::Break(());
        }
        *room -= len;
        if len > 0 {
            rows.push(slot);
        }
        ControlFlow::Continue(())
    });
    if !complete && depth < digest::DEPTH_MAX {
        rows.truncate(start);
        *room = before;
    }
    debug_assert!(*room <= before, "members that are collected take room");
    debug_assert!(rows.len() >= start, "what was collected before stays");
    complete
}

/// A range of the digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Range {
    prefix: u32,
    depth: u8,
}

impl Range {
    const ALL: Self = Self { prefix: 0, depth: 0 };

    /// The part below `nibble`. A peer's prefix may have bits below its depth; they are ignored.
    const fn child(self, nibble: u32) -> Self {
        debug_assert!(nibble < 16, "a range has sixteen parts");
        debug_assert!(self.depth < digest::DEPTH_MAX, "a range is divided down to the last nibble");
        let above = self.prefix & !(u32::MAX >> (4 * self.depth));
        Self { prefix: above | (nibble << (28 - 4 * self.depth)), depth: self.depth + 1 }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Work {
    range: Range,
    tries: u8,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pull {
    work: Work,
    #[serde(with = "crate::collections::serial::addr")]
    peer: SocketAddr,
    number: u64,
    sent_at: Instant,
}

/// One side of the exchange: the one that lacks. It is idle while nothing is in `window` or `work`.
#[derive(Debug, Serialize, Deserialize)]
struct Session {
    window: [Option<Pull>; WINDOW],
    work: Vec<Work>,
    peers: [Option<NodeId>; PEERS_MAX],
    /// Pages asked for: the peers take turns.
    pages: u32,
    /// Whether a page brought something new.
    productive: bool,
    /// How long to wait after the next unproductive session.
    wait: Duration,
    not_before: Instant,
}

/// The longest wait after an unproductive session.
fn wait_max(config: &Config) -> Duration {
    config.sync_interval_max.unwrap_or(config.period).max(config.period)
}

impl Session {
    fn new(config: &Config) -> Self {
        Self {
            window: [None; WINDOW],
            work: Vec::new(),
            peers: [None; PEERS_MAX],
            pages: 0,
            productive: false,
            wait: config.period,
            not_before: Instant::ORIGIN,
        }
    }

    fn is_idle(&self) -> bool {
        self.work.is_empty() && self.window.iter().all(Option::is_none)
    }

    /// `peer` holds something else.
    fn differs(&mut self, peer: NodeId, config: &Config, now: Instant) {
        let idle = self.is_idle();
        if config.sync_interval_max.is_none() || (idle && now < self.not_before) {
            return;
        }
        if idle {
            self.work.push(Work { range: Range::ALL, tries: 0 });
            self.peers = [None; PEERS_MAX];
            (self.pages, self.productive) = (0, false);
        }
        self.add_peer(peer);
        debug_assert!(self.next_pull().is_some() || !idle, "a session begins with a page to ask for");
    }

    /// One more member to ask in this session.
    fn add_peer(&mut self, peer: NodeId) {
        if self.peers.contains(&Some(peer)) {
            return;
        }
        if let Some(empty) = self.peers.iter_mut().find(|entry| entry.is_none()) {
            *empty = Some(peer);
        }
        debug_assert!(
            self.peers.iter().flatten().filter(|held| **held == peer).count() <= 1,
            "a member is held once"
        );
    }

    /// The next session may begin at once: a join.
    fn skip_wait(&mut self, config: &Config, now: Instant) {
        self.wait = config.period;
        self.not_before = self.not_before.min(now);
    }

    /// The next range to ask for, the member to ask, and the index in the window.
    fn next_pull(&self) -> Option<(Range, NodeId, u16)> {
        let work = self.work.last()?;
        let index = self.window.iter().position(Option::is_none)?;
        let peers = self.peers.iter().flatten();
        let turn = self.pages as usize % peers.clone().count().max(1);
        Some((work.range, *peers.clone().nth(turn)?, index as u16))
    }

    /// It was asked for.
    fn asked(&mut self, index: u16, peer: SocketAddr, number: u64, now: Instant) {
        let Some(mut work) = self.work.pop() else { return };
        work.tries += 1;
        debug_assert!(work.tries <= TRIES_MAX, "the attempts at a range are bounded");
        debug_assert!(self.window[usize::from(index)].is_none(), "a page in flight keeps its entry");
        self.pages += 1;
        self.window[usize::from(index)] = Some(Pull { work, peer, number, sent_at: now });
    }

    /// `peer` cannot be asked any more.
    fn drop_peer(&mut self, peer: NodeId, config: &Config, now: Instant) {
        for entry in &mut self.peers {
            entry.take_if(|held| *held == peer);
        }
        debug_assert!(!self.peers.contains(&Some(peer)), "a member that is gone is not asked again");
        if self.peers.iter().all(Option::is_none) {
            self.finish(config, now);
        }
    }

    /// A page came. Its range, or `None` if it was not asked for.
    fn page(&mut self, index: u16, number: u64, source: SocketAddr) -> Option<Range> {
        let entry = self.window.get_mut(usize::from(index))?;
        let pull = entry.take_if(|pull| pull.number == number && pull.peer == source)?;
        Some(pull.work.range)
    }

    /// What the page brought: whether anything was new, and the children that did not fit.
    fn progress(&mut self, range: Range, more: u16, news: bool, config: &Config, now: Instant) {
        self.productive |= news;
        for nibble in (0..16).filter(|nibble| more & (1 << nibble) != 0) {
            if range.depth < digest::DEPTH_MAX - 1 && self.work.len() < WORK_MAX && self.pages < PAGES_MAX {
                self.work.push(Work { range: range.child(nibble), tries: 0 });
            }
        }
        debug_assert!(self.work.len() <= WORK_MAX, "the ranges that wait are bounded");
        if self.is_idle() {
            self.finish(config, now);
        }
    }

    /// Gives up on pages that did not come in time, and tries them elsewhere.
    fn expire(&mut self, config: &Config, now: Instant) {
        if self.is_idle() {
            return;
        }
        for entry in &mut self.window {
            let late = |pull: &mut Pull| pull.sent_at.after(config.direct_timeout) <= now;
            let Some(pull) = entry.take_if(late) else { continue };
            if pull.work.tries < TRIES_MAX && self.work.len() < WORK_MAX {
                self.work.push(pull.work);
            }
        }
        debug_assert!(self.work.len() <= WORK_MAX, "the ranges that are tried again are bounded");
        if self.is_idle() {
            self.finish(config, now);
        }
    }

    /// When there is something to do next.
    fn deadline(&self, config: &Config) -> Option<Instant> {
        if !self.work.is_empty() && self.window.iter().any(Option::is_none) {
            return Some(Instant::ORIGIN);
        }
        self.window.iter().flatten().map(|pull| pull.sent_at.after(config.direct_timeout)).min()
    }

    fn finish(&mut self, config: &Config, now: Instant) {
        self.window = [None; WINDOW];
        self.work.clear();
        self.not_before = if self.productive { now } else { now.after(self.wait) };
        self.wait =
            if self.productive { config.period } else { self.wait.saturating_mul(2).min(wait_max(config)) };
        debug_assert!(self.is_sound(config), "the back-off stays in its bounds");
        debug_assert!(self.is_idle(), "what is finished waits for nothing");
    }

    /// Whether the back-off and the attempts are in their bounds.
    fn is_sound(&self, config: &Config) -> bool {
        (config.period..=wait_max(config)).contains(&self.wait)
            && self.work.len() <= WORK_MAX
            && self.window.iter().flatten().all(|pull| (1..=TRIES_MAX).contains(&pull.work.tries))
            && self.work.iter().all(|work| work.tries < TRIES_MAX)
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

    /// T is 1 s, a page is waited for for 500 ms, the longest pause is 30 s.
    fn sync() -> (Session, Config) {
        let config = Config::lan();
        (Session::new(&config), config)
    }

    fn ask(sync: &mut Session, number: u64, now: Instant) -> Option<(Range, u16)> {
        let (range, peer, index) = sync.next_pull()?;
        sync.asked(index, addr(peer.0 as u8), number, now);
        Some((range, index))
    }

    #[test]
    fn children_that_did_not_fit_are_asked_for_one_level_deeper() {
        let (mut sync, config) = sync();
        sync.differs(NodeId(1), &config, at(0));
        let (range, index) = ask(&mut sync, 7, at(0)).expect("a session began");
        assert_eq!(range, Range::ALL);
        assert_eq!(sync.page(index, 7, addr(1)), Some(range));
        sync.progress(range, 0b1000_0000_0000_0010, true, &config, at(1));
        let ranges = [ask(&mut sync, 8, at(1)), ask(&mut sync, 9, at(1))].map(|asked| asked.map(|a| a.0));
        assert_eq!(ranges[0], Some(Range { prefix: 0xf000_0000, depth: 1 }));
        assert_eq!(ranges[1], Some(Range { prefix: 0x1000_0000, depth: 1 }));
        assert_eq!(Range { prefix: 0x1000_0000, depth: 1 }.child(2).prefix, 0x1200_0000);
    }

    #[test]
    fn the_wait_doubles_while_nothing_comes_of_it_and_falls_back_when_something_does() {
        let (mut sync, config) = sync();
        let mut now = 0;
        let mut began = alloc::vec![];
        while began.len() < 7 {
            sync.differs(NodeId(1), &config, at(now));
            if let Some((range, index)) = ask(&mut sync, 7, at(now)) {
                began.push(now / 1000);
                sync.page(index, 7, addr(1));
                sync.progress(range, 0, false, &config, at(now));
            }
            now += 1000;
        }
        assert_eq!(began, [0, 1, 3, 7, 15, 31, 61]);
        sync.skip_wait(&config, at(now));
        sync.differs(NodeId(1), &config, at(now));
        let (range, index) = ask(&mut sync, 7, at(now)).expect("no waiting after a join");
        sync.page(index, 7, addr(1));
        sync.progress(range, 0, true, &config, at(now));
        sync.differs(NodeId(1), &config, at(now));
        assert!(ask(&mut sync, 8, at(now)).is_some(), "productive: again at once");
    }

    #[test]
    fn a_page_that_does_not_come_is_asked_of_another_member_and_given_up_in_the_end() {
        let (mut sync, config) = sync();
        sync.differs(NodeId(1), &config, at(0));
        sync.add_peer(NodeId(2));
        for (try_, peer) in [(0_u64, 1), (1, 2), (2, 1)] {
            let now = at(try_ * 500);
            assert_eq!(sync.next_pull().map(|next| next.1), Some(NodeId(peer)));
            ask(&mut sync, try_, now).expect("tried again");
            sync.expire(&config, now.after(config.direct_timeout));
        }
        assert_eq!(sync.next_pull(), None);
        assert_eq!(sync.deadline(&config), None);
    }

    #[test]
    fn only_what_was_asked_for_is_a_page() {
        let (mut sync, config) = sync();
        assert_eq!(sync.page(0, 7, addr(1)), None);
        sync.differs(NodeId(1), &config, at(0));
        let (_, index) = ask(&mut sync, 7, at(0)).expect("a session began");
        assert_eq!(sync.page(index, 8, addr(1)), None);
        assert_eq!(sync.page(index, 7, addr(2)), None);
        assert_eq!(sync.page(99, 7, addr(1)), None);
        assert!(sync.page(index, 7, addr(1)).is_some());
        assert_eq!(sync.page(index, 7, addr(1)), None);
    }

    #[test]
    fn the_work_is_bounded_and_the_window_too() {
        let (mut sync, config) = sync();
        sync.differs(NodeId(1), &config, at(0));
        for number in 0..200 {
            let Some((range, index)) = ask(&mut sync, number, at(0)) else { break };
            sync.page(index, number, addr(1));
            sync.progress(range, u16::MAX, false, &config, at(0));
        }
        assert!(sync.work.len() <= WORK_MAX);
        for number in 0..10 {
            let _ = ask(&mut sync, number, at(0));
        }
        assert_eq!(sync.window.iter().flatten().count(), WINDOW);
    }

    #[test]
    fn no_more_than_eight_members_are_asked_in_one_session() {
        let (mut sync, config) = sync();
        for peer in 1..20 {
            sync.differs(NodeId(peer), &config, at(0));
        }
        let mut asked = alloc::collections::BTreeSet::new();
        for number in 0..40 {
            let Some((_, peer, index)) = sync.next_pull() else { break };
            sync.asked(index, addr(peer.0 as u8), number, at(0));
            asked.insert(peer);
            let range = sync.page(index, number, addr(peer.0 as u8)).expect("it was asked for");
            sync.progress(range, u16::MAX, true, &config, at(0));
        }
        assert_eq!(asked.len(), PEERS_MAX);
    }
}
