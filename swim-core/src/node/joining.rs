//! The handshake, from the side of the one who wants in. `join.rs` has the picture, `admitting.rs` the other side.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Core, Handshake, Life};
use crate::claim::Status;
use crate::identity::{Epoch, Incarnation, NodeId};
use crate::join::{HINTS_OPEN_MAX, Search, Stage, Why};
use crate::members::Slot;
use crate::output::{Event, JoinFailure};
use crate::random::Purpose;
use crate::stats::DropReason;
use crate::time::Instant;
use crate::wire::{Announce, Body, Challenge, Header, Join, Message, Update, Verdict, Welcome};

/// What a welcome leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Welcomed {
    Done,
    /// The table has to be given up first; then it is to be heard again.
    StartOver,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Announced {
    pub(super) behind: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Agreed {
    Yes,
    No,
    AfterStartingOver,
}

impl Handshake {
    /// Opens a contact to `addr`, unless it is this node's own address.
    pub(super) fn contact(&mut self, core: &mut Core, addr: SocketAddr, why: Why) {
        self.contact_at(core, addr, why, core.cx.now());
    }

    fn contact_at(&mut self, core: &mut Core, addr: SocketAddr, why: Why, at: Instant) {
        if addr == core.cx.me.addr {
            return;
        }
        let random = core.cx.number();
        if !self.join.contacts.open(addr, why, random, at) {
            core.cx.drop_for(DropReason::ContactLimit);
        }
    }

    /// Looks for the cluster at all seeds, and at a few of the hints, from `at` on.
    pub(super) fn seek(&mut self, core: &mut Core, at: Instant) {
        self.join.search = Search::Seeking;
        for place in 0..self.join.seeds.len() {
            self.contact_at(core, self.join.seeds[place].addr, Why::Seeking, at);
        }
        self.seek_hints(core);
    }

    /// Keeps a few of the hints among the open contacts, others each time.
    fn seek_hints(&mut self, core: &mut Core) {
        let hints = self.join.hints.len();
        for _ in 0..hints.min(HINTS_OPEN_MAX) {
            let hint = self.join.hints[core.cx.streams.below(Purpose::Joining, hints as u32) as usize];
            let random = core.cx.number();
            if hint == core.cx.me.addr || !self.join.contacts.open(hint, Why::Hint, random, core.cx.now()) {
                return;
            }
        }
    }

    /// Asks, or announces, wherever it is due.
    pub(super) fn pursue_contacts(&mut self, core: &mut Core) {
        let now = core.cx.now();
        while core.cx.outbox.quantum_left() > 0 {
            let streams = &mut core.cx.streams;
            let due = self.join.contacts.due(now, |delay| streams.jittered(Purpose::Jitter, delay));
            let Some(contact) = due else { break };
            match contact.stage {
                Stage::Asking => {
                    let join = Join { nonce: contact.nonce, token: contact.token };
                    core.send(contact.addr, &Message::Join(join), Cargo::EMPTY);
                }
                Stage::Announcing => {
                    let announce = Announce { token: contact.token, number: contact.nonce };
                    self.join.announced = true;
                    // Whoever is held Dead here hears it, and speaks up in its answer.
                    let peer = contact.peer.and_then(|peer| core.members.find(peer)).filter(|slot| {
                        *slot != Slot::ME && core.members.claim(*slot).status != Status::Alive
                    });
                    let claims = [Slot::ME, peer.unwrap_or(Slot::ME)];
                    let claims = &claims[..1 + usize::from(peer.is_some())];
                    core.send(contact.addr, &Message::Announce(announce), Cargo::claims(claims));
                }
            }
        }
        if self.join.search == Search::Seeking {
            self.seek_hints(core);
        }
    }

    pub(super) fn hear_challenge(
        &mut self,
        core: &mut Core,
        source: SocketAddr,
        challenge: Challenge,
    ) -> Result<(), DropReason> {
        let contact = self.join.contacts.find(challenge.nonce, source, Stage::Asking);
        let contact = contact.ok_or(DropReason::UnexpectedAnswer)?;
        if contact.token != 0 {
            return Err(DropReason::UnexpectedAnswer);
        }
        self.join.contacts.challenge(challenge.nonce, challenge.token, core.cx.doubt.awake());
        Ok(())
    }

    /// Somebody who was asked lets us in, and says what the cluster holds under our id.
    pub(super) fn hear_welcome(
        &mut self,
        core: &mut Core,
        source: SocketAddr,
        header: &Header,
        welcome: Welcome,
        body: &Body<'_>,
    ) -> Result<Welcomed, DropReason> {
        let contacts = &self.join.contacts;
        let asking = contacts.find(welcome.nonce, source, Stage::Asking);
        let refused = welcome.verdict == Verdict::Refused;
        let announced = contacts.find(welcome.nonce, source, Stage::Announcing).filter(|_| refused);
        let contact = asking.or(announced).ok_or(DropReason::UnexpectedAnswer)?;
        // Who has not made us prove our address has not got this question from us.
        if contact.token == 0 {
            return Err(DropReason::UnexpectedAnswer);
        }
        if core.cx.life != Life::Running {
            return Err(DropReason::NotRunning);
        }
        if welcome.verdict != Verdict::Admitted {
            if refused {
                self.join.contacts.refuse(welcome.nonce, core.cx.doubt.awake());
            } else {
                self.join.contacts.close(welcome.nonce);
                self.hear_id_taken(core, source, contact.why, welcome, body);
            }
            self.give_up_if_refused(core);
            return Ok(Welcomed::Done);
        }
        let sought = contact.why.seeks() || self.join.is_seed(source);
        let agreed = self.agree_on_time(core, welcome.clock, sought);
        if agreed == Agreed::AfterStartingOver {
            return Ok(Welcomed::StartOver);
        }
        if agreed == Agreed::No {
            self.join.contacts.refuse(welcome.nonce, core.cx.doubt.awake());
            self.give_up_if_refused(core);
            return Err(DropReason::InsaneEpoch);
        }
        let held = welcome.held_epoch;
        let outbid = held > core.cx.me.epoch || (held == core.cx.me.epoch && !self.join.announced && held.0 > 0);
        if outbid && mutant!(HeldEpochTaken) {
            core.set_my_word(held, Incarnation(0));
        } else if outbid && core.cx.is_plausible(held) {
            core.outlive(held);
        }
        if sought {
            self.absorb(core, body, header.sender);
        } else if let Some(Ok(word)) = body.updates.clone().next()
            && word.about().id == header.sender
        {
            if let super::claims::Outcome::Rival(namesake) = core.hear(&word, header.sender) { self.ask_namesake(core, Some(namesake)); }
        }
        self.join.identify(source, header.sender);
        self.join.contacts.announce(welcome.nonce, header.sender, core.cx.doubt.awake());
        Ok(Welcomed::Done)
    }

    /// The id of a newcomer is its holder's. Between members it is not for the one who was asked to
    /// decide who stays: the rivals settle it.
    fn hear_id_taken(&mut self, core: &mut Core, source: SocketAddr, why: Why, welcome: Welcome, body: &Body<'_>) {
        let rival = incumbent_address(body, core.cx.me.id).unwrap_or(source);
        if why.seeks() && core.n() == 1 && !self.join.announced {
            self.lose(core, rival);
        } else if why != Why::Reply {
            self.ask_rival(core, rival, welcome.held_epoch, welcome.held_incarnation);
        }
    }

    /// Who lets us in says what the cluster's epoch clock reads. If that differs from ours by more than a
    /// lead, neither side would believe the other: a node that looks for its cluster and is alone takes an
    /// epoch that the others can believe, one that has members gives them up if a seed is ahead of them
    /// all, and any other had better not be let in: `false`.
    fn agree_on_time(&mut self, core: &mut Core, theirs: Epoch, sought: bool) -> Agreed {
        let now = core.cx.doubt.real();
        let ahead = theirs > core.cx.epoch_clock.now(now);
        let (told, clock) = (core.cx.told_clock(), &core.cx.epoch_clock);
        let far = !clock.is_credible(told, theirs) || !clock.is_credible(theirs, told);
        let incredible = !clock.is_credible(core.cx.me.epoch, theirs);
        if far {
            let alone = core.n() == 1;
            if !sought || !(alone || ahead) {
                return Agreed::No;
            }
            if !alone {
                return Agreed::AfterStartingOver;
            }
        }
        if sought && ahead {
            core.cx.epoch_clock.set(theirs, now);
        } else if sought {
            core.cx.epoch_clock.defer_to(theirs, now);
        }
        if far && incredible {
            core.set_my_word(theirs, Incarnation(0));
            core.cx.event(Event::EpochRaised { epoch: theirs });
        }
        Agreed::Yes
    }

    /// The announcement arrived: this node is a member. `None`: nothing was announced there.
    pub(super) fn hear_announced(
        &mut self,
        core: &mut Core,
        source: SocketAddr,
        number: u64,
        root: Option<u64>,
    ) -> Option<Announced> {
        self.join.contacts.find(number, source, Stage::Announcing)?;
        self.join.contacts.close(number);
        let behind = root != Some(core.digest_root());
        Some(Announced { behind })
    }

    /// The search has ended, if there was one.
    pub(super) fn conclude_search(&mut self, core: &mut Core, source: SocketAddr) {
        if self.join.search == Search::Seeking {
            self.join.search = Search::Joined;
            self.join.contacts.close_seeking();
            core.cx.event(Event::Joined { via: source, members: core.members.len_active() });
        }
    }

    /// Ends the search if everybody who was asked has refused.
    pub(super) fn give_up_if_refused(&mut self, core: &mut Core) {
        if !self.join.contacts.is_seeking() {
            self.give_up(core, JoinFailure::Refused);
        }
    }

    /// Ends the search without a cluster, or where it was before.
    pub(super) fn give_up(&mut self, core: &mut Core, reason: JoinFailure) {
        if self.join.search == Search::Seeking {
            self.join.search = if core.n() > 1 { Search::Joined } else { Search::Idle };
            self.join.contacts.close_seeking();
            core.cx.event(Event::JoinFailed { reason });
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
