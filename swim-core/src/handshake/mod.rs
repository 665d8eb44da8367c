//! The handshake: how a node becomes known to one that does not know it, and proves its address.
//!
//! A node that wants to be known opens an *attempt*. Nothing about the stranger is stored on the other side until it has
//! shown, by returning a token, that it can be reached where it says; until then it gets back no more bytes than it
//! sends.
//!
//! ```text
//!   asking ──Join(nonce, no token)──▶                        stateless: token = PRF(source address, time)
//!          ◀──Challenge(nonce, token)──
//!   asking ──Join(nonce, token)─────▶                        what is held under this id?
//!          ◀──Welcome(nonce, held epoch, clock, helpers)──
//!   (epoch = max(own, held + 1))
//!   announcing ──Announce(token) + own Alive──▶              gossiped to all
//!          ◀──Ack──                                          joined
//! ```
//!
//! All seeds are asked at once, each with its own back-off, until the first one welcomes: a list of ten addresses of
//! which nine are black holes joins as fast as a list of one. Seeds are remembered for ever; a node that finds itself
//! alone begins again.
//!
//! | file | what |
//! | --- | --- |
//! | here | the side that wants in |
//! | `attempts.rs`, `seeds.rs` | its state: the open attempts; the addresses to ask |
//! | `admission.rs` | the side that lets in |
//! | `rivals.rs` | two nodes with one id that are members already |

mod admission;
mod attempts;
mod rivals;
mod seeds;

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::api::{
    DropReason, Event, Handled, Incarnation, Instant, JoinFailure, Joined, KnownPeer, NodeId, Refusal,
    Status, canonical, is_reachable_form,
};
use crate::context::{Context, Prf, RequestKind, Stream};
use crate::group::{Group, Namesake, Piggyback, SAMPLE_MAX, Slot};
use crate::timers::{Timer, Timers};
use crate::wire::{Announce, Challenge, Datagram, Join, JoinOutcome, Message, Update, Welcome};
use crate::{KNOWN_PEERS_MAX, SEEDS_MAX};
use admission::Admissions;
pub(crate) use attempts::Purpose;
use attempts::{Attempt, Attempts, KNOWN_PEERS_OPEN_MAX};
use rivals::{Lesser, Rival};
use seeds::Seeds;

/// Where this node stands with its cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Search {
    /// Nothing is looked for: no seed was ever named, or the search was cancelled.
    Idle,
    /// Looking.
    Seeking,
    /// A member let this node in.
    Joined,
}

/// What a welcome leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Welcomed {
    Done,
    /// The table has to be given up first; then the welcome is to be handed in again.
    StartOver,
}

/// Wanting in, letting in, and two nodes with one id.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handshake {
    search: Search,
    /// How the last search ended.
    outcome: Option<Result<Joined, JoinFailure>>,
    seeds: Seeds,
    attempts: Attempts,
    /// Whether this node's claim was sent to any other since it began, or began anew.
    announced: bool,
    tokens: Prf,
    admissions: Admissions,
    /// Another node that claims this one's id, and is being asked.
    rival: Option<Rival>,
    lesser: Option<Lesser>,
    /// Where a member has seen this node last, other than it advertises, and which.
    seen: Option<Seen>,
}

/// Where a member has seen this node.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    #[serde(with = "crate::collections::serial::addr")]
    addr: SocketAddr,
    by: NodeId,
}

impl Handshake {
    pub(crate) fn new(cx: &mut Context) -> Self {
        Self {
            search: Search::Idle,
            outcome: None,
            seeds: Seeds::default(),
            attempts: Attempts::new(cx.config.join_retry),
            announced: false,
            tokens: Prf::new(cx.streams.key(Stream::Secrets)),
            admissions: Admissions::default(),
            rival: None,
            lesser: None,
            seen: None,
        }
    }

    /// As if this node had joined long ago.
    pub(crate) const fn assume(&mut self) {
        self.search = Search::Joined;
        self.announced = true;
    }

    /// Whether the cluster is looked for.
    #[inline]
    pub(crate) fn is_seeking(&self) -> bool {
        self.search == Search::Seeking
    }

    /// How the last search ended.
    pub(crate) const fn outcome(&self) -> Option<Result<Joined, JoinFailure>> {
        self.outcome
    }

    /// Whether this node would look for the cluster again if it were alone.
    pub(crate) fn is_joined_through_seeds(&self) -> bool {
        self.search == Search::Joined && !self.seeds.is_empty()
    }

