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
        let outcome = if self.core.cx.life == Life::Running {
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
            self.core.cx.event(Event::Refused { command: kind, reason });
        }
    }

    fn join(&mut self, seeds: &[SocketAddr]) -> Result<(), Refusal> {
        let me = self.core.cx.me.addr;
        let usable =
            || seeds.iter().map(|seed| canonical(*seed)).filter(|s| is_reachable_form(*s) && *s != me);
        if usable().next().is_none() {
            return Err(Refusal::NoUsableAddress);
        }
        let known = &self.handshake.join.seeds;
        let new = usable().filter(|addr| !known.iter().any(|seed| seed.addr == *addr)).count();
        if known.len() + new > SEEDS_MAX {
            return Err(Refusal::TooManySeeds { limit: SEEDS_MAX as u32 });
        }
        for seed in usable() {
            self.handshake.join.add_seed(seed);
        }
        { let now = self.core.cx.now(); self.handshake.seek(&mut self.core, now) };
        Ok(())
    }

    fn cancel_join(&mut self) -> Result<(), Refusal> {
        if self.handshake.join.search != Search::Seeking {
            return Err(Refusal::NothingToCancel);
        }
        self.handshake.give_up(&mut self.core, JoinFailure::Cancelled);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Refusal> {
        self.handshake.give_up(&mut self.core, JoinFailure::Left);
        let claim = Claim { status: Status::Left, ..self.core.members.claim(Slot::ME) };
        self.core.members.set_claim(Slot::ME, claim, false, self.core.cx.doubt.awake());
        if !mutant!(LeaveNotTold) {
            self.core.tell(Slot::ME, self.core.cx.me.id, self.core.cx.me.id);
        }
        self.core.cx.life = Life::Leaving { datagrams: 0 };
        (self.detector.probe, self.handshake.rival) = (None, None);
        self.core.cx.timers.set(super::table::Timer::ProbeStep, None);
        self.detector.period_at = None;
        Ok(())
    }

    /// The goodbye is over.
    pub(super) fn fall_silent(&mut self) {
        if let Life::Leaving { datagrams } = self.core.cx.life {
            self.core.cx.life = Life::Quiet;
            self.deadline = None;
            self.core.cx.doubt.set_deadline(None);
            self.core.cx.event(Event::LeaveSent { datagrams });
        }
    }

    fn set_metadata(&mut self, metadata: Metadata<'_>) -> Result<(), Refusal> {
        self.core.members.set_metadata(Slot::ME, metadata.as_bytes());
        if mutant!(MetadataWithoutIncarnation) {
            self.core.tell(Slot::ME, self.core.cx.me.id, self.core.cx.me.id);
        } else {
            self.core.speak_up(self.core.incarnation());
        }
        self.core.cx.event(Event::MetadataSet { incarnation: self.core.incarnation() });
        Ok(())
    }

    /// Whoever is not told by somebody else hears it from this node, which has to prove its new address.
    fn set_address(&mut self, addr: SocketAddr) -> Result<(), Refusal> {
        if !is_reachable_form(addr) {
            return Err(Refusal::NoUsableAddress);
        }
        self.core.cx.me.addr = addr;
        self.core.members.set_addr(Slot::ME, addr);
        self.core.speak_up(self.core.incarnation());
        self.handshake.join.contacts.start_over(self.core.cx.doubt.awake());
        let mut found = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.core.cx.streams;
        let random = &mut |n| streams.below(Purpose::Joining, n);
        let count = self.core.members.sample(random, &mut found, SAMPLE_MAX, |_| true);
        for slot in &found[..count] {
            { let addr = self.core.members.addr(*slot); self.handshake.contact(&mut self.core, addr, Why::Introduction) };
        }
        self.core.cx.event(Event::AddressSet { addr });
        Ok(())
    }

    fn broadcast(&mut self, payload: Payload<'_>) -> Result<(), Refusal> {
        if self.core.broadcasts.is_full() {
            return Err(Refusal::QueueFull { limit: u32::from(self.core.cx.config.broadcasts_max) });
        }
        let sequence = self.core.broadcasts.next_sequence();
        if self.core.members.len_active() > 1 {
            self.core.broadcasts.push(self.core.cx.me.id, self.core.cx.me.epoch, sequence, payload.as_bytes());
        }
        self.core.cx.event(Event::BroadcastQueued { sequence });
        Ok(())
    }

    fn send_message(&mut self, target: NodeId, payload: Payload<'_>) -> Result<(), Refusal> {
        let slot = self.core
            .members
            .find(target)
            .filter(|slot| *slot != Slot::ME && self.core.members.claim(*slot).status.is_active());
        let addr = self.core.members.addr(slot.ok_or(Refusal::NoSuchMember)?);
        let cargo = Cargo { payload: Some(payload.as_bytes()), ..Cargo::EMPTY };
        if !self.core.send(addr, &Message::User, cargo) {
            return Err(Refusal::OutboxFull);
        }
        self.core.cx.event(Event::Sent { target });
        Ok(())
    }

    fn remove(&mut self, target: NodeId) -> Result<(), Refusal> {
        let slot = self.core.members.find(target).ok_or(Refusal::NoSuchMember)?;
        let held = self.core.members.claim(slot);
        if !matches!(held.status, Status::Suspect | Status::Dead) {
            return Err(Refusal::NoSuchMember);
        }
        self.core.part(slot, Claim { status: Status::Left, ..held }, self.core.cx.me.id);
        Ok(())
    }

    fn restore(&mut self, hints: &[Hint]) -> Result<(), Refusal> {
        let mut used = 0;
        for hint in hints.iter().take(HINTS_MAX) {
            let addr = canonical(hint.addr);
            if hint.id == self.core.cx.me.id {
                if hint.epoch >= self.core.cx.me.epoch && self.core.cx.is_plausible(hint.epoch) {
                    self.core.outlive(hint.epoch);
                }
            } else if is_reachable_form(addr) && addr != self.core.cx.me.addr && self.handshake.join.add_hint(addr) {
                used += 1;
            }
        }
        let skipped = hints.len() as u32 - used;
        self.core.cx.event(Event::Restored { used, skipped });
        if used > 0 && self.handshake.join.search != Search::Joined {
            { let now = self.core.cx.now(); self.handshake.seek(&mut self.core, now) };
        }
        Ok(())
    }

    /// After half a tombstone's life asleep the table may hold members that everybody else has forgotten,
    /// and by a clock far behind that of its seeds it holds members that those cannot believe. It is a list
    /// of whom to ask, no more: the cluster is joined anew, and the table read from it.
    pub(super) fn start_over(&mut self) {
        let mut found = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.core.cx.streams;
        let random = &mut |n| streams.below(Purpose::Joining, n);
        let count = self.core.members.sample(random, &mut found, SAMPLE_MAX, |_| true);
        for slot in &found[..count] {
            self.handshake.join.add_hint(self.core.members.addr(*slot));
        }
        let now = self.core.cx.now();
        let forgotten = self.core.members.slots().count() as u32 - 1;
        let mut members = Self::empty_table(&mut self.core.cx.streams, &self.core.cx.config, self.core.cx.me, now);
        members.start_over_from(&self.core.members, now);
        self.core.members = members;
        self.core.suspicions = Suspicions::default();
        self.core.arm_suspicions();
        self.core.updates = Updates::new();
        self.detector.probe = None;
        self.core.cx.timers.set(super::table::Timer::ProbeStep, None);
        self.sync = Self::new_sync(&self.core.cx.config);
        self.handshake.join.announced = false;
        self.core.cx.event(Event::StartedOver { forgotten });
        if !self.handshake.join.seeds.is_empty() || !self.handshake.join.hints.is_empty() {
            self.handshake.seek(&mut self.core, now);
        }
    }
}
