//! Two nodes with one id: asking incumbents and rivals, and losing gracefully. `conflict.rs` keeps the book.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Life, Node};
use crate::conflict::{Incumbent, Lesser, Rival, RivalDue};
use crate::identity::{Epoch, Incarnation};
use crate::join::Search;
use crate::members::Slot;
use crate::numbers::{self, Question};
use crate::output::{Event, JoinFailure};
use crate::stats::DropReason;
use crate::wire::{Ack, Body, Header, Message, Ping, Verdict};

impl Node {
    /// A datagram under this node's own id. A stranger may only ask whether this node lives: what it says
    /// of itself is heard when a member repeats it.
    pub(super) fn hear_namesake(
        &mut self,
        source: SocketAddr,
        header: &Header,
        body: &Body<'_>,
        len: usize,
    ) -> Result<(), DropReason> {
        if self.is_echo(&body.message) {
            return Err(DropReason::FromMyself);
        }
        match body.message {
            Message::Ping(ping) if ping.target == self.me.id => {
                let ack = Ack { number: ping.number, root: None, belief: None, stranger: false };
                self.send(source, &Message::Ack(ack), Cargo { len_max: Some(len), ..Cargo::EMPTY });
                if !Rival::beats(header.epoch, source, &self.me) {
                    self.lesser = Some(Lesser { addr: source, epoch: header.epoch, asked: true });
                }
                Ok(())
            }
            Message::Join(join) => self.hear_join(source, header, join, len),
            Message::Challenge(challenge) => self.hear_challenge(source, challenge),
            Message::Welcome(welcome) => self.hear_welcome(source, header, welcome, body),
            Message::Ack(ack) => self.hear_rival(source, header, ack.number),
            _ => Err(DropReason::FromMyself),
        }
    }

    /// Whether this node's own question came back: from an address that echoes, or because a seed is
    /// another address of its own. Answering, it would take itself for another that has its id.
    fn is_echo(&self, message: &Message) -> bool {
        match message {
            Message::Join(join) => self.join.contacts.is_mine(join.nonce),
            Message::Ping(ping) => self.rival.is_some_and(|rival| rival.number == ping.number),
            _ => false,
        }
    }

    /// A member says that our id lives at `addr`: ask there.
    pub(super) fn ask_rival(&mut self, addr: SocketAddr, epoch: Epoch, incarnation: Incarnation) {
        if self.rival.is_some() || !self.is_plausible(epoch) {
            return;
        }
        let number = numbers::compose(self.number(), Question::Rival);
        self.rival = Some(Rival::new(addr, epoch, incarnation, number, self.doubt.awake()));
    }

    fn hear_rival(&mut self, source: SocketAddr, header: &Header, number: u64) -> Result<(), DropReason> {
        let Some(rival) = self.rival.filter(|rival| rival.number == number && rival.addr == source) else {
            return Err(DropReason::UnexpectedAnswer);
        };
        self.rival = None;
        let known = self.lesser.filter(|lesser| lesser.is(source, header.epoch));
        let turned_away = known.is_some_and(|lesser| !lesser.asked);
        if (turned_away || Rival::beats(header.epoch, source, &self.me)) && !mutant!(BothKeepTheName) {
            self.lose(source);
            return Ok(());
        }
        self.lesser = known.or(Some(Lesser { addr: source, epoch: header.epoch, asked: false }));
        // The rival learns that it has lost when our word reaches it: it must be the higher one.
        if header.epoch == self.me.epoch {
            self.speak_up(header.incarnation.max(rival.incarnation));
        } else {
            self.speak_up(self.incarnation());
        }
        self.event(Event::Conflict { id: self.me.id, rival: source, won: true });
        Ok(())
    }

    /// Gives the id up: quiet from now on, and never outbidding.
    pub(super) fn lose(&mut self, rival: SocketAddr) {
        self.event(Event::Conflict { id: self.me.id, rival, won: false });
        if self.join.search == Search::Seeking {
            self.give_up(JoinFailure::IdTaken);
        }
        self.life = Life::Quiet;
    }

    /// The holder of an id that a joiner claims answered, or its next life did.
    pub(super) fn hear_incumbent(
        &mut self,
        place: u16,
        number: u64,
        source: SocketAddr,
        header: &Header,
    ) -> bool {
        let now = self.now();
        let word = (header.epoch, header.incarnation);
        let Some(admission) = self.admissions.answered(place, number, source, word, now) else {
            return false;
        };
        let lives = admission.outcome == Incumbent::Lives;
        if lives && admission.is_in_earnest() {
            self.event(Event::Conflict { id: header.sender, rival: admission.joiner, won: true });
        }
        let verdict = if lives { Verdict::IdTaken } else { Verdict::Admitted };
        self.welcome(admission.joiner, admission.id, admission.nonce, verdict);
        true
    }

    /// Asks incumbents and rivals, and decides about those that stay silent.
    pub(super) fn pursue_rivals(&mut self) {
        let now = self.now();
        while self.outbox.quantum_left() > 0
            && let Some(admission) = self.admissions.due(now)
        {
            match admission.outcome {
                Incumbent::Gone => {
                    self.welcome(admission.joiner, admission.id, admission.nonce, Verdict::Admitted);
                }
                Incumbent::Asked | Incumbent::Lives => {
                    if let Some(slot) = self.members.find(admission.id) {
                        self.ping(slot, admission.incumbent, admission.number, Cargo::EMPTY);
                    }
                }
            }
        }
        let timeout = self.config.direct_timeout;
        let Some(rival) = &mut self.rival else { return };
        let due = rival.due(now, timeout);
        let rival = *rival;
        match due {
            Some(RivalDue::Ask) => {
                let ping = Ping {
                    target: self.me.id,
                    target_epoch: rival.epoch,
                    target_incarnation: rival.incarnation,
                    target_status: crate::Status::Alive,
                    number: rival.number,
                    root: 0,
                };
                self.send(rival.addr, &Message::Ping(ping), Cargo::EMPTY);
            }
            Some(RivalDue::Silent) => {
                self.rival = None;
                let mine = self.members.claim(Slot::ME);
                if rival.epoch > mine.epoch {
                    self.outlive(rival.epoch);
                } else {
                    self.speak_up(rival.incarnation);
                }
            }
            None => {}
        }
    }
}