    /// The user names seeds.
    pub(crate) fn join(&mut self, group: &mut Group, seeds: &[SocketAddr]) -> Result<(), Refusal> {
        let me = group.cx.me.addr;
        if Seeds::default().with(seeds, me)?.is_empty() {
            return Err(Refusal::NoUsableAddress);
        }
        self.seeds = self.seeds.clone().with(seeds, me)?;
        self.seek(group, group.cx.now());
        Ok(())
    }

    /// The user replaces the seeds. Without any address left to ask, a search ends.
    pub(crate) fn set_seeds(&mut self, group: &mut Group, seeds: &[SocketAddr]) -> Result<(), Refusal> {
        let me = group.cx.me.addr;
        let kept = Seeds::default().with(seeds, me)?;
        self.seeds.retain(|seed| kept.contains(seed));
        self.seeds = self.seeds.clone().with(seeds, me)?;
        self.attempts.close_forgotten(|seed| kept.contains(seed));
        if self.is_seeking() && !self.seeds.has_any_address() {
            self.give_up(group, JoinFailure::Cancelled);
        } else if !kept.is_empty() && (self.search != Search::Joined || group.n() == 1) {
            self.seek(group, group.cx.now());
        }
        self.arm(group);
        Ok(())
    }

    /// The addresses of the seeds.
    pub(crate) fn seeds(&self) -> impl Iterator<Item = SocketAddr> {
        self.seeds.iter()
    }

    /// The user gives the search up.
    pub(crate) fn cancel(&mut self, group: &mut Group) -> Result<(), Refusal> {
        if !self.is_seeking() {
            return Err(Refusal::NothingToCancel);
        }
        self.give_up(group, JoinFailure::Cancelled);
        Ok(())
    }

    /// The user names known peers of an earlier epoch: a node that has not joined looks for the cluster. Returns how
    /// many are of use.
    pub(crate) fn restore(&mut self, group: &mut Group, peers: &[KnownPeer]) -> u32 {
        let mut used = 0;
        for peer in peers.iter().take(KNOWN_PEERS_MAX) {
            let addr = canonical(peer.addr);
            if peer.id == group.cx.me.id {
                if peer.epoch >= group.cx.me.epoch && group.cx.is_plausible(peer.epoch) {
                    group.start_new_epoch(peer.epoch);
                }
            } else if is_reachable_form(addr) && addr != group.cx.me.addr {
                used += u32::from(self.seeds.add_known_peer(addr));
            }
        }
        if used > 0 && self.search != Search::Joined {
            self.seek(group, group.cx.now());
        }
        used
    }

    /// This node is alone though it had joined.
    pub(crate) fn on_alone(&mut self, group: &mut Group) {
        debug_assert_eq!(group.n(), 1, "a node that is alone holds itself only");
        if self.is_joined_through_seeds() {
            // Not at once: the member that lets this node in may still hold it Dead.
            let pause = group.cx.jittered(group.cx.config.join_retry.0);
            self.seek(group, group.cx.now().after(pause));
        }
    }

    /// The table will be given up: some of its members are peers to ask.
    pub(crate) fn before_starting_over(&mut self, group: &mut Group) {
        for slot in group.sample(Stream::Joining, SAMPLE_MAX, |_, _| true) {
            self.seeds.add_known_peer(group.addr(slot));
        }
    }

    /// It was given up: the cluster is looked for again.
    pub(crate) fn after_starting_over(&mut self, group: &mut Group) {
        self.announced = false;
        if self.seeds.has_any_address() {
            self.seek(group, group.cx.now());
        }
    }

    /// This node has another address: it proves that one everywhere, and asks a few members at once to accept it.
    pub(crate) fn on_moved(&mut self, group: &mut Group) {
        self.attempts.start_over(group.cx.now());
        for slot in group.sample(Stream::Joining, SAMPLE_MAX, |_, _| true) {
            self.open(group, group.addr(slot), Purpose::Introduction);
        }
        self.arm(group);
    }

    /// This node says goodbye.
    pub(crate) fn on_leave(&mut self, group: &mut Group) {
        self.give_up(group, JoinFailure::Left);
        self.rival = None;
        self.arm(group);
    }

