//! The sequence of a datagram: what the sender is to this node, what it may ask, and which mechanism answers.
//!
//! | sender | its updates | what it may ask |
//! | --- | --- | --- |
//! | a member, at the address that is held | applied | everything |
//! | known, but Dead or Left here | ignored | a ping, answered with what is held of it |
//! | known, at another address | ignored | a ping, answered as a stranger's; an ack, counted |
//! | a stranger | ignored | a ping, answered with "I do not know you"; the handshake |
//! | this node's own id | ignored | whether this node is alive (`handshake/rivals.rs`) |
//!
//! An answer to any node but a member, or a stranger that has returned a token, is never longer than the request. A
//! sender whose header is of an earlier epoch than the one held is a stranger whose pings are answered, so that it asks
//! to be introduced and learns; nothing else of it is applied.

use core::net::SocketAddr;

use super::Node;
use crate::api::{DropReason, Event, Handled, is_reachable_form};
use crate::context::{RequestKind, requests};
use crate::group::{Absorbed, OUTDATED_MAX, Piggyback, Slot};
use crate::handshake::{Purpose, Welcomed};
use crate::wire::{Ack, Body, Datagram, Kind, Message, Ping, read_header};

/// What the sender of a datagram is to this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Member(Slot),
    /// Held Dead or Left.
    Inactive(Slot),
    /// Held at another address.
    AddressMismatch,
    /// Its header is of an earlier epoch than the one held.
    StaleEpoch,
    Stranger,
}

impl Node {
    pub(super) fn receive(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.group.cx.stats.datagrams_received += 1;
        self.group.cx.stats.bytes_received += bytes.len() as u64;
        if let Err(reason) = self.open(source, bytes) {
            self.group.cx.stats.drop(reason);
        }
    }

    /// Reads a datagram and acts on it, or says why not.
    fn open(&mut self, source: SocketAddr, bytes: &[u8]) -> Handled {
        if self.group.cx.is_stopped() {
            return Err(DropReason::NotRunning);
        }
        let (header, parts) = read_header(bytes, Some(self.group.cx.config.label_hash()))?;
        // Whatever is answered goes to the source: never to this node itself, never to an address that is no host's.
        if source == self.group.cx.me.addr {
            return Err(DropReason::FromMyself);
        }
        if !is_reachable_form(source) {
            return Err(DropReason::WrongSource);
        }
        // The handshake is how a node learns that its own clock, or the cluster's, is far ahead.
        let handshake = matches!(header.kind, Kind::Join | Kind::Challenge | Kind::Welcome);
        if !handshake && !self.group.cx.is_plausible(header.epoch) {
            return Err(DropReason::InsaneEpoch);
        }
        let mut datagram = Datagram { source, header, body: Body::EMPTY, len: bytes.len() };
        datagram.body.read(header.kind, parts)?;
        for _ in 0..datagram.body.unknown_parts {
            self.group.cx.stats.drop(DropReason::UnknownPart);
        }
        if handshake || header.kind == Kind::Announce || header.sender == self.group.cx.me.id {
            return self.on_handshake(&datagram);
        }
        match self.on_sender(&datagram) {
            Standing::Member(slot) => self.on_member(slot, &datagram),
            other => self.on_other(other, &datagram),
        }
    }

    #[cold]
    fn on_handshake(&mut self, datagram: &Datagram<'_>) -> Handled {
        if self.handshake.on_datagram(&mut self.group, datagram)? == Welcomed::StartOver {
            self.start_over();
            self.handshake.on_datagram(&mut self.group, datagram)?;
        }
        Ok(())
    }

    /// What the sender is. The header of a member counts as its claim.
    #[inline]
    fn on_sender(&mut self, datagram: &Datagram<'_>) -> Standing {
        let Datagram { source, ref header, .. } = *datagram;
        let Some(slot) = self.detector.find(&self.group, header.sender) else { return Standing::Stranger };
        // Nearly always it is a living member that says what is held of it, from where it is held.
        if !self.group.members().is_held_from(slot, &header.claim(), source)
            && let Some(standing) = self.on_changed_sender(slot, datagram)
        {
            return standing;
        }
        self.detector.on_heard(&mut self.group);
        Standing::Member(slot)
    }

