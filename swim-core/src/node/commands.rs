//! What the user wants. Every command ends in an event; one that cannot be carried out changes nothing.

use core::net::SocketAddr;

use super::telling::Cargo;
use super::{Life, Node};
use crate::claim::{Claim, Status};
use crate::gossip::Updates;
use crate::identity::{NodeId, canonical, is_reachable_form};
use crate::input::{Command, Hint};
use crate::join::{Search, Why};
use crate::members::{SAMPLE_MAX, Slot};
use crate::output::{Event, JoinFailure, Refusal};
use crate::payload::{Metadata, Payload};
use crate::random::Purpose;
use crate::suspicion::Suspicions;
use crate::wire::Message;
use crate::{HINTS_MAX, SEEDS_MAX};

impl Node {
    pub(super) fn on_command(&mut self, command: Command<'_>) {
        let kind = command.kind();
        let outcome = if self.life == Life::Running {
            match command {
                Command::Join { seeds } => self.join(seeds),
                Command::CancelJoin => self.cancel_join(),
                Command::Leave => self.leave(),
                Command::SetMetadata(metadata) => self.set_metadata(metadata),
                Command::SetAddress(addr) => self.set_address(canonical(addr)),
                Command::Broadcast(payload) => self.broadcast(payload),
                Command::Send { target, payload } => self.send_message(target, payload),
                Command::Remove { target } => self.remove(target),
                Command::Restore { hints } => self.restore(hints),
            }
        } else {
            Err(Refusal::NotRunning)
        };
        if let Err(reason) = outcome {
            self.event(Event::Refused { command: kind, reason });
        }
    }

