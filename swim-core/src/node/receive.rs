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
use super::joining::Welcomed;
use crate::claim::{Claim, Status};
use crate::identity::{NodeId, is_reachable_form};
use crate::join::Why;
use crate::members::Slot;
use crate::numbers::{self, Question};
use crate::output::Event;
use crate::stats::DropReason;
use crate::wire::{About, Ack, Body, Header, Kind, Message, Ping, read_header};

/// Members whose outdated word is put right in one answer.
pub(super) const OUTDATED_MAX: usize = 16;

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
    pub(super) outdated: [Slot; OUTDATED_MAX],
    pub(super) outdated_len: usize,
    pub(super) namesake: Option<super::Namesake>,
}

impl Gossip {
    pub(super) const NOTHING: Self = Self { news: 0, outdated: [Slot::ME; OUTDATED_MAX], outdated_len: 0, namesake: None };

    /// Members that the sender called Alive and that are gone.
    pub(super) fn outdated(&self) -> &[Slot] {
        &self.outdated[..self.outdated_len]
    }
}

impl Node {
    pub(super) fn receive(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.touched = true;
        self.core.cx.stats.datagrams_received += 1;
        self.core.cx.stats.bytes_received += bytes.len() as u64;
        if let Err(reason) = self.open(source, bytes) {
            self.core.cx.drop_for(reason);
        }
    }

    /// Reads a datagram and acts on it, or says why not.
    fn open(&mut self, source: SocketAddr, bytes: &[u8]) -> Result<(), DropReason> {
        if !self.core.cx.is_running() {
            return Err(DropReason::NotRunning);
        }
        let (header, parts) = read_header(bytes, self.core.cx.config.label_hash())?;
        // Whatever is answered goes to the source: never to this node itself, never to nobody.
        if source == self.core.cx.me.addr {
            return Err(DropReason::FromMyself);
        }
        if !is_reachable_form(source) {
            return Err(DropReason::WrongSource);
        }
        // The handshake is how a node learns that its own clock, or everybody else's, is far ahead.
        let handshake = matches!(header.kind, Kind::Join | Kind::Challenge | Kind::Welcome);
        if !handshake && !self.core.cx.is_plausible(header.epoch) {
            return Err(DropReason::InsaneEpoch);
        }
        let mut body = Body::EMPTY;
        body.read(header.kind, parts)?;
        for _ in 0..body.unknown_parts {
            self.core.cx.drop_for(DropReason::UnknownPart);
        }
        if header.sender == self.core.cx.me.id {
            self.touched = true;
            if self.handshake.hear_namesake(&mut self.core, source, &header, &body, bytes.len())? == Welcomed::StartOver {
                self.start_over();
                self.handshake.hear_namesake(&mut self.core, source, &header, &body, bytes.len())?;
            }
            return Ok(());
        }
        match body.message {
            Message::Join(join) => self.handshake.hear_join(&mut self.core, source, &header, join, bytes.len()),
            Message::Challenge(challenge) => self.handshake.hear_challenge(&mut self.core, source, challenge),
            Message::Welcome(welcome) => {
                self.touched = true;
                if self.handshake.hear_welcome(&mut self.core, source, &header, welcome, &body)? == Welcomed::StartOver {
                    self.start_over();
                    self.handshake.hear_welcome(&mut self.core, source, &header, welcome, &body)?;
                }
                Ok(())
            }
            Message::Announce(announce) => self.handshake.hear_announce(&mut self.core, source, &header, announce, &body),
            _ => match self.standing(source, &header) {
                Standing::Member(slot) => self.hear_member(slot, source, &header, &body, bytes.len()),
                other => self.hear_other(other, source, &header, &body, bytes.len()),
            },
        }
    }

    fn standing(&mut self, source: SocketAddr, header: &Header) -> Standing {
        let slot = match &self.detector.probe {
            Some(probe) if probe.target_id == header.sender => {
                self.core.members.find_at(probe.target, header.sender)
            }
            _ => self.core.members.find(header.sender),
        };
        let Some(slot) = slot else { return Standing::Stranger };
        // Nearly always it is a living member that says what is held of it, from where it lives.
        let said = Claim { epoch: header.epoch, incarnation: header.incarnation, status: Status::Alive };
        if !self.core.members.is_word(slot, &said, source)
            && let Some(standing) = self.standing_of(slot, source, header)
        {
            return standing;
        }
        let (health, config) = (self.core.cx.health, &self.core.cx.config);
        if self.core.cx.doubt.hear(|| health.scale(config.direct_timeout)) {
            self.core.arm_suspicions();
            self.core.cx.event(Event::Deaf { deaf: false });
        }
        Standing::Member(slot)
    }