    /// Opens an attempt at `addr`, unless it is this node's own address.
    pub(crate) fn open(&mut self, group: &mut Group, addr: SocketAddr, purpose: Purpose) {
        self.open_at(group, addr, purpose, group.cx.now());
        self.arm(group);
    }

    fn open_at(&mut self, group: &mut Group, addr: SocketAddr, purpose: Purpose, at: Instant) {
        if addr == group.cx.me.addr {
            return;
        }
        let nonce = group.cx.number(RequestKind::Handshake);
        if !self.attempts.open(addr, purpose, nonce, at) {
            group.cx.stats.drop(DropReason::AttemptLimit);
        }
    }

    /// Looks for the cluster at all seeds, and at a few of the known peers, from `at` on.
    fn seek(&mut self, group: &mut Group, at: Instant) {
        self.search = Search::Seeking;
        for nth in 0..self.seeds.len() {
            self.open_at(group, self.seeds.addr(nth), Purpose::Join, at);
        }
        self.seek_known_peers(group);
        self.arm(group);
    }

    /// Keeps a few of the known peers among the open attempts, others each time.
    fn seek_known_peers(&mut self, group: &mut Group) {
        let known = self.seeds.known_peers().len();
        for _ in 0..known.min(KNOWN_PEERS_OPEN_MAX) {
            let peer = self.seeds.known_peers()[group.cx.below(Stream::Joining, known as u32) as usize];
            let nonce = group.cx.number(RequestKind::Handshake);
            if peer == group.cx.me.addr
                || !self.attempts.open(peer, Purpose::KnownPeer, nonce, group.cx.now())
            {
                return;
            }
        }
    }

    /// Asks, or announces, wherever it is due.
    pub(crate) fn on_attempt_timer(&mut self, group: &mut Group) {
        let now = group.cx.now();
        while group.cx.outbox.budget_left() > 0 {
            let cx = &mut group.cx;
            let Some(attempt) = self.attempts.take_due(now, |delay| cx.jittered(delay)) else { break };
            let Attempt { addr, nonce, token, .. } = attempt;
            match attempt.peer {
                None => {
                    group.send(addr, &Message::Join(Join { nonce, token }), Piggyback::EMPTY);
                }
                Some(peer) => self.announce(group, &attempt, peer),
            }
        }
        if self.is_seeking() {
            self.seek_known_peers(group);
        }
        self.arm(group);
    }

    fn announce(&mut self, group: &mut Group, attempt: &Attempt, peer: NodeId) {
        self.announced = true;
        // A peer that is held Dead here receives that claim, and refutes in its answer.
        let peer = group.find(peer).filter(|slot| *slot != Slot::ME && group.status(*slot) != Status::Alive);
        let claims = [Slot::ME, peer.unwrap_or(Slot::ME)];
        let claims = &claims[..1 + usize::from(peer.is_some())];
        let announce = Announce { token: attempt.token, number: attempt.nonce };
        group.send(attempt.addr, &Message::Announce(announce), Piggyback::claims(claims));
    }

    /// A message of the handshake, or any under this node's own id.
    pub(crate) fn on_datagram(&mut self, group: &mut Group, datagram: &Datagram<'_>) -> Handled<Welcomed> {
        let Datagram { source, ref header, ref body, .. } = *datagram;
        let me = group.cx.me.id;
        let own_id = header.sender == me;
        match body.message {
            _ if own_id && self.is_echo(&body.message) => return Err(DropReason::FromMyself),
            Message::Join(join) => self.on_join(group, datagram, join)?,
            Message::Challenge(challenge) => self.on_challenge(group, source, challenge)?,
            Message::Welcome(welcome) => return self.on_welcome(group, datagram, welcome),
            Message::Announce(announce) if !own_id => self.on_announce(group, datagram, announce)?,
            Message::Ping(ping) if ping.target == me => self.on_rival_ping(group, datagram, ping.number),
            Message::Ack(ack) => self.on_rival_ack(group, datagram, ack.number)?,
            _ => return Err(DropReason::FromMyself),
        }
        Ok(Welcomed::Done)
    }

    /// A token, to be returned.
    fn on_challenge(&mut self, group: &mut Group, source: SocketAddr, challenge: Challenge) -> Handled {
        let attempt = self.attempts.find(challenge.nonce, source).filter(|attempt| attempt.token == 0);
        attempt.ok_or(DropReason::UnexpectedAnswer)?.advance(challenge.token, None, group.cx.now());
        self.arm(group);
        Ok(())
    }

