//! A datagram arrived: who sent it, what may he ask, and which act is it.
//!
//! | sender | its gossip | what it may ask |
//! | --- | --- | --- |
//! | a member, at the address that is held | heard | everything |
//! | known, but Dead or Left here | not heard | a ping, answered with what is believed of it |
//! | known, at another address | not heard | a ping, answered as a stranger's; an ack, counted |
//! | a stranger | not heard | a ping, answered with "I do not know you"; the handshake |
//! | this node's own id | not heard | whether this node lives (`rivalry.rs`) |
//!
//! An answer to anybody but a member, or a stranger that has returned a token, is never longer than the
//! question. A sender whose header is of an
//! earlier life than the one held is a stranger whose pings are answered, so that it asks to be
//! introduced and learns; nothing else of it is heard.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Life, Node};
use crate::claim::{Claim, Status, supersedes};
use crate::gossip::Novelty;
use crate::identity::{NodeId, is_reachable_form};
use crate::join::Why;
use crate::members::{Flag, Slot};
use crate::numbers::{self, Question};
use crate::output::Event;
use crate::stats::DropReason;
use crate::wire::{About, Ack, Body, BroadcastRecord, Header, Kind, Message, Ping, read_header};

/// Members whose outdated word is put right in one answer.
const OUTDATED_MAX: usize = 16;

/// What the sender of a datagram is to this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Member(Slot),
    Buried(Slot),
    Displaced(Slot),
    /// It speaks from an earlier life than the one held.
    Outlived,
    Stranger,
}

/// What a datagram's gossip brought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gossip {
    pub(super) news: u32,
    outdated: [Slot; OUTDATED_MAX],
    outdated_len: usize,
}

impl Gossip {
    const NOTHING: Self = Self { news: 0, outdated: [Slot::ME; OUTDATED_MAX], outdated_len: 0 };

    /// Members that the sender called Alive and that are gone.
    pub(super) fn outdated(&self) -> &[Slot] {
        &self.outdated[..self.outdated_len]
    }
}

impl Node {
    pub(super) fn receive(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.stats.datagrams_received += 1;
        self.stats.bytes_received += bytes.len() as u64;
        if let Err(reason) = self.open(source, bytes) {
            self.drop_for(reason);
        }
    }

    /// Reads a datagram and acts on it, or says why not.
    fn open(&mut self, source: SocketAddr, bytes: &[u8]) -> Result<(), DropReason> {
        if !self.is_running() {
            return Err(DropReason::NotRunning);
        }
        let (header, parts) = read_header(bytes, self.config.label_hash())?;
        // Whatever is answered goes to the source: never to this node itself, never to nobody.
        if source == self.me.addr {
            return Err(DropReason::FromMyself);
        }
        if !is_reachable_form(source) {
            return Err(DropReason::WrongSource);
        }
        // The handshake is how a node learns that its own clock, or everybody else's, is far ahead.
        let handshake = matches!(header.kind, Kind::Join | Kind::Challenge | Kind::Welcome);
        if !handshake && !self.is_plausible(header.epoch) {
            return Err(DropReason::InsaneEpoch);
        }
        let mut body = Body::EMPTY;
        body.read(header.kind, parts)?;
        for _ in 0..body.unknown_parts {
            self.drop_for(DropReason::UnknownPart);
        }
        if header.sender == self.me.id {
            return self.hear_namesake(source, &header, &body, bytes.len());
        }
        match body.message {
            Message::Join(join) => self.hear_join(source, &header, join, bytes.len()),
            Message::Challenge(challenge) => self.hear_challenge(source, challenge),
            Message::Welcome(welcome) => self.hear_welcome(source, &header, welcome, &body),
            Message::Announce(announce) => self.hear_announce(source, &header, announce, &body),
            _ => match self.standing(source, &header) {
                Standing::Member(slot) => self.hear_member(slot, source, &header, &body, bytes.len()),
                other => self.hear_other(other, source, &header, &body, bytes.len()),
            },
        }
    }