    fn join(&mut self, seeds: &[SocketAddr]) -> Result<(), Refusal> {
        let me = self.me.addr;
        let usable =
            || seeds.iter().map(|seed| canonical(*seed)).filter(|s| is_reachable_form(*s) && *s != me);
        if usable().next().is_none() {
            return Err(Refusal::NoUsableAddress);
        }
        let known = &self.join.seeds;
        let new = usable().filter(|addr| !known.iter().any(|seed| seed.addr == *addr)).count();
        if known.len() + new > SEEDS_MAX {
            return Err(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 });
        }
        for seed in usable() {
            self.join.add_seed(seed);
        }
        self.seek(self.now());
        Ok(())
    }

    fn cancel_join(&mut self) -> Result<(), Refusal> {
        if self.join.search != Search::Seeking {
            return Err(Refusal::NothingToCancel);
        }
        self.give_up(JoinFailure::Cancelled);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Refusal> {
        self.give_up(JoinFailure::Left);
        let claim = Claim { status: Status::Left, ..self.members.claim(Slot::ME) };
        self.members.set_claim(Slot::ME, claim, false, self.doubt.awake());
        if !mutant!(LeaveNotTold) {
            self.tell(Slot::ME, self.me.id, self.me.id);
        }
        self.life = Life::Leaving { datagrams: 0 };
        (self.probe, self.rival) = (None, None);
        self.period_at = None;
        Ok(())
    }

    /// The goodbye is over.
    pub(super) fn fall_silent(&mut self) {
        if let Life::Leaving { datagrams } = self.life {
            self.life = Life::Quiet;
            self.deadline = None;
            self.doubt.set_deadline(None);
            self.event(Event::LeaveSent { datagrams });
        }
    }

    fn set_metadata(&mut self, metadata: Metadata<'_>) -> Result<(), Refusal> {
        self.members.set_metadata(Slot::ME, metadata.as_bytes());
        if mutant!(MetadataWithoutIncarnation) {
            self.tell(Slot::ME, self.me.id, self.me.id);
        } else {
            self.speak_up(self.incarnation());
        }
        self.event(Event::MetadataSet { incarnation: self.incarnation() });
        Ok(())
    }

    /// Whoever is not told by somebody else hears it from this node, which has to prove its new address.
    fn set_address(&mut self, addr: SocketAddr) -> Result<(), Refusal> {
        if !is_reachable_form(addr) {
            return Err(Refusal::NoUsableAddress);
        }
        self.me.addr = addr;
        self.members.set_addr(Slot::ME, addr);
        self.speak_up(self.incarnation());
        self.join.contacts.start_over(self.doubt.awake());
        let mut found = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.streams;
        let random = &mut |n| streams.below(Purpose::Joining, n);
        let count = self.members.sample(random, &mut found, SAMPLE_MAX, |_| true);
        for slot in &found[..count] {
            self.contact(self.members.addr(*slot), Why::Introduction);
        }
        self.event(Event::AddressSet { addr });
        Ok(())
    }

    fn broadcast(&mut self, payload: Payload<'_>) -> Result<(), Refusal> {
        if self.broadcasts.is_full() {
            return Err(Refusal::QueueFull { limit: u32::from(self.config.broadcasts_max) });
        }
        let sequence = self.broadcasts.next_sequence();
        if self.members.len_active() > 1 {
            self.broadcasts.push(self.me.id, self.me.epoch, sequence, payload.as_bytes());
        }
        self.event(Event::BroadcastQueued { sequence });
        Ok(())
    }

    fn send_message(&mut self, target: NodeId, payload: Payload<'_>) -> Result<(), Refusal> {
        let slot = self
            .members
            .find(target)
            .filter(|slot| *slot != Slot::ME && self.members.claim(*slot).status.is_active());
        let addr = self.members.addr(slot.ok_or(Refusal::NoSuchMember)?);
        let cargo = Cargo { payload: Some(payload.as_bytes()), ..Cargo::EMPTY };
        if !self.send(addr, &Message::User, cargo) {
            return Err(Refusal::OutboxFull);
        }
        self.event(Event::Sent { target });
        Ok(())
    }

    fn remove(&mut self, target: NodeId) -> Result<(), Refusal> {
        let slot = self.members.find(target).ok_or(Refusal::NoSuchMember)?;
        let held = self.members.claim(slot);
        if !matches!(held.status, Status::Suspect | Status::Dead) {
            return Err(Refusal::NoSuchMember);
        }
        self.part(slot, Claim { status: Status::Left, ..held }, self.me.id);
        Ok(())
    }

    fn restore(&mut self, hints: &[Hint]) -> Result<(), Refusal> {
        let mut used = 0;
        for hint in hints.iter().take(HINTS_MAX) {
            let addr = canonical(hint.addr);
            if hint.id == self.me.id {
                if hint.epoch >= self.me.epoch && self.is_plausible(hint.epoch) {
                    self.outlive(hint.epoch);
                }
            } else if is_reachable_form(addr) && addr != self.me.addr && self.join.add_hint(addr) {
                used += 1;
            }
        }
        let skipped = hints.len() as u32 - used;
        self.event(Event::Restored { used, skipped });
        if used > 0 && self.join.search != Search::Joined {
            self.seek(self.now());
        }
        Ok(())
    }

    /// After half a tombstone's life asleep the table may hold members that everybody else has forgotten,
    /// and by a clock far behind that of its seeds it holds members that those cannot believe. It is a list
    /// of whom to ask, no more: the cluster is joined anew, and the table read from it.
    pub(super) fn start_over(&mut self) {
        let mut found = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.streams;
        let random = &mut |n| streams.below(Purpose::Joining, n);
        let count = self.members.sample(random, &mut found, SAMPLE_MAX, |_| true);
        for slot in &found[..count] {
            self.join.add_hint(self.members.addr(*slot));
        }
        let now = self.now();
        let forgotten = self.members.slots().count() as u32 - 1;
        let mut members = Self::empty_table(&mut self.streams, &self.config, self.me, now);
        members.start_over_from(&self.members, now);
        self.members = members;
        self.suspicions = Suspicions::default();
        self.updates = Updates::new();
        self.probe = None;
        self.sync = Self::new_sync(&self.config);
        self.join.announced = false;
        self.event(Event::StartedOver { forgotten });
        if !self.join.seeds.is_empty() || !self.join.hints.is_empty() {
            self.seek(now);
        }
    }
}