    /// A node that was asked lets this one in, and says what the cluster holds under its id.
    fn on_welcome(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        welcome: Welcome,
    ) -> Handled<Welcomed> {
        let Datagram { source, ref header, ref body, .. } = *datagram;
        let refused = welcome.outcome == JoinOutcome::Refused;
        // A node that has not made this one prove its address has not got this question from it.
        let attempt = self.attempts.find(welcome.nonce, source).filter(|attempt| attempt.token != 0);
        let attempt = attempt.filter(|attempt| refused || attempt.peer.is_none());
        let purpose = attempt.ok_or(DropReason::UnexpectedAnswer)?.purpose;
        if !group.cx.is_running() {
            return Err(DropReason::NotRunning);
        }
        if welcome.outcome == JoinOutcome::IdTaken {
            return self.on_id_taken(group, datagram, purpose, welcome).map(|()| Welcomed::Done);
        }
        if refused {
            self.on_refused(group, welcome.nonce);
            self.on_seen(group, datagram);
            return Ok(Welcomed::Done);
        }
        let sought = purpose.seeks() || self.seeds.contains(source);
        if self.agree_on_time(group, welcome, sought)? == Welcomed::StartOver {
            return Ok(Welcomed::StartOver);
        }
        let (held, mine) = (welcome.held_epoch, group.cx.me.epoch);
        let outbid = held > mine || (held == mine && !self.announced && held.0 > 0);
        if outbid && group.cx.is_plausible(held) {
            group.start_new_epoch(held);
        }
        if sought {
            group.absorb(body, header.sender);
        } else if let Some(Ok(own)) = body.updates.clone().next()
            && own.about().id == header.sender
        {
            group.on_update(&own, header.sender);
        }
        self.ask_namesake(group);
        self.seeds.identify(source, header.sender);
        if let Some(attempt) = self.attempts.find(welcome.nonce, source) {
            attempt.advance(attempt.token, Some(header.sender), group.cx.now());
        }
        self.arm(group);
        Ok(Welcomed::Done)
    }

    /// The id of a newcomer is its holder's. Between members it is not for the one that was asked to decide which
    /// stays: the rivals settle it. A welcome without the holder's record is no evidence.
    fn on_id_taken(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        purpose: Purpose,
        welcome: Welcome,
    ) -> Handled {
        let rival = alive_addr(datagram, group.cx.me.id).ok_or(DropReason::UnexpectedAnswer)?;
        self.attempts.close(welcome.nonce);
        if purpose.seeks() && group.n() == 1 && !self.announced {
            self.lose(group, rival);
        } else if purpose != Purpose::Reply {
            let (epoch, incarnation) = (welcome.held_epoch, welcome.held_incarnation);
            self.ask_rival(group, Namesake { addr: rival, epoch, incarnation });
        }
        self.give_up_if_refused(group);
        Ok(())
    }

    fn on_refused(&mut self, group: &mut Group, nonce: u64) {
        self.attempts.refuse(nonce, group.cx.now());
        self.give_up_if_refused(group);
    }

    /// A member refused this node because it was seen at another address than it advertises: its own has changed, or is
    /// translated on the way. The user learns which. A node that follows its address takes the one that two members,
    /// or the only other one, have named.
    fn on_seen(&mut self, group: &mut Group, datagram: &Datagram<'_>) {
        let me = group.cx.me;
        let seen = alive_addr(datagram, me.id);
        let Some(addr) = seen.filter(|addr| *addr != me.addr && is_reachable_form(*addr)) else { return };
        group.on_wrong_source(Slot::ME, addr);
        let by = datagram.header.sender;
        let is_agreed = group.n() <= 2 || self.seen.is_some_and(|seen| seen.addr == addr && seen.by != by);
        self.seen = Some(Seen { addr, by });
        if group.cx.config.follow_address && is_agreed {
            group.set_my_addr(addr);
            self.on_moved(group);
        }
    }

