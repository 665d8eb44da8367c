//! The handshake, from the side of the one who wants in. `join.rs` has the picture, `admitting.rs` the other side.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Life, Node};
use crate::claim::Status;
use crate::identity::{Epoch, Incarnation, NodeId};
use crate::join::{HINTS_OPEN_MAX, Search, Stage, Why};
use crate::members::{SAMPLE_MAX, Slot};
use crate::output::{Event, JoinFailure};
use crate::random::Purpose;
use crate::stats::DropReason;
use crate::time::Instant;
use crate::wire::{Announce, Body, Challenge, Header, Join, Message, Update, Verdict, Welcome};

impl Node {
    /// Opens a contact to `addr`, unless it is this node's own address.
    pub(super) fn contact(&mut self, addr: SocketAddr, why: Why) {
        self.contact_at(addr, why, self.now());
    }

    fn contact_at(&mut self, addr: SocketAddr, why: Why, at: Instant) {
        if addr == self.me.addr {
            return;
        }
        let random = self.number();
        if !self.join.contacts.open(addr, why, random, at) {
            self.drop_for(DropReason::ContactLimit);
        }
    }

    /// Looks for the cluster at all seeds, and at a few of the hints, from `at` on.
    pub(super) fn seek(&mut self, at: Instant) {
        self.join.search = Search::Seeking;
        for place in 0..self.join.seeds.len() {
            self.contact_at(self.join.seeds[place].addr, Why::Seeking, at);
        }
        self.seek_hints();
    }

    /// Keeps a few of the hints among the open contacts, others each time.
    fn seek_hints(&mut self) {
        let hints = self.join.hints.len();
        for _ in 0..hints.min(HINTS_OPEN_MAX) {
            let hint = self.join.hints[self.streams.below(Purpose::Joining, hints as u32) as usize];
            let random = self.number();
            if hint == self.me.addr || !self.join.contacts.open(hint, Why::Hint, random, self.now()) {
                return;
            }
        }
    }

    /// Asks, or announces, wherever it is due.
    pub(super) fn pursue_contacts(&mut self) {
        let now = self.now();
        while self.outbox.quantum_left() > 0 {
            let streams = &mut self.streams;
            let due = self.join.contacts.due(now, |delay| streams.jittered(Purpose::Jitter, delay));
            let Some(contact) = due else { break };
            match contact.stage {
                Stage::Asking => {
                    let join = Join { nonce: contact.nonce, token: contact.token };
                    self.send(contact.addr, &Message::Join(join), Cargo::EMPTY);
                }
                Stage::Announcing => {
                    let announce = Announce { token: contact.token, number: contact.nonce };
                    self.join.announced = true;
                    // Whoever is held Dead here hears it, and speaks up in its answer.
                    let peer = contact.peer.and_then(|peer| self.members.find(peer)).filter(|slot| {
                        *slot != Slot::ME && self.members.claim(*slot).status != Status::Alive
                    });
                    let claims = [Slot::ME, peer.unwrap_or(Slot::ME)];
                    let claims = &claims[..1 + usize::from(peer.is_some())];
                    self.send(contact.addr, &Message::Announce(announce), Cargo::claims(claims));
                }
            }
        }
        if self.join.search == Search::Seeking {
            self.seek_hints();
        }
    }

    pub(super) fn hear_challenge(
        &mut self,
        source: SocketAddr,
        challenge: Challenge,
    ) -> Result<(), DropReason> {
        let contact = self.join.contacts.find(challenge.nonce, source, Stage::Asking);
        let contact = contact.ok_or(DropReason::UnexpectedAnswer)?;
        if contact.token != 0 {
            return Err(DropReason::UnexpectedAnswer);
        }
        self.join.contacts.challenge(challenge.nonce, challenge.token, self.doubt.awake());
        Ok(())
    }

    /// Somebody who was asked lets us in, and says what the cluster holds under our id.
    pub(super) fn hear_welcome(
        &mut self,
        source: SocketAddr,
        header: &Header,
        welcome: Welcome,
        body: &Body<'_>,
    ) -> Result<(), DropReason> {
        let contacts = &self.join.contacts;
        let asking = contacts.find(welcome.nonce, source, Stage::Asking);
        let refused = welcome.verdict == Verdict::Refused;
        let announced = contacts.find(welcome.nonce, source, Stage::Announcing).filter(|_| refused);
        let contact = asking.or(announced).ok_or(DropReason::UnexpectedAnswer)?;
        // Who has not made us prove our address has not got this question from us.
        if contact.token == 0 {
            return Err(DropReason::UnexpectedAnswer);
        }
        if self.life != Life::Running {
            return Err(DropReason::NotRunning);
        }
        if welcome.verdict != Verdict::Admitted {
            if refused {
                self.join.contacts.refuse(welcome.nonce, self.doubt.awake());
            } else {
                self.join.contacts.close(welcome.nonce);
                self.hear_id_taken(source, contact.why, welcome, body);
            }
            self.give_up_if_refused();
            return Ok(());
        }
        let sought = contact.why.seeks() || self.join.is_seed(source);
        if self.n() == 1 && self.is_ahead_of(welcome.clock) {
            // It asks again: by then that one has taken over its clock, or it has not and never will.
            return Err(DropReason::InsaneEpoch);
        }
        if !self.agree_on_time(welcome.clock, sought) {
            self.join.contacts.refuse(welcome.nonce, self.doubt.awake());
            self.give_up_if_refused();
            return Err(DropReason::InsaneEpoch);
        }
        let held = welcome.held_epoch;
        let outbid = held > self.me.epoch || (held == self.me.epoch && !self.join.announced && held.0 > 0);
        if outbid && mutant!(HeldEpochTaken) {
            self.set_my_word(held, Incarnation(0));
        } else if outbid && self.is_plausible(held) {
            self.outlive(held);
        }
        if sought {
            self.absorb(body, header.sender);
        } else if let Some(Ok(word)) = body.updates.clone().next()
            && word.about().id == header.sender
        {
            self.hear(&word, header.sender);
        }
        self.join.identify(source, header.sender);
        self.join.contacts.announce(welcome.nonce, header.sender, self.doubt.awake());
        Ok(())
    }

