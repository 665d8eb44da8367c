//! The handshake, from the side of the one who is asked. `join.rs` has the picture, `joining.rs` the other side.
//!
//! Until a stranger returns a token nothing is done for it and nothing is kept of it; the token proves the
//! address that it was sent to, and no other. Whoever asks for an id that a member holds elsewhere waits
//! until the member has been asked whether it still lives.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Life, Node};
use crate::claim::Status;
use crate::conflict::Incumbent;
use crate::identity::{Epoch, Incarnation, NodeId, canonical};
use crate::members::{SAMPLE_MAX, Slot};
use crate::numbers::{self, Question};
use crate::random::Purpose;
use crate::stats::DropReason;
use crate::wire::{Ack, Announce, Body, Challenge, Header, Join, Message, Update, Verdict, Welcome};

/// Seconds that an address token is good for, at least; at most twice as long.
const TOKEN_LIFE_S: u64 = 30;

impl Node {
    /// Somebody wants in. Until it returns a token nothing is done for it and nothing is kept of it.
    pub(super) fn hear_join(
        &mut self,
        source: SocketAddr,
        header: &Header,
        join: Join,
        len: usize,
    ) -> Result<(), DropReason> {
        if self.life != Life::Running {
            return Err(DropReason::NotRunning);
        }
        if !self.verify(source, join.token) {
            let token = self.tokens.token(source, self.token_age());
            let challenge = Challenge { nonce: join.nonce, token };
            let cargo = Cargo { len_max: Some(len), ..Cargo::EMPTY };
            self.send(source, &Message::Challenge(challenge), cargo);
            return if join.token == 0 { Ok(()) } else { Err(DropReason::Token) };
        }
        if !self.page_budget.take(self.doubt.awake()) {
            return Err(DropReason::PageLimit);
        }
        let verdict = self.admission(source, source, header, join.nonce)?;
        self.welcome(source, header.sender, join.nonce, verdict);
        Ok(())
    }

    /// Whether `header.sender` may have its id at `addr`; asks the incumbent if there is one. An error:
    /// it is being asked, or cannot be asked now.
    fn admission(
        &mut self,
        source: SocketAddr,
        addr: SocketAddr,
        header: &Header,
        nonce: u64,
    ) -> Result<Verdict, DropReason> {
        if header.sender == self.me.id {
            return Ok(Verdict::IdTaken);
        }
        let Some(slot) = self.members.find(header.sender) else { return Ok(Verdict::Admitted) };
        let held = self.members.claim(slot);
        if !held.status.is_active() || self.members.addr(slot) == addr || mutant!(IncumbentNotAsked) {
            return Ok(Verdict::Admitted);
        }
        match self.admissions.outcome(header.sender, source) {
            Some(Incumbent::Lives) => Ok(Verdict::IdTaken),
            Some(Incumbent::Gone) => Ok(Verdict::Admitted),
            Some(Incumbent::Asked) => Err(DropReason::Stranger),
            None => {
                let place = self.admissions.room(source).ok_or(DropReason::ContactLimit)?;
                let number = numbers::compose(self.number(), Question::Incumbent { place });
                let incumbent = (self.members.addr(slot), held.epoch);
                let joiner = (header.sender, source, nonce);
                let word = (header.epoch, header.incarnation);
                self.admissions.open(place, joiner, word, incumbent, number, self.doubt.awake());
                Err(DropReason::Stranger)
            }
        }
    }

    /// Lets somebody in: what is held under its id, the epoch clock, and a few members to ask.
    pub(super) fn welcome(&mut self, target: SocketAddr, id: NodeId, nonce: u64, verdict: Verdict) {
        let held = self.members.find(id).map(|slot| (slot, self.members.claim(slot)));
        let welcome = Welcome {
            nonce,
            verdict,
            held_epoch: held.map_or(Epoch(0), |(_, claim)| claim.epoch),
            held_incarnation: held.map_or(Incarnation(0), |(_, claim)| claim.incarnation),
            clock: self.epoch_clock.tell(self.doubt.real()),
            members: self.n(),
        };
        let mut claims = [Slot::ME; SAMPLE_MAX + 1];
        let mut helpers = [Slot::ME; SAMPLE_MAX];
        let (streams, members) = (&mut self.streams, &self.members);
        let random = &mut |n| streams.below(Purpose::Joining, n);
        let count = match (verdict, held) {
            (Verdict::IdTaken, Some((slot, _))) => {
                helpers[0] = slot;
                1
            }
            _ => members.sample(random, &mut helpers, SAMPLE_MAX, |slot| {
                members.claim(slot).status == Status::Alive && members.id(slot) != id
            }),
        };
        claims[1..=count].copy_from_slice(&helpers[..count]);
        self.send(target, &Message::Welcome(welcome), Cargo::claims(&claims[..=count]));
    }

    /// Somebody whose address is proven says who it is.
    pub(super) fn hear_announce(
        &mut self,
        source: SocketAddr,
        header: &Header,
        announce: Announce,
        body: &Body<'_>,
    ) -> Result<(), DropReason> {
        if self.life != Life::Running {
            return Err(DropReason::NotRunning);
        }
        if !self.verify(source, announce.token) {
            return Err(DropReason::Token);
        }
        if !self.page_budget.take(self.doubt.awake()) {
            return Err(DropReason::PageLimit);
        }
        let Some(Ok(Update::Alive { about, addr, .. })) = body.updates.clone().next() else {
            return Err(DropReason::Malformed);
        };
        let own = (about.id, about.epoch, about.incarnation);
        if own != (header.sender, header.epoch, header.incarnation) {
            return Err(DropReason::Malformed);
        }
        // The token proves this address and no other: nobody is made to send to a third one.
        if canonical(addr) != source && !self.config.accept_wrong_source && !mutant!(AddressUnproven) {
            self.welcome(source, header.sender, announce.number, Verdict::Refused);
            return Err(DropReason::ClaimAddress);
        }
        if self.admission(source, canonical(addr), header, announce.number)? == Verdict::IdTaken {
            self.welcome(source, header.sender, announce.number, Verdict::IdTaken);
            return Ok(());
        }
        // Its own word, and what it believes of this node: nothing else is heard of somebody so new.
        for update in body.updates.clone().flatten() {
            if [header.sender, self.me.id].contains(&update.about().id) {
                self.hear(&update, header.sender);
            }
        }
        let Some(slot) = self.members.find(header.sender) else {
            // The table is full, or the word was not believed; either is counted.
            self.welcome(source, header.sender, announce.number, Verdict::Refused);
            return Ok(());
        };
        // It may be held where it is not: then it has to say a newer word than that.
        let held = self.members.claim(slot);
        let elsewhere = self.members.addr(slot) != canonical(addr);
        let ack = Ack {
            number: announce.number,
            root: Some(self.digest_root()),
            belief: if elsewhere { Some(held) } else { self.belief(slot, header) },
            stranger: false,
        };
        self.send(source, &Message::Ack(ack), Cargo::claims(&[Slot::ME]));
        Ok(())
    }

    fn verify(&self, source: SocketAddr, token: u64) -> bool {
        if mutant!(TokenUnchecked) {
            return token != 0;
        }
        let age = self.token_age();
        token != 0
            && (token == self.tokens.token(source, age)
                || (age > 0 && token == self.tokens.token(source, age - 1)))
    }

    /// Tokens change with this.
    fn token_age(&self) -> u64 {
        self.doubt.real().as_nanos() / (TOKEN_LIFE_S * 1_000_000_000)
    }
}