    /// The member that lets this node in says what the cluster's epoch clock reads. If that differs by more than a lead,
    /// neither side would believe the other: a node that looks for its cluster and is alone takes an epoch that the
    /// others can believe, one that has members gives them up if a seed is ahead of them all, and any other had better
    /// not be let in.
    fn agree_on_time(&mut self, group: &mut Group, welcome: Welcome, sought: bool) -> Handled<Welcomed> {
        let theirs = welcome.clock;
        let now = group.cx.clock.real();
        let alone = group.n() == 1;
        let (mine, clock) = (group.cx.me.epoch, &mut group.cx.epoch_clock);
        let ahead = theirs > clock.latest(now);
        // A node that was just admitted here is about to announce itself by this clock. Members may have found this
        // node before its search has found them.
        let shared = clock.was_shared(group.cx.config.join_retry.1, now);
        let later = theirs > clock.now(now);
        let takes_over = if alone { later || !shared } else { later && self.is_seeking() };
        // Others hold this node's own epoch already.
        let ours = clock.now(now).max(mine);
        let far = !clock.is_credible(ours, theirs) || !clock.is_credible(theirs, ours);
        let incredible = !clock.is_credible(mine, theirs);
        if far && !(sought && (alone || ahead)) {
            self.on_refused(group, welcome.nonce);
            return Err(DropReason::InsaneEpoch);
        }
        if far && !alone {
            return Ok(Welcomed::StartOver);
        }
        if far && !takes_over {
            // The node asks again: by then the other has taken over its clock, or never will.
            return Err(DropReason::InsaneEpoch);
        }
        if sought && takes_over {
            clock.take_over(theirs, now);
        }
        if far && incredible {
            group.set_my_stamp(theirs, Incarnation(0));
            group.cx.event(Event::EpochRaised { epoch: theirs });
        }
        Ok(Welcomed::Done)
    }

    /// An announcement arrived, so this node is a member, and the search has ended, if there was one. Returns whether
    /// the other holds something else; `None`: nothing was announced there.
    pub(crate) fn on_announced(
        &mut self,
        group: &mut Group,
        source: SocketAddr,
        number: u64,
        root: Option<u64>,
    ) -> Option<bool> {
        self.attempts.find(number, source)?.peer?;
        self.attempts.close(number);
        group.on_found(source);
        if self.is_seeking() {
            self.search = Search::Joined;
            self.attempts.close_seeking();
            let (via, members) = (source, group.n());
            self.outcome = Some(Ok(Joined { via, members }));
            group.cx.event(Event::Joined { via, members });
        }
        self.arm(group);
        Some(root != Some(group.digest_root()))
    }

    /// Ends the search if all that were asked have refused.
    fn give_up_if_refused(&mut self, group: &mut Group) {
        if !self.attempts.is_seeking() {
            self.give_up(group, JoinFailure::Refused);
        }
        self.arm(group);
    }

    /// Ends the search without a cluster, or where it was before.
    fn give_up(&mut self, group: &mut Group, reason: JoinFailure) {
        if self.is_seeking() {
            self.search = if group.n() > 1 { Search::Joined } else { Search::Idle };
            self.attempts.close_seeking();
            self.outcome = Some(Err(reason));
            group.cx.event(Event::JoinFailed { reason });
            self.arm(group);
        }
    }

    /// Seeds that are not known to be an active member.
    pub(crate) fn unmet_seeds(&self, group: &Group) -> impl Iterator<Item = SocketAddr> {
        let joined = self.search == Search::Joined;
        self.seeds.unmet(|id| group.find_active(id).is_some()).filter(move |_| joined)
    }

    fn arm(&self, group: &mut Group) {
        group.cx.timers.set(Timer::Handshake, self.attempts.deadline());
        group.cx.timers.set(Timer::Inquiry, self.inquiry_deadline());
    }

    fn inquiry_deadline(&self) -> Option<Instant> {
        let rival = self.rival.map(|rival| rival.inquiry.next_at);
        self.admissions.deadline().into_iter().chain(rival).min()
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self) -> bool {
        self.attempts.is_sound() && self.admissions.is_sound() && self.seeds.len() <= SEEDS_MAX
    }

    /// Whether its timers are armed as its queues say.
    pub(crate) fn is_armed(&self, timers: &Timers) -> bool {
        timers.is_set_to(Timer::Handshake, self.attempts.deadline())
            && timers.is_set_to(Timer::Inquiry, self.inquiry_deadline())
    }
}

/// Where a datagram's updates say that the node `id` is Alive.
fn alive_addr(datagram: &Datagram<'_>, id: NodeId) -> Option<SocketAddr> {
    datagram.body.updates.clone().flatten().find_map(|update| match update {
        Update::Alive { about, addr, .. } if about.id == id => Some(addr),
        _ => None,
    })
}