    /// The id of a newcomer is its holder's. Between members it is not for the one who was asked to
    /// decide who stays: the rivals settle it.
    fn hear_id_taken(&mut self, source: SocketAddr, why: Why, welcome: Welcome, body: &Body<'_>) {
        let rival = incumbent_address(body, self.me.id).unwrap_or(source);
        if why.seeks() && self.n() == 1 && !self.join.announced {
            self.lose(rival);
        } else if why != Why::Reply {
            self.ask_rival(rival, welcome.held_epoch, welcome.held_incarnation);
        }
    }

    /// Who lets us in says what the cluster's epoch clock reads. If that differs from ours by more than a
    /// lead, neither side would believe the other: a node that looks for its cluster and is alone takes an
    /// epoch that the others can believe, one that has members gives them up if a seed is ahead of them
    /// all, and any other had better not be let in: `false`.
    fn agree_on_time(&mut self, theirs: Epoch, sought: bool) -> bool {
        let now = self.doubt.real();
        let ahead = theirs > self.epoch_clock.latest(now);
        let clock = &self.epoch_clock;
        // Others hold this node's own epoch already.
        let ours = clock.now(now).max(self.me.epoch);
        let far = !clock.is_credible(ours, theirs) || !clock.is_credible(theirs, ours);
        let incredible = !clock.is_credible(self.me.epoch, theirs);
        if far {
            let alone = self.n() == 1;
            if !sought || !(alone || ahead) {
                return false;
            }
            if !alone {
                self.start_over();
            }
        }
        // Who has members already judges as they do.
        if sought && self.n() == 1 && (ahead || !self.has_told_time()) {
            self.epoch_clock.take_over(theirs, now);
        }
        if far && incredible {
            self.set_my_word(theirs, Incarnation(0));
            self.event(Event::EpochRaised { epoch: theirs });
        }
        true
    }

    /// Whether those whose clock reads `theirs` could not believe a node that has just been let in here.
    fn is_ahead_of(&self, theirs: Epoch) -> bool {
        let ours = self.epoch_clock.now(self.doubt.real());
        self.has_told_time() && !self.epoch_clock.is_credible(ours, theirs)
    }

    /// Whether a node that was let in here may be about to announce itself.
    fn has_told_time(&self) -> bool {
        self.epoch_clock.was_told(self.config.join_retry.1, self.doubt.real())
    }

    /// The announcement arrived: this node is a member. `false`: nothing was announced there.
    pub(super) fn hear_announced(
        &mut self,
        source: SocketAddr,
        sender: NodeId,
        number: u64,
        root: Option<u64>,
    ) -> bool {
        if self.join.contacts.find(number, source, Stage::Announcing).is_none() {
            return false;
        }
        self.join.contacts.close(number);
        self.heal.found(source);
        if root != Some(self.digest_root()) {
            self.catch_up(sender);
        }
        if self.join.search == Search::Seeking {
            self.join.search = Search::Joined;
            self.join.contacts.close_seeking();
            self.event(Event::Joined { via: source, members: self.members.len_active() });
        }
        true
    }

    /// Pulls what a cluster holds, from the member that let us in and a few others.
    fn catch_up(&mut self, sender: NodeId) {
        let now = self.now();
        self.sync.at_once(now);
        self.sync.differs(sender, false, now);
        let mut helpers = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.streams;
        let random = &mut |n| streams.below(Purpose::Joining, n);
        let count = self.members.sample(random, &mut helpers, SAMPLE_MAX, |_| true);
        for helper in &helpers[..count] {
            self.sync.add_peer(self.members.id(*helper));
        }
    }

    /// Ends the search if everybody who was asked has refused.
    pub(super) fn give_up_if_refused(&mut self) {
        if !self.join.contacts.is_seeking() {
            self.give_up(JoinFailure::Refused);
        }
    }

    /// Ends the search without a cluster, or where it was before.
    pub(super) fn give_up(&mut self, reason: JoinFailure) {
        if self.join.search == Search::Seeking {
            self.join.search = if self.n() > 1 { Search::Joined } else { Search::Idle };
            self.join.contacts.close_seeking();
            self.event(Event::JoinFailed { reason });
        }
    }
}

/// Where the holder of our id is, if the welcome says so.
fn incumbent_address(body: &Body<'_>, id: NodeId) -> Option<SocketAddr> {
    body.updates.clone().flatten().find_map(|update| match update {
        Update::Alive { about, addr, .. } if about.id == id => Some(addr),
        _ => None,
    })
}