    fn standing(&mut self, source: SocketAddr, header: &Header) -> Standing {
        let slot = match &self.probe {
            Some(probe) if probe.target_id == header.sender => {
                self.members.find_at(probe.target, header.sender)
            }
            _ => self.members.find(header.sender),
        };
        let Some(slot) = slot else { return Standing::Stranger };
        // Nearly always it is a living member that says what is held of it, from where it lives.
        let said = Claim { epoch: header.epoch, incarnation: header.incarnation, status: Status::Alive };
        if !self.members.is_word(slot, &said, source)
            && let Some(standing) = self.standing_of(slot, source, header)
        {
            return standing;
        }
        let (health, config) = (self.health, &self.config);
        if self.doubt.hear(|| health.scale(config.direct_timeout)) {
            self.event(Event::Deaf { deaf: false });
        }
        Standing::Member(slot)
    }

    /// What the sender is that is held at `slot`; `None`: a member.
    fn standing_of(&mut self, slot: Slot, source: SocketAddr, header: &Header) -> Option<Standing> {
        if header.epoch < self.members.claim(slot).epoch && !mutant!(EarlierLifeHeard) {
            return Some(Standing::Outlived);
        }
        if source != self.members.addr(slot) && !self.config.accept_wrong_source {
            return Some(Standing::Displaced(slot));
        }
        self.hear_header(slot, header);
        (!self.members.status(slot).is_active()).then_some(Standing::Buried(slot))
    }