    /// What the sender is that is held at `slot`; `None`: a member.
    fn standing_of(&mut self, slot: Slot, source: SocketAddr, header: &Header) -> Option<Standing> {
        if header.epoch < self.core.members.claim(slot).epoch && !mutant!(EarlierLifeHeard) {
            return Some(Standing::Outlived);
        }
        if source != self.core.members.addr(slot) && !self.core.cx.config.accept_wrong_source {
            return Some(Standing::Displaced(slot));
        }
        self.core.hear_header(slot, header);
        (!self.core.members.status(slot).is_active()).then_some(Standing::Buried(slot))
    }

    fn hear_member(
        &mut self,
        slot: Slot,
        source: SocketAddr,
        header: &Header,
        body: &Body<'_>,
        len: usize,
    ) -> Result<(), DropReason> {
        let root = self.core.digest_root();
        let gossip = if body.is_bare() { Gossip::NOTHING } else { self.absorb(body, header.sender) };
        // Its own goodbye may have ridden on this.
        let member = body.is_bare() || self.core.members.status(slot).is_active();
        if !member && matches!(header.kind, Kind::Ping | Kind::PingReq | Kind::SyncPull) {
            return self.hear_other(Standing::Buried(slot), source, header, body, len);
        }
        // The answer to a ping puts right what it said; to anything else there is none.
        if !gossip.outdated().is_empty() && header.kind != Kind::Ping && member {
            self.core.send(source, &Message::Gossip, Cargo::claims(gossip.outdated()));
        }
        match body.message {
            Message::Ping(ping) => {
                // One root may differ only because of what this ping brings, or brings about.
                self.compare(header.sender, Some(ping.root).filter(|theirs| *theirs != root));
                self.hear_ping(slot, source, header, ping, &gossip)
            }
            Message::Ack(ack) => {
                self.hear_ack(source, header, ack)?;
                if mutant!(AckClearsSuspicion) && self.core.members.claim(slot).status == Status::Suspect {
                    let alive = Claim { status: Status::Alive, ..self.core.members.claim(slot) };
                    self.core.believe(slot, alive, Some(source));
                }
                self.compare(header.sender, ack.root);
                Ok(())
            }
            Message::PingReq(request) => self.detector.hear_ping_req(&mut self.core, source, header.sender, request),
            Message::Nack(nack) => self.detector.hear_nack(&mut self.core, source, nack),
            Message::RelayedAck(ack) => self.detector.hear_relayed_ack(&mut self.core, source, ack),
            Message::SyncPull(pull) => self.hear_pull(source, pull),
            Message::SyncPage(page) => self.hear_page(source, page, &gossip),
            Message::User => {
                let payload = body.payload.unwrap_or_default().into();
                self.core.cx.event(Event::Message { from: header.sender, payload });
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
                self.detector.hear_ping_req(&mut self.core, source, header.sender, request)
            }
            Message::Ping(ping) => self.hear_strange_ping(standing, source, header, ping, len),
            Message::Ack(ack) if standing != Standing::Outlived => self.hear_ack(source, header, ack),
            // It holds a later life of this node just as this node does of it: somebody has to begin.
            Message::Ack(ack) if ack.stranger && self.has_asked(source, header.sender, ack.number) => {
                self.handshake.contact(&mut self.core, source, Why::Introduction);
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
        if ping.target != self.core.cx.me.id {
            return Err(DropReason::NotForMe);
        }
        let word = (ping.target_epoch, ping.target_incarnation);
        let mut mine = (self.core.cx.me.epoch, self.core.incarnation());
        if ping.target_status != Status::Alive || word > mine {
            let about = About { id: self.core.cx.me.id, epoch: word.0, incarnation: word.1 };
            if ping.target_status != Status::Alive {
                self.core.hear_accusation(about, ping.target_status, header.sender);
            } else {
                self.core.hear_my_name(about, self.core.cx.me.addr);
            }
            mine = (self.core.cx.me.epoch, self.core.incarnation());
        }
        let root = self.core.digest_root();
        let behind = word < mine;
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
            belief: self.core.belief(slot, header).filter(|_| self.core.cx.config.buddy),
            stranger: false,
        };
        self.core.send(source, &Message::Ack(ack), Cargo { claims, ..Cargo::GOSSIP });
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
        if ping.target != self.core.cx.me.id {
            return Err(DropReason::NotForMe);
        }
        let alone = self.core.n() == 1;
        if self.core.cx.life == Life::Running
            && ping.target_epoch > self.core.cx.me.epoch
            && (alone || standing == Standing::Stranger)
        {
            // It knows a later life of this node: our clock was set back. An answer in this epoch would
            // not be heard, so a node that is alone asks to be introduced, which tells it the epoch to
            // beat. (One that has members hears it from them; whoever it knows is told to ask in turn.)
            if alone && self.core.cx.is_plausible(ping.target_epoch) {
                self.handshake.contact(&mut self.core, source, Why::Reply);
            }
            return Err(DropReason::Stranger);
        }
        let belief = match standing {
            Standing::Buried(slot) => {
                let about =
                    About { id: self.core.cx.me.id, epoch: ping.target_epoch, incarnation: ping.target_incarnation };
                // Only a word about exactly this incarnation: nobody but members may push it up.
                // And no more than once a period, for whoever can forge one ping can forge many.
                let exact = (about.epoch, about.incarnation) == (self.core.cx.me.epoch, self.core.incarnation());
                let rested = self.spoke_up.is_none_or(|at| at.after(self.core.cx.config.period) <= self.core.cx.now());
                if exact && rested && ping.target_status != Status::Alive {
                    self.spoke_up = Some(self.core.cx.now());
                    self.core.hear_accusation(about, ping.target_status, header.sender);
                }
                self.core.belief(slot, header)
            }
            _ => None,
        };
        // Whoever is held elsewhere, or in another life, has to prove where it is, and hears what is held.
        let stranger = !matches!(standing, Standing::Buried(_));
        let ack = Ack { number: ping.number, root: None, belief, stranger };
        let short = Cargo { len_max: Some(len), ..Cargo::EMPTY };
        let cargo = if mutant!(LongAnswerToStranger) { Cargo::claims(&[Slot::ME]) } else { short };
        self.core.send(source, &Message::Ack(ack), cargo);
        Ok(())
    }

    /// An answer to one of this node's questions, from whoever was asked.
    fn hear_ack(&mut self, source: SocketAddr, header: &Header, ack: Ack) -> Result<(), DropReason> {
        let number = ack.number;
        let expected = match numbers::question(number) {
            Some(Question::Probe { attempt }) => {
                self.detector.hear_probe_ack(&mut self.core, source, header.sender, number, attempt)?
            }
            Some(Question::Relayed { place }) => self.detector.pass_on(&mut self.core, place, number, source),
            Some(Question::Healing { place }) => self.heal.answered(place, header.sender, number, source),
            Some(Question::Incumbent { place }) => self.handshake.hear_incumbent(&mut self.core, place, number, source, header),
            Some(Question::Announce { .. }) => self.hear_announced(source, header.sender, number, ack.root),
            Some(Question::Rival | Question::Pull { .. }) | None => false,
        };
        if !expected {
            return Err(DropReason::UnexpectedAnswer);
        }
        if let Some(belief) = ack.belief {
            let about = About { id: self.core.cx.me.id, epoch: belief.epoch, incarnation: belief.incarnation };
            if belief.status == Status::Alive {
                self.core.hear_misplaced(about);
            } else {
                self.core.hear_accusation(about, belief.status, header.sender);
            }
        }
        if ack.stranger && self.core.cx.life == Life::Running {
            self.handshake.contact(&mut self.core, source, Why::Introduction);
        }
        Ok(())
    }

    /// Whether `number` is that of a ping to `sender` at `source`, in the open probe or to heal.
    pub(super) fn has_asked(&mut self, source: SocketAddr, sender: NodeId, number: u64) -> bool {
        match numbers::question(number) {
            Some(Question::Probe { attempt }) => self.detector.probe.as_ref().is_some_and(|probe| {
                let asked = (probe.target_id, probe.target_addr) == (sender, source);
                asked && probe.knows(number, attempt)
            }),
            Some(Question::Healing { place }) => self.heal.answered(place, sender, number, source),
            _ => false,
        }
    }


    /// Hears everything that rode on a datagram, and asks who else has this id if that is said.
    #[inline]
    pub(super) fn absorb(&mut self, body: &Body<'_>, from: NodeId) -> Gossip {
        let gossip = self.core.absorb(body, from);
        self.handshake.ask_namesake(&mut self.core, gossip.namesake);
        gossip
    }


    fn hear_announced(&mut self, source: SocketAddr, sender: NodeId, number: u64, root: Option<u64>) -> bool {
        self.touched = true;
        let Some(announced) = self.handshake.hear_announced(&mut self.core, source, number, root) else {
            return false;
        };
        self.heal.found(source);
        if announced.behind {
            self.catch_up(sender);
        }
        self.handshake.conclude_search(&mut self.core, source);
        true
    }
}
