//! Two nodes with one id: asking incumbents and rivals, and losing gracefully. `conflict.rs` keeps the book.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Core, Handshake, Life};
use crate::conflict::{Incumbent, Lesser, Rival, RivalDue};
use crate::identity::{Epoch, Incarnation};
use crate::join::Search;
use crate::members::Slot;
use crate::numbers::{self, Question};
use crate::output::{Event, JoinFailure};
use crate::stats::DropReason;
use crate::wire::{Ack, Body, Header, Message, Ping, Verdict};

impl Handshake {
    /// A datagram under this node's own id. A stranger may only ask whether this node lives: what it says
    /// of itself is heard when a member repeats it.
    pub(super) fn hear_namesake(
        &mut self,
        core: &mut Core,
        source: SocketAddr,
        header: &Header,
        body: &Body<'_>,
        len: usize,
    ) -> Result<super::joining::Welcomed, DropReason> {
        if self.is_echo(core, &body.message) {
            return Err(DropReason::FromMyself);
        }
        let heard = match body.message {
            Message::Ping(ping) if ping.target == core.cx.me.id => {
                let ack = Ack { number: ping.number, root: None, belief: None, stranger: false };
                core.send(source, &Message::Ack(ack), Cargo { len_max: Some(len), ..Cargo::EMPTY });
                if !Rival::beats(header.epoch, source, &core.cx.me) {
                    self.lesser = Some(Lesser { addr: source, epoch: header.epoch, asked: true });
                }
                Ok(())
            }
            Message::Join(join) => self.hear_join(core, source, header, join, len),
            Message::Challenge(challenge) => self.hear_challenge(core, source, challenge),
            Message::Welcome(welcome) => return self.hear_welcome(core, source, header, welcome, body),
            Message::Ack(ack) => self.hear_rival(core, source, header, ack.number),
            _ => Err(DropReason::FromMyself),
        };
        heard.map(|()| super::joining::Welcomed::Done)
    }

    /// Whether this node's own question came back: from an address that echoes, or because a seed is
    /// another address of its own. Answering, it would take itself for another that has its id.
    fn is_echo(&self, core: &Core, message: &Message) -> bool {
        match message {
            Message::Join(join) => self.join.contacts.is_mine(join.nonce),
            Message::Ping(ping) => self.rival.is_some_and(|rival| rival.number == ping.number),
            _ => false,
        }
    }

    /// A member says that our id lives at `addr`: ask there.
    pub(super) fn ask_rival(&mut self, core: &mut Core, addr: SocketAddr, epoch: Epoch, incarnation: Incarnation) {
        if self.rival.is_some() || !core.cx.is_plausible(epoch) {
            return;
        }
        let number = numbers::compose(core.cx.number(), Question::Rival);
        self.rival = Some(Rival::new(addr, epoch, incarnation, number, core.cx.doubt.awake()));
    }

    fn hear_rival(&mut self, core: &mut Core, source: SocketAddr, header: &Header, number: u64) -> Result<(), DropReason> {
        let Some(rival) = self.rival.filter(|rival| rival.number == number && rival.addr == source) else {
            return Err(DropReason::UnexpectedAnswer);
        };
        self.rival = None;
        let known = self.lesser.filter(|lesser| lesser.is(source, header.epoch));
        let turned_away = known.is_some_and(|lesser| !lesser.asked);
        if (turned_away || Rival::beats(header.epoch, source, &core.cx.me)) && !mutant!(BothKeepTheName) {
            self.lose(core, source);
            return Ok(());
        }
        self.lesser = known.or(Some(Lesser { addr: source, epoch: header.epoch, asked: false }));
        // The rival learns that it has lost when our word reaches it: it must be the higher one.
        if header.epoch == core.cx.me.epoch {
            core.speak_up(header.incarnation.max(rival.incarnation));
        } else {
            core.speak_up(core.incarnation());
        }
        core.cx.event(Event::Conflict { id: core.cx.me.id, rival: source, won: true });
        Ok(())
    }

    /// Gives the id up: quiet from now on, and never outbidding.
    pub(super) fn lose(&mut self, core: &mut Core, rival: SocketAddr) {
        core.cx.event(Event::Conflict { id: core.cx.me.id, rival, won: false });
        if self.join.search == Search::Seeking {
            self.give_up(core, JoinFailure::IdTaken);
        }
        core.cx.life = Life::Quiet;
    }

    /// The holder of an id that a joiner claims answered, or its next life did.
    pub(super) fn hear_incumbent(
        &mut self,
        core: &mut Core,
        place: u16,
        number: u64,
        source: SocketAddr,
        header: &Header,
    ) -> bool {
        let now = core.cx.now();
        let word = (header.epoch, header.incarnation);
        let Some(admission) = self.admissions.answered(place, number, source, word, now) else {
            return false;
        };
        let lives = admission.outcome == Incumbent::Lives;
        if lives && admission.is_in_earnest() {
            core.cx.event(Event::Conflict { id: header.sender, rival: admission.joiner, won: true });
        }
        let verdict = if lives { Verdict::IdTaken } else { Verdict::Admitted };
        self.welcome(core, admission.joiner, admission.id, admission.nonce, verdict);
        true
    }

    /// Asks incumbents and rivals, and decides about those that stay silent.
    pub(super) fn pursue_rivals(&mut self, core: &mut Core) {
        let now = core.cx.now();
        while core.cx.outbox.quantum_left() > 0
            && let Some(admission) = self.admissions.due(now)
        {
            match admission.outcome {
                Incumbent::Gone => {
                    self.welcome(core, admission.joiner, admission.id, admission.nonce, Verdict::Admitted);
                }
                Incumbent::Asked | Incumbent::Lives => {
                    if let Some(slot) = core.members.find(admission.id) {
                        core.ping(slot, admission.incumbent, admission.number, Cargo::EMPTY);
                    }
                }
            }
        }
        let timeout = core.cx.config.direct_timeout;
        let Some(rival) = &mut self.rival else { return };
        let due = rival.due(now, timeout);
        let rival = *rival;
        match due {
            Some(RivalDue::Ask) => {
                let ping = Ping {
                    target: core.cx.me.id,
                    target_epoch: rival.epoch,
                    target_incarnation: rival.incarnation,
                    target_status: crate::Status::Alive,
                    number: rival.number,
                    root: 0,
                };
                core.send(rival.addr, &Message::Ping(ping), Cargo::EMPTY);
            }
            Some(RivalDue::Silent) => {
                self.rival = None;
                let mine = core.members.claim(Slot::ME);
                if rival.epoch > mine.epoch {
                    core.outlive(rival.epoch);
                } else {
                    core.speak_up(rival.incarnation);
                }
            }
            None => {}
        }
    }

    pub(super) fn ask_namesake(&mut self, core: &mut Core, namesake: Option<super::Namesake>) {
        if let Some(namesake) = namesake {
            self.ask_rival(core, namesake.addr, namesake.epoch, namesake.incarnation);
        }
    }

    pub(super) fn absorb(&mut self, core: &mut Core, body: &Body<'_>, from: crate::NodeId) -> super::receive::Gossip {
        let gossip = core.absorb(body, from);
        self.ask_namesake(core, gossip.namesake);
        gossip
    }
}