    fn hear_member(
        &mut self,
        slot: Slot,
        source: SocketAddr,
        header: &Header,
        body: &Body<'_>,
        len: usize,
    ) -> Result<(), DropReason> {
        let root = self.digest_root();
        let gossip = self.absorb(body, header.sender);
        // Its own goodbye may have ridden on this.
        let member = self.members.claim(slot).status.is_active();
        if !member && matches!(header.kind, Kind::Ping | Kind::PingReq | Kind::SyncPull) {
            return self.hear_other(Standing::Buried(slot), source, header, body, len);
        }
        // The answer to a ping puts right what it said; to anything else there is none.
        if !gossip.outdated().is_empty() && header.kind != Kind::Ping && member {
            self.send(source, &Message::Gossip, Cargo::claims(gossip.outdated()));
        }
        match body.message {
            Message::Ping(ping) => {
                // One root may differ only because of what this ping brings, or brings about.
                self.compare(header.sender, Some(ping.root).filter(|theirs| *theirs != root));
                self.hear_ping(slot, source, header, ping, &gossip)
            }
            Message::Ack(ack) => {
                self.hear_ack(source, header, ack)?;
                if mutant!(AckClearsSuspicion) && self.members.claim(slot).status == Status::Suspect {
                    let alive = Claim { status: Status::Alive, ..self.members.claim(slot) };
                    self.believe(slot, alive, Some(source));
                }
                self.compare(header.sender, ack.root);
                Ok(())
            }
            Message::PingReq(request) => self.hear_ping_req(source, header.sender, request),
            Message::Nack(nack) => self.hear_nack(source, nack),
            Message::RelayedAck(ack) => self.hear_relayed_ack(source, ack),
            Message::SyncPull(pull) => self.hear_pull(source, pull),
            Message::SyncPage(page) => self.hear_page(source, page, &gossip),
            Message::User => {
                let payload = body.payload.unwrap_or_default().into();
                self.event(Event::Message { from: header.sender, payload });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Anybody but a member, outside the handshake.
    fn hear_other(
        &mut self,
        standing: Standing,
        source: SocketAddr,
        header: &Header,
        body: &Body<'_>,
        len: usize,
    ) -> Result<(), DropReason> {
        let refusal = match standing {
            Standing::Displaced(_) => DropReason::WrongSource,
            Standing::Outlived => DropReason::StaleSender,
            _ => DropReason::Stranger,
        };
        if mutant!(StrangersBelieved) {
            self.absorb(body, header.sender);
        }
        match body.message {
            Message::PingReq(request) if mutant!(RelayForStrangers) => {
                self.hear_ping_req(source, header.sender, request)
            }
            Message::Ping(ping) => self.hear_strange_ping(standing, source, header, ping, len),
            Message::Ack(ack) if standing != Standing::Outlived => self.hear_ack(source, header, ack),
            // It holds a later life of this node just as this node does of it: somebody has to begin.
            Message::Ack(ack) if ack.stranger && self.has_asked(source, header.sender, ack.number) => {
                self.contact(source, Why::Introduction);
                Err(refusal)
            }
            _ => Err(refusal),
        }
    }

    /// A ping from a member.
    fn hear_ping(
        &mut self,
        slot: Slot,
        source: SocketAddr,
        header: &Header,
        ping: Ping,
        gossip: &Gossip,
    ) -> Result<(), DropReason> {
        if ping.target != self.me.id {
            return Err(DropReason::NotForMe);
        }
        let word = (ping.target_epoch, ping.target_incarnation);
        let mine = (self.me.epoch, self.incarnation());
        let about = About { id: self.me.id, epoch: word.0, incarnation: word.1 };
        if ping.target_status != Status::Alive {
            self.hear_accusation(about, ping.target_status, header.sender);
        } else if word > mine {
            self.hear_my_name(about, self.me.addr);
        }
        let root = self.digest_root();
        let behind = word < (self.me.epoch, self.incarnation());
        let mut claims = [Slot::ME; OUTDATED_MAX + 1];
        let claims = if gossip.outdated_len == 0 {
            &claims[..usize::from(behind)]
        } else {
            claims[1..=gossip.outdated_len].copy_from_slice(gossip.outdated());
            &claims[usize::from(!behind)..=gossip.outdated_len]
        };
        let ack = Ack {
            number: ping.number,
            root: (root != ping.root).then_some(root),
            belief: self.belief(slot, header).filter(|_| self.config.buddy),
            stranger: false,
        };
        self.send(source, &Message::Ack(ack), Cargo { claims, ..Cargo::GOSSIP });
        Ok(())
    }

    /// A ping from somebody who is not a member here.
    fn hear_strange_ping(
        &mut self,
        standing: Standing,
        source: SocketAddr,
        header: &Header,
        ping: Ping,
        len: usize,
    ) -> Result<(), DropReason> {
        if ping.target != self.me.id {
            return Err(DropReason::NotForMe);
        }
        let alone = self.n() == 1;
        if self.life == Life::Running
            && ping.target_epoch > self.me.epoch
            && (alone || standing == Standing::Stranger)
        {
            // It knows a later life of this node: our clock was set back. An answer in this epoch would
            // not be heard, so a node that is alone asks to be introduced, which tells it the epoch to
            // beat. (One that has members hears it from them; whoever it knows is told to ask in turn.)
            if alone && self.is_plausible(ping.target_epoch) {
                self.contact(source, Why::Reply);
            }
            return Err(DropReason::Stranger);
        }
        let belief = match standing {
            Standing::Buried(slot) => {
                let about =
                    About { id: self.me.id, epoch: ping.target_epoch, incarnation: ping.target_incarnation };
                // Only a word about exactly this incarnation: nobody but members may push it up.
                // And no more than once a period, for whoever can forge one ping can forge many.
                let exact = (about.epoch, about.incarnation) == (self.me.epoch, self.incarnation());
                let rested = self.spoke_up.is_none_or(|at| at.after(self.config.period) <= self.now());
                if exact && rested && ping.target_status != Status::Alive {
                    self.spoke_up = Some(self.now());
                    self.hear_accusation(about, ping.target_status, header.sender);
                }
                self.belief(slot, header)
            }
            _ => None,
        };
        // Whoever is held elsewhere, or in another life, has to prove where it is, and hears what is held.
        let stranger = !matches!(standing, Standing::Buried(_));
        let ack = Ack { number: ping.number, root: None, belief, stranger };
        let short = Cargo { len_max: Some(len), ..Cargo::EMPTY };
        let cargo = if mutant!(LongAnswerToStranger) { Cargo::claims(&[Slot::ME]) } else { short };
        self.send(source, &Message::Ack(ack), cargo);
        Ok(())
    }

    /// An answer to one of this node's questions, from whoever was asked.
    fn hear_ack(&mut self, source: SocketAddr, header: &Header, ack: Ack) -> Result<(), DropReason> {
        let number = ack.number;
        let expected = match numbers::question(number) {
            Some(Question::Probe { attempt }) => {
                self.hear_probe_ack(source, header.sender, number, attempt)?
            }
            Some(Question::Relayed { place }) => self.pass_on(place, number, source),
            Some(Question::Healing { place }) => self.heal.answered(place, header.sender, number, source),
            Some(Question::Incumbent { place }) => self.hear_incumbent(place, number, source, header),
            Some(Question::Announce { .. }) => self.hear_announced(source, header.sender, number, ack.root),
            Some(Question::Rival | Question::Pull { .. }) | None => false,
        };
        if !expected {
            return Err(DropReason::UnexpectedAnswer);
        }
        if let Some(belief) = ack.belief {
            let about = About { id: self.me.id, epoch: belief.epoch, incarnation: belief.incarnation };
            if belief.status == Status::Alive {
                self.hear_misplaced(about);
            } else {
                self.hear_accusation(about, belief.status, header.sender);
            }
        }
        if ack.stranger && self.life == Life::Running {
            self.contact(source, Why::Introduction);
        }
        Ok(())
    }

    /// What is held of the sender, if that is more than what its header says.
    pub(super) fn belief(&self, slot: Slot, header: &Header) -> Option<Claim> {
        if self.members.status(slot) == Status::Alive {
            return None;
        }
        let held = self.members.claim(slot);
        let word = Claim { epoch: header.epoch, incarnation: header.incarnation, status: Status::Alive };
        supersedes(&word, &held).then_some(held)
    }

    /// Hears everything that rode on a member's datagram.
    #[inline]
    pub(super) fn absorb(&mut self, body: &Body<'_>, from: NodeId) -> Gossip {
        if body.updates.is_empty() && body.broadcasts.is_empty() {
            return Gossip::NOTHING;
        }
        self.absorb_all(body, from)
    }

    fn absorb_all(&mut self, body: &Body<'_>, from: NodeId) -> Gossip {
        let mut gossip = Gossip::NOTHING;
        let mut updates = body.updates.clone();
        loop {
            self.stats.updates_known += updates.pass(|said| self.is_held(said));
            let Some(update) = updates.next() else { break };
            match update.map(|update| self.hear(&update, from)) {
                Ok(super::claims::Outcome::News) => gossip.news += 1,
                Ok(super::claims::Outcome::Outdated(slot)) if gossip.outdated_len < OUTDATED_MAX => {
                    gossip.outdated[gossip.outdated_len] = slot;
                    gossip.outdated_len += 1;
                }
                Ok(_) => {}
                Err(reason) => self.drop_for(reason),
            }
        }
        for broadcast in body.broadcasts.clone() {
            match broadcast {
                Ok(record) => self.hear_broadcast(&record),
                Err(reason) => self.drop_for(reason),
            }
        }
        gossip
    }

    fn hear_broadcast(&mut self, record: &BroadcastRecord<'_>) {
        let (origin, epoch, sequence) = (record.origin, record.epoch, record.sequence);
        if origin == self.me.id {
            // Nobody would hear this node's next ones, had somebody used a higher number in its name.
            if epoch == self.me.epoch && self.life == Life::Running && !self.broadcasts.outbid(sequence) {
                self.outlive(epoch);
            }
            return self.drop_for(DropReason::DuplicateBroadcast);
        }
        let known = self.members.find(origin).is_some_and(|slot| self.members.claim(slot).epoch == epoch);
        if !known {
            return self.drop_for(DropReason::UnknownMember);
        }
        let seen = self.broadcasts.note(origin, epoch, sequence) == Novelty::Seen;
        if seen && !mutant!(BroadcastTwice) {
            return self.drop_for(DropReason::DuplicateBroadcast);
        }
        self.stats.broadcasts_delivered += 1;
        if !self.broadcasts.push(origin, epoch, sequence, record.payload) {
            self.drop_for(DropReason::BroadcastLimit);
        }
        self.event(Event::Broadcast { origin, payload: record.payload.into() });
    }

    /// A right number from a wrong address: told once for each member.
    pub(super) fn tell_wrong_source(&mut self, slot: Slot, answered: SocketAddr) {
        if !self.members.flag(slot, Flag::WrongSourceTold) {
            self.members.set_flag(slot, Flag::WrongSourceTold, true);
            let (id, asked) = (self.members.id(slot), self.members.addr(slot));
            self.event(Event::WrongSource { id, asked, answered });
        }
    }
}