    /// The same of one whose header or source is not what is held at `slot`; `None`: a member.
    fn on_changed_sender(&mut self, slot: Slot, datagram: &Datagram<'_>) -> Option<Standing> {
        let Datagram { source, ref header, .. } = *datagram;
        if header.epoch < self.group.claim(slot).epoch {
            return Some(Standing::StaleEpoch);
        }
        if source != self.group.addr(slot) && !self.group.cx.config.accept_wrong_source {
            return Some(Standing::AddressMismatch);
        }
        self.group.on_header(slot, header);
        (!self.group.status(slot).is_active()).then_some(Standing::Inactive(slot))
    }

    /// A datagram from a member, outside the handshake.
    fn on_member(&mut self, slot: Slot, datagram: &Datagram<'_>) -> Handled {
        let Datagram { source, ref header, ref body, .. } = *datagram;
        let root = self.group.digest_root();
        let absorbed = if body.is_bare() { Absorbed::NOTHING } else { self.absorb(datagram) };
        // Its own goodbye may have been among the updates.
        let member = body.is_bare() || self.group.status(slot).is_active();
        if !member && matches!(header.kind, Kind::Ping | Kind::PingReq | Kind::SyncPull) {
            return self.on_other(Standing::Inactive(slot), datagram);
        }
        // The answer to a ping puts right what it said; to anything else there is none.
        if !absorbed.outdated().is_empty() && header.kind != Kind::Ping && member {
            self.group.send(source, &Message::Gossip, Piggyback::claims(absorbed.outdated()));
        }
        let Self { group, detector, anti_entropy, .. } = self;
        match body.message {
            Message::Ping(ping) => {
                // The roots may differ only because of what this ping brings, or brings about.
                anti_entropy.compare(group, header.sender, Some(ping.root).filter(|theirs| *theirs != root));
                self.on_ping(slot, datagram, ping, &absorbed)
            }
            Message::Ack(ack) => {
                self.on_ack(datagram, ack)?;
                let Self { group, anti_entropy, .. } = self;
                anti_entropy.compare(group, header.sender, ack.root);
                Ok(())
            }
            Message::PingReq(request) => detector.on_ping_req(group, datagram, request),
            Message::Nack(nack) => detector.on_nack(group, source, nack),
            Message::RelayedAck(ack) => detector.on_relayed_ack(group, source, ack),
            Message::SyncPull(pull) => anti_entropy.on_pull(group, source, pull),
            Message::SyncPage(page) => anti_entropy.on_page(group, source, page, &absorbed),
            Message::BroadcastPull => group.on_broadcast_pull(source, &body.marks),
            Message::User => {
                let payload = body.payload.unwrap_or_default().into();
                group.cx.event(Event::Message { from: header.sender, payload });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A datagram from any other node, outside the handshake.
    fn on_other(&mut self, standing: Standing, datagram: &Datagram<'_>) -> Handled {
        let Datagram { source, ref body, .. } = *datagram;
        let refusal = match standing {
            Standing::AddressMismatch => DropReason::WrongSource,
            Standing::StaleEpoch => DropReason::StaleSender,
            _ => DropReason::Stranger,
        };
        match body.message {
            Message::Ping(ping) => self.on_strange_ping(standing, datagram, ping),
            Message::Ack(ack) if standing != Standing::StaleEpoch => self.on_ack(datagram, ack),
            // It holds a later epoch of this node just as this node does of it: one of them has to begin.
            Message::Ack(ack) if ack.stranger && self.take_request(datagram, ack.number) => {
                self.handshake.open(&mut self.group, source, Purpose::Introduction);
                Err(refusal)
            }
            _ => Err(refusal),
        }
    }

    /// A ping from a member.
    fn on_ping(&mut self, slot: Slot, datagram: &Datagram<'_>, ping: Ping, absorbed: &Absorbed) -> Handled {
        let Datagram { source, ref header, .. } = *datagram;
        let group = &mut self.group;
        if ping.target != group.cx.me.id {
            return Err(DropReason::NotForMe);
        }
        if let Some(held) = ping.held_claim {
            group.on_claim_about_me(held, header.sender);
        }
        let root = group.digest_root();
        // It lacks something of this node, or holds it for not Alive.
        let behind = ping.held_claim.is_some();
        let (outdated, mut all) = (absorbed.outdated(), [Slot::ME; OUTDATED_MAX + 1]);
        let claims = if outdated.is_empty() {
            &[Slot::ME][..usize::from(behind)]
        } else {
            all[1..=outdated.len()].copy_from_slice(outdated);
            &all[usize::from(!behind)..=outdated.len()]
        };
        let ack = Ack {
            number: ping.number,
            root: (root != ping.root).then_some(root),
            held_claim: group.held_claim(slot, header),
            stranger: false,
        };
        group.send(source, &Message::Ack(ack), Piggyback { claims, ..Piggyback::GOSSIP });
        Ok(())
    }

    /// A ping from a node that is not a member here.
    fn on_strange_ping(&mut self, standing: Standing, datagram: &Datagram<'_>, ping: Ping) -> Handled {
        let Datagram { source, ref header, len, .. } = *datagram;
        let Self { group, handshake, .. } = self;
        if ping.target != group.cx.me.id {
            return Err(DropReason::NotForMe);
        }
        let alone = group.n() == 1;
        if group.cx.is_running()
            && let Some(held) = ping.held_claim
            && held.epoch > group.cx.me.epoch
            && (alone || standing == Standing::Stranger)
        {
            // It knows a later epoch of this node: this node's wall clock was set back. An answer in this epoch would
            // be dropped, so a node that is alone asks to be introduced, and so learns the epoch to outdo. (One that
            // has members hears it from them; the ack makes the sender ask in turn.)
            if alone && group.cx.is_plausible(held.epoch) {
                handshake.open(group, source, Purpose::Reply);
            }
            return Err(DropReason::Stranger);
        }
        let held_claim = if let Standing::Inactive(slot) = standing {
            if let Some(held) = ping.held_claim {
                group.on_claim_of_inactive(held, header.sender);
            }
            group.held_claim(slot, header)
        } else {
            None
        };
        // A node that is held elsewhere, or in another epoch, has to prove where it is, and hears what is held.
        let stranger = !matches!(standing, Standing::Inactive(_));
        let ack = Ack { number: ping.number, root: None, held_claim, stranger };
        let short = Piggyback { len_max: Some(len), ..Piggyback::EMPTY };
        group.send(source, &Message::Ack(ack), short);
        Ok(())
    }

    /// An answer to one of this node's requests, from the node that was asked.
    fn on_ack(&mut self, datagram: &Datagram<'_>, ack: Ack) -> Handled {
        let Self { group, detector, handshake, anti_entropy, reconnect, .. } = self;
        let (source, sender, number) = (datagram.source, datagram.header.sender, ack.number);
        let expected = match requests::kind(number) {
            Some(RequestKind::Probe { attempt }) => detector.on_ack(group, datagram, number, attempt)?,
            Some(RequestKind::Relayed { index }) => detector.on_relayed_answer(group, index, number, source),
            Some(RequestKind::Reconnect) => reconnect.on_ack(datagram, number),
            Some(RequestKind::Incumbent) => handshake.on_incumbent(group, datagram, number),
            Some(RequestKind::Handshake) => {
                let announced = handshake.on_announced(group, source, number, ack.root);
                if announced == Some(true) {
                    anti_entropy.catch_up(group, sender);
                }
                announced.is_some()
            }
            Some(RequestKind::Rival | RequestKind::Pull { .. }) | None => false,
        };
        if !expected {
            return Err(DropReason::UnexpectedAnswer);
        }
        if let Some(held) = ack.held_claim {
            group.on_held_claim(held, sender);
        }
        if ack.stranger && group.cx.is_running() {
            handshake.open(group, source, Purpose::Introduction);
        }
        Ok(())
    }

    /// Whether `number` is that of a ping to the sender, in the open probe or to reconnect; the latter is answered by it.
    fn take_request(&mut self, datagram: &Datagram<'_>, number: u64) -> bool {
        match requests::kind(number) {
            Some(RequestKind::Probe { attempt }) => self.detector.has_asked(datagram, number, attempt),
            Some(RequestKind::Reconnect) => self.reconnect.on_ack(datagram, number),
            _ => false,
        }
    }

    /// Applies everything that is piggybacked on a datagram, and asks the other node that has this id if one turned up.
    #[inline]
    fn absorb(&mut self, datagram: &Datagram<'_>) -> Absorbed {
        let absorbed = self.group.absorb(&datagram.body, datagram.header.sender);
        self.handshake.ask_namesake(&mut self.group);
        absorbed
    }
}
